// The Mercurius contestant: Fastify, compiled queries (`jit`), batching loaders, hand-written prepared statements.
// Nothing asks the database once for each of many issues: every statement below takes all keys of its level at once.
import Fastify from 'fastify';
import mercurius from 'mercurius';
import pg from 'pg';

// As issuegraph spells times: `2026-01-31 08:15:00.25+00` is `2026-01-31T08:15:00.250000Z`. The session's zone is UTC.
pg.types.setTypeParser(pg.types.builtins.TIMESTAMPTZ, (text) => {
  const rest = text.length > 22 ? text.slice(19, -3) : '.';
  return `${text.slice(0, 10)}T${text.slice(11, 19)}${rest.padEnd(7, '0')}Z`;
});
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

const pool = new pg.Pool({
  connectionString: process.env.DATABASE_URL,
  max: Number(process.env.POOL),
  // None of the statements below wants another plan for other values, or is long enough to be worth compiling.
  options: '-c timezone=UTC -c plan_cache_mode=force_generic_plan -c jit=off',
});

/** Rows as arrays, of a statement that each connection parses once. */
async function rowsOf(name, text, values) {
  return (await pool.query({ name, text, values, rowMode: 'array' })).rows;
}

const schema = `
  scalar DateTime
  enum IssueState { ACTIVE RESOLVED }
  enum Severity { INFO MINOR MAJOR CRITICAL }
  enum IssueType { BUILD TEST RELEASE DEPENDENCY PIPELINE INCIDENT }
  enum RelationKind { RELATED CAUSED_BY DUPLICATE_OF RECURRENCE_OF }
  enum TimeBucket { HOUR DAY WEEK }

  input StringFilter { eq: String! }
  input IssueStateFilter { eq: IssueState! }
  input SeverityFilter { eq: Severity! }
  input IssueWhere { namespace: StringFilter, state: IssueStateFilter, severity: SeverityFilter }

  type Query {
    issue(id: ID!): Issue
    issues(where: IssueWhere, first: Int! = 50, after: String): IssueConnection!
    issueGraph(
      ids: [ID!]!, depth: Int! = 2, kinds: [RelationKind!]! = [RELATED, CAUSED_BY, DUPLICATE_OF], maxNodes: Int! = 200
    ): IssueGraph!
    issueStats(where: IssueWhere): IssueStats!
  }

  type Issue {
    id: ID!
    namespace: String!
    title: String!
    description: String!
    severity: Severity!
    issueType: IssueType!
    state: IssueState!
    source: String
    detectedAt: DateTime!
    lastDetectedAt: DateTime!
    occurrenceCount: Int!
    resolvedAt: DateTime
    acknowledgedAt: DateTime
    createdAt: DateTime!
    updatedAt: DateTime!
    scope: Scope!
    links: [Link!]!
    labels: [Label!]!
    relatedFrom(first: Int! = 50): RelationConnection!
    relatedTo(first: Int! = 50): RelationConnection!
  }
  type Scope { id: ID!, resourceType: String!, resourceName: String!, resourceNamespace: String! }
  type Link { id: ID!, title: String!, url: String! }
  type Label { name: String!, value: String! }
  type Relation { id: ID!, kind: RelationKind!, createdAt: DateTime!, source: Issue!, target: Issue! }
  type RelationConnection { nodes: [Relation!]! }

  type IssueConnection { nodes: [Issue!]!, edges: [IssueEdge!]!, pageInfo: PageInfo!, totalCount: Int! }
  type IssueEdge { cursor: String!, node: Issue! }
  type PageInfo { hasNextPage: Boolean!, hasPreviousPage: Boolean!, startCursor: String, endCursor: String }

  type IssueGraph { nodes: [IssueGraphNode!]!, edges: [IssueGraphEdge!]! }
  type IssueGraphNode { distance: Int!, issue: Issue! }
  type IssueGraphEdge { sourceId: ID!, targetId: ID!, relation: RelationOfEdge! }
  type RelationOfEdge { id: ID!, kind: RelationKind!, createdAt: DateTime! }

  type IssueStats {
    total: Int!
    byState: [IssueStateCount!]!
    bySeverity: [SeverityCount!]!
    byType: [IssueTypeCount!]!
    byNamespace(first: Int! = 50): [NamespaceCount!]!
    byScope(first: Int! = 20): [ScopeCount!]!
    byLabel(name: String!, first: Int! = 20): [LabelCount!]!
    bySource(first: Int! = 20): [SourceCount!]!
    series(from: DateTime!, to: DateTime!, bucket: TimeBucket!): [IssueStatsPoint!]!
    timeToResolve: DurationStats
  }
  type IssueStateCount { state: IssueState!, count: Int! }
  type SeverityCount { severity: Severity!, count: Int! }
  type IssueTypeCount { issueType: IssueType!, count: Int! }
  type NamespaceCount { namespace: String!, count: Int! }
  type ScopeCount { scope: Scope!, count: Int! }
  type LabelCount { label: Label!, count: Int! }
  type SourceCount { source: String, count: Int! }
  type IssueStatsPoint { start: DateTime!, opened: Int!, resolved: Int!, activeAtEnd: Int!, occurrences: Int! }
  type DurationStats { count: Int!, median: Float!, p90: Float! }
`;

