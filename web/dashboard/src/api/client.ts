// How the page asks: queries and mutations over HTTP, subscriptions over the one socket.
import { Client, fetchExchange, subscriptionExchange, type CombinedError } from "@urql/core";
import { cache } from "./cache";
import { connection } from "./connection.svelte";
import { expectedExchange } from "./expected";
import { renewingExchange } from "./renewing";
import { resuming } from "./resuming";
import { documentIdOf, trustedExchange } from "./trusted";

const options = {
  url: "/graphql",
  preferGetMethod: false,
  fetchOptions: { headers: { accept: "application/graphql-response+json" } },
} as const;

const subscriptions = subscriptionExchange({
  forwardSubscription: (_, operation) => ({
    subscribe: (sink) => {
      const variables = { ...operation.variables } as Record<string, unknown>;
      const payload = { documentId: documentIdOf(operation), variables };
      return { unsubscribe: resuming(connection, payload, sink as Parameters<typeof resuming>[2]) };
    },
  }),
});

/** What a person looks at and acts on, from the cache where that has it. */
export const client = new Client({ ...options, exchanges: [renewingExchange, expectedExchange, cache, trustedExchange, fetchExchange] });

/** Streams, and what is asked for anew each time: past the cache. */
export const direct = new Client({ ...options, exchanges: [renewingExchange, subscriptions, trustedExchange, fetchExchange] });

export type Trouble = "signed-out" | "forbidden" | "unreachable" | "too-much" | "failed";

/** What kind of trouble an error is; each has its own words on the page. */
export function troubleOf(error: CombinedError): Trouble {
  const codes = error.graphQLErrors.map((each) => each.extensions["code"]);
  if (codes.includes("UNAUTHENTICATED") || statusOf(error) === 401) return "signed-out";
  if (codes.includes("FORBIDDEN") || statusOf(error) === 403) return "forbidden";
  if (codes.includes("RATE_LIMITED") || codes.includes("OVERLOADED")) return "too-much";
  if (codes.includes("UNAVAILABLE") || (error.networkError && codes.length === 0)) return "unreachable";
  return "failed";
}

/** Whether the log no longer leads from the position of a subscription to now. */
export function isExpired(error: CombinedError | undefined): boolean {
  return error?.graphQLErrors.some((each) => each.extensions["code"] === "POSITION_EXPIRED") ?? false;
}

function statusOf(error: CombinedError): number | undefined {
  return (error.response as Response | undefined)?.status;
}
