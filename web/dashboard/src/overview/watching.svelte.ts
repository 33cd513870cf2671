// The overview: one question, then live counters and the newest issues on the one socket.
import { pipe, subscribe, type Subscription } from "wonka";
import { client, isExpired, troubleOf, type Trouble } from "../api/client";
import {
  CountsDocument,
  OverviewDocument,
  WatchDocument,
  type LiveFragment,
  type OverviewQuery,
} from "../api/generated/graphql";
import { RowOrder, type Change } from "../list/order.svelte";
import { viewer } from "../state/viewer.svelte";
import { beginningOf, RANGES, type Range } from "./ranges";

const DAY_MS = 24 * 60 * 60 * 1_000;
// The counters are live by themselves; series and lists of the greatest are asked for again after changes.
const AGAIN_MS = 15_000;

export class Watching {
  readonly order = new RowOrder();
  answer = $state.raw<OverviewQuery | null>(null);
  counts = $state.raw<LiveFragment | null>(null);
  fresh = $state.raw<ReadonlySet<string>>(new Set());
  trouble = $state<Trouble | null>(null);
  #subscriptions: Subscription[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isStopped = false;

  constructor(readonly range: Range) {
    void this.#begin();
  }

  stop(): void {
    this.#isStopped = true;
    this.#drop();
  }

  #drop(): void {
    for (const each of this.#subscriptions.splice(0)) each.unsubscribe();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async #begin(): Promise<void> {
    this.#drop();
    const data = await this.#ask();
    if (!data?.newest || this.#isStopped) return;
    const { nodes, position } = data.newest;
    this.order.start(nodes.map(({ id, detectedAt }) => ({ id, key: detectedAt })), nodes.length === 20);
    this.#subscriptions = [this.#watchCounts(), this.#watchIssues(position)];
  }

  async #ask(): Promise<OverviewQuery | undefined> {
    const now = Date.now();
    const from = beginningOf(this.range, now);
    const day = new Date(now - DAY_MS).toISOString();
    const variables = { from, day, bucket: RANGES[this.range].bucket };
    const { data, error } = await client.query(OverviewDocument, variables, { requestPolicy: "network-only" }).toPromise();
    this.trouble = error ? troubleOf(error) : null;
    if (!data) return undefined;
    if (data.viewer) viewer.known = data.viewer;
    this.answer = data;
    this.counts = data.active ?? null;
    return data;
  }

  #watchCounts(): Subscription {
    return pipe(
      client.subscription(CountsDocument, {}),
      subscribe(({ data }) => {
        if (data) this.counts = data.issueStats;
      }),
    );
  }

  #watchIssues(after: string): Subscription {
    return pipe(
      client.subscription(WatchDocument, { where: { search: "is:active" }, after }),
      subscribe(({ data, error }) => {
        if (isExpired(error)) void this.#begin();
        const events = data?.issueEvents.events ?? [];
        if (events.length === 0) return;
        const changes: Change[] = [];
        for (const { match, event } of events) {
          if (match === "LEFT" || !event.issue) changes.push({ kind: "LEFT", id: event.issueId });
          else if (match === "ENTERED")
            changes.push({ kind: "ENTERED", entry: { id: event.issueId, key: event.issue.detectedAt } });
        }
        this.order.apply(changes);
        this.fresh = new Set(events.map(({ event }) => event.issueId));
        this.#timer ??= setTimeout(() => {
          this.#timer = undefined;
          void this.#ask();
        }, AGAIN_MS);
      }),
    );
  }
}
