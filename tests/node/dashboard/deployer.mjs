// A webhook of one's own for the tests of the page: its definition, with a severity that can be wrong.
import { ask } from "./reporting.mjs";

export const SECRET = "a long random text";

export const definition = (severity) => `title: Our deployer
verify:
  - type: token
    header: x-secret
event: \${get(body, "kind")}
rules:
  - name: it failed
    when: body.ok == false
    report:
      title: "Deployment failed: \${body.app}"
      description: \${default(get(body, "why"), "no reason")}
      severity: ${severity}
      issueType: release
      scope:
        resourceType: application
        resourceName: \${body.app}
      fingerprint:
        stage: \${body.stage}
`;

const CREATE = `mutation ($input: CreateWebhookInput!) { createWebhook(input: $input) { webhook { version } problems { message } userErrors { message } } }`;
const UPDATE = `mutation ($input: UpdateWebhookInput!) { updateWebhook(input: $input) { webhook { version } } }`;

/** Makes one. */
export async function make(url, name, severity = "${body.level}") {
  const input = { name, definition: definition(severity), namespaces: ["team"], secrets: [SECRET] };
  const { createWebhook } = await ask(url, CREATE, { input });
  if (!createWebhook.webhook) throw new Error(JSON.stringify(createWebhook));
}

/** Saves another definition as the version after `expectedVersion`. */
export const save = (url, name, expectedVersion, definition) => ask(url, UPDATE, { input: { name, expectedVersion, definition } });
