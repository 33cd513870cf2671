// The npm client graphql-sse as a frontend uses it: node graphql-sse.mjs URL. Prints what it saw as JSON.
import { createClient } from "graphql-sse";

import { EVENTS, watch } from "./watching.mjs";

const url = process.argv[2];
const client = createClient({ url, retryAttempts: 0 });
// Each subscription is a connection.
const seen = await watch(client, url);

// A query ends by itself; a mistake is a result with errors.
const query = client.iterate({ query: "{ issues { totalCount } }" });
seen.total = (await query.next()).value.data.issues.totalCount;
seen.ended = (await query.next()).done;
const expired = client.iterate({ query: EVENTS, variables: { after: "0".repeat(28) } });
seen.expired = (await expired.next()).value.errors[0].extensions.code;

client.dispose();
console.log(JSON.stringify(seen));
