// The normalised cache: one entry an issue, whatever brought it, and what our own actions are expected to do to it.
import { cacheExchange, type OptimisticMutationResolver } from "@urql/exchange-graphcache";
import { viewer } from "../state/viewer.svelte";

const EMBEDDED = () => null;
// These have no identity of their own, or none that anybody asks for twice.
const WITHOUT_KEY = [
  "Actor",
  "DefinitionProblem",
  "DeliveryBatch",
  "DeliveryConnection",
  "DeliveryItem",
  "DeliveryRequest",
  "DurationStats",
  "EvaluatedExpression",
  "FieldChange",
  "Fingerprint",
  "FingerprintPart",
  "Grant",
  "IssueConnection",
  "IssueEvent",
  "IssueEventBatch",
  "IssueEventConnection",
  "IssueEventItem",
  "IssueGraph",
  "IssueGraphEdge",
  "IssueGraphNode",
  "IssueStateCount",
  "IssueStats",
  "IssueStatsPoint",
  "IssueTypeCount",
  "Label",
  "NamespaceCount",
  "OccurrenceConnection",
  "PageInfo",
  "RelatedIssueConnection",
  "RelatedIssueEdge",
  "RelationRef",
  "ScopeCount",
  "SeverityCount",
  "SourceCount",
  "TestedItem",
  "TriedWebhookRule",
  "UserError",
  "Viewer",
  "WebhookConnection",
  "WebhookHealth",
  "WebhookTemplate",
  "WebhookVersion",
];

type Fields = Record<string, string | number | null | object>;

/** What an action is expected to do, shown until the server has answered; a refusal takes it back. */
function expecting(payload: string, fields: () => Fields): OptimisticMutationResolver {
  return ({ input }) => {
    const { id, ids } = input as { id?: string; ids?: string[] };
    const issue = (each: string) => ({ __typename: "Issue", id: each, ...fields() });
    const done = ids ? { issues: ids.map(issue) } : { issue: issue(id ?? "") };
    return { __typename: payload, userErrors: [], position: null, ...done } as ReturnType<OptimisticMutationResolver>;
  };
}

const now = () => new Date().toISOString();
const me = () => ({ __typename: "Actor", ...viewer.actor });
const resolved = () => ({ state: "RESOLVED", resolvedAt: now(), resolvedBy: me() });
const acknowledged = () => ({ acknowledgedAt: now(), acknowledgedBy: me() });

export const cache = cacheExchange({
  keys: Object.fromEntries(WITHOUT_KEY.map((name) => [name, EMBEDDED])),
  resolvers: {
    Query: {
      // Rows and issues that something else has brought need not be asked for again.
      nodes: (_, { ids }) => (ids as string[]).map((id) => ({ __typename: "Issue", id })),
    },
  },
  optimistic: {
    resolveIssues: expecting("ResolveIssuesPayload", resolved),
    reopenIssue: expecting("ReopenIssuePayload", () => ({ state: "ACTIVE", resolvedAt: null, resolvedBy: null })),
    acknowledgeIssues: expecting("AcknowledgeIssuesPayload", acknowledged),
    unacknowledgeIssue: expecting("UnacknowledgeIssuePayload", () => ({ acknowledgedAt: null, acknowledgedBy: null })),
  },
});
