// What comes in bursts, handed on at a pace that leaves the browser time to draw.
import { flushSync } from "svelte";

const LEAST_MS = 50;
const MOST_MS = 2_000;
// So many times as long as the page needed for it nothing more is handed on: of the frames one in thirty is late.
const REST = 30;

/** Calls `run` with what has come: the first at once, the next after a rest that is as long as the page is slow. */
export class Pace<Item> {
  #waiting: Item[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #restsUntil = 0;

  constructor(readonly run: (items: Item[]) => void) {}

  add(item: Item): void {
    this.#waiting.push(item);
    // By the clock too: timers hardly run while nobody looks at the page.
    const rest = this.#restsUntil - performance.now();
    if (rest <= 0) this.#work();
    else this.#timer ??= setTimeout(() => this.#work(), rest);
  }

  /** What waits is dropped. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waiting = [];
  }

  #work(): void {
    const items = this.#waiting;
    this.stop();
    const begun = performance.now();
    this.run(items);
    flushSync();
    // What it costs to place what has changed belongs to it; it is due for the next frame anyway.
    globalThis.document?.body.getBoundingClientRect();
    const now = performance.now();
    this.#restsUntil = now + Math.min(MOST_MS, Math.max(LEAST_MS, REST * (now - begun)));
  }
}
