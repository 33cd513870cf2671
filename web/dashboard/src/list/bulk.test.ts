import { describe, expect, it } from "vitest";
import type { CombinedError } from "@urql/core";
import { chunksOf, failuresIn, pooled } from "./chunks";
import { idIn } from "../issue/ids";
import { Selection } from "./selection.svelte";

const entries = [..."abcde"].map((id, place) => ({ id, key: 9 - place }));
const error = (field: string[], message: string) => ({ code: "NOT_FOUND", field, message });

describe("a selection", () => {
  it("is toggled, extended from where it was toggled last, and cleared", () => {
    const selection = new Selection();
    selection.extend("b", entries);
    selection.extend("d", entries);
    expect([...selection.ids]).toEqual(["b", "c", "d"]);
    selection.toggle("c");
    selection.extend("a", entries);
    expect([...selection.ids].sort().join("")).toBe("abcd");
    selection.clear();
    expect(selection.has("a")).toBe(false);
  });
});

describe("many at once", () => {
  it("go in parts that the server takes", () => {
    expect(chunksOf([1, 2, 3, 4, 5], 2)).toEqual([[1, 2], [3, 4], [5]]);
    expect(chunksOf([], 2)).toEqual([]);
  });

  it("have what failed told apart by its index", () => {
    const data = { resolveIssues: { userErrors: [error(["ids", "1"], "there is no such issue")] } };
    expect(failuresIn(["a", "b", "c"], { data })).toEqual([{ id: "b", why: "there is no such issue" }]);
    expect(failuresIn(["a"], { data: { resolveIssues: { userErrors: [] } } })).toEqual([]);
  });

  it("fail all together by what is about the whole, or when there is no answer", () => {
    const data = { relateIssues: { userErrors: [error(["targetId"], "no")] } };
    expect(failuresIn(["a", "b"], { data })).toEqual([{ id: "a", why: "no" }, { id: "b", why: "no" }]);
    const offline = { networkError: new Error(), graphQLErrors: [] } as unknown as CombinedError;
    expect(failuresIn(["a"], { error: offline })).toEqual([{ id: "a", why: "The server cannot be reached" }]);
    expect(failuresIn(["a"], { data: { resolveIssues: null } })).toHaveLength(1);
  });

  it("are asked for a few at a time", async () => {
    let now = 0;
    let most = 0;
    const done: number[] = [];
    await pooled([1, 2, 3, 4, 5, 6, 7], 3, async (item) => {
      most = Math.max(most, ++now);
      await Promise.resolve();
      now -= 1;
      done.push(item);
    });
    expect(done).toHaveLength(7);
    expect(most).toBe(3);
  });
});

describe("an issue's name", () => {
  it("is its id, or its address", () => {
    const id = "0198a1b2-0000-7000-8000-00000000abcd";
    expect([id.toUpperCase(), ` http://x/issues/${id}?a=1 `, `${id}5`, "none"].map(idIn)).toEqual([id, id, "", ""]);
  });
});
