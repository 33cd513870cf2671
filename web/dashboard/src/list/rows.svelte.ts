// The rows of the few issues in sight, kept live.
import { direct } from "../api/client";
import { RowsDocument, type RowFragment } from "../api/generated/graphql";
import { known, type Watcher } from "../api/known";

const AGAIN_MS = 5_000;

export class LiveRows implements Watcher {
  byId = $state.raw<ReadonlyMap<string, RowFragment>>(new Map());
  ids: ReadonlySet<string> = new Set();
  #asked = new Set<string>();
  #isAsking = false;

  /** Shows these; those that are not known are fetched, once. */
  watch(ids: readonly string[]): void {
    if (ids.length === this.ids.size && ids.every((id) => this.ids.has(id))) return;
    this.ids = new Set(ids);
    known.join(this);
    for (const id of this.#asked) if (!this.ids.has(id)) this.#asked.delete(id);
    this.changed();
    void this.#ask();
  }

  stop(): void {
    known.leave(this);
    this.ids = new Set();
  }

  changed(): void {
    const rows = [...this.ids].flatMap((id) => known.get(id) ?? []);
    this.byId = new Map(rows.map((row) => [row.id, row]));
  }

  async #ask(): Promise<void> {
    const missing = [...this.ids].filter((id) => !this.byId.has(id) && !this.#asked.has(id));
    if (this.#isAsking || missing.length === 0) return;
    this.#isAsking = true;
    for (const id of missing) this.#asked.add(id);
    const { data } = await direct.query(RowsDocument, { ids: missing }).toPromise();
    this.#isAsking = false;
    if (!data) {
      for (const id of missing) this.#asked.delete(id);
      setTimeout(() => void this.#ask(), AGAIN_MS);
      return;
    }
    known.put((data.nodes ?? []).filter((node) => node?.__typename === "Issue"));
    // Others may have come into sight meanwhile.
    void this.#ask();
  }
}
