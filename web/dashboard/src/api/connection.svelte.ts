// The one socket of the page, what state it is in, and when something was last heard on it.
import { createClient, type Client } from "graphql-ws";
import { backoffSeconds } from "./backoff";

const PING_SECONDS = 10;
const PONG_SECONDS = 5;
const NOT_LET_IN = 4403;

/** `idle`: nothing on the screen is live. */
export type ConnectionPhase = "idle" | "connecting" | "catching-up" | "live" | "offline" | "signed-out";

class Connection {
  #socket = $state<ConnectionPhase>("idle");
  /** How many streams the server had no time for, and that have not come back. */
  #putOff = $state(0);
  /** As the screen says it: with a stream that is put off what one sees is as old as without a socket. */
  readonly phase = $derived<ConnectionPhase>(this.#putOff > 0 && this.#socket !== "signed-out" ? "offline" : this.#socket);
  /** When an event last came; null before the first. In milliseconds. */
  lastEventAt = $state<number | null>(null);
  /** When the socket was last proven to be alive, and no stream was put off. */
  heardAt = $state<number>(Date.now());
  /** How many events came while catching up, after a connection was lost; null when none was. */
  caughtUpWith = $state<number | null>(null);

  readonly client: Client;
  #tries = 0;
  #wasLost = false;
  #missed = 0;
  #waiting: Promise<void> | null = null;
  #wake: (() => void) | null = null;
  #pong: ReturnType<typeof setTimeout> | undefined;

  constructor(url: string) {
    this.client = createClient({
      url,
      // Each subscription goes on from its own position: it comes back by itself, not with the old variables.
      retryAttempts: 0,
      lazyCloseTimeout: 2_000,
      keepAlive: PING_SECONDS * 1_000,
      on: {
        connecting: () => {
          if (this.#socket === "idle") this.#socket = "connecting";
        },
        connected: () => this.#connected(),
        closed: (event) => this.#closed(event as CloseEvent),
        ping: (received) => {
          if (received) this.#alive();
          else this.#pong = setTimeout(() => this.client.terminate(), PONG_SECONDS * 1_000);
        },
        pong: (received) => {
          if (received) clearTimeout(this.#pong);
          this.#alive();
        },
      },
    });
    globalThis.addEventListener?.("online", () => this.retry());
  }

  /** Resolves when the next try may be made; all who wait go together. */
  pause(): Promise<void> {
    this.#waiting ??= new Promise((done) => {
      const timer = setTimeout(() => this.#wake?.(), backoffSeconds(this.#tries++) * 1_000);
      this.#wake = () => {
        clearTimeout(timer);
        this.#waiting = this.#wake = null;
        done();
      };
    });
    return this.#waiting;
  }

  /** Tries now. */
  retry(): void {
    this.#wake?.();
  }

  /** The server has no time for a stream: until the function is called that this gives. */
  putOff(): () => void {
    this.#putOff += 1;
    return () => (this.#putOff -= 1);
  }

  /** A batch came on a stream that can be resumed. */
  heard(events: number, caughtUp: boolean): void {
    this.#alive();
    if (events > 0) this.lastEventAt = Date.now();
    if (this.#wasLost) this.#missed += events;
    if (!caughtUp) {
      this.#socket = "catching-up";
      return;
    }
    this.#socket = "live";
    if (this.#wasLost) {
      this.caughtUpWith = this.#missed;
      this.#wasLost = false;
      this.#missed = 0;
    }
  }

  #alive(): void {
    if (this.#putOff === 0) this.heardAt = Date.now();
  }

  #connected(): void {
    this.#tries = 0;
    this.#alive();
    this.#socket = this.#wasLost ? "catching-up" : "live";
  }

  #closed(event: CloseEvent): void {
    clearTimeout(this.#pong);
    if (event.code === 1000) {
      // Nobody listened any more.
      this.#socket = "idle";
      return;
    }
    this.#socket = event.code === NOT_LET_IN ? "signed-out" : "offline";
    this.#wasLost = true;
    this.caughtUpWith = null;
  }
}

function socketUrl(): string {
  const url = new URL("/graphql", globalThis.location?.href ?? "http://localhost/");
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

export const connection = new Connection(socketUrl());
