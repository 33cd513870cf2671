// What tools send while somebody looks.
const send = async (url, path, body) => {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(new URL(path, url), { method: "POST", headers, body: JSON.stringify(body) });
  const text = await answer.json();
  if (!answer.ok || text.errors) throw new Error(JSON.stringify(text));
  return text;
};

/** A pipeline fails; the answer has the issue. */
export const fail = (url, pipelineName, runId, failureReason = "exit code 1") =>
  send(url, "/api/v1/webhooks/pipeline-failure", { pipelineName, namespace: "team", failureReason, runId });

/** The pipeline succeeds. */
export const succeed = (url, pipelineName, namespace = "team") =>
  send(url, "/api/v1/webhooks/pipeline-success", { pipelineName, namespace });

/** A delivery to a webhook of one's own, which takes it whatever comes of it. */
export async function deliver(url, name, namespace, secret, body) {
  const path = `/api/v1/webhooks/${name}?${new URLSearchParams({ namespace })}`;
  const headers = { "content-type": "application/json", "x-secret": secret };
  const answer = await fetch(new URL(path, url), { method: "POST", headers, body: JSON.stringify(body) });
  if (!(await answer.json()).delivery) throw new Error(`not taken: ${answer.status}`);
}

/** Lets a page believe that its viewer may do this and nothing else: `[["READ", "*"]]`. */
export const believing = (page, grants) =>
  page.route("**/graphql", async (route) => {
    const response = await route.fetch();
    const json = await response.json();
    if (!json.data?.viewer) return route.fulfill({ response });
    json.data.viewer.grants = grants.map(([permission, namespace]) => ({ __typename: "Grant", permission, namespace }));
    return route.fulfill({ response, json });
  });

/** Runs a GraphQL document. */
export const ask = async (url, query, variables) => (await send(url, "/graphql", { query, variables })).data;

const CREATE = `mutation ($input: CreateIssueInput!) { createIssue(input: $input) { issue { id url } } }`;

/** An issue with what is given; else a minor one of a test. */
export async function report(url, given) {
  const input = { namespace: "team", title: "t", description: "d", severity: "MINOR", issueType: "TEST", ...given };
  return (await ask(url, CREATE, { input })).createIssue.issue;
}
