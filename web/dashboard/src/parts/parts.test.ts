import { describe, expect, it } from "vitest";
import { backoffSeconds } from "../api/backoff";
import { windowOf } from "../list/window";
import { placeOf } from "../state/route.svelte";
import { fits } from "../state/viewer.svelte";
import { barsOf } from "./sparkline";
import { atLength, shortly } from "./times";

describe("times", () => {
  it("are short in their largest unit, or in their two largest", () => {
    expect([0, 59, 60, 3_599, 3_600, 47 * 3_600, 72 * 3_600].map(shortly)).toEqual(["0s", "59s", "1m", "59m", "1h", "47h", "3d"]);
    expect([5, 61, 3_600, 90_061].map(atLength)).toEqual(["5s", "1m 1s", "1h", "1d 1h"]);
    expect(shortly(-3)).toBe("0s");
  });
});

describe("a sparkline", () => {
  it("counts within equal stretches, the newest last", () => {
    expect(barsOf([0, 10, 55, 99, 100, -1], 100, 4, 100)).toEqual([2, 0, 1, 2]);
  });
});

describe("the window of a long list", () => {
  it("holds what is in sight and a little more, in steps", () => {
    expect(windowOf(0, 480, 48, 1_000)).toEqual({ first: 0, last: 32 });
    expect(windowOf(48 * 100, 480, 48, 1_000)).toEqual({ first: 80, last: 128 });
    expect(windowOf(48 * 101, 480, 48, 1_000)).toEqual({ first: 80, last: 128 });
    expect(windowOf(0, 480, 48, 3)).toEqual({ first: 0, last: 3 });
  });
});

describe("trying again", () => {
  it("waits longer each time, but never long", () => {
    expect([0, 1, 2, 3, 20].map((tries) => backoffSeconds(tries, () => 1))).toEqual([0.5, 1, 2, 4, 20]);
    expect(backoffSeconds(20, () => 0)).toBe(10);
  });
});

describe("a path", () => {
  it("is a screen, or nowhere", () => {
    expect(["/", "/issues", "/issues/", "/issues/1", "/graph/1", "/graph", "/issues/1/2", "/docs"].map((path) => placeOf(path).screen)).toEqual([
      "overview", "issues", "issues", "issue", "graph", "nowhere", "nowhere", "nowhere",
    ]);
    expect(["/webhooks", "/webhooks/ours", "/deliveries/", "/deliveries/1"].map((path) => placeOf(path).screen)).toEqual([
      "webhooks", "webhook", "deliveries", "delivery",
    ]);
    expect(placeOf("/issues/abc").id).toBe("abc");
  });
});

describe("a grant", () => {
  it("covers a name, what begins so, or everything", () => {
    expect([fits("*", "a"), fits("team-*", "team-a"), fits("team-*", "other"), fits("a", "a"), fits("a", "ab")]).toEqual([
      true, true, false, true, false,
    ]);
  });
});
