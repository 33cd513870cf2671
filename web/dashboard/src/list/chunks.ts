// Many issues at once: what one request takes, and what came of each.
import type { OperationResult } from "@urql/core";
import { problemOf } from "../issue/actions";
import type { ProblemFragment } from "../api/generated/graphql";

export interface Failure {
  id: string;
  why: string;
}

export type Answer = Pick<OperationResult, "data" | "error">;

/** The list in parts of at most `size`. */
export function chunksOf<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, place) => list.slice(place * size, (place + 1) * size));
}

/** What of `ids` could not be done, and why: an error with an index is about one, any other about all. */
export function failuresIn(ids: readonly string[], answer: Answer): Failure[] {
  const errors = Object.values((answer.data ?? {}) as Record<string, { userErrors?: ProblemFragment[] } | null>).flatMap(
    (payload) => payload?.userErrors ?? [],
  );
  const ofAll = errors.find(({ field }) => indexIn(field) === undefined);
  const whole = answer.error || errors.length === 0 || ofAll ? problemOf(answer) : null;
  if (whole !== null) return ids.map((id) => ({ id, why: whole }));
  return errors.flatMap(({ field, message }) => {
    const id = ids[indexIn(field) ?? -1];
    return id === undefined ? [] : [{ id, why: message }];
  });
}

/** Runs at most `width` at a time. */
export async function pooled<T>(items: readonly T[], width: number, run: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const work = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await run(item);
  };
  await Promise.all(Array.from({ length: width }, work));
}

function indexIn(field: readonly string[]): number | undefined {
  return field[0] === "ids" && field[1] !== undefined ? Number(field[1]) : undefined;
}
