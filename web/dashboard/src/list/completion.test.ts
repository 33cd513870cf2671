import { describe, expect, it } from "vitest";
import type { FacetsQuery } from "../api/generated/graphql";
import { completed, completionsFor } from "./completion";

const counted = {
  severity: { bySeverity: [{ severity: "MAJOR", count: 2 }, { severity: "CRITICAL", count: 7 }] },
  source: { bySource: [{ source: "my tool", count: 3 }, { source: null, count: 1 }] },
} as unknown as FacetsQuery;
const offered = (search: string) => completionsFor(search, search.length, counted).map(({ text }) => text);

describe("completion", () => {
  it("offers names, then values with their counts", () => {
    expect(offered("disk se")).toEqual(["severity:"]);
    expect(offered("-s")).toEqual(["-state:", "-severity:", "-source:", "-scope:"]);
    expect(completionsFor("severity:", 9, counted)).toEqual([
      { text: "severity:critical", count: 7 },
      { text: "severity:major", count: 2 },
    ]);
    expect(offered("is:a")).toEqual(["is:active", "is:acknowledged"]);
  });

  it("goes on behind a comma, and quotes", () => {
    expect(offered("severity:critical,")).toEqual(["severity:critical,critical", "severity:critical,major"]);
    expect(offered("severity:critical,ma")).toEqual(["severity:critical,major"]);
    expect(offered("source:m")).toEqual(['source:"my tool"']);
  });

  it("offers nothing for words, and nothing that is there", () => {
    expect(offered("")).toEqual([]);
    expect(offered("12:30")).toEqual([]);
    expect(offered("is:active")).toEqual([]);
  });

  it("puts the caret behind what was taken", () => {
    expect(completed("disk se", 7, "severity:")).toEqual({ search: "disk severity:", caret: 14 });
    expect(completed("severity:cr disk", 11, "severity:critical")).toEqual({ search: "severity:critical disk", caret: 17 });
    expect(completed("is:", 3, "is:active")).toEqual({ search: "is:active ", caret: 10 });
  });
});
