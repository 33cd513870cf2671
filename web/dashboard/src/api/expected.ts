// What actions are expected to do to an issue, shown until the server has answered; a refusal takes it back.
import type { Exchange, Operation } from "@urql/core";
import { pipe, tap } from "wonka";
import { viewer } from "../state/viewer.svelte";
import type { RowFragment } from "./generated/graphql";
import { known } from "./known";

interface Expected {
  payload: string;
  fields: () => Record<string, string | null | object>;
}

const now = () => new Date().toISOString();
const me = () => ({ __typename: "Actor", ...viewer.actor });

export const EXPECTED: Readonly<Record<string, Expected>> = {
  resolveIssues: {
    payload: "ResolveIssuesPayload",
    fields: () => ({ state: "RESOLVED", resolvedAt: now(), resolvedBy: me() }),
  },
  reopenIssue: {
    payload: "ReopenIssuePayload",
    fields: () => ({ state: "ACTIVE", resolvedAt: null, resolvedBy: null }),
  },
  acknowledgeIssues: {
    payload: "AcknowledgeIssuesPayload",
    fields: () => ({ acknowledgedAt: now(), acknowledgedBy: me() }),
  },
  unacknowledgeIssue: {
    payload: "UnacknowledgeIssuePayload",
    fields: () => ({ acknowledgedAt: null, acknowledgedBy: null }),
  },
};

/** Shows rows as actions are expected to leave them, then as they have left them. */
export const expectedExchange: Exchange =
  ({ forward }) =>
  (operations) => {
    const ends = new Map<number, () => void>();
    return pipe(
      operations,
      tap((operation) => {
        if (operation.kind !== "mutation") return;
        const expected = EXPECTED[fieldOf(operation)];
        const { id, ids } = (operation.variables as { input?: { id?: string; ids?: string[] } }).input ?? {};
        if (expected) ends.set(operation.key, known.expect(ids ?? [id ?? ""], expected.fields() as Partial<RowFragment>));
      }),
      forward,
      tap(({ operation, data }) => {
        if (operation.kind !== "mutation") return;
        known.change(issuesIn(data));
        ends.get(operation.key)?.();
        ends.delete(operation.key);
      }),
    );
  };

function fieldOf({ query }: Operation): string {
  const definition = query.definitions.find(({ kind }) => kind === "OperationDefinition");
  const selections = definition && "selectionSet" in definition ? definition.selectionSet.selections : [];
  return selections.flatMap((each) => (each.kind === "Field" && each.name.value !== "__typename" ? [each.name.value] : []))[0] ?? "";
}

function issuesIn(data: unknown): RowFragment[] {
  const payloads = Object.values((data ?? {}) as Record<string, { issue?: RowFragment; issues?: RowFragment[] } | null>);
  // Of an issue that was related or deleted less is told.
  return payloads.flatMap((payload) => [...(payload?.issues ?? []), payload?.issue]).filter((row): row is RowFragment => Boolean(row?.occurrences));
}
