// The rows of the few issues in sight, kept live by the cache.
import { pipe, subscribe, type Subscription } from "wonka";
import { client } from "../api/client";
import { RowsDocument, type RowFragment } from "../api/generated/graphql";

export class LiveRows {
  byId = $state.raw<ReadonlyMap<string, RowFragment>>(new Map());
  #subscription: Subscription | undefined;
  #ids = "";

  /** Shows these; what the cache does not have is fetched. */
  watch(ids: readonly string[]): void {
    const joined = ids.join();
    if (joined === this.#ids) return;
    this.#ids = joined;
    const before = this.#subscription;
    this.#subscription = pipe(
      client.query(RowsDocument, { ids: [...ids] }),
      subscribe(({ data }) => {
        const rows = (data?.nodes ?? []).filter((node) => node?.__typename === "Issue");
        if (rows.length > 0 || ids.length === 0) this.byId = new Map(rows.map((row) => [row.id, row]));
      }),
    );
    before?.unsubscribe();
  }

  stop(): void {
    this.#subscription?.unsubscribe();
    this.#subscription = undefined;
    this.#ids = "";
  }
}