// Issues

const SCOPE = 's.id, s.resource_type, s.resource_name, s.resource_namespace';
const scopeOf = (row, at = 0) => ({
  id: row[at],
  resourceType: row[at + 1],
  resourceName: row[at + 2],
  resourceNamespace: row[at + 3],
});

// Each issue has one scope: it comes in the same row.
const ISSUE = `i.id, i.namespace, i.title, i.description, i.severity, i.issue_type, i.state, i.source,
  i.detected_at, i.last_detected_at, i.occurrence_count, i.resolved_at, i.acknowledged_at, i.created_at, i.updated_at,
  ${SCOPE}`;
const ISSUES = 'issue i JOIN scope s ON s.id = i.scope_id';

class Issue {
  /** From a row whose columns from `at` on are ISSUE. */
  constructor(row, at = 0) {
    this.id = row[at];
    this.namespace = row[at + 1];
    this.title = row[at + 2];
    this.description = row[at + 3];
    this.severity = row[at + 4].toUpperCase();
    this.issueType = row[at + 5].toUpperCase();
    this.state = row[at + 6];
    this.source = row[at + 7];
    this.detectedAt = row[at + 8];
    this.lastDetectedAt = row[at + 9];
    this.occurrenceCount = row[at + 10];
    this.resolvedAt = row[at + 11];
    this.acknowledgedAt = row[at + 12];
    this.createdAt = row[at + 13];
    this.updatedAt = row[at + 14];
    this.scope = scopeOf(row, at + 15);
  }

  /** Mercurius tells parents of loaders apart by their JSON: the id says it all, the other fields only cost. */
  toJSON() {
    return this.id;
  }
}

const SEVERITIES = ['INFO', 'MINOR', 'MAJOR', 'CRITICAL'];

/** A WHERE clause, its parameters, and a name for its form. The columns are those that are indexed. */
function conditionsOf(where) {
  const conditions = ['true'];
  const values = [];
  let name = '';
  const add = (column, value) => {
    conditions.push(`i.${column} = $${values.push(value)}`);
    name += `_${column}`;
  };
  if (where?.namespace) add('namespace', where.namespace.eq);
  if (where?.state) add('state', where.state.eq);
  if (where?.severity) add('severity_rank', SEVERITIES.indexOf(where.severity.eq));
  return { clause: conditions.join(' AND '), values, name };
}

const cursorOf = (issue) => Buffer.from(JSON.stringify([issue.detectedAt, issue.id])).toString('base64url');

async function issue(_, { id }) {
  const [row] = await rowsOf('issue', `SELECT ${ISSUE} FROM ${ISSUES} WHERE i.id = $1`, [id]);
  return row ? new Issue(row) : null;
}

