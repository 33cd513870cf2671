// What the server counted, as rows of a facet.
import type { FacetsQuery } from "../api/generated/graphql";
import { texts } from "../texts";
import type { Facet } from "./search";

export interface Choice {
  value: string;
  label: string;
  count: number;
}

/** The values of a facet with their counts; the severest first, others by count. Values that nothing has are left out. */
export function choicesOf(facet: Facet, counted: FacetsQuery): Choice[] {
  switch (facet) {
    case "state":
      return (counted.state?.byState ?? []).map((each) => choice(each.state, texts.state[each.state], each.count));
    case "severity":
      return [...(counted.severity?.bySeverity ?? [])]
        .reverse()
        .map((each) => choice(each.severity, texts.severity[each.severity], each.count));
    case "type":
      return (counted.type?.byType ?? [])
        .filter((each) => each.count > 0)
        .map((each) => choice(each.issueType, texts.type[each.issueType], each.count))
        .sort((one, other) => other.count - one.count);
    case "namespace":
      return (counted.namespace?.byNamespace ?? []).map((each) => ({ ...each, value: each.namespace, label: each.namespace }));
    case "source":
      return (counted.source?.bySource ?? []).flatMap(({ source, count }) =>
        source ? [{ value: source, label: source, count }] : [],
      );
    case "scope":
      return scopesIn(counted.scope?.byScope ?? []);
  }
}

interface CountedScope {
  scope: { resourceType: string; resourceName: string };
  count: number;
}

/** Scopes by what a search calls them: those of one type and name in several namespaces are one. */
export function scopesIn(counted: readonly CountedScope[]): Choice[] {
  const counts = new Map<string, Choice>();
  for (const { scope, count } of counted) {
    const value = `${scope.resourceType}/${scope.resourceName}`;
    const before = counts.get(value)?.count ?? 0;
    counts.set(value, { value, label: scope.resourceName, count: before + count });
  }
  const choices = [...counts.values()];
  const namesakes = (name: string) => choices.filter(({ label }) => label === name).length;
  return choices
    .map((each) => (namesakes(each.label) > 1 ? { ...each, label: each.value } : each))
    .sort((one, other) => other.count - one.count);
}

function choice(value: string, label: string, count: number): Choice {
  return { value: value.toLowerCase(), label, count };
}
