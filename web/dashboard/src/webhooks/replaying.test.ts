import { describe, expect, it } from "vitest";
import { Replaying, type Step } from "./replaying.svelte";

const step = (endCursor: string, hasMore: boolean): Step => ({ replayed: 2, handled: 1, skipped: 1, endCursor, hasMore });

describe("many deliveries done again", () => {
  it("follow the cursor to the end, and are counted", async () => {
    const asked: (string | null)[] = [];
    const replaying = new Replaying();
    await replaying.begin("ours", 6, async (after) => {
      asked.push(after);
      return step(`${asked.length}`, asked.length < 2);
    });
    expect(asked).toEqual([null, "1"]);
    expect([replaying.phase, replaying.looked, replaying.replayed, replaying.handled, replaying.skipped]).toEqual(["done", 6, 4, 2, 2]);
  });

  it("stop after what is under way, and go on from there", async () => {
    const asked: (string | null)[] = [];
    const replaying = new Replaying();
    await replaying.begin("", 9, async (after) => {
      asked.push(after);
      replaying.stop();
      return step("here", true);
    });
    expect([replaying.phase, replaying.looked]).toEqual(["stopped", 3]);
    await replaying.goOn();
    expect(asked).toEqual([null, "here"]);
    expect(replaying.looked).toBe(6);
  });

  it("keep what was done when something stands in the way, and go on from there", async () => {
    const answers: (Step | string)[] = [step("here", true), "away", step("end", false)];
    const asked: (string | null)[] = [];
    const replaying = new Replaying();
    await replaying.begin("", 6, async (after) => {
      asked.push(after);
      return answers.shift() ?? "no more";
    });
    expect([replaying.phase, replaying.why, replaying.looked]).toEqual(["failed", "away", 3]);
    await replaying.goOn();
    expect([replaying.phase, replaying.why, replaying.looked]).toEqual(["done", "", 6]);
    expect(asked).toEqual([null, "here", "here"]);
  });
});
