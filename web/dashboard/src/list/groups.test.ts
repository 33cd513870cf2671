import { describe, expect, it } from "vitest";
import { recounted, type Group } from "./groups.svelte";

const group = (id: string, count: number) => ({ scope: { id }, count }) as unknown as Group;

describe("groups", () => {
  it("keep their order while somebody points at them: new counts, none gone, new ones last", () => {
    const now = [group("c", 9), group("b", 3)];
    expect(recounted([group("a", 5), group("b", 2)], now)).toEqual([group("a", 0), group("b", 3), group("c", 9)]);
  });
});
