// The neighbourhood of some issues, asked again when the log says that something in it changed.
import type { Subscription } from "wonka";
import { direct, isExpired, troubleOf, type Trouble } from "../api/client";
import { GraphDocument, type GraphQuery, type RelationKind } from "../api/generated/graphql";
import { watchIssues } from "../api/watch";

export interface Wanted {
  ids: string[];
  depth: number;
  kinds: RelationKind[];
  sameScope: boolean;
}

const SOON_MS = 300;

export class Neighbourhood {
  graph = $state.raw<GraphQuery["issueGraph"] | null>(null);
  trouble = $state<Trouble | null>(null);
  isMissing = $state(false);
  #watch: Subscription | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isStopped = false;

  constructor(readonly wanted: Wanted) {
    void this.#ask();
  }

  stop(): void {
    this.#isStopped = true;
    this.#watch?.unsubscribe();
    clearTimeout(this.#timer);
  }

  async #ask(): Promise<void> {
    const { data, error } = await direct.query(GraphDocument, this.wanted).toPromise();
    if (this.#isStopped) return;
    this.trouble = error ? troubleOf(error) : null;
    if (!data?.issueGraph) return;
    this.graph = data.issueGraph;
    this.isMissing = data.issueGraph.nodes.length === 0;
    this.#follow(data.issueGraph);
  }

  /** Issues come into a graph by a relation to one that is there: watching those is enough. */
  #follow({ nodes, position }: NonNullable<GraphQuery["issueGraph"]>): void {
    this.#watch?.unsubscribe();
    const where = { issue: { id: { in: nodes.map(({ issue }) => issue.id) } } };
    this.#watch = watchIssues(
      { where, after: position },
      (events) => {
        if (events.length > 0) this.#soon();
      },
      (error) => {
        if (isExpired(error)) this.#soon();
      },
    );
  }

  #soon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#ask();
    }, SOON_MS);
  }
}
