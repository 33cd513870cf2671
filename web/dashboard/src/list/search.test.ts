import { describe, expect, it } from "vitest";
import { quoted, termAt, termsOf, toggled, valuesOf, without } from "./search";

describe("the search line", () => {
  it("is terms between spaces, held together by quotes", () => {
    expect(termsOf('  disk "exit code 1" label:"team=data platform" -v ')).toEqual([
      "disk",
      '"exit code 1"',
      'label:"team=data platform"',
      "-v",
    ]);
  });

  it("tells the values of a facet, however they are written", () => {
    expect(valuesOf("severity:CRITICAL,major disk severity:minor", "severity")).toEqual(["critical", "major", "minor"]);
    expect(valuesOf("is:active is:acknowledged", "state")).toEqual(["active"]);
    expect(valuesOf("-type:test", "type")).toEqual([]);
    expect(valuesOf('source:"my tool"', "source")).toEqual(["my tool"]);
  });

  it("allows a value more, and no longer, and leaves the rest", () => {
    const one = toggled("disk is:active", "severity", "critical");
    expect(one).toBe("disk is:active severity:critical");
    const two = toggled(one, "severity", "major");
    expect(two).toBe("disk is:active severity:critical,major");
    expect(toggled(two, "severity", "critical")).toBe("disk is:active severity:major");
    expect(toggled("severity:major", "severity", "major")).toBe("");
    expect(toggled("is:active", "state", "active")).toBe("");
  });

  it("takes one scope at a time", () => {
    expect(toggled("scope:component/a", "scope", "component/b")).toBe("scope:component/b");
  });

  it("can do without a facet", () => {
    expect(without("is:active disk state:resolved", "state")).toBe("disk");
  });

  it("quotes what would fall apart", () => {
    expect(quoted("my tool")).toBe('"my tool"');
    expect(quoted("tekton")).toBe("tekton");
  });

  it("knows the term at the caret", () => {
    expect(termAt("disk sev", 8)).toEqual({ start: 5, text: "sev" });
    expect(termAt("disk ", 5)).toEqual({ start: 5, text: "" });
    expect(termAt("disk sev", 2)).toEqual({ start: 0, text: "di" });
  });
});
