// What a person does to issues. Shown at once, told honestly when it could not be done, and taken back with Undo.
import type { AnyVariables, OperationResult, TypedDocumentNode } from "@urql/core";
import { client, troubleOf } from "../api/client";
import {
  AcknowledgeDocument,
  DeleteDocument,
  RelateDocument,
  ReopenDocument,
  ResolveDocument,
  UnacknowledgeDocument,
  UnrelateDocument,
  type ProblemFragment,
  type RelationKind,
} from "../api/generated/graphql";
import { toasts } from "../state/toasts.svelte";
import { texts } from "../texts";

const words = texts.actions;

/** Resolves them; the way back makes each active again. */
export async function resolve(ids: string[]): Promise<void> {
  const isDone = await mutate(ResolveDocument, { input: { ids } }, words.resolve);
  if (isDone) toasts.done(words.resolved(ids.length), () => ids.forEach((id) => void reopen(id, false)));
}

/** Makes it active again. */
export async function reopen(id: string, hasUndo = true): Promise<void> {
  const isDone = await mutate(ReopenDocument, { input: { id } }, words.reopen);
  if (isDone) toasts.done(words.reopened, hasUndo ? () => void resolve([id]) : undefined);
}

/** Says that the viewer is on them. */
export async function acknowledge(ids: string[]): Promise<void> {
  const isDone = await mutate(AcknowledgeDocument, { input: { ids } }, words.acknowledge);
  if (isDone) toasts.done(words.acknowledged(ids.length), () => ids.forEach((id) => void unacknowledge(id, false)));
}

/** Takes that back, whoever said it. */
export async function unacknowledge(id: string, hasUndo = true): Promise<void> {
  const isDone = await mutate(UnacknowledgeDocument, { input: { id } }, words.unacknowledge);
  if (isDone) toasts.done(words.unacknowledged, hasUndo ? () => void acknowledge([id]) : undefined);
}

/** Draws a relation from source to target. */
export async function relate(sourceId: string, targetId: string, kind: RelationKind, reason: string): Promise<boolean> {
  const input = { sourceId, targetId, kind, reason: reason || null };
  const isDone = await mutate(RelateDocument, { input }, words.relate);
  if (isDone) toasts.done(words.related, () => void unrelate(sourceId, targetId, kind));
  return isDone;
}

/** Removes relations of one kind between the two. */
export async function unrelate(sourceId: string, targetId: string, kind: RelationKind): Promise<void> {
  const isDone = await mutate(UnrelateDocument, { input: { sourceId, targetId, kind } }, words.unrelate);
  if (isDone) toasts.done(words.unrelated);
}

/** Removes an issue for good. */
export async function remove(id: string): Promise<boolean> {
  const isDone = await mutate(DeleteDocument, { input: { id } }, words.delete);
  if (isDone) toasts.done(words.deleted);
  return isDone;
}

async function mutate<Data, Variables extends AnyVariables>(
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
  what: string,
): Promise<boolean> {
  const problem = problemOf(await client.mutation(document, variables).toPromise());
  if (problem !== null) toasts.failed(words.failed(what, problem));
  return problem === null;
}

/** What stood in the way, for people; null when all was done. */
export function problemOf(result: Pick<OperationResult, "data" | "error">): string | null {
  if (result.error) return texts.trouble[troubleOf(result.error)].title;
  const [payload] = Object.values((result.data ?? {}) as Record<string, unknown>).filter(
    (value) => typeof value === "object",
  ) as ({ userErrors?: ProblemFragment[] } | null)[];
  if (!payload) return texts.trouble.failed.title;
  return payload.userErrors?.map(({ message }) => message).join("; ") || null;
}
