// The list by scope: the scopes with the most issues, further ones on demand, and the issues of those that are open.
// Counted by the server, live.
import type { Subscription } from "wonka";
import { direct, isExpired, troubleOf, type Trouble } from "../api/client";
import { GroupPageDocument, GroupsDocument, type GroupsQuery } from "../api/generated/graphql";
import { known } from "../api/known";
import { watchIssues, type WatchedEvent } from "../api/watch";
import { toasts } from "../state/toasts.svelte";
import { texts } from "../texts";
import { entryOf, type Listed, type ListOrder } from "./listed";
import { RowOrder, type Change } from "./order.svelte";
import { LiveRows } from "./rows.svelte";

export type Group = NonNullable<GroupsQuery["issueStats"]>["byScope"][number];

/** As many issues of one scope as are shown here; the list has them all. */
export const MOST_ROWS = 50;
const SOON_MS = 1_000;
const PAUSE_MS = 10_000;
const AGAIN_MS = 5_000;

/** The issues of one open group. */
export class Opened {
  readonly order = new RowOrder<Listed>();
  readonly rows = new LiveRows();
  isLoading = $state(true);
}

export class Groups {
  list = $state.raw<readonly Group[]>([]);
  total = $state(0);
  phase = $state<"loading" | "ready" | "failed">("loading");
  trouble = $state<Trouble | null>(null);
  opened = $state.raw<ReadonlyMap<string, Opened>>(new Map());
  isLoadingMore = $state(false);
  /** How many pages of scopes are shown. */
  #pages = 1;
  #watch: Subscription | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #countedAt = 0;
  #turn = 0;
  #isStopped = false;
  #isHeld = false;

  constructor(
    readonly search: string,
    readonly by: ListOrder,
  ) {
    void this.reload();
  }

  /** All loaded issues, group by group. */
  get entries(): Listed[] {
    return this.list.flatMap(({ scope }) => this.opened.get(scope.id)?.order.entries.slice(0, MOST_ROWS) ?? []);
  }

  stop(): void {
    this.#isStopped = true;
    for (const { rows } of this.opened.values()) rows.stop();
    this.#watch?.unsubscribe();
    clearTimeout(this.#timer);
  }

  /** Shows the issues of exactly these scopes. */
  open(ids: readonly string[]): void {
    const before = this.opened;
    this.opened = new Map(ids.map((id) => [id, before.get(id) ?? new Opened()]));
    for (const [id, { rows }] of before) if (!this.opened.has(id)) rows.stop();
    // Not before it is known from where to go on.
    if (this.phase === "ready") for (const id of ids) if (!before.has(id)) void this.#fill(id);
  }

  /** While held, rows stay where they are. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    if (!isHeld) this.list = this.list.filter(({ count }) => count > 0).sort((one, other) => other.count - one.count);
    for (const { order } of this.opened.values()) order.hold(isHeld);
  }

  /** How many issues lie in scopes behind those that are shown. */
  get rest(): number {
    return Math.max(0, this.total - this.list.reduce((sum, { count }) => sum + count, 0));
  }

  /** The next scopes with the most. */
  async more(): Promise<void> {
    if (this.isLoadingMore) return;
    this.isLoadingMore = true;
    this.#pages += 1;
    const isCounted = await this.#count();
    this.isLoadingMore = false;
    if (isCounted || this.#isStopped) return;
    this.#pages -= 1;
    toasts.failed(texts.actions.failed(texts.groups.more, texts.trouble[this.trouble ?? "failed"].title));
  }

  async reload(): Promise<void> {
    this.#watch?.unsubscribe();
    this.#watch = undefined;
    await this.#count();
    for (const id of this.opened.keys()) void this.#fill(id);
  }

  /** Whether it could be counted, or something else counts it. */
  async #count(): Promise<boolean> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#countedAt = Date.now();
    const turn = ++this.#turn;
    let counted: NonNullable<GroupsQuery["issueStats"]> | undefined;
    let now: readonly Group[] = [];
    for (let page = 0; page < this.#pages; page += 1) {
      const { data, error } = await this.#page(now);
      if (this.#isStopped || turn !== this.#turn) return true;
      if (!data?.issueStats) {
        this.trouble = error ? troubleOf(error) : "failed";
        if (this.phase === "loading") this.phase = "failed";
        return false;
      }
      counted ??= data.issueStats;
      now = [...now, ...data.issueStats.byScope];
    }
    if (!counted) return false;
    this.trouble = null;
    this.total = counted.total;
    this.list = this.phase === "ready" && this.#isHeld ? recounted(this.list, now) : now;
    this.phase = "ready";
    this.#follow(counted.position);
    return true;
  }

  /** The scopes with the most behind those that are known. */
  #page(before: readonly Group[]) {
    const ids = before.map(({ scope }) => scope.id);
    const where = ids.length > 0 ? { not: { scope: { id: { in: ids } } } } : null;
    return direct.query(GroupsDocument, { search: this.search, where }).toPromise();
  }

  async #fill(id: string): Promise<void> {
    const variables = { search: this.search, scope: id, orderBy: [{ field: this.by }] };
    const { data } = await direct.query(GroupPageDocument, variables).toPromise();
    const opened = this.opened.get(id);
    if (this.#isStopped || !opened) return;
    if (!data?.issues) {
      setTimeout(() => void this.#fill(id), AGAIN_MS);
      return;
    }
    const { nodes, totalCount } = data.issues;
    known.put(nodes);
    opened.order.start(nodes.map((row) => entryOf(row, this.by)), totalCount > nodes.length);
    opened.order.hold(this.#isHeld);
    opened.isLoading = false;
  }

  #follow(after: string): void {
    this.#watch ??= watchIssues(
      { where: { search: this.search }, after },
      (events) => this.#take(events),
      (error) => {
        if (isExpired(error)) void this.reload();
      },
    );
  }

  #take(events: readonly WatchedEvent[]): void {
    if (events.length === 0) return;
    for (const { match, event } of events) {
      const { issue } = event;
      if (match === "LEFT" || !issue) this.#apply([...this.opened.values()], { kind: "LEFT", id: event.issueId });
      else if (match === "ENTERED")
        this.#apply([this.opened.get(issue.scope.id)], { kind: "ENTERED", entry: entryOf(issue, this.by) });
    }
    this.#timer ??= setTimeout(() => void this.#count(), Math.max(SOON_MS, this.#countedAt + PAUSE_MS - Date.now()));
  }

  #apply(groups: (Opened | undefined)[], change: Change<Listed>): void {
    for (const group of groups) group?.order.apply([change]);
  }
}

/** The same groups in the same order with new counts; what is new comes after them. */
export function recounted(before: readonly Group[], now: readonly Group[]): Group[] {
  const fresh = new Map(now.map((group) => [group.scope.id, group]));
  const kept = before.map((group) => fresh.get(group.scope.id) ?? { ...group, count: 0 });
  const known = new Set(before.map(({ scope }) => scope.id));
  return [...kept, ...now.filter(({ scope }) => !known.has(scope.id))];
}
