// Events of issues: rows that are in sight follow them, and who watches gets them at a pace that the page can keep.
import type { CombinedError } from "@urql/core";
import { pipe, subscribe, type Subscription } from "wonka";
import { direct } from "./client";
import { WatchDocument, type WatchSubscription, type WatchSubscriptionVariables } from "./generated/graphql";
import { known } from "./known";
import { Pace } from "./pace";

type Batch = WatchSubscription["issueEvents"];
export type WatchedEvent = Batch["events"][number];

// More than so many at once say nothing to the eye, and cost more than all else.
const MOST_FRESH = 12;

/** Issues to be shown as changed a moment ago. */
export function freshIn(events: readonly WatchedEvent[]): ReadonlySet<string> {
  const ids = new Set(events.map(({ event }) => event.issueId));
  return ids.size > MOST_FRESH ? new Set() : ids;
}

/** Calls `take` with events in their order and with the position up to which they are all there are, or `fail`. */
export function watchIssues(
  variables: WatchSubscriptionVariables,
  take: (events: WatchedEvent[], position: string) => void,
  fail: (error: CombinedError) => void = () => undefined,
): Subscription {
  const pace = new Pace<Batch>((batches) => {
    const events = batches.flatMap((batch) => batch.events);
    follow(events);
    take(events, batches.at(-1)!.position);
  });
  const subscription = pipe(
    direct.subscription(WatchDocument, variables),
    subscribe(({ data, error }) => {
      if (error) fail(error);
      else if (data) pace.add(data.issueEvents);
    }),
  );
  return {
    unsubscribe: () => {
      pace.stop();
      subscription.unsubscribe();
    },
  };
}

/** The newest of each issue counts. What enters will be shown; of the others those that are. */
function follow(events: readonly WatchedEvent[]): void {
  const newest = [...new Map(events.map((each) => [each.event.issueId, each])).values()];
  known.change(newest.flatMap(({ event }) => event.issue ?? []));
  known.put(newest.flatMap(({ match, event }) => (match === "ENTERED" && event.issue) || []));
}
