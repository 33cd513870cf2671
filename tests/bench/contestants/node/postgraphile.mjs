// The PostGraphile contestant: the Amber preset over the five tables that the questions are about.
import { createServer } from 'node:http';
import { postgraphile } from 'postgraphile';
import { grafserv } from 'postgraphile/grafserv/node';
import { makePgService } from 'postgraphile/adaptors/pg';
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber';
import { TYPES, listOfCodec } from 'postgraphile/@dataplan/pg';
import { object } from 'postgraphile/grafast';
import { sql } from 'postgraphile/pg-sql2';
import { extendSchema, gql, jsonPgSmartTags } from 'postgraphile/utils';

const HIDDEN = ['alembic_version', 'batch', 'event_log', 'idempotency_key', 'issue_event', 'occurrence', 'run'];

// The graph: a field of its own, planned like those that PostGraphile makes. The walk is a table to join to.
const walked = sql.identifier(Symbol('walked'));
const KINDS = sql`('RELATED', 'CAUSED_BY', 'DUPLICATE_OF')`;

/** All issues within `depth` steps of `ids`, as a table from which `columns` are selected. */
const walk = ($select, $graph, columns) => sql`(
  with recursive step (id, distance) as (
    select unnest(${$select.placeholder($graph.get('ids'), listOfCodec(TYPES.uuid))}), 0
    union
    select neighbour.id, step.distance + 1
    from step cross join lateral (
      select target_id as id from relation where source_id = step.id and kind in ${KINDS}
      union all
      select source_id from relation where target_id = step.id and kind in ${KINDS}
    ) neighbour
    where step.distance < ${$select.placeholder($graph.get('depth'), TYPES.int)}
  )
  select ${columns}
)`;

const GraphPlugin = extendSchema(({ pgResources: { issue, relation } }) => ({
  typeDefs: gql`
    extend type Query {
      issueGraph(ids: [UUID!]!, depth: Int! = 2): IssueGraph!
    }
    type IssueGraph {
      nodes: [IssueGraphNode!]!
      edges: [Relation!]!
    }
    type IssueGraphNode {
      distance: Int!
      issue: Issue!
    }
  `,
  objects: {
    Query: {
      plans: {
        issueGraph: (_, { $ids, $depth }) => object({ ids: $ids, depth: $depth }),
      },
    },
    IssueGraph: {
      plans: {
        nodes($graph) {
          const $issues = issue.find();
          $issues.join({
            type: 'inner',
            from: walk($issues, $graph, sql`id, min(distance) as distance from step group by id`),
            alias: walked,
            conditions: [sql`${walked}.id = ${$issues.alias}.id`],
          });
          $issues.orderBy({ fragment: sql`${walked}.distance`, codec: TYPES.int, direction: 'ASC' });
          $issues.orderBy({ attribute: 'id', direction: 'ASC' });
          $issues.setOrderIsUnique();
          return $issues;
        },
        edges($graph) {
          const $relations = relation.find();
          const { alias } = $relations;
          $relations.join({
            type: 'inner',
            from: walk($relations, $graph, sql`array_agg(distinct id) as ids from step`),
            alias: walked,
            conditions: [
              sql`${alias}.source_id = any(${walked}.ids)`,
              sql`${alias}.target_id = any(${walked}.ids)`,
              sql`${alias}.kind in ${KINDS}`,
            ],
          });
          $relations.orderBy({ attribute: 'id', direction: 'ASC' });
          $relations.setOrderIsUnique();
          return $relations;
        },
      },
    },
    IssueGraphNode: {
      plans: {
        distance: ($issue) => $issue.select(sql`${walked}.distance`, TYPES.int),
        issue: ($issue) => $issue,
      },
    },
  },
}));

const preset = {
  extends: [PostGraphileAmberPreset],
  plugins: [
    jsonPgSmartTags({
      version: 1,
      config: { class: Object.fromEntries(HIDDEN.map((table) => [table, { tags: { behavior: '-*' } }])) },
    }),
    GraphPlugin,
  ],
  pgServices: [
    makePgService({
      connectionString: process.env.DATABASE_URL,
      schemas: ['public'],
      pubsub: false,
      // No query that comes here wants another plan for other values.
      poolConfig: { max: Number(process.env.POOL), options: '-c timezone=UTC -c plan_cache_mode=force_generic_plan' },
    }),
  ],
  schema: { defaultBehavior: '+connection +list -insert -update -delete' },
  grafserv: { graphqlPath: '/graphql', graphiql: false, websockets: false, watch: false },
  grafast: { explain: false },
};

const server = createServer();
await postgraphile(preset).createServ(grafserv).addTo(server);
server.listen(Number(process.env.PORT), '127.0.0.1');
