// Where the nodes of a graph stand: what caused something stands to the left of it.
import { graphlib, layout } from "@dagrejs/dagre";
import type { GraphQuery } from "../api/generated/graphql";
import { layered, type Point } from "./layers";

type Graph = NonNullable<GraphQuery["issueGraph"]>;
type Edge = Graph["edges"][number];
type Keyed = Edge & { key: string };

export const NODE = { width: 220, height: 52 };
const MARGIN = 24;
const GAP = 18;
const LAYER_GAP = 90;
/** Nodes and edges together: beyond, how long dagre takes depends too much on how they are linked. */
export const MOST_FINE = 75;

export interface Placed {
  width: number;
  height: number;
  nodes: (Graph["nodes"][number] & { x: number; y: number })[];
  edges: (Keyed & { path: string })[];
}

/** Which end of an edge stands to the left: the cause, the earlier one, the one that is the same. */
function ends({ sourceId, targetId, relation }: Pick<Edge, "sourceId" | "targetId" | "relation">): [string, string] {
  return relation && relation.kind !== "RELATED" ? [targetId, sourceId] : [sourceId, targetId];
}

/** Places each node once, cycles and several edges between two included. Measures in pixels. */
export function placed(graph: Graph): Placed {
  const edges = graph.edges.map((edge) => ({ ...edge, key: edge.relation?.id ?? `${edge.sourceId} ${edge.targetId}` }));
  return graph.nodes.length + edges.length <= MOST_FINE ? finely(graph.nodes, edges) : quickly(graph.nodes, edges);
}

/** By dagre, which also leads edges around nodes. */
function finely(nodes: Graph["nodes"], edges: Keyed[]): Placed {
  const plan = new graphlib.Graph({ multigraph: true });
  plan.setGraph({ rankdir: "LR", nodesep: GAP, ranksep: LAYER_GAP, marginx: MARGIN, marginy: MARGIN });
  plan.setDefaultEdgeLabel(() => ({}));
  for (const { issue } of nodes) plan.setNode(issue.id, { ...NODE });
  for (const edge of edges) {
    const [from, to] = ends(edge);
    plan.setEdge(from, to, {}, edge.key);
  }
  layout(plan);
  const { width = 0, height = 0 } = plan.graph() as { width?: number; height?: number };
  return {
    width,
    height,
    nodes: nodes.map((node) => {
      const { x, y } = plan.node(node.issue.id) as Point;
      return { ...node, x: x - NODE.width / 2, y: y - NODE.height / 2 };
    }),
    edges: edges.map((edge) => {
      const [v, w] = ends(edge);
      const { points } = plan.edge({ v, w, name: edge.key }) as { points: Point[] };
      return { ...edge, path: pathOf(points) };
    }),
  };
}

/** In layers of our own: dagre takes seconds for some graphs of hundreds. */
function quickly(nodes: Graph["nodes"], edges: Keyed[]): Placed {
  const size = { ...NODE, gap: GAP, layerGap: LAYER_GAP, margin: MARGIN };
  const at = layered(nodes.map(({ issue }) => issue.id), edges.map(ends), size);
  const corner = (id: string) => at.get(id) ?? { x: 0, y: 0 };
  const corners = [...at.values()];
  return {
    width: Math.max(0, ...corners.map(({ x }) => x)) + NODE.width + MARGIN,
    height: Math.max(0, ...corners.map(({ y }) => y)) + NODE.height + MARGIN,
    nodes: nodes.map((node) => ({ ...node, ...corner(node.issue.id) })),
    edges: edges.map((edge) => {
      const [from, to] = ends(edge).map(corner) as [Point, Point];
      return { ...edge, path: curveOf(from, to) };
    }),
  };
}

/** From the side of one node to the side of another that looks at it. */
function curveOf(from: Point, to: Point): string {
  const isAhead = to.x >= from.x;
  const [x1, x2] = isAhead ? [from.x + NODE.width, to.x] : [from.x, to.x + NODE.width];
  const [y1, y2] = [from.y + NODE.height / 2, to.y + NODE.height / 2];
  const middle = (x1 + x2) / 2;
  return `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`;
}

/** A line through the points, rounded between them. */
function pathOf(points: readonly Point[]): string {
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
