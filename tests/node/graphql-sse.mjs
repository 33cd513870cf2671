// The npm client graphql-sse as a frontend uses it: node graphql-sse.mjs URL. Prints what it saw as JSON.
import { createClient } from "graphql-sse";

const url = process.argv[2];
const client = createClient({ url, retryAttempts: 0 });
const EVENTS = `subscription Watch($where: IssueEventWhere, $after: LogPosition) { issueEvents(where: $where, after: $after) {
  position caughtUp events { match event { kind issueId title } } } }`;

async function report(name) {
  const answer = await fetch(new URL("/api/v1/webhooks/build-failure?namespace=team-a", url), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ componentName: name, namespace: "team-a", errorMessage: "out of disk" }),
  });
  return (await answer.json()).issue.id;
}
const next = async (stream) => (await stream.next()).value.data.issueEvents;
const titleIs = (name) => ({ issue: { title: { eq: `Build failed: ${name}` } } });
const seen = {};

// One subscription: where it stands, a report, its event; then again from where it was.
const one = client.iterate({ query: EVENTS });
const start = await next(one);
const id = await report("one");
const batch = await next(one);
seen.one = [start.events.length, start.caughtUp, batch.events[0].match, batch.events[0].event.issueId === id];
await one.return();
const again = client.iterate({ query: EVENTS, variables: { after: start.position } });
seen.again = (await next(again)).events[0].event.issueId === id;
await again.return();

// Twenty at the same time, each a connection with its own filter; half of them leave early.
const many = Array.from({ length: 20 }, (_, n) =>
  client.iterate({ query: EVENTS, variables: { where: titleIs(`many-${n}`) } }),
);
await Promise.all(many.map(next));
const leaving = many.filter((_, n) => n % 2);
await Promise.all(leaving.map((stream) => stream.return()));
seen.left = (await Promise.all(leaving.map((stream) => stream.next()))).every(({ done }) => done);
const ids = await Promise.all(many.map((_, n) => report(`many-${n}`)));
const got = await Promise.all(many.map((stream, n) => (n % 2 ? null : next(stream))));
seen.many = got.every((batch, n) => n % 2 || batch.events.every(({ event }) => event.issueId === ids[n]));
await Promise.all(many.map((stream) => stream.return()));

// A query ends by itself; a mistake is a result with errors.
const query = client.iterate({ query: "{ issues { totalCount } }" });
seen.total = (await query.next()).value.data.issues.totalCount;
seen.ended = (await query.next()).done;
const expired = client.iterate({ query: EVENTS, variables: { after: "0".repeat(28) } });
seen.expired = (await expired.next()).value.errors[0].extensions.code;

client.dispose();
console.log(JSON.stringify(seen));
