import { describe, expect, it } from "vitest";
import { viewsIn, viewUrl } from "./views.svelte";

describe("views that are kept", () => {
  it("have search, order and groups, of which older ones have the search alone", () => {
    const kept = [{ name: "a", search: "is:active", order: "SEVERITY", group: "scope" }, { name: "b", search: "disk full" }, { name: "none" }];
    const views = viewsIn(JSON.stringify(kept));
    expect(views).toEqual([kept[0], { name: "b", search: "disk full", order: "", group: "" }]);
    expect(views.map(viewUrl)).toEqual(["/issues?q=is%3Aactive&order=SEVERITY&group=scope", "/issues?q=disk+full"]);
  });

  it("lead somewhere without a search too", () => {
    expect(viewUrl({ name: "", search: "", order: "", group: "" })).toBe("/issues");
    expect(viewUrl({ name: "", search: "", order: "", group: "scope" })).toBe("/issues?group=scope");
  });

  it("are none where what is kept is no view", () => {
    expect([null, "{", "3", "[null]"].map(viewsIn)).toEqual([[], [], [], []]);
  });
});
