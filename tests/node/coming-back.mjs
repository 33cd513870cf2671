// A frontend that keeps the npm client graphql-ws as it is: node coming-back.mjs URL. Prints a line of JSON for all that
// happens to it. The words `pause` and `resume` on its input stop and start its reading.
import { createInterface } from "node:readline";
import { createClient } from "graphql-ws";
import WebSocket from "ws";

const tell = (what) => console.log(JSON.stringify(what));
let socket;
class Known extends WebSocket {
  constructor(...given) {
    super(...given);
    socket = this;
  }
}
const client = createClient({
  url: process.argv[2].replace("http", "ws"),
  webSocketImpl: Known,
  retryAttempts: 1000,
  // Else a server that is not there for a moment is the end.
  shouldRetry: () => true,
  retryWait: () => new Promise((done) => setTimeout(done, 100)),
  on: { closed: ({ code }) => tell({ closed: code }) },
});
const query = `subscription { issueEvents { position events { event { issueId issue { description } } } } }`;
client.subscribe(
  { query },
  {
    next: ({ data }) => tell({ events: data.issueEvents.events.map(({ event }) => event.issueId) }),
    error: (problem) => tell({ error: String(problem.code ?? problem) }),
    complete: () => tell({ complete: true }),
  },
);
const words = createInterface({ input: process.stdin });
words.on("line", (word) => (word === "pause" ? socket.pause() : socket.resume()));
words.on("close", () => process.exit());
