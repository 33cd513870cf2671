// How far back the overview looks.
import type { TimeBucket } from "../api/generated/graphql";

const HOUR = 60 * 60 * 1_000;

export const RANGES = {
  day: { bucket: "HOUR", span: 24 * HOUR },
  week: { bucket: "HOUR", span: 7 * 24 * HOUR },
  month: { bucket: "DAY", span: 30 * 24 * HOUR },
} satisfies Record<string, { bucket: TimeBucket; span: number }>;
export type Range = keyof typeof RANGES;

/** The range of that name; a week for any other. */
export function rangeOf(name: string): Range {
  return name in RANGES ? (name as Range) : "week";
}

/** When it begins, as the server takes times. */
export function beginningOf(range: Range, now: number): string {
  return new Date(now - RANGES[range].span).toISOString();
}
