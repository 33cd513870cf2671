// Mercurius's statistics: one GROUP BY statement for each breakdown, and one for the four that count by words.
import { SCOPE, SEVERITIES, conditionsOf, rowsOf, scopeOf } from './mercurius-database.mjs';

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

export const IssueStats = {
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
