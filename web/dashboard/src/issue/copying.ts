// An issue for other programs: the same question, as one would type it.
const FIELDS = `id title description severity state occurrenceCount
    scope { resourceType resourceName }
    links { title url }`;

/** A GraphQL document that asks for the issue. */
export function asGraphql(id: string): string {
  return `query {\n  issue(id: "${id}") {\n    ${FIELDS}\n  }\n}`;
}

/** A command that asks REST for the issue. */
export function asCurl(id: string, origin: string, needsToken: boolean): string {
  const token = needsToken ? ` \\\n  -H "Authorization: Bearer $ISSUEGRAPH_TOKEN"` : "";
  return `curl '${origin}/api/v1/issues/${id}'${token}`;
}
