import { describe, expect, it } from "vitest";
import { CombinedError } from "@urql/core";
import { problemOf } from "./actions";
import { fieldText, valueText } from "./changes";
import { asCurl, asGraphql } from "./copying";

describe("a change in the log", () => {
  it("reads as text, whatever it is", () => {
    expect([null, undefined, "", "x", 3, true].map(valueText)).toEqual([null, null, null, "x", "3", "true"]);
    expect(valueText([{ name: "team", value: "a" }, { title: "Log", url: "https://x" }])).toBe("team=a, Log");
    expect(valueText([])).toBeNull();
    expect(valueText("2026-01-31T08:15:00.000000Z")).not.toContain("T08");
    expect(fieldText("resolvedAt")).toBe("resolved at");
  });
});

describe("an action that was not done", () => {
  it("says what stood in the way", () => {
    const refused = { data: { resolveIssues: { userErrors: [{ message: "no such issue" }] } }, error: undefined };
    expect(problemOf(refused)).toBe("no such issue");
    expect(problemOf({ data: { resolveIssues: { userErrors: [] } }, error: undefined })).toBeNull();
    const error = new CombinedError({ networkError: new Error("away") });
    expect(problemOf({ data: undefined, error })).toBe("The server cannot be reached");
    expect(problemOf({ data: { deleteIssue: null }, error: undefined })).toBe("That did not work");
  });
});

describe("an issue for other programs", () => {
  it("is a command or a document that asks for it", () => {
    expect(asCurl("1", "http://h", false)).toBe("curl 'http://h/api/v1/issues/1'");
    expect(asCurl("1", "http://h", true)).toContain("Bearer $ISSUEGRAPH_TOKEN");
    expect(asGraphql("1")).toContain('issue(id: "1")');
  });
});
