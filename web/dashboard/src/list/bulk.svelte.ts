// What a person does to many issues at once. What could not be done is said of each, with why; the rest has a way back.
import type { TypedDocumentNode } from "@urql/core";
import { client, direct } from "../api/client";
import {
  AcknowledgeDocument,
  DrawnDocument,
  RelateDocument,
  ReopenDocument,
  ResolveDocument,
  RowsDocument,
  UnacknowledgeDocument,
  UnrelateDocument,
  type RelationKind,
  type RowFragment,
} from "../api/generated/graphql";
import { toasts } from "../state/toasts.svelte";
import { texts } from "../texts";
import { chunksOf, failuresIn, pooled, type Answer, type Failure } from "./chunks";
import type { Listed } from "./listed";

// What the server takes in one request, and how many requests for single issues are under way together.
const MOST_IDS = 200;
const MOST_RELATIONS = 50;
const WIDTH = 6;
const words = texts.bulk;

/** How an action is told, and taken back where it can be. */
interface Way {
  done: (number: number) => string;
  back?: (changed: readonly Listed[]) => Promise<void>;
}

export interface Report {
  what: string;
  done: number;
  failed: (Failure & { title: string })[];
}

class Bulk {
  isBusy = $state(false);
  /** What the newest action could not do; null when it did all. */
  report = $state.raw<Report | null>(null);

  /** Resolves those that are active; returns the ids of those that are resolved now. */
  resolve(issues: readonly Listed[]): Promise<string[]> {
    return this.#all(issues, ResolveDocument, ({ state }) => state === "ACTIVE", texts.actions.resolve, {
      done: words.resolved,
      back: (changed) => this.#each(changed, texts.actions.reopen, (id) => client.mutation(ReopenDocument, { input: { id } }).toPromise()),
    });
  }

  /** Puts the viewer on those that nobody is on; returns the ids of those that somebody is on now. */
  acknowledge(issues: readonly Listed[]): Promise<string[]> {
    return this.#all(issues, AcknowledgeDocument, ({ acknowledgedAt }) => !acknowledgedAt, texts.actions.acknowledge, {
      done: words.acknowledged,
      back: (changed) => this.#each(changed, texts.actions.unacknowledge, (id) => client.mutation(UnacknowledgeDocument, { input: { id } }).toPromise()),
    });
  }

  /** Draws a relation from each to the target; returns the ids of those that have it now. */
  async relate(issues: readonly Listed[], targetId: string, kind: RelationKind, reason: string): Promise<string[]> {
    const sources = issues.filter(({ id }) => id !== targetId);
    this.#begin();
    const drawn = new Set<string>();
    for (const chunk of chunksOf(sources, MOST_RELATIONS)) {
      const variables = { ids: chunk.map(({ id }) => id), kind, target: targetId };
      const { data } = await direct.query(DrawnDocument, variables).toPromise();
      for (const node of data?.nodes ?? [])
        if (node?.__typename === "Issue" && node.related.edges.length > 0) drawn.add(node.id);
    }
    const failed: Failure[] = [];
    const done: string[] = [];
    const left = sources.filter(({ id }) => !drawn.has(id));
    await pooled(left, WIDTH, async ({ id }) => {
      const answer = await client.mutation(RelateDocument, { input: { sourceId: id, targetId, kind, reason: reason || null } }).toPromise();
      const failures = failuresIn([id], answer);
      if (failures.length === 0) done.push(id);
      failed.push(...failures);
    });
    const back = (changed: readonly Listed[]) =>
      this.#each(changed, texts.actions.unrelate, (sourceId) =>
        client.mutation(UnrelateDocument, { input: { sourceId, targetId, kind } }).toPromise(),
      );
    this.#end(issues, texts.actions.relate, done, drawn.size, failed, { done: words.related, back });
    return [...done, ...drawn];
  }

  async #all(
    issues: readonly Listed[],
    document: TypedDocumentNode<unknown, { input: { ids: (string | number)[] } }>,
    isOpen: (row: RowFragment) => boolean,
    what: string,
    way: Way,
  ): Promise<string[]> {
    this.#begin();
    const failed: Failure[] = [];
    const done: string[] = [];
    const already: string[] = [];
    for (const chunk of chunksOf(issues, MOST_IDS)) {
      const all = chunk.map(({ id }) => id);
      const known = await rowsOf(all);
      // Undo must not touch what was so before.
      const isDue = (id: string) => {
        const row = known.get(id);
        return !row || isOpen(row);
      };
      const ids = all.filter(isDue);
      already.push(...all.filter((id) => !isDue(id)));
      if (ids.length === 0) continue;
      const failures = failuresIn(ids, await client.mutation(document, { input: { ids } }).toPromise());
      const failing = new Set(failures.map(({ id }) => id));
      failed.push(...failures);
      done.push(...ids.filter((id) => !failing.has(id)));
    }
    this.#end(issues, what, done, already.length, failed, way);
    return [...done, ...already];
  }

  /** The way back: the server has it for one at a time. */
  async #each(issues: readonly Listed[], what: string, ask: (id: string) => Promise<Answer>): Promise<void> {
    this.#begin();
    const failed: Failure[] = [];
    await pooled(issues, WIDTH, async ({ id }) => {
      failed.push(...failuresIn([id], await ask(id)));
    });
    const failing = new Set(failed.map(({ id }) => id));
    this.#end(issues, what, issues.filter(({ id }) => !failing.has(id)).map(({ id }) => id), 0, failed, { done: words.undone });
  }

  #begin(): void {
    this.isBusy = true;
    this.report = null;
  }

  #end(issues: readonly Listed[], what: string, done: readonly string[], already: number, failed: readonly Failure[], way: Way): void {
    this.isBusy = false;
    const byId = new Map(issues.map((issue) => [issue.id, issue]));
    if (done.length + already > 0) {
      const text = [done.length > 0 ? way.done(done.length) : "", already > 0 ? words.already(already) : ""];
      const back = way.back;
      const changed = done.flatMap((id) => byId.get(id) ?? []);
      toasts.done(text.filter(Boolean).join(" · "), back && done.length > 0 ? () => void back(changed) : undefined);
    }
    if (failed.length === 0) return;
    this.report = { what, done: done.length, failed: failed.map((each) => ({ ...each, title: byId.get(each.id)?.title ?? each.id })) };
  }
}

/** As they are now, without those that are gone. */
async function rowsOf(ids: string[]): Promise<ReadonlyMap<string, RowFragment>> {
  const { data } = await direct.query(RowsDocument, { ids }).toPromise();
  return new Map((data?.nodes ?? []).flatMap((node) => (node?.__typename === "Issue" ? [[node.id, node]] : [])));
}

export const bulk = new Bulk();