async function issues(_, { where, first, after }) {
  const { clause, values, name } = conditionsOf(where);
  const own = [...values];
  let further = '';
  if (after) {
    own.push(...JSON.parse(Buffer.from(after, 'base64url').toString()));
    further = `AND (i.detected_at, i.id) < ($${own.length - 1}, $${own.length})`;
  }
  // One more than is wanted says whether there are more.
  own.push(Math.min(first, 100) + 1);
  const text = `SELECT ${ISSUE} FROM ${ISSUES} WHERE ${clause} ${further}
    ORDER BY i.detected_at DESC, i.id DESC LIMIT $${own.length}`;
  const rows = await rowsOf(`issues${name}${after ? '_after' : ''}`, text, own);
  const hasNextPage = rows.length > first;
  if (hasNextPage) rows.pop();
  return { where, hasNextPage, hasPreviousPage: false, nodes: rows.map((row) => new Issue(row)) };
}

const IssueConnection = {
  async totalCount(connection) {
    const { clause, values, name } = conditionsOf(connection.where);
    const [[count]] = await rowsOf(`count${name}`, `SELECT count(*)::int FROM issue i WHERE ${clause}`, values);
    return count;
  },
  edges: ({ nodes }) => nodes.map((node) => ({ node })),
  pageInfo: (connection) => connection,
};
const PageInfo = {
  startCursor: ({ nodes }) => (nodes.length ? cursorOf(nodes[0]) : null),
  endCursor: ({ nodes }) => (nodes.length ? cursorOf(nodes[nodes.length - 1]) : null),
};
const IssueEdge = { cursor: ({ node }) => cursorOf(node) };

// What is around issues: one statement for all issues of a level

/** For each query its rows as objects; the first column says whose they are. */
function grouped(queries, rows, make) {
  const found = new Map();
  for (const { obj } of queries) found.set(obj.id, []);
  for (const row of rows) found.get(row[0]).push(make(row));
  return queries.map(({ obj }) => found.get(obj.id));
}

const idsOf = (queries) => queries.map(({ obj }) => obj.id);
const LINKS = 'SELECT issue_id, id, title, url FROM link WHERE issue_id = any($1) ORDER BY issue_id, ordinal';
const LABELS = 'SELECT issue_id, name, value FROM label WHERE issue_id = any($1) ORDER BY issue_id, name, value';

async function links(queries) {
  const rows = await rowsOf('links', LINKS, [idsOf(queries)]);
  return grouped(queries, rows, (row) => ({ id: row[1], title: row[2], url: row[3] }));
}

async function labels(queries) {
  const rows = await rowsOf('labels', LABELS, [idsOf(queries)]);
  return grouped(queries, rows, (row) => ({ name: row[1], value: row[2] }));
}

/** The newest relations of each issue, with the issue at their other end. */
function relations(name, near, far) {
  const text = `
    SELECT r.${near}_id, r.id, r.kind, r.created_at, ${ISSUE}
    FROM unnest($1::uuid[]) near (id)
    CROSS JOIN LATERAL (SELECT * FROM relation WHERE ${near}_id = near.id ORDER BY id DESC LIMIT $2) r
    JOIN (${ISSUES}) ON i.id = r.${far}_id
    ORDER BY r.id DESC`;
  return async (queries) => {
    const most = Math.max(...queries.map(({ params }) => params.first));
    const rows = await rowsOf(name, text, [[...new Set(idsOf(queries))], most]);
    const found = grouped(queries, rows, (row) => ({
      id: row[1],
      kind: row[2],
      createdAt: row[3],
      [far]: new Issue(row, 4),
    }));
    return queries.map(({ params }, place) => {
      const nodes = found[place];
      return { nodes: nodes.length > params.first ? nodes.slice(0, params.first) : nodes };
    });
  };
}

const loaders = {
  Issue: {
    links,
    labels,
    relatedFrom: relations('related_from', 'source', 'target'),
    relatedTo: relations('related_to', 'target', 'source'),
  },
};

// The graph

