// The list of issues: its pages, its live changes, its facets. One for the page, so that coming back finds it as it was.
import type { Subscription } from "wonka";
import { direct, isExpired, troubleOf, type Trouble } from "../api/client";
import { FacetsDocument, PageDocument, type FacetsQuery } from "../api/generated/graphql";
import { known } from "../api/known";
import { freshIn, watchIssues, type WatchedEvent } from "../api/watch";
import { changesOf, entryOf, type Listed, type ListOrder } from "./listed";
import { RowOrder } from "./order.svelte";
import { FACETS, without, type Facet } from "./search";

const FACETS_SOON_MS = 1_000;
// Counting is dearer than anything else here, and every open page does it.
const FACETS_PAUSE_MS = 10_000;
// What was committed before a count is here by then, however slowly the page takes it.
const SETTLED_MS = 3_000;
// The first page is there sooner, the others are fewer.
const FIRST_ROWS = 50;
const MORE_ROWS = 100;
const AGAIN_MS = 5_000;

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
  #isLoading = false;
  #isLoadingMore = false;
  #moreTimer: ReturnType<typeof setTimeout> | undefined;
  #facetsTimer: ReturnType<typeof setTimeout> | undefined;
  #facetsAt = 0;
  // How often something was taken of the stream.
  #batches = 0;
  #settling: ReturnType<typeof setTimeout> | undefined;

  /** Shows this search in this order; the same one goes on from where it was left. */
  async show(search: string, by: ListOrder): Promise<void> {
    const isSame = search === this.#search && by === this.#by;
    if (isSame && this.#isLoading) return;
    if (isSame && this.phase === "ready" && this.#position !== undefined) {
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
    this.#isLoading = true;
    const { data, error } = await this.#page(null);
    if (turn !== this.#turn) return;
    this.#isLoading = false;
    // Not before: the rows would wait for it.
    void this.#count();
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
    if (turn !== this.#turn) return;
    if (!data?.issues) {
      clearTimeout(this.#moreTimer);
      if (this.#watch) this.#moreTimer = setTimeout(() => void this.more(), AGAIN_MS);
      return;
    }
    const { nodes, pageInfo } = data.issues;
    this.order.append(nodes.map((row) => entryOf(row, this.#by)), pageInfo.hasNextPage);
    this.#cursor = pageInfo.endCursor ?? null;
  }

  /** Nobody looks any more; `show` goes on from here. */
  stop(): void {
    this.#watch?.unsubscribe();
    this.#watch = undefined;
    clearTimeout(this.#moreTimer);
    clearTimeout(this.#facetsTimer);
    this.#facetsTimer = undefined;
    clearTimeout(this.#settling);
  }

  async #page(after: string | null) {
    const first = after === null ? FIRST_ROWS : MORE_ROWS;
    const variables = { search: this.#search, orderBy: [{ field: this.#by }], first, after };
    const answer = await direct.query(PageDocument, variables).toPromise();
    known.put(answer.data?.issues?.nodes ?? []);
    return answer;
  }

  #follow(): void {
    this.#watch?.unsubscribe();
    const variables = { where: { search: this.#search }, after: this.#position };
    this.#watch = watchIssues(
      variables,
      (events, position) => this.#take(events, position),
      (error) => {
        if (isExpired(error)) void this.reload();
        else this.trouble = troubleOf(error);
      },
    );
  }

  #take(events: readonly WatchedEvent[], position: string): void {
    this.#position = position;
    if (events.length === 0) return;
    this.#batches += 1;
    for (const { match } of events) {
      if (match === "ENTERED") this.total += 1;
      if (match === "LEFT") this.total -= 1;
    }
    this.order.apply(changesOf(events, this.#by));
    this.fresh = freshIn(events);
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
    const taken = this.#batches;
    const { data } = await direct.query(FacetsDocument, { ...alone, search }).toPromise();
    if (!data || search !== this.#search) return;
    this.facets = data;
    const total = data.all?.total;
    clearTimeout(this.#settling);
    // It may know already of what the stream is about to bring, which would count twice.
    this.#settling = setTimeout(() => {
      if (total !== undefined && taken === this.#batches && search === this.#search) this.total = total;
    }, SETTLED_MS);
  }
}

export const listing = new Listing();
