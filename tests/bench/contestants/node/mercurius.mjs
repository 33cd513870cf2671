// The Mercurius contestant: Fastify, compiled queries (`jit`), batching loaders, hand-written prepared statements.
// Nothing asks the database once for each of many issues: every statement below takes all keys of its level at once.
import { readFileSync } from 'node:fs';
import Fastify from 'fastify';
import mercurius from 'mercurius';
import { SCOPE, conditionsOf, rowsOf, scopeOf } from './mercurius-database.mjs';
import { IssueStats } from './mercurius-stats.mjs';

// Issues

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

const app = Fastify({ logger: false });
app.register(mercurius, {
  schema: readFileSync(new URL('mercurius.graphql', import.meta.url), 'utf8'),
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
