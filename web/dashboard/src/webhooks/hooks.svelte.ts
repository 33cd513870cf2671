// The webhooks that somebody made, with how they do; asked again when deliveries come.
import { pipe, subscribe, type Subscription } from "wonka";
import { direct, troubleOf, type Trouble } from "../api/client";
import { DeliveryLogDocument, WebhooksDocument, type WebhooksQuery } from "./generated/graphql";

export type Hook = NonNullable<WebhooksQuery["webhooks"]>["nodes"][number];

const AGAIN_MS = 5_000;

export class Hooks {
  nodes = $state.raw<readonly Hook[]>([]);
  hasMore = $state(false);
  phase = $state<"loading" | "ready" | "failed">("loading");
  trouble = $state<Trouble | null>(null);
  #pages = 1;
  #watch: Subscription | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isStopped = false;

  constructor() {
    void this.ask();
    this.#watch = pipe(
      direct.subscription(DeliveryLogDocument, { where: {} }),
      subscribe(({ data }) => {
        if (data?.deliveryEvents.deliveries.length) this.#soon();
      }),
    );
  }

  stop(): void {
    this.#isStopped = true;
    this.#watch?.unsubscribe();
    clearTimeout(this.#timer);
  }

  async more(): Promise<void> {
    this.#pages += 1;
    await this.ask();
  }

  async ask(): Promise<void> {
    let nodes: Hook[] = [];
    let after: string | null = null;
    for (let page = 0; page < this.#pages; page += 1) {
      const { data, error }: { data?: WebhooksQuery; error?: Parameters<typeof troubleOf>[0] } = await direct
        .query(WebhooksDocument, { after })
        .toPromise();
      if (this.#isStopped) return;
      if (error || !data?.webhooks) {
        this.trouble = error ? troubleOf(error) : "failed";
        if (this.phase === "loading") this.phase = "failed";
        return;
      }
      nodes = [...nodes, ...data.webhooks.nodes];
      after = data.webhooks.pageInfo.endCursor ?? null;
      this.hasMore = data.webhooks.pageInfo.hasNextPage;
      if (!this.hasMore) break;
    }
    this.nodes = nodes;
    this.phase = "ready";
  }

  #soon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.ask();
    }, AGAIN_MS);
  }
}
