// What a frontend does with any client whose `iterate` gives results: the same steps for every client, and what it saw.
export const EVENTS = `subscription Watch($where: IssueEventWhere, $after: LogPosition) { issueEvents(where: $where, after: $after) {
  position caughtUp events { match event { kind issueId title } } } }`;

async function reportTo(url, name) {
  const answer = await fetch(new URL("/api/v1/webhooks/build-failure?namespace=team-a", url), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ componentName: name, namespace: "team-a", errorMessage: "out of disk" }),
  });
  return (await answer.json()).issue.id;
}
const next = async (stream) => (await stream.next()).value.data.issueEvents;
const titleIs = (name) => ({ issue: { title: { eq: `Build failed: ${name}` } } });

/** Watches with `client` what is reported to the server at `url`. */
export async function watch(client, url) {
  const report = (name) => reportTo(url, name);
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

  // Twenty at the same time, each with its own filter; half of them leave early.
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
  return seen;
}
