// What the query bar offers while one types: names of tokens, then their values.
import type { FacetsQuery } from "../api/generated/graphql";
import { choicesOf } from "./facets";
import { FACETS, quoted, termAt } from "./search";

const NAMES = [...FACETS.map((facet) => `${facet}:`), "label:", "is:"];
const IS = ["active", "resolved", "acknowledged", "recurring"];
const MOST = 8;

export interface Completion {
  text: string;
  count: number | null;
}

/** What could stand in the place of the term at the caret. */
export function completionsFor(search: string, caret: number, counted: FacetsQuery | null): Completion[] {
  const { text } = termAt(search, caret);
  const minus = text.startsWith("-") ? "-" : "";
  const term = text.slice(minus.length).toLowerCase();
  const colon = term.indexOf(":");
  if (colon < 0) {
    if (!term && !minus) return [];
    return NAMES.filter((name) => name.startsWith(term)).map((name) => ({ text: minus + name, count: null }));
  }
  const name = term.slice(0, colon);
  const typed = term.slice(colon + 1);
  // Only the last of several values is still being written.
  const cut = text.length - (typed.length - (typed.lastIndexOf(",") + 1));
  const before = text.slice(0, cut);
  const wanted = typed.slice(typed.lastIndexOf(",") + 1).replace('"', "");
  return valuesOf(name, counted)
    .filter(({ text: value }) => value.toLowerCase().includes(wanted) && value.toLowerCase() !== wanted)
    .slice(0, MOST)
    .map(({ text: value, count }) => ({ text: before + quoted(value), count }));
}

/** The search with a completion taken, and where the caret then is. */
export function completed(search: string, caret: number, completion: string): { search: string; caret: number } {
  const { start, text } = termAt(search, caret);
  const after = search.slice(start + text.length);
  const gap = completion.endsWith(":") || after.startsWith(" ") ? "" : " ";
  const before = search.slice(0, start) + completion + gap;
  return { search: before + after, caret: before.length };
}

function valuesOf(name: string, counted: FacetsQuery | null): Completion[] {
  if (name === "is") return IS.map((text) => ({ text, count: null }));
  const facet = FACETS.find((each) => each === name);
  if (!facet || !counted) return [];
  return choicesOf(facet, counted).map(({ value, count }) => ({ text: value, count }));
}
