// The overview: one question, then live counters and the newest issues on the one socket.
import { direct, troubleOf, type Trouble } from "../api/client";
import { OverviewDocument, type OverviewQuery } from "../api/generated/graphql";
import { Foremost } from "../list/foremost.svelte";
import { viewer } from "../state/viewer.svelte";
import { beginningOf, RANGES, type Range } from "./ranges";

const DAY_MS = 24 * 60 * 60 * 1_000;
// The counters are live by themselves; series and lists of the greatest are asked for again after changes.
const AGAIN_MS = 15_000;
// Time passes without changes too.
const EVERY_MS = 300_000;
// As many as the question asks for and tall windows show, and as others show.
export const PAGE = 20;
export const SHOWN = 12;

export class Watching {
  readonly newest = new Foremost("is:active", "DETECTED_AT", SHOWN, () => this.#soon());
  answer = $state.raw<OverviewQuery | null>(null);
  trouble = $state<Trouble | null>(null);
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #ticking = setInterval(() => {
    if (!document.hidden && this.answer) this.#soon();
  }, EVERY_MS);

  constructor(readonly range: Range) {
    void this.#begin();
  }

  stop(): void {
    this.newest.stop();
    clearInterval(this.#ticking);
    clearTimeout(this.#timer);
  }

  async #begin(): Promise<void> {
    const data = await this.#ask();
    if (!data?.newest) return;
    const { nodes, position } = data.newest;
    this.newest.begin({ nodes, position, hasMore: nodes.length === PAGE });
  }

  async #ask(): Promise<OverviewQuery | undefined> {
    const now = Date.now();
    const from = beginningOf(this.range, now);
    const day = new Date(now - DAY_MS).toISOString();
    const variables = { from, day, bucket: RANGES[this.range].bucket };
    const { data, error } = await direct.query(OverviewDocument, variables).toPromise();
    this.trouble = error ? troubleOf(error) : null;
    if (!data) return undefined;
    if (data.viewer) viewer.known = data.viewer;
    this.answer = data;
    this.newest.counts = data.active ?? null;
    return data;
  }

  #soon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#ask();
    }, AGAIN_MS);
  }
}
