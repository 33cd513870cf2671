// Rows of issues, whatever brought them: a page, an event, the answer to an action. One entry an issue, and not more of
// them than a page needs that is open all day.
import type { RowFragment } from "./generated/graphql";

// Those that nobody watches are forgotten beyond so many.
const MOST = 300;

/** Who shows rows: which, and whom to tell when one of them is another. */
export interface Watcher {
  readonly ids: ReadonlySet<string>;
  changed(): void;
}

export class KnownRows {
  #rows = new Map<string, RowFragment>();
  #expected = new Map<string, Partial<RowFragment>[]>();
  #watchers = new Set<Watcher>();

  /** As it is, or as it is expected to be when what is under way is done. */
  get(id: string): RowFragment | undefined {
    const row = this.#rows.get(id);
    const expected = this.#expected.get(id);
    return row && expected ? Object.assign({}, row, ...expected) : row;
  }

  put(rows: readonly RowFragment[]): void {
    for (const row of rows) {
      // What was put last is forgotten last.
      this.#rows.delete(row.id);
      this.#rows.set(row.id, row);
    }
    this.#tell(rows.map(({ id }) => id));
    this.#forget();
  }

  /** Takes of these what is known already. */
  change(rows: readonly RowFragment[]): void {
    this.put(rows.filter(({ id }) => this.#rows.has(id)));
  }

  /** Shows these fields of the issues until the function is called that this returns. */
  expect(ids: readonly string[], fields: Partial<RowFragment>): () => void {
    for (const id of ids) this.#expected.set(id, [...(this.#expected.get(id) ?? []), fields]);
    this.#tell(ids);
    return () => {
      for (const id of ids) {
        const left = (this.#expected.get(id) ?? []).filter((each) => each !== fields);
        if (left.length > 0) this.#expected.set(id, left);
        else this.#expected.delete(id);
      }
      this.#tell(ids);
    };
  }

  join(watcher: Watcher): void {
    this.#watchers.add(watcher);
  }

  leave(watcher: Watcher): void {
    this.#watchers.delete(watcher);
  }

  get size(): number {
    return this.#rows.size;
  }

  #tell(ids: readonly string[]): void {
    for (const watcher of this.#watchers) if (ids.some((id) => watcher.ids.has(id))) watcher.changed();
  }

  #forget(): void {
    for (const id of this.#rows.keys()) {
      if (this.#rows.size <= MOST) return;
      if (![...this.#watchers].some(({ ids }) => ids.has(id))) this.#rows.delete(id);
    }
  }
}

export const known = new KnownRows();
