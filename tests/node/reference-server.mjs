// The server of the npm package graphql-ws, to compare ours with: node reference-server.mjs. Prints its port.
import { buildSchema } from "graphql";
import { useServer } from "graphql-ws/use/ws";
import { WebSocketServer } from "ws";

const schema = buildSchema(`
  type Query { viewer: Viewer }
  type Viewer { name: String }
  type Subscription { issueEvents: Batch issueStats: IssueStats }
  type Batch { position: Int }
  type IssueStats { total: Int }
`);
async function* once() {
  yield { issueEvents: { position: 1 } };
  await new Promise(() => {});
}
async function* onceAndNoMore() {
  yield { issueStats: {} };
  throw new Error("midway");
}
// What goes wrong is told to the client by closing; nobody reads this.
console.error = () => {};
const server = new WebSocketServer({ port: 0, host: "127.0.0.1", path: "/graphql" });
const options = {
  schema,
  roots: { subscription: { issueEvents: once, issueStats: onceAndNoMore } },
  connectionInitWaitTimeout: 1000,
  onConnect: ({ connectionParams }) => connectionParams?.turn !== "away",
};
useServer(options, server);
server.on("listening", () => console.log(server.address().port));
process.stdin.on("close", () => process.exit()).resume();
