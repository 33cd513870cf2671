// The foremost issues of a search in one order, and counts of all of it; both live.
import { pipe, subscribe, type Subscription } from "wonka";
import { direct, isExpired, troubleOf, type Trouble } from "../api/client";
import { CountsDocument, PageDocument, type LiveFragment, type RowFragment } from "../api/generated/graphql";
import { known } from "../api/known";
import { freshIn, watchIssues, type WatchedEvent } from "../api/watch";
import { changesOf, entryOf, type Listed, type ListOrder } from "./listed";
import { RowOrder } from "./order.svelte";

// Nobody presses anything on the screens that show this.
const AGAIN_MS = 10_000;
// What is far behind those that are shown is dropped, so that a page that is open all day stays small.
const MOST = 500;
const KEPT = 100;
const FIRST_ROWS = 50;

interface Page {
  nodes: readonly RowFragment[];
  position: string;
  hasMore: boolean;
}

export class Foremost {
  readonly order = new RowOrder<Listed>();
  counts = $state.raw<LiveFragment | null>(null);
  /** Issues that changed a moment ago. */
  fresh = $state.raw<ReadonlySet<string>>(new Set());
  /** Why it could not be asked for; it tries again by itself. */
  trouble = $state<Trouble | null>(null);
  isLoading = $state(true);
  #subscriptions: Subscription[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isAsking = false;
  #isStopped = false;

  /** `shown`: with fewer left it asks for more. `changed` is called when something of the search has changed. */
  constructor(
    readonly search: string,
    readonly by: ListOrder,
    readonly shown: number,
    readonly changed?: () => void,
  ) {}

  stop(): void {
    this.#isStopped = true;
    this.#drop();
  }

  /** Asks for the first page, and goes on from there. */
  async load(): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    const variables = { search: this.search, orderBy: [{ field: this.by }], first: FIRST_ROWS, after: null };
    const { data, error } = await direct.query(PageDocument, variables).toPromise();
    this.#isAsking = false;
    this.isLoading = false;
    if (data?.issues) {
      const { nodes, position, pageInfo } = data.issues;
      this.begin({ nodes, position, hasMore: pageInfo.hasNextPage });
    } else {
      this.trouble = error ? troubleOf(error) : "failed";
      this.#again();
    }
  }

  /** Shows a page, and follows from where it stands in the log. */
  begin({ nodes, position, hasMore }: Page): void {
    if (this.#isStopped) return;
    this.#drop();
    this.isLoading = false;
    this.trouble = null;
    known.put(nodes);
    this.order.start(nodes.map((row) => entryOf(row, this.by)), hasMore);
    this.#subscriptions = [this.#watchCounts(), this.#watchIssues(position)];
  }

  #watchCounts(): Subscription {
    return pipe(
      direct.subscription(CountsDocument, { search: this.search }),
      subscribe(({ data }) => {
        if (data) this.counts = data.issueStats;
      }),
    );
  }

  #watchIssues(after: string): Subscription {
    return watchIssues(
      { where: { search: this.search }, after },
      (events) => this.#take(events),
      (error) => {
        if (isExpired(error)) void this.load();
        else this.#again();
      },
    );
  }

  #take(events: readonly WatchedEvent[]): void {
    if (events.length === 0) return;
    this.order.apply(changesOf(events, this.by));
    this.fresh = freshIn(events);
    this.changed?.();
    const { entries, queued, gone, hasMore } = this.order;
    if (entries.length < this.shown && hasMore) void this.load();
    else if (entries.length > MOST && queued.length + gone.size === 0) this.order.start(entries.slice(0, KEPT), true);
  }

  #again(): void {
    clearTimeout(this.#timer);
    if (!this.#isStopped) this.#timer = setTimeout(() => void this.load(), AGAIN_MS);
  }

  #drop(): void {
    for (const each of this.#subscriptions.splice(0)) each.unsubscribe();
    clearTimeout(this.#timer);
  }
}
