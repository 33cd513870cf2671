import { describe, expect, it } from "vitest";
import type { GraphQuery } from "../api/generated/graphql";
import { NODE, placed } from "./layout";

type Graph = NonNullable<GraphQuery["issueGraph"]>;
const graph = (ids: string[], edges: [string, string, string | null][]) =>
  ({
    nodes: ids.map((id) => ({ distance: 0, hiddenCount: 0, issue: { id } })),
    edges: edges.map(([sourceId, targetId, kind], place) => ({
      sourceId,
      targetId,
      relation: kind && { id: `r${place}`, kind },
    })),
  }) as unknown as Graph;

describe("the layout", () => {
  it("has the cause to the left, and no node above another", () => {
    const { nodes, edges, width, height } = placed(graph(["effect", "cause", "other"], [["effect", "cause", "CAUSED_BY"], ["other", "cause", "CAUSED_BY"]]));
    const at = new Map(nodes.map(({ issue, x, y }) => [issue.id, { x, y }]));
    expect(at.get("cause")!.x).toBeLessThan(at.get("effect")!.x);
    expect(Math.abs(at.get("effect")!.y - at.get("other")!.y)).toBeGreaterThanOrEqual(NODE.height);
    expect(edges.every(({ path }) => path.startsWith("M"))).toBe(true);
    for (const { x, y } of nodes) expect(x >= 0 && y >= 0 && x + NODE.width <= width && y + NODE.height <= height).toBe(true);
  });

  it("takes cycles, several edges between two, and neighbours by scope", () => {
    const { edges } = placed(graph(["a", "b"], [["a", "b", "CAUSED_BY"], ["b", "a", "CAUSED_BY"], ["a", "b", "RELATED"], ["a", "b", null]]));
    expect(edges).toHaveLength(4);
    expect(new Set(edges.map(({ key }) => key)).size).toBe(4);
  });

  it("places 300 nodes", () => {
    const ids = Array.from({ length: 300 }, (_, place) => `n${place}`);
    const edges = ids.slice(1).map((id, place): [string, string, string] => [id, ids[Math.floor(place / 3)]!, "CAUSED_BY"]);
    const begun = performance.now();
    expect(placed(graph(ids, edges)).nodes).toHaveLength(300);
    // 200 ms is the aim on a machine that does nothing else.
    expect(performance.now() - begun).toBeLessThan(2_000);
  });
});
