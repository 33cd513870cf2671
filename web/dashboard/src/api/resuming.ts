// Subscriptions that go on from where they were when the socket comes back.
import type { ExecutionResult } from "graphql";
import type { Client } from "graphql-ws";

export interface Sink {
  next(result: ExecutionResult): void;
  error(problem: unknown): void;
  complete(): void;
}

/** What streams bring that can be gone on with from a position. */
interface Data {
  issueEvents?: { position: string; caughtUp: boolean; events: readonly unknown[] };
  deliveryEvents?: { position: string; deliveries: readonly unknown[] };
}

interface Link {
  client: Pick<Client, "subscribe">;
  pause(): Promise<void>;
  /** The server had no time for a stream: until the function is called that this gives. */
  putOff(): () => void;
  heard(events: number, caughtUp: boolean): void;
}

/** What is over after a while; all else that GraphQL says of an operation is final. */
const PASSING = ["TIMEOUT", "RATE_LIMITED", "OVERLOADED", "UNAVAILABLE"];

function isPassing(errors: readonly { extensions?: Record<string, unknown> }[]): boolean {
  return errors.every(({ extensions }) => PASSING.includes(String(extensions?.["code"])));
}

type Payload = { documentId: string; variables: Record<string, unknown> };

/**
 * Subscribes until it is told to stop. A lost socket is waited for, and a server that has no time; `after` is then the
 * newest position.
 */
export function resuming(link: Link, payload: Payload, sink: Sink): () => void {
  let position = payload.variables["after"];
  let isStopped = false;
  let release: () => void = () => undefined;
  let back: (() => void) | undefined;

  const putOff = () => {
    if (!isStopped) back ??= link.putOff();
  };
  const isBack = () => {
    back?.();
    back = undefined;
  };
  const begin = () => {
    const variables = position === undefined ? payload.variables : { ...payload.variables, after: position };
    let isRefused = false;
    // The protocol wants a `query`; the server takes `documentId` in the place of an empty one.
    const request = { query: "", documentId: payload.documentId, variables };
    release = link.client.subscribe(request, {
      next: (result) => {
        if (!result.data && result.errors && isPassing(result.errors)) {
          putOff();
          return;
        }
        isBack();
        const { issueEvents, deliveryEvents } = (result.data ?? {}) as Data;
        position = (issueEvents ?? deliveryEvents)?.position ?? position;
        if (issueEvents) link.heard(issueEvents.events.length, issueEvents.caughtUp);
        // These do not say how far they are behind.
        if (deliveryEvents) link.heard(deliveryEvents.deliveries.length, true);
        isRefused = Boolean(result.errors);
        sink.next(result as ExecutionResult);
      },
      error: (problem) => {
        if (isStopped) return;
        // What a socket says is never final.
        if (Array.isArray(problem) && !isPassing(problem)) {
          isBack();
          sink.error(problem);
          return;
        }
        if (Array.isArray(problem)) putOff();
        void link.pause().then(again);
      },
      complete: () => {
        if (isStopped) return;
        if (isRefused) sink.complete();
        else void link.pause().then(again);
      },
    });
  };
  const again = () => {
    if (!isStopped) begin();
  };

  begin();
  return () => {
    isStopped = true;
    isBack();
    release();
  };
}
