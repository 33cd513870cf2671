import { beforeEach, describe, expect, it } from "vitest";
import { RowOrder, type Change, type Entry } from "./order.svelte";

const entry = (id: string, key: number): Entry => ({ id, key });
const entered = (id: string, key: number): Change => ({ kind: "ENTERED", entry: entry(id, key) });
const left = (id: string): Change => ({ kind: "LEFT", id });

describe("the order of a list", () => {
  let order: RowOrder;
  const shown = () => order.entries.map(({ id }) => id).join("");
  const waiting = () => order.queued.map(({ id }) => id).join("");

  beforeEach(() => {
    order = new RowOrder();
    order.start([entry("c", 30), entry("b", 20), entry("a", 10)], true);
  });

  it("puts what enters into its place, once", () => {
    order.apply([entered("d", 40), entered("x", 25), entered("d", 40)]);
    expect(shown()).toBe("dcxba");
  });

  it("leaves to later pages what belongs behind all that is loaded", () => {
    order.apply([entered("z", 5)]);
    expect(shown()).toBe("cba");
    order.append([entry("z", 5)], false);
    expect(shown()).toBe("cbaz");
    order.apply([entered("y", 1)]);
    expect(shown()).toBe("cbazy");
  });

  it("takes off what leaves, and takes it back when it enters again", () => {
    order.apply([left("b"), left("unknown")]);
    expect(shown()).toBe("ca");
    order.apply([entered("b", 20)]);
    expect(shown()).toBe("cba");
    order.apply([left("b"), entered("b", 20)]);
    expect(shown()).toBe("cba");
  });

  it("moves nothing while it is held", () => {
    order.hold(true);
    order.apply([entered("d", 40), left("b"), left("a")]);
    expect(shown()).toBe("cba");
    expect(waiting()).toBe("d");
    expect([...order.gone]).toEqual(["b", "a"]);
    order.apply([entered("a", 10)]);
    expect([...order.gone]).toEqual(["b"]);
    order.hold(false);
    expect(shown()).toBe("dca");
    expect(waiting()).toBe("");
    expect(order.gone.size).toBe(0);
  });

  it("forgets what left before it was shown", () => {
    order.hold(true);
    order.apply([entered("d", 40)]);
    order.apply([left("d")]);
    order.hold(false);
    expect(shown()).toBe("cba");
    order.apply([entered("d", 40)]);
    expect(shown()).toBe("dcba");
  });

  it("shows what waits when somebody asks, though it is held", () => {
    order.hold(true);
    order.apply([entered("d", 40)]);
    order.showQueued();
    expect(shown()).toBe("dcba");
  });

  it("puts many into their places at once", () => {
    order.apply([entered("z", 15), entered("e", 50), entered("x", 25), entered("d", 40), entered("y", 25)]);
    expect(shown()).toBe("edcyxbza");
    order.start([], false);
    order.apply([entered("a", 1), entered("b", 2)]);
    expect(shown()).toBe("ba");
  });

  it("does not repeat what a page and an event both bring", () => {
    order.apply([entered("x", 15)]);
    order.append([entry("x", 15), entry("z", 5)], false);
    expect(shown()).toBe("cbxaz");
  });
});
