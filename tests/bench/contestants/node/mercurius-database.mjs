// What Mercurius's resolvers share: the pool, and the pieces of SQL that several statements have.
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
  // None of the statements wants another plan for other values, or is long enough to be worth compiling.
  options: '-c timezone=UTC -c plan_cache_mode=force_generic_plan -c jit=off',
});

/** Rows as arrays, of a statement that each connection parses once. */
export async function rowsOf(name, text, values) {
  return (await pool.query({ name, text, values, rowMode: 'array' })).rows;
}

export const SCOPE = 's.id, s.resource_type, s.resource_name, s.resource_namespace';
export const scopeOf = (row, at = 0) => ({
  id: row[at],
  resourceType: row[at + 1],
  resourceName: row[at + 2],
  resourceNamespace: row[at + 3],
});

export const SEVERITIES = ['INFO', 'MINOR', 'MAJOR', 'CRITICAL'];

/** A WHERE clause, its parameters, and a name for its form. The columns are those that are indexed. */
export function conditionsOf(where) {
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
