// Places of many nodes in little time: layers from left to right, in each the order with few crossings, then heights.
export interface Size {
  width: number;
  height: number;
  /** Between two nodes above each other, and between two layers. */
  gap: number;
  layerGap: number;
  margin: number;
}

export interface Point {
  x: number;
  y: number;
}

const SWEEPS = 8;

/** The upper left corner of each node. An edge leads from left to right, unless it is one of a cycle. Measures in pixels. */
export function layered(ids: readonly string[], edges: readonly (readonly [string, string])[], size: Size): Map<string, Point> {
  const index = new Map(ids.map((id, place) => [id, place]));
  const links = edges.flatMap(([from, to]): [number, number][] => {
    const [left, right] = [index.get(from), index.get(to)];
    return left === undefined || right === undefined || left === right ? [] : [[left, right]];
  });
  const layerOf = layersOf(ids.length, links);
  const layers: number[][] = [];
  layerOf.forEach((layer, node) => (layers[layer] ??= []).push(node));
  const near: number[][] = ids.map(() => []);
  for (const [left, right] of links) {
    near[left]?.push(right);
    near[right]?.push(left);
  }
  const step = size.height + size.gap;
  const y = new Array<number>(ids.length).fill(0);
  for (const layer of layers) layer.forEach((node, place) => (y[node] = (place - layer.length / 2) * step));
  const wanted = (node: number) => mean((near[node] ?? []).map((other) => y[other] ?? 0)) ?? y[node] ?? 0;
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    for (const layer of sweep % 2 === 0 ? layers : [...layers].reverse()) {
      const aims = new Map(layer.map((node) => [node, wanted(node)]));
      layer.sort((one, other) => (aims.get(one) ?? 0) - (aims.get(other) ?? 0));
      apart(layer.map((node) => aims.get(node) ?? 0), step).forEach((height, place) => (y[layer[place] ?? 0] = height));
    }
  }
  const top = Math.min(...y);
  return new Map(
    ids.map((id, node) => {
      const x = size.margin + (layerOf[node] ?? 0) * (size.width + size.layerGap);
      return [id, { x, y: size.margin + (y[node] ?? 0) - top }];
    }),
  );
}

/** The layer of each node: behind all that lead to it. Edges that close a cycle do not count. */
function layersOf(count: number, links: readonly [number, number][]): number[] {
  const out: number[][] = Array.from({ length: count }, () => []);
  for (const [left, right] of links) out[left]?.push(right);
  const state = new Uint8Array(count); // 1: on the way, 2: done
  const order: number[] = [];
  const ahead: number[][] = Array.from({ length: count }, () => []);
  for (let root = 0; root < count; root += 1) {
    if (state[root]) continue;
    const way: [number, number][] = [[root, 0]];
    state[root] = 1;
    for (let top = way.at(-1); top; top = way.at(-1)) {
      const [node, place] = top;
      const next = out[node]?.[place];
      if (next === undefined) {
        state[node] = 2;
        order.push(node);
        way.pop();
        continue;
      }
      top[1] += 1;
      if (state[next] === 1) continue;
      ahead[node]?.push(next);
      if (state[next] === 0) {
        state[next] = 1;
        way.push([next, 0]);
      }
    }
  }
  const layers = new Array<number>(count).fill(0);
  for (const node of order.reverse())
    for (const next of ahead[node] ?? []) layers[next] = Math.max(layers[next] ?? 0, (layers[node] ?? 0) + 1);
  return layers;
}

/** The rising numbers, `step` or more apart, that are nearest to the given ones (least squares). */
export function apart(aims: readonly number[], step: number): number[] {
  const blocks: { sum: number; count: number }[] = [];
  aims.forEach((aim, place) => {
    let block = { sum: aim - place * step, count: 1 };
    for (let last = blocks.at(-1); last && last.sum / last.count >= block.sum / block.count; last = blocks.at(-1)) {
      block = { sum: last.sum + block.sum, count: last.count + block.count };
      blocks.pop();
    }
    blocks.push(block);
  });
  return blocks.flatMap(({ sum, count }) => new Array<number>(count).fill(sum / count)).map((base, place) => base + place * step);
}

function mean(numbers: readonly number[]): number | undefined {
  return numbers.length > 0 ? numbers.reduce((sum, each) => sum + each, 0) / numbers.length : undefined;
}
