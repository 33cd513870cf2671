// Apollo Client asking by hash: node persisted.mjs URL KNOWN UNKNOWN, two documents. Prints what it sent and got, as JSON.
import { createHash } from "node:crypto";

import { ApolloClient, gql, HttpLink, InMemoryCache } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { print } from "graphql";

const [, , uri, known, unknown] = process.argv;
const sent = [];
const noting = async (url, options) => {
  const { query, extensions } = JSON.parse(options.body);
  sent.push([query !== undefined, extensions?.persistedQuery !== undefined]);
  return fetch(url, options);
};
const persisted = new PersistedQueryLink({ sha256: (text) => createHash("sha256").update(text).digest("hex") });
const client = new ApolloClient({ link: persisted.concat(new HttpLink({ uri, fetch: noting })), cache: new InMemoryCache() });
const got = [];
for (const text of [known, unknown]) {
  const query = gql(text);
  if (print(query) !== text) throw new Error(`Apollo Client would send ${print(query)}`);
  got.push((await client.query({ query })).data);
}
console.log(JSON.stringify({ sent, got }));
process.exit();
