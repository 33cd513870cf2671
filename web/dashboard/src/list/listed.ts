// An issue of a list, with what it is ordered by and acted on.
import type { IssueOrderField, RowFragment } from "../api/generated/graphql";
import type { Entry } from "./order.svelte";

export const ORDERS = ["DETECTED_AT", "LAST_DETECTED_AT", "SEVERITY", "OCCURRENCE_COUNT"] as const;
export type ListOrder = (typeof ORDERS)[number] & IssueOrderField;

export interface Listed extends Entry {
  title: string;
  namespace: string;
}

const SEVERITY_RANK = { INFO: 0, MINOR: 1, MAJOR: 2, CRITICAL: 3 };

export function entryOf(row: RowFragment, by: ListOrder): Listed {
  const { id, title, namespace } = row;
  return { id, title, namespace, key: keyOf(row, by) };
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
