// Which issues a list shows, in which order: pages from the server, changed by what events say. Nothing moves
// while it is held: what is new waits in a queue, and what left stays where it was, marked.

export interface Entry {
  id: string;
  /** What the list is ordered by, greatest first. */
  key: string | number;
}

export type Change<E extends Entry = Entry> = { kind: "ENTERED"; entry: E } | { kind: "LEFT"; id: string };

export class RowOrder<E extends Entry = Entry> {
  entries = $state.raw<readonly E[]>([]);
  queued = $state.raw<readonly E[]>([]);
  gone = $state.raw<ReadonlySet<string>>(new Set());
  hasMore = $state(false);
  #known = new Set<string>();
  #isHeld = false;

  /** Begins anew with a first page. */
  start(page: readonly E[], hasMore: boolean): void {
    this.entries = page;
    this.queued = [];
    this.gone = new Set();
    this.hasMore = hasMore;
    this.#known = new Set(page.map(({ id }) => id));
  }

  /** Goes on with the next page; what is there already stays where it is. */
  append(page: readonly E[], hasMore: boolean): void {
    const fresh = page.filter(({ id }) => !this.#known.has(id));
    for (const { id } of fresh) this.#known.add(id);
    this.entries = [...this.entries, ...fresh];
    this.hasMore = hasMore;
  }

  /** Applies the changes of one batch of events. */
  apply(changes: readonly Change<E>[]): void {
    const entered: E[] = [];
    const left = new Set<string>();
    for (const change of changes) {
      if (change.kind === "LEFT") {
        left.add(change.id);
      } else {
        left.delete(change.entry.id);
        entered.push(change.entry);
      }
    }
    if (left.size > 0) this.#leave(left);
    if (entered.length > 0) this.#enter(entered);
  }

  /** While held, nothing moves. Released, what left goes and what waited comes. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    if (isHeld) return;
    this.drop();
    this.showQueued();
  }

  /** Takes off what left. */
  drop(): void {
    if (this.gone.size === 0) return;
    this.#remove(this.gone);
    this.gone = new Set();
  }

  /** Puts what waits into its place. */
  showQueued(): void {
    if (this.queued.length === 0) return;
    this.entries = merged(this.entries, [...this.queued].sort((one, other) => compare(other, one)));
    this.queued = [];
  }

  #enter(entered: readonly E[]): void {
    const back = new Set(entered.filter(({ id }) => this.gone.has(id)).map(({ id }) => id));
    if (back.size > 0) this.gone = new Set([...this.gone].filter((id) => !back.has(id)));
    const last = this.entries.at(-1);
    // What belongs behind all that was loaded comes with its own page.
    const fresh = entered.filter((entry) => {
      if (this.#known.has(entry.id)) return false;
      if (this.hasMore && last && compare(entry, last) < 0) return false;
      this.#known.add(entry.id);
      return true;
    });
    this.queued = [...this.queued, ...fresh];
    if (!this.#isHeld) this.showQueued();
  }

  #leave(left: ReadonlySet<string>): void {
    const waiting = this.queued.filter(({ id }) => left.has(id));
    for (const { id } of waiting) this.#known.delete(id);
    if (waiting.length > 0) this.queued = this.queued.filter(({ id }) => !left.has(id));
    const shown = [...left].filter((id) => this.#known.has(id));
    if (shown.length === 0) return;
    if (this.#isHeld) this.gone = new Set([...this.gone, ...shown]);
    else this.#remove(new Set(shown));
  }

  #remove(ids: ReadonlySet<string>): void {
    for (const id of ids) this.#known.delete(id);
    this.entries = this.entries.filter(({ id }) => !ids.has(id));
  }
}

/** Both in order; the first may be very long, the second is short. */
function merged<E extends Entry>(long: readonly E[], short: readonly E[]): E[] {
  const all: E[] = [];
  let from = 0;
  for (const entry of short) {
    let to = long.length;
    for (let low = from; low < to; ) {
      const middle = (low + to) >> 1;
      if (compare(long[middle]!, entry) > 0) low = middle + 1;
      else to = middle;
    }
    for (; from < to; from += 1) all.push(long[from]!);
    all.push(entry);
  }
  for (; from < long.length; from += 1) all.push(long[from]!);
  return all;
}

function compare(one: Entry, other: Entry): number {
  if (one.key !== other.key) return one.key < other.key ? -1 : 1;
  return one.id < other.id ? -1 : one.id > other.id ? 1 : 0;
}
