// The list of issues: its pages, its live changes, its facets. One for the page, so that coming back finds it as it was.
import { pipe, subscribe, type Subscription } from "wonka";
import { client, isExpired, troubleOf, type Trouble } from "../api/client";
import {
  FacetsDocument,
  PageDocument,
  WatchDocument,
  type FacetsQuery,
  type WatchSubscription,
} from "../api/generated/graphql";
import { changesOf, entryOf, type Listed, type ListOrder } from "./listed";
import { RowOrder } from "./order.svelte";
import { FACETS, without, type Facet } from "./search";

const FACETS_SOON_MS = 1_000;
// Counting is dearer than anything else here, and every open page does it.
const FACETS_PAUSE_MS = 10_000;

type Batch = WatchSubscription["issueEvents"];

class Listing {
  readonly order = new RowOrder<Listed>();
  phase = $state<"loading" | "ready" | "failed">("loading");
  trouble = $state<Trouble | null>(null);
  total = $state(0);
  facets = $state.raw<FacetsQuery | null>(null);
  /** Issues that changed a moment ago. */
  fresh = $state.raw<ReadonlySet<string>>(new Set());
  scrollTop = 0;

  #search = "";
  #by: ListOrder = "DETECTED_AT";
  #cursor: string | null = null;
  #position: string | undefined;
  #watch: Subscription | undefined;
  #turn = 0;
  #isLoadingMore = false;
  #facetsTimer: ReturnType<typeof setTimeout> | undefined;
  #facetsAt = 0;

  /** Shows this search in this order; the same one goes on from where it was left. */
  async show(search: string, by: ListOrder): Promise<void> {
    if (this.phase === "ready" && search === this.#search && by === this.#by && this.#position !== undefined) {
      this.#follow();
      return;
    }
    this.#search = search;
    this.#by = by;
    this.scrollTop = 0;
    await this.reload();
  }

  /** Asks for everything again. */
  async reload(): Promise<void> {
    this.stop();
    const turn = ++this.#turn;
    if (this.order.entries.length === 0) this.phase = "loading";
    void this.#count();
    const { data, error } = await this.#page(null);
    if (turn !== this.#turn) return;
    if (error || !data?.issues) {
      this.phase = "failed";
      this.trouble = error ? troubleOf(error) : "failed";
      return;
    }
    const { nodes, pageInfo, position, totalCount } = data.issues;
    this.order.start(nodes.map((row) => entryOf(row, this.#by)), pageInfo.hasNextPage);
    this.#cursor = pageInfo.endCursor ?? null;
    this.#position = position;
    this.total = totalCount;
    this.phase = "ready";
    this.trouble = null;
    this.#follow();
  }

  /** Loads the next page, unless that is being done. */
  async more(): Promise<void> {
    if (this.#isLoadingMore || !this.order.hasMore) return;
    this.#isLoadingMore = true;
    const turn = this.#turn;
    const { data } = await this.#page(this.#cursor);
    this.#isLoadingMore = false;
    if (turn !== this.#turn || !data?.issues) return;
    const { nodes, pageInfo } = data.issues;
    this.order.append(nodes.map((row) => entryOf(row, this.#by)), pageInfo.hasNextPage);
    this.#cursor = pageInfo.endCursor ?? null;
  }

  /** Nobody looks any more; `show` goes on from here. */
  stop(): void {
    this.#watch?.unsubscribe();
    this.#watch = undefined;
    clearTimeout(this.#facetsTimer);
    this.#facetsTimer = undefined;
  }

  #page(after: string | null) {
    const variables = { search: this.#search, orderBy: [{ field: this.#by }], after };
    return client.query(PageDocument, variables, { requestPolicy: "network-only" }).toPromise();
  }

  #follow(): void {
    this.#watch?.unsubscribe();
    const variables = { where: { search: this.#search }, after: this.#position };
    this.#watch = pipe(
      client.subscription(WatchDocument, variables),
      subscribe(({ data, error }) => {
        if (isExpired(error)) void this.reload();
        else if (error) this.trouble = troubleOf(error);
        else if (data) this.#take(data.issueEvents);
      }),
    );
  }

  #take(batch: Batch): void {
    this.#position = batch.position;
    if (batch.events.length === 0) return;
    for (const { match } of batch.events) {
      if (match === "ENTERED") this.total += 1;
      if (match === "LEFT") this.total -= 1;
    }
    this.order.apply(changesOf(batch.events, this.#by));
    this.fresh = new Set(batch.events.map(({ event }) => event.issueId));
    this.#countSoon();
  }

  #countSoon(): void {
    if (this.#facetsTimer) return;
    const pause = Math.max(FACETS_SOON_MS, this.#facetsAt + FACETS_PAUSE_MS - Date.now());
    this.#facetsTimer = setTimeout(() => void this.#count(), pause);
  }

  async #count(): Promise<void> {
    this.#facetsTimer = undefined;
    this.#facetsAt = Date.now();
    const search = this.#search;
    const alone = Object.fromEntries(FACETS.map((facet) => [facet, without(search, facet)])) as Record<Facet, string>;
    const asked = client.query(FacetsDocument, { ...alone, search }, { requestPolicy: "network-only" });
    const { data } = await asked.toPromise();
    if (!data || search !== this.#search) return;
    this.facets = data;
    this.total = data.all?.total ?? this.total;
  }
}

export const listing = new Listing();
