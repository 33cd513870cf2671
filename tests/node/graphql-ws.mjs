// The npm client graphql-ws as a frontend uses it: node graphql-ws.mjs URL. Prints what it saw as JSON.
import { createClient } from "graphql-ws";
import WebSocket from "ws";

const http = process.argv[2];
let sockets = 0;
class Counted extends WebSocket {
  constructor(...given) {
    super(...given);
    sockets += 1;
  }
}
const client = createClient({
  url: http.replace("http", "ws"),
  webSocketImpl: Counted,
  keepAlive: 50,
  lazyCloseTimeout: 1000,
  retryAttempts: 0,
});
const EVENTS = `subscription Watch($where: IssueEventWhere, $after: LogPosition) { issueEvents(where: $where, after: $after) {
  position caughtUp events { match event { kind issueId title } } } }`;

async function report(name) {
  const answer = await fetch(new URL("/api/v1/webhooks/build-failure?namespace=team-a", http), {
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

// Twenty at the same time on the one socket, each with its own filter; half of them leave early.
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

// A query and a mistake on the same socket.
const { value } = await client.iterate({ query: "{ issues { totalCount } }" }).next();
seen.total = value.data.issues.totalCount;
const expired = { query: EVENTS, variables: { after: "0".repeat(28) } };
seen.expired = await client
  .iterate(expired)
  .next()
  .catch((errors) => errors[0].extensions.code);

seen.sockets = sockets;
await client.dispose();
console.log(JSON.stringify(seen));
