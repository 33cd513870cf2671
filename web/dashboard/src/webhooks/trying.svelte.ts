// The dry run of a definition, as it is typed.
import { client, troubleOf } from "../api/client";
import { texts } from "../texts";
import { TestWebhookDocument, type TestWebhookMutation } from "./generated/graphql";
import { payloadIn } from "./words";

export type Tried = NonNullable<TestWebhookMutation["testWebhook"]>;

/** What is tried, as it is typed: headers and query are JSON. */
export class Sample {
  payload = $state("{}");
  headers = $state("");
  query = $state("");
}

type Typed = Pick<Sample, "payload" | "headers" | "query">;

const TYPING_MS = 400;

export class Trying {
  result = $state.raw<Tried | null>(null);
  /** Why nothing could be tried: what was typed, or the server. */
  problem = $state("");
  #timer: ReturnType<typeof setTimeout> | undefined;
  #turn = 0;

  /** Tries it when nothing was typed for a moment. Returns how to forget that. */
  soon(definition: string, sample: Typed): () => void {
    this.#timer = setTimeout(() => void this.#run(definition, sample), TYPING_MS);
    return () => clearTimeout(this.#timer);
  }

  async #run(definition: string, { payload, headers, query }: Typed): Promise<void> {
    const turn = ++this.#turn;
    const words = texts.editor;
    this.problem = "";
    if (!definition.trim()) {
      this.result = null;
      return;
    }
    const read = (what: string, of: () => unknown): unknown => {
      try {
        return of();
      } catch (error) {
        this.problem ||= words.notJson(what, (error as Error).message);
        return null;
      }
    };
    const input = {
      definition,
      payload: read(words.payload, () => payloadIn(payload)),
      headers: read(words.headers, () => JSON.parse(headers || "{}") as unknown),
      query: read(words.query, () => JSON.parse(query || "{}") as unknown),
    };
    if (this.problem) return;
    const { data, error } = await client.mutation(TestWebhookDocument, { input }).toPromise();
    if (turn !== this.#turn) return;
    this.result = data?.testWebhook ?? this.result;
    if (error) this.problem = texts.trouble[troubleOf(error)].title;
    else this.problem = (data?.testWebhook?.userErrors ?? []).map(({ message }) => message).join("; ");
  }
}
