// Many deliveries done again, step by step, by a person who sees how far it is and can stop it.

export interface Step {
  replayed: number;
  handled: number;
  skipped: number;
  endCursor: string | null;
  hasMore: boolean;
}

/** Does the next ones after a cursor again; a text is what stood in the way. */
export type Ask = (after: string | null) => Promise<Step | string>;

export class Replaying {
  phase = $state<"idle" | "running" | "stopping" | "done" | "stopped" | "failed">("idle");
  /** Of which webhook; "" is of all. */
  webhook = $state("");
  /** How many there were when it began. */
  total = $state(0);
  replayed = $state(0);
  handled = $state(0);
  skipped = $state(0);
  /** What stood in the way of going on. */
  why = $state("");
  #ask: Ask | undefined;
  #cursor: string | null = null;

  get isBusy(): boolean {
    return this.phase === "running" || this.phase === "stopping";
  }

  /** How many were looked at. */
  get looked(): number {
    return this.replayed + this.skipped;
  }

  /** Begins with the oldest; resolves at the end, or when it is stopped, or cannot go on. */
  begin(webhook: string, total: number, ask: Ask): Promise<void> {
    this.webhook = webhook;
    this.total = total;
    this.replayed = this.handled = this.skipped = 0;
    this.#cursor = null;
    this.#ask = ask;
    return this.goOn();
  }

  /** Goes on where it was stopped, or could not go on. */
  async goOn(): Promise<void> {
    if (this.isBusy || !this.#ask) return;
    this.phase = "running";
    this.why = "";
    for (;;) {
      const step = await this.#ask(this.#cursor);
      if (typeof step === "string") {
        this.why = step;
        this.phase = "failed";
        return;
      }
      this.replayed += step.replayed;
      this.handled += step.handled;
      this.skipped += step.skipped;
      this.#cursor = step.endCursor;
      if (!step.hasMore) this.phase = "done";
      else if (this.#isStopping) this.phase = "stopped";
      if (!this.isBusy) return;
    }
  }

  /** Stops after what is under way. */
  stop(): void {
    if (this.phase === "running") this.phase = "stopping";
  }

  /** Forgets what came of it. */
  close(): void {
    if (!this.isBusy) this.phase = "idle";
  }

  get #isStopping(): boolean {
    return this.phase === "stopping";
  }
}

/** It goes on while one looks at other screens. */
export const replaying = new Replaying();
