import { describe, expect, it, vi } from "vitest";
import type { RowFragment } from "./generated/graphql";
import { KnownRows } from "./known";

const row = (id: string, title = id) => ({ id, title, state: "ACTIVE" }) as RowFragment;

describe("the rows that are known", () => {
  it("are told to who watches them", () => {
    const known = new KnownRows();
    const watcher = { ids: new Set(["a"]), changed: vi.fn() };
    known.join(watcher);
    known.put([row("a"), row("b")]);
    known.put([row("b")]);
    expect(watcher.changed).toHaveBeenCalledTimes(1);
    known.change([row("a", "other"), row("c")]);
    expect(watcher.changed).toHaveBeenCalledTimes(2);
    expect(known.get("a")?.title).toBe("other");
    expect(known.get("c")).toBeUndefined();
    known.leave(watcher);
    known.put([row("a")]);
    expect(watcher.changed).toHaveBeenCalledTimes(2);
  });

  it("are shown as they are expected to be, until that is taken back", () => {
    const known = new KnownRows();
    known.put([row("a")]);
    const first = known.expect(["a", "b"], { state: "RESOLVED" });
    const second = known.expect(["a"], { title: "other" });
    expect(known.get("a")).toMatchObject({ state: "RESOLVED", title: "other" });
    expect(known.get("b")).toBeUndefined();
    first();
    expect(known.get("a")).toMatchObject({ state: "ACTIVE", title: "other" });
    second();
    expect(known.get("a")).toEqual(row("a"));
  });

  it("are forgotten, the oldest first, unless somebody watches them", () => {
    const known = new KnownRows();
    known.join({ ids: new Set(["0"]), changed: () => undefined });
    for (let number = 0; number < 1_000; number += 1) known.put([row(String(number))]);
    expect(known.size).toBe(300);
    expect(known.get("0")).toBeDefined();
    expect(known.get("1")).toBeUndefined();
    expect(known.get("999")).toBeDefined();
  });
});
