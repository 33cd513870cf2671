import { describe, expect, it, vi } from "vitest";
import { resuming } from "./resuming";

/** A socket that a test plays: what was asked of it, and the way to answer. */
function played() {
  const asked: { variables: Record<string, unknown>; sink: any; release: ReturnType<typeof vi.fn> }[] = [];
  const back = vi.fn();
  const link = {
    client: {
      subscribe: (payload: any, sink: any) => {
        const release = vi.fn();
        asked.push({ variables: payload.variables, sink, release });
        return release;
      },
    },
    pause: () => Promise.resolve(),
    putOff: vi.fn(() => back),
    heard: vi.fn(),
  };
  const sink = { next: vi.fn(), error: vi.fn(), complete: vi.fn() };
  const stop = resuming(link as any, { documentId: "sha256:0", variables: { where: null, after: "p0" } }, sink);
  return { asked, link, sink, stop, back };
}

const batch = (position: string, events = 0) => ({
  data: { issueEvents: { position, caughtUp: true, events: new Array(events).fill({}) } },
});

describe("a subscription that resumes", () => {
  it("goes on from the newest position after the socket was lost", async () => {
    const { asked, link, sink } = played();
    asked[0]!.sink.next(batch("p1", 2));
    asked[0]!.sink.next(batch("p2"));
    asked[0]!.sink.error(new Event("close"));
    await vi.waitFor(() => expect(asked).toHaveLength(2));
    expect(asked[0]!.variables).toEqual({ where: null, after: "p0" });
    expect(asked[1]!.variables).toEqual({ where: null, after: "p2" });
    expect(link.heard.mock.calls).toEqual([[2, true], [0, true]]);
    expect(sink.error).not.toHaveBeenCalled();
  });

  it("does so for deliveries too, which do not say how far they are behind", async () => {
    const { asked, link } = played();
    asked[0]!.sink.next({ data: { deliveryEvents: { position: "p1", deliveries: [{}] } } });
    asked[0]!.sink.error(new Event("close"));
    await vi.waitFor(() => expect(asked).toHaveLength(2));
    expect(asked[1]!.variables).toEqual({ where: null, after: "p1" });
    expect(link.heard.mock.calls).toEqual([[1, true]]);
  });

  it("goes on when the server ends it, and tells what the server refuses", async () => {
    const { asked, sink } = played();
    asked[0]!.sink.complete();
    await vi.waitFor(() => expect(asked).toHaveLength(2));
    const problem = [{ message: "too old", extensions: { code: "POSITION_EXPIRED" } }];
    asked[1]!.sink.error(problem);
    expect(sink.error).toHaveBeenCalledWith(problem);
    await Promise.resolve();
    expect(asked).toHaveLength(2);
  });

  it("goes on after a while when the server has no time, and says nothing of it", async () => {
    const { asked, sink } = played();
    asked[0]!.sink.next(batch("p1"));
    asked[0]!.sink.next({ data: null, errors: [{ message: "too slow", extensions: { code: "TIMEOUT" } }] });
    asked[0]!.sink.complete();
    await vi.waitFor(() => expect(asked).toHaveLength(2));
    asked[1]!.sink.error([{ message: "too many", extensions: { code: "OVERLOADED" } }]);
    await vi.waitFor(() => expect(asked).toHaveLength(3));
    expect(asked[2]!.variables).toEqual({ where: null, after: "p1" });
    expect(sink.next).toHaveBeenCalledTimes(1);
    expect(sink.error).not.toHaveBeenCalled();
  });

  it("is put off from then until it brings something, is refused or is stopped", async () => {
    const timeout = { data: null, errors: [{ message: "too slow", extensions: { code: "TIMEOUT" } }] };
    const putOff = [{ message: "too many", extensions: { code: "OVERLOADED" } }];
    const ends = [
      ({ asked }) => asked[2]!.sink.next(batch("p1")),
      ({ asked }) => asked[2]!.sink.error([{ message: "no", extensions: { code: "FORBIDDEN" } }]),
      ({ stop }) => stop(),
    ] satisfies ((one: ReturnType<typeof played>) => void)[];
    for (const end of ends) {
      const one = played();
      const { asked, link, back } = one;
      asked[0]!.sink.next(timeout);
      expect(link.putOff).toHaveBeenCalledTimes(1);
      asked[0]!.sink.complete();
      await vi.waitFor(() => expect(asked).toHaveLength(2));
      asked[1]!.sink.error(putOff);
      await vi.waitFor(() => expect(asked).toHaveLength(3));
      expect(back).not.toHaveBeenCalled();
      end(one);
      expect(link.putOff).toHaveBeenCalledTimes(1);
      expect(back).toHaveBeenCalledTimes(1);
    }
  });

  it("is not put off by a socket that is lost", async () => {
    const { asked, link } = played();
    asked[0]!.sink.error(new Event("close"));
    await vi.waitFor(() => expect(asked).toHaveLength(2));
    expect(link.putOff).not.toHaveBeenCalled();
  });

  it("is silent once it is stopped", async () => {
    const { asked, stop } = played();
    stop();
    asked[0]!.sink.error(new Event("close"));
    await Promise.resolve();
    expect(asked[0]!.release).toHaveBeenCalled();
    expect(asked).toHaveLength(1);
  });
});
