import { describe, expect, it } from "vitest";
import { inLine, listIn, pairsIn, payloadIn, readable, shareText } from "./words";

describe("what is typed", () => {
  it("is a list with commas or spaces between", () => {
    expect(listIn(" team-a, team-b-*  c,")).toEqual(["team-a", "team-b-*", "c"]);
  });

  it("is JSON where it looks like some, else text", () => {
    expect(payloadIn(' {"a": 1}')).toEqual({ a: 1 });
    expect(payloadIn("a=1&b=2")).toBe("a=1&b=2");
    expect(() => payloadIn("{a")).toThrow(SyntaxError);
  });
});

describe("what is shown", () => {
  it("is a share that does not round to all or nothing", () => {
    expect([0, 0.001, 0.4, 0.999, 1].map(shareText)).toEqual(["0 %", "<1 %", "40 %", ">99 %", "100 %"]);
  });

  it("is JSON in lines, other bodies as they are, values in one line", () => {
    expect(readable('{"a":1}')).toBe('{\n  "a": 1\n}');
    expect(readable("a=1")).toBe("a=1");
    expect([inLine("x"), inLine({ a: 1 }), inLine(undefined)]).toEqual(["x", '{"a":1}', ""]);
    expect(pairsIn({ a: 1, b: "c" })).toEqual([["a", "1"], ["b", "c"]]);
    expect(pairsIn(null)).toEqual([]);
  });
});