const NODES = `
  WITH RECURSIVE walked (id, distance) AS (
    SELECT id, 0 FROM issue WHERE id = any($1)
    UNION
    SELECT step.id, walked.distance + 1
    FROM walked
    CROSS JOIN LATERAL (
      SELECT target_id AS id FROM relation WHERE source_id = walked.id AND kind = any($3)
      UNION ALL
      SELECT source_id FROM relation WHERE target_id = walked.id AND kind = any($3)
    ) step
    WHERE walked.distance < $2
  ), nearest AS (
    SELECT id, min(distance) AS distance FROM walked GROUP BY id ORDER BY 2, 1 LIMIT $4
  )
  SELECT nearest.distance, ${ISSUE} FROM nearest JOIN (${ISSUES}) ON i.id = nearest.id
  ORDER BY nearest.distance, nearest.id`;
const EDGES = `
  SELECT id, kind, created_at, source_id, target_id FROM relation
  WHERE source_id = any($1) AND target_id = any($1) AND kind = any($2) ORDER BY id`;

async function issueGraph(_, { ids, depth, kinds, maxNodes }) {
  const rows = await rowsOf('nodes', NODES, [ids, depth, kinds, maxNodes]);
  return { kinds, nodes: rows.map((row) => ({ distance: row[0], issue: new Issue(row, 1) })) };
}

const IssueGraph = {
  async edges({ nodes, kinds }) {
    const rows = await rowsOf('edges', EDGES, [nodes.map((node) => node.issue.id), kinds]);
    return rows.map((row) => ({
      sourceId: row[3],
      targetId: row[4],
      relation: { id: row[0], kind: row[1], createdAt: row[2] },
    }));
  },
};

// Statistics: one GROUP BY statement for each breakdown, and one for the four that count by words

const STATES = ['ACTIVE', 'RESOLVED'];
const TYPES = ['BUILD', 'TEST', 'RELEASE', 'DEPENDENCY', 'PIPELINE', 'INCIDENT'];
const DAY = 86_400_000;
// The width of a bucket, and a moment at which one begins: weeks do on Monday.
const BUCKETS = { HOUR: [DAY / 24, 0], DAY: [DAY, 0], WEEK: [7 * DAY, 4 * DAY] };
// Nothing is resolved before it is detected, whatever was said.
const CLOSED = 'greatest(i.detected_at, i.resolved_at)';

/** Rows of a statement about the issues that are counted; `text` is given the first free place of a parameter. */
function counted({ where }, what, text, ...further) {
  const { clause, values, name } = conditionsOf(where);
  return rowsOf(`${what}${name}`, text(clause, values.length + 1), [...values, ...further]);
}

/** Counts by state, severity and type at once, however many fields ask. */
function wordsOf(stats) {
  stats.words ??= counted(
    stats,
    'words',
    (clause) => `SELECT i.state, upper(i.severity), upper(i.issue_type), count(*)::int FROM issue i
      WHERE ${clause} GROUP BY i.state, i.severity, i.issue_type`,
  );
  return stats.words;
}

const byWord = (field, place, words) => async (stats) => {
  const counts = new Map(words.map((word) => [word, 0]));
  for (const row of await wordsOf(stats)) counts.set(row[place], counts.get(row[place]) + row[3]);
  return [...counts].map(([word, count]) => ({ [field]: word, count }));
};

const byColumn = (column) => async (stats, { first }) => {
  const text = (clause, at) => `SELECT i.${column}, count(*)::int FROM issue i WHERE ${clause}
    GROUP BY i.${column} ORDER BY count(*) DESC, i.${column} LIMIT $${at}`;
  const rows = await counted(stats, `by_${column}`, text, first);
  return rows.map((row) => ({ [column]: row[0], count: row[1] }));
};

const spelled = (milliseconds) => new Date(milliseconds).toISOString().replace('Z', '000Z');

