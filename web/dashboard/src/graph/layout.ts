// Where the nodes of a graph stand: what caused something stands to the left of it.
import { graphlib, layout } from "@dagrejs/dagre";
import type { GraphQuery } from "../api/generated/graphql";

type Graph = NonNullable<GraphQuery["issueGraph"]>;
type Edge = Graph["edges"][number];

export const NODE = { width: 220, height: 52 };
const MARGIN = 24;

export interface Placed {
  width: number;
  height: number;
  nodes: (Graph["nodes"][number] & { x: number; y: number })[];
  edges: (Edge & { key: string; path: string })[];
}

/** Which end of an edge stands to the left: the cause, the earlier one, the one that is the same. */
function ends({ sourceId, targetId, relation }: Pick<Edge, "sourceId" | "targetId" | "relation">): [string, string] {
  return relation && relation.kind !== "RELATED" ? [targetId, sourceId] : [sourceId, targetId];
}

/** Places each node once, cycles and several edges between two included. Measures in pixels. */
export function placed(graph: Graph): Placed {
  const plan = new graphlib.Graph({ multigraph: true });
  plan.setGraph({ rankdir: "LR", nodesep: 18, ranksep: 90, marginx: MARGIN, marginy: MARGIN });
  plan.setDefaultEdgeLabel(() => ({}));
  for (const { issue } of graph.nodes) plan.setNode(issue.id, { ...NODE });
  const edges = graph.edges.map((edge) => ({ ...edge, key: edge.relation?.id ?? `${edge.sourceId} ${edge.targetId}` }));
  for (const edge of edges) {
    const [from, to] = ends(edge);
    plan.setEdge(from, to, {}, edge.key);
  }
  layout(plan);
  const { width = 0, height = 0 } = plan.graph() as { width?: number; height?: number };
  return {
    width,
    height,
    nodes: graph.nodes.map((node) => {
      const { x, y } = plan.node(node.issue.id) as { x: number; y: number };
      return { ...node, x: x - NODE.width / 2, y: y - NODE.height / 2 };
    }),
    edges: edges.map((edge) => {
      const [v, w] = ends(edge);
      const { points } = plan.edge({ v, w, name: edge.key }) as { points: { x: number; y: number }[] };
      return { ...edge, path: pathOf(points) };
    }),
  };
}

/** A line through the points, rounded between them. */
function pathOf(points: readonly { x: number; y: number }[]): string {
  const [first, ...rest] = points;
  if (!first) return "";
  const parts = [`M${first.x} ${first.y}`];
  rest.forEach((point, place) => {
    const next = rest[place + 1];
    if (next) parts.push(`Q${point.x} ${point.y} ${(point.x + next.x) / 2} ${(point.y + next.y) / 2}`);
    else parts.push(`L${point.x} ${point.y}`);
  });
  return parts.join("");
}
