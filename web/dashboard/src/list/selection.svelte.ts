// Which issues of the list are selected.
import type { Entry } from "./order.svelte";

export class Selection {
  ids = $state.raw<ReadonlySet<string>>(new Set());
  #last = "";

  has(id: string): boolean {
    return this.ids.has(id);
  }

  /** Selects it, or no longer. */
  toggle(id: string): void {
    const next = new Set(this.ids);
    if (!next.delete(id)) next.add(id);
    this.ids = next;
    this.#last = id;
  }

  /** Selects all between the one that was toggled last and this one, both included. */
  extend(id: string, entries: readonly Entry[]): void {
    const ids = entries.map((entry) => entry.id);
    const [from, to] = [ids.indexOf(this.#last), ids.indexOf(id)].sort((one, other) => one - other);
    if (from === undefined || from < 0) this.toggle(id);
    else this.set([...this.ids, ...ids.slice(from, (to ?? from) + 1)]);
  }

  set(ids: Iterable<string>): void {
    this.ids = new Set(ids);
  }

  clear(): void {
    if (this.ids.size > 0) this.ids = new Set();
  }
}
