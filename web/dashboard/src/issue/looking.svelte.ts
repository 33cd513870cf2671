// One issue with all that belongs to it, asked again whenever the log says that something happened to it.
import { pipe, subscribe, type Subscription } from "wonka";
import { client, isExpired, troubleOf, type Trouble } from "../api/client";
import { IssueDocument, type IssueQuery } from "../api/generated/graphql";
import { watchIssues } from "../api/watch";

export type WholeIssue = NonNullable<IssueQuery["issue"]>;

const SOON_MS = 150;

export class Looking {
  issue = $state.raw<WholeIssue | null>(null);
  phase = $state<"loading" | "ready" | "missing" | "deleted" | "failed">("loading");
  trouble = $state<Trouble | null>(null);
  #asked: Subscription | undefined;
  #watch: Subscription | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly id: string) {
    this.#ask();
  }

  stop(): void {
    this.#asked?.unsubscribe();
    this.#watch?.unsubscribe();
    clearTimeout(this.#timer);
  }

  #ask(): void {
    const before = this.#asked;
    this.#asked = pipe(
      client.query(IssueDocument, { id: this.id }, { requestPolicy: "cache-and-network" }),
      subscribe(({ data, error, stale }) => {
        if (this.phase === "deleted") return;
        if (data?.issue) {
          this.issue = data.issue;
          this.phase = "ready";
        } else if (error) {
          // What one reads stays; the next change asks again.
          if (this.issue) return;
          this.trouble = troubleOf(error);
          this.phase = "failed";
        } else if (!stale) {
          this.phase = "missing";
        }
        if (data?.position && !stale) this.#follow(data.position);
      }),
    );
    before?.unsubscribe();
  }

  #follow(after: string): void {
    this.#watch ??= watchIssues(
      { where: { issue: { id: { eq: this.id } } }, after },
      (events) => {
        if (events.some(({ event }) => event.kind === "DELETED")) this.phase = "deleted";
        else if (events.length > 0) this.#soon();
      },
      (error) => {
        if (!isExpired(error)) return;
        this.#watch = undefined;
        this.#soon();
      },
    );
  }

  #soon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#ask();
    }, SOON_MS);
  }
}
