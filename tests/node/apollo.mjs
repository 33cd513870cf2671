// Apollo Client as a frontend uses it, subscriptions over multipart: node apollo.mjs URL. Prints what it saw as JSON.
import { ApolloClient, gql, HttpLink, InMemoryCache } from "@apollo/client";

import { EVENTS, watch } from "./watching.mjs";

const url = process.argv[2];
const answers = [];
const counting = async (...given) => {
  const answer = await fetch(...given);
  answers.push(answer.headers.get("content-type").split(";")[0]);
  return answer;
};
const apollo = new ApolloClient({ link: new HttpLink({ uri: url, fetch: counting }), cache: new InMemoryCache() });

/** Results as the other clients give them. */
async function* results({ query, variables }) {
  const waiting = [];
  let wake = () => {};
  const put = (result) => (waiting.push(result), wake());
  const subscription = apollo.subscribe({ query: gql(query), variables, fetchPolicy: "no-cache" }).subscribe({
    next: ({ data, error }) => put({ value: { data, errors: error?.errors } }),
    error: (problem) => put({ problem }),
    complete: () => put({ done: true }),
  });
  try {
    for (;;) {
      while (!waiting.length) await new Promise((done) => (wake = done));
      const { value, problem, done } = waiting.shift();
      if (problem) throw problem;
      if (done) return;
      yield value;
    }
  } finally {
    subscription.unsubscribe();
  }
}
const seen = await watch({ iterate: results }, url);
seen.streamed = answers.every((kind) => kind === "multipart/mixed");

const { data } = await apollo.query({ query: gql`{ issues { totalCount } }` });
seen.total = data.issues.totalCount;
const expired = results({ query: EVENTS, variables: { after: "0".repeat(28) } });
seen.expired = (await expired.next()).value.errors[0].extensions.code;
seen.ended = (await expired.next()).done;

console.log(JSON.stringify(seen));
process.exit();
