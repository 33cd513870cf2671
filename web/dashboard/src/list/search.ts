// The search line as facets read and write it; what it means is the server's business (docs/search.md).
export const FACETS = ["state", "severity", "type", "namespace", "source", "scope"] as const;
export type Facet = (typeof FACETS)[number];

const TERM = /(?:[^\s"]|"[^"]*"?)+/g;
const STATE_WORDS = new Set(["is:active", "is:resolved"]);

/** The words and tokens between spaces; quotes hold one together. */
export function termsOf(search: string): string[] {
  return search.match(TERM) ?? [];
}

/** The values that the search allows of a facet, in small letters; none: all of them. */
export function valuesOf(search: string, facet: Facet): string[] {
  return termsOf(search)
    .filter((term) => isOf(term, facet))
    .flatMap((term) => valuesIn(term));
}

/** The search without what it says of a facet. */
export function without(search: string, facet: Facet): string {
  return termsOf(search)
    .filter((term) => !isOf(term, facet))
    .join(" ");
}

/** The search with a value of a facet allowed, or no longer. */
export function toggled(search: string, facet: Facet, value: string): string {
  const values = valuesOf(search, facet);
  const wanted = value.toLowerCase();
  const next = values.includes(wanted) ? values.filter((each) => each !== wanted) : [...valuesWithout(facet, values), value];
  const rest = without(search, facet);
  if (next.length === 0) return rest;
  return `${rest} ${facet}:${next.map(quoted).join(",")}`.trim();
}

/** The term that the caret stands in, and where it begins. */
export function termAt(search: string, caret: number): { start: number; text: string } {
  const before = search.slice(0, caret);
  const last = [...before.matchAll(TERM)].at(-1);
  if (!last || last.index + last[0].length < caret) return { start: caret, text: "" };
  return { start: last.index, text: last[0] };
}

/** A value as it can stand in a search. */
export function quoted(value: string): string {
  return /[\s,"]/.test(value) ? `"${value.replaceAll('"', "")}"` : value;
}

// A scope is one or none: several are not taken by the server.
function valuesWithout(facet: Facet, values: string[]): string[] {
  return facet === "scope" ? [] : values;
}

function isOf(term: string, facet: Facet): boolean {
  const small = term.toLowerCase();
  return small.startsWith(`${facet}:`) || (facet === "state" && STATE_WORDS.has(small));
}

function valuesIn(term: string): string[] {
  return term
    .slice(term.indexOf(":") + 1)
    .toLowerCase()
    .split(",")
    .map((value) => value.replaceAll('"', ""))
    .filter(Boolean);
}
