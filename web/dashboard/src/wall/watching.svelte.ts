// What the wall shows: the worst issues of a search, and how many there are of each severity; all of it live.
import { pipe, subscribe, type Subscription } from "wonka";
import { client, isExpired, troubleOf, type Trouble } from "../api/client";
import {
  PageDocument,
  WallCountsDocument,
  WatchDocument,
  type RowFragment,
  type WallCountsSubscription,
  type WatchSubscription,
} from "../api/generated/graphql";
import { RowOrder, type Change, type Entry } from "../list/order.svelte";

const RANK = { INFO: 0, MINOR: 1, MAJOR: 2, CRITICAL: 3 };
// Nobody is there to press anything.
const AGAIN_MS = 10_000;
// More are never shown; with fewer left the next ones are asked for.
const LEAST = 20;

export class WallWatching {
  readonly order = new RowOrder();
  counts = $state.raw<WallCountsSubscription["issueStats"] | null>(null);
  fresh = $state.raw<ReadonlySet<string>>(new Set());
  trouble = $state<Trouble | null>(null);
  isLoading = $state(true);
  #subscriptions: Subscription[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isStopped = false;

  constructor(readonly search: string) {
    void this.#begin();
  }

  stop(): void {
    this.#isStopped = true;
    this.#drop();
  }

  #drop(): void {
    for (const each of this.#subscriptions.splice(0)) each.unsubscribe();
    clearTimeout(this.#timer);
  }

  async #begin(): Promise<void> {
    this.#drop();
    const variables = { search: this.search, orderBy: [{ field: "SEVERITY" as const }], after: null };
    const { data, error } = await client.query(PageDocument, variables, { requestPolicy: "network-only" }).toPromise();
    if (this.#isStopped) return;
    this.isLoading = false;
    this.trouble = error || !data?.issues ? (error ? troubleOf(error) : "failed") : null;
    if (!data?.issues) {
      this.#timer = setTimeout(() => void this.#begin(), AGAIN_MS);
      return;
    }
    const { nodes, pageInfo, position } = data.issues;
    this.order.start(nodes.map(entryOf), pageInfo.hasNextPage);
    this.#subscriptions = [this.#watchCounts(), this.#watchIssues(position)];
  }

  #watchCounts(): Subscription {
    return pipe(
      client.subscription(WallCountsDocument, { search: this.search }),
      subscribe(({ data }) => {
        if (data) this.counts = data.issueStats;
      }),
    );
  }

  #watchIssues(after: string): Subscription {
    return pipe(
      client.subscription(WatchDocument, { where: { search: this.search }, after }),
      subscribe(({ data, error }) => {
        if (isExpired(error)) void this.#begin();
        else if (error) this.#timer = setTimeout(() => void this.#begin(), AGAIN_MS);
        else this.#take(data?.issueEvents.events ?? []);
      }),
    );
  }

  #take(events: WatchSubscription["issueEvents"]["events"]): void {
    if (events.length === 0) return;
    const changes = events.flatMap(({ match, event }): Change[] => {
      if (match === "LEFT" || !event.issue) return [{ kind: "LEFT", id: event.issueId }];
      const entry = { kind: "ENTERED", entry: entryOf(event.issue) } as const;
      // Another severity is another place.
      return match === "ENTERED" ? [entry] : [];
    });
    this.order.apply(changes);
    this.fresh = new Set(events.map(({ event }) => event.issueId));
    if (this.order.entries.length < LEAST && this.order.hasMore) void this.#begin();
  }
}

function entryOf({ id, severity }: RowFragment): Entry {
  return { id, key: RANK[severity] };
}
