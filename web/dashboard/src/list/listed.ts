// An issue of a list, with what it is ordered by and acted on.
import type { IssueOrderField, RowFragment } from "../api/generated/graphql";
import type { WatchedEvent } from "../api/watch";
import type { Change, Entry } from "./order.svelte";

export const ORDERS = ["DETECTED_AT", "LAST_DETECTED_AT", "SEVERITY", "OCCURRENCE_COUNT"] as const;
export type ListOrder = (typeof ORDERS)[number] & IssueOrderField;

/** The order of that name; the newest first for any other. */
export function orderOf(name: string): ListOrder {
  return ORDERS.find((each) => each === name) ?? "DETECTED_AT";
}

export interface Listed extends Entry {
  title: string;
  namespace: string;
}

const SEVERITY_RANK = { INFO: 0, MINOR: 1, MAJOR: 2, CRITICAL: 3 };

export function entryOf(row: RowFragment, by: ListOrder): Listed {
  const { id, title, namespace } = row;
  return { id, title, namespace, key: keyOf(row, by) };
}

/** What events of a search do to its list. */
export function changesOf(events: readonly WatchedEvent[], by: ListOrder): Change<Listed>[] {
  return events.flatMap(({ match, event }): Change<Listed>[] => {
    if (match === "LEFT" || !event.issue) return [{ kind: "LEFT", id: event.issueId }];
    return match === "ENTERED" ? [{ kind: "ENTERED", entry: entryOf(event.issue, by) }] : [];
  });
}

function keyOf(row: RowFragment, by: ListOrder): string | number {
  switch (by) {
    case "LAST_DETECTED_AT":
      return row.lastDetectedAt;
    case "SEVERITY":
      return SEVERITY_RANK[row.severity];
    case "OCCURRENCE_COUNT":
      return row.occurrenceCount;
    case "DETECTED_AT":
      return row.detectedAt;
  }
}
