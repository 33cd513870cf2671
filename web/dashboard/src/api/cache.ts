// The normalised cache of what a person looks at and acts on. Streams and long lists go past it: it forgets nothing that
// they bring, and a page is open all day.
import { cacheExchange, type OptimisticMutationResolver } from "@urql/exchange-graphcache";
import { EXPECTED } from "./expected";

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

/** The same for what is in here as for rows. */
function optimistic({ payload, fields }: (typeof EXPECTED)[string]): OptimisticMutationResolver {
  return ({ input }) => {
    const { id, ids } = input as { id?: string; ids?: string[] };
    const issue = (each: string) => ({ __typename: "Issue", id: each, ...fields() });
    const done = ids ? { issues: ids.map(issue) } : { issue: issue(id ?? "") };
    return { __typename: payload, userErrors: [], position: null, ...done } as ReturnType<OptimisticMutationResolver>;
  };
}

export const cache = cacheExchange({
  keys: Object.fromEntries(WITHOUT_KEY.map((name) => [name, EMBEDDED])),
  optimistic: Object.fromEntries(Object.entries(EXPECTED).map(([field, expected]) => [field, optimistic(expected)])),
});
