// Lists that somebody wants again: ours, and what this browser keeps.
import { texts } from "../texts";

export interface View {
  name: string;
  search: string;
  /** As in the URL; "" is the newest first, and no groups. */
  order: string;
  group: string;
}

const KEY = "issuegraph.views";
const words = texts.list.views.ours;

const ours = (name: string, search: string): View => ({ name, search, order: "", group: "" });

export const OURS: readonly View[] = [
  ours(words.broken, "is:active"),
  ours(words.worst, "is:active severity:critical,major"),
  ours(words.mine, "is:active -is:acknowledged"),
  ours(words.flaky, "is:recurring"),
];

/** Where a view is. */
export function viewUrl({ search, order, group }: View): string {
  const query = new URLSearchParams(Object.entries({ q: search, order, group }).filter(([, value]) => value));
  return query.size > 0 ? `/issues?${query}` : "/issues";
}

/** Whether both show the same. */
export function isSame(one: Omit<View, "name">, other: Omit<View, "name">): boolean {
  return one.search === other.search && one.order === other.order && one.group === other.group;
}

/** The views in a text that was kept; what is no view is left out. */
export function viewsIn(text: string | null): View[] {
  try {
    const found: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(found) ? found.filter(isView).map(viewOf) : [];
  } catch {
    return [];
  }
}

function isView(value: unknown): value is View {
  const view = value as Partial<View> | null;
  return typeof view?.name === "string" && typeof view.search === "string";
}

// Older ones have a search alone.
function viewOf({ name, search, order, group }: View): View {
  return { name, search, order: String(order ?? ""), group: String(group ?? "") };
}

class Views {
  kept = $state.raw<readonly View[]>(viewsIn(globalThis.localStorage?.getItem(KEY) ?? null));

  constructor() {
    // Another tab of this browser keeps them too.
    globalThis.addEventListener?.("storage", () => (this.kept = viewsIn(localStorage.getItem(KEY))));
  }

  save(view: View): void {
    this.#keep([...this.kept.filter(({ name }) => name !== view.name), view]);
  }

  drop(name: string): void {
    this.#keep(this.kept.filter((view) => view.name !== name));
  }

  #keep(views: readonly View[]): void {
    this.kept = views;
    localStorage.setItem(KEY, JSON.stringify(views));
  }
}

export const views = new Views();
