import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Pace } from "./pace";

describe("a pace", () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it("hands on the first at once, and together what comes while it rests", () => {
    const run = vi.fn();
    const pace = new Pace<number>(run);
    pace.add(1);
    expect(run.mock.calls).toEqual([[[1]]]);
    pace.add(2);
    pace.add(3);
    expect(run).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(50);
    expect(run.mock.calls).toEqual([[[1]], [[2, 3]]]);
  });

  it("rests longer where more is to be done, but not for ever", () => {
    const run = vi.fn(() => void vi.advanceTimersByTime(20));
    const pace = new Pace<number>(run);
    pace.add(1);
    pace.add(2);
    vi.advanceTimersByTime(599);
    expect(run).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(1);
    expect(run).toHaveBeenCalledTimes(2);
    run.mockImplementation(() => void vi.advanceTimersByTime(200));
    vi.advanceTimersByTime(2_000);
    pace.add(3);
    pace.add(4);
    vi.advanceTimersByTime(2_000);
    expect(run).toHaveBeenCalledTimes(4);
  });

  it("drops what waits when it is stopped", () => {
    const run = vi.fn();
    const pace = new Pace<number>(run);
    pace.add(1);
    pace.add(2);
    pace.stop();
    vi.advanceTimersByTime(2_000);
    expect(run).toHaveBeenCalledTimes(1);
  });
});