const IssueStats = {
  total: async (stats) => (await wordsOf(stats)).reduce((sum, row) => sum + row[3], 0),
  byState: byWord('state', 0, STATES),
  bySeverity: byWord('severity', 1, SEVERITIES),
  byType: byWord('issueType', 2, TYPES),
  byNamespace: byColumn('namespace'),
  bySource: byColumn('source'),

  async byScope(stats, { first }) {
    const text = (clause, at) => `SELECT ${SCOPE}, top.count FROM (
        SELECT i.scope_id, count(*)::int FROM issue i WHERE ${clause}
        GROUP BY i.scope_id ORDER BY count(*) DESC, i.scope_id LIMIT $${at}
      ) top JOIN scope s ON s.id = top.scope_id ORDER BY top.count DESC, s.id`;
    const rows = await counted(stats, 'by_scope', text, first);
    return rows.map((row) => ({ scope: scopeOf(row), count: row[4] }));
  },

  async byLabel(stats, { name, first }) {
    const text = (clause, at) => `SELECT l.value, count(*)::int FROM issue i JOIN label l ON l.issue_id = i.id
      WHERE ${clause} AND l.name = $${at} GROUP BY l.value ORDER BY count(*) DESC, l.value LIMIT $${at + 1}`;
    const rows = await counted(stats, 'by_label', text, name, first);
    return rows.map((row) => ({ label: { name, value: row[0] }, count: row[1] }));
  },

  async series(stats, { from, to, bucket }) {
    const [width, origin] = BUCKETS[bucket];
    const start = Math.floor((Date.parse(from) - origin) / width) * width + origin;
    const given = [bucket.toLowerCase(), spelled(start), to];
    const [events, occurrences, [[before]]] = await Promise.all([
      counted(
        stats,
        'events',
        (clause, at) => `SELECT date_trunc($${at}, event.at), count(*) FILTER (WHERE event.kind = 'opened')::int,
            count(*) FILTER (WHERE event.kind = 'resolved')::int, count(*) FILTER (WHERE event.kind = 'closed')::int
          FROM issue i CROSS JOIN LATERAL (VALUES ('opened', i.detected_at), ('resolved', i.resolved_at),
            ('closed', CASE WHEN i.resolved_at IS NOT NULL THEN ${CLOSED} END)) event (kind, at)
          WHERE ${clause} AND event.at >= $${at + 1} AND event.at < $${at + 2} GROUP BY 1`,
        ...given,
      ),
      counted(
        stats,
        'occurrences',
        // OFFSET 0: the join is planned by the number of issues, not by a guess at how short the time is.
        (clause, at) => `SELECT date_trunc($${at}, o.at), count(*)::int
          FROM (SELECT o.at FROM issue i JOIN occurrence o ON o.issue_id = i.id WHERE ${clause} OFFSET 0) o
          WHERE o.at >= $${at + 1} AND o.at < $${at + 2} GROUP BY 1`,
        ...given,
      ),
      counted(
        stats,
        'before',
        (clause, at) => `SELECT count(*)::int FROM issue i
          WHERE ${clause} AND i.detected_at < $${at} AND (i.resolved_at IS NULL OR ${CLOSED} >= $${at})`,
        given[1],
      ),
    ]);
    const eventsAt = new Map(events.map((row) => [row[0], row]));
    const occurrencesAt = new Map(occurrences);
    const points = [];
    let activeAtEnd = before;
    for (let moment = start; moment < Date.parse(to); moment += width) {
      const at = spelled(moment);
      const [, opened, resolved, closed] = eventsAt.get(at) ?? [at, 0, 0, 0];
      activeAtEnd += opened - closed;
      points.push({ start: at, opened, resolved, activeAtEnd, occurrences: occurrencesAt.get(at) ?? 0 });
    }
    return points;
  },

  async timeToResolve(stats) {
    const text = (clause) => `SELECT count(*)::int, percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (
        ORDER BY extract(epoch FROM ${CLOSED} - i.detected_at)::float8
      ) FROM issue i WHERE ${clause} AND i.resolved_at IS NOT NULL`;
    const [[count, quantiles]] = await counted(stats, 'durations', text);
    const [median, p90] = (quantiles ?? []).map((seconds) => Math.round(seconds * 1e7) / 1e7);
    return count ? { count, median, p90 } : null;
  },
};

const app = Fastify({ logger: false });
app.register(mercurius, {
  schema,
  resolvers: {
    Query: { issue, issues, issueGraph, issueStats: (_, { where }) => ({ where }) },
    IssueConnection,
    PageInfo,
    IssueEdge,
    IssueGraph,
    IssueStats,
  },
  loaders,
  jit: 1,
});
await app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' });
