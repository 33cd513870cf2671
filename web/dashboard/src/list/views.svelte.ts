// Searches that somebody wants again: ours, and what this browser keeps.
import { texts } from "../texts";

export interface View {
  name: string;
  search: string;
}

const KEY = "issuegraph.views";
const words = texts.list.views.ours;

export const OURS: readonly View[] = [
  { name: words.broken, search: "is:active" },
  { name: words.worst, search: "is:active severity:critical,major" },
  { name: words.mine, search: "is:active -is:acknowledged" },
  { name: words.flaky, search: "is:recurring" },
];

/** The views in a text that was kept; what is no view is left out. */
export function viewsIn(text: string | null): View[] {
  try {
    const found: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(found) ? found.filter(isView).map(({ name, search }) => ({ name, search })) : [];
  } catch {
    return [];
  }
}

function isView(value: unknown): value is View {
  const view = value as Partial<View> | null;
  return typeof view?.name === "string" && typeof view.search === "string";
}

class Views {
  kept = $state.raw<readonly View[]>(viewsIn(globalThis.localStorage?.getItem(KEY) ?? null));

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
