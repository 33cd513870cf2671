// After the server was upgraded a page that is still open asks for what the new one no longer has. It loads itself anew;
// where one is, is in the URL.
import type { Exchange } from "@urql/core";
import { pipe, tap } from "wonka";

// A page that was just loaded is as new as it gets.
const LEAST_AGE_MS = 60_000;
const LOADED_AT = Date.now();
let isAsked = false;

// Once: somebody may want to save first.
function renew(): void {
  if (isAsked || Date.now() - LOADED_AT < LEAST_AGE_MS) return;
  isAsked = true;
  location.reload();
}

export const renewingExchange: Exchange =
  ({ forward }) =>
  (operations) =>
    pipe(
      forward(operations),
      tap(({ error }) => {
        const codes = error?.graphQLErrors.map((each) => each.extensions["code"]) ?? [];
        if (codes.includes("PERSISTED_QUERY_NOT_FOUND")) renew();
      }),
    );
