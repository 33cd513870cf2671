// The log of deliveries: its pages, and what comes meanwhile.
import { pipe, subscribe, type Subscription } from "wonka";
import { direct, isExpired, troubleOf, type Trouble } from "../api/client";
import { RowOrder, type Change, type Entry } from "../list/order.svelte";
import {
  DeliveriesDocument,
  DeliveryLogDocument,
  type DeliveryOutcome,
  type LineFragment,
} from "./generated/graphql";

/** Beyond so many it begins anew with the newest, so that a page that is open all day stays small. */
const MOST = 2_000;

export interface Wanted {
  webhook: string;
  outcomes: readonly DeliveryOutcome[];
}

export class DeliveryLog {
  readonly order = new RowOrder<Entry>();
  byId = $state.raw<ReadonlyMap<string, LineFragment>>(new Map());
  phase = $state<"loading" | "ready" | "failed">("loading");
  trouble = $state<Trouble | null>(null);
  total = $state(0);
  #cursor: string | null = null;
  #watch: Subscription | undefined;
  #isStopped = false;
  #isLoadingMore = false;

  constructor(readonly wanted: Wanted) {
    void this.reload();
  }

  stop(): void {
    this.#isStopped = true;
    this.#watch?.unsubscribe();
  }

  async reload(): Promise<void> {
    this.#watch?.unsubscribe();
    const { data, error } = await this.#page(null);
    if (this.#isStopped) return;
    if (error || !data?.deliveries) {
      this.phase = "failed";
      this.trouble = error ? troubleOf(error) : "failed";
      return;
    }
    const { nodes, pageInfo, totalCount } = data.deliveries;
    this.byId = new Map(nodes.map((line) => [line.id, line]));
    this.order.start(nodes.map(entryOf), pageInfo.hasNextPage);
    this.#cursor = pageInfo.endCursor ?? null;
    this.total = totalCount;
    this.phase = "ready";
    this.#follow(data.position ?? undefined);
  }

  async more(): Promise<void> {
    if (this.#isLoadingMore || !this.order.hasMore) return;
    this.#isLoadingMore = true;
    const { data } = await this.#page(this.#cursor);
    this.#isLoadingMore = false;
    if (this.#isStopped || !data?.deliveries) return;
    const { nodes, pageInfo } = data.deliveries;
    this.byId = new Map([...nodes.map((line) => [line.id, line] as const), ...this.byId]);
    this.order.append(nodes.map(entryOf), pageInfo.hasNextPage);
    this.#cursor = pageInfo.endCursor ?? null;
  }

  #page(after: string | null) {
    const { webhook, outcomes } = this.wanted;
    const where = { ...(webhook && { webhook }), ...(outcomes.length > 0 && { outcome: [...outcomes] }) };
    return direct.query(DeliveriesDocument, { where, after }).toPromise();
  }

  /** All outcomes of the webhook: one that is done again has another, and then stays where it is. */
  #follow(after: string | undefined): void {
    const where = this.wanted.webhook ? { webhook: this.wanted.webhook } : {};
    this.#watch = pipe(
      direct.subscription(DeliveryLogDocument, { where, after }),
      subscribe(({ data, error }) => {
        if (isExpired(error)) void this.reload();
        else if (error) this.trouble = troubleOf(error);
        else this.#take(data?.deliveryEvents.deliveries ?? []);
      }),
    );
  }

  #take(lines: readonly LineFragment[]): void {
    const fitting = lines.filter(({ id, outcome }) => this.byId.has(id) || this.#fits(outcome));
    if (fitting.length === 0) return;
    if (this.order.entries.length > MOST) {
      void this.reload();
      return;
    }
    this.total += fitting.filter(({ id, replayedAt }) => !this.byId.has(id) && !replayedAt).length;
    this.byId = new Map([...this.byId, ...fitting.map((line) => [line.id, line] as const)]);
    this.order.apply(fitting.map((line): Change => ({ kind: "ENTERED", entry: entryOf(line) })));
  }

  #fits(outcome: DeliveryOutcome): boolean {
    return this.wanted.outcomes.length === 0 || this.wanted.outcomes.includes(outcome);
  }
}

/** Newest first; ids are UUIDv7, in the order of time. */
function entryOf({ id, receivedAt }: LineFragment): Entry {
  return { id, key: receivedAt };
}
