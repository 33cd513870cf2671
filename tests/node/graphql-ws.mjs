// The npm client graphql-ws as a frontend uses it: node graphql-ws.mjs URL. Prints what it saw as JSON.
import { createClient } from "graphql-ws";
import WebSocket from "ws";

import { EVENTS, watch } from "./watching.mjs";

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
// All subscriptions are on one socket.
const seen = await watch(client, http);

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
