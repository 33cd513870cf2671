import { describe, expect, it } from "vitest";
import type { TurnFragment } from "../api/generated/graphql";
import { flappingIn } from "./flapping";
import { beginningOf, rangeOf } from "./ranges";

const turn = (kind: string, key: string, at: string, previous: string | null = null) =>
  ({ kind, at, issue: { id: `${key}${at}`, title: key, severity: "MAJOR", fingerprint: { key }, previous: previous && { id: previous } } }) as unknown as TurnFragment;

describe("flapping", () => {
  it("is three turns of one fingerprint, under its newest issue", () => {
    const turns = [
      turn("RESOLVED", "a", "1"),
      turn("CREATED", "a", "2", "before"),
      turn("RESOLVED", "a", "3"),
      turn("CREATED", "b", "1"),
      turn("RESOLVED", "b", "2"),
      turn("REOPENED", "b", "3"),
      { kind: "RESOLVED", at: "9", issue: null } as unknown as TurnFragment,
    ];
    expect(flappingIn(turns)).toEqual([{ id: "a3", title: "a", severity: "MAJOR", turns: 3 }]);
    expect(flappingIn([...turns, turn("RESOLVED", "b", "4")]).map(({ id, turns }) => [id, turns])).toEqual([["a3", 3], ["b4", 3]]);
  });
});

describe("a range", () => {
  it("is one of ours, and begins so long ago", () => {
    expect(["day", "month", "year", ""].map(rangeOf)).toEqual(["day", "month", "week", "week"]);
    expect(beginningOf("day", Date.parse("2026-01-02T00:00:00Z"))).toBe("2026-01-01T00:00:00.000Z");
  });
});
