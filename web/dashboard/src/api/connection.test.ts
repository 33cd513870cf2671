import { afterEach, describe, expect, it, vi } from "vitest";
import { connection } from "./connection.svelte";

afterEach(() => vi.useRealTimers());

describe("what the page says of its connection", () => {
  it("is offline, with the age of what one sees, until every stream that was put off is back", () => {
    vi.useFakeTimers({ now: 1_000 });
    connection.heard(0, true);
    expect(connection.phase).toBe("live");
    const backs = [connection.putOff(), connection.putOff()];
    expect(connection.phase).toBe("offline");
    vi.setSystemTime(9_000);
    // Another stream of the same screen.
    connection.heard(1, true);
    expect([connection.phase, connection.heardAt]).toEqual(["offline", 1_000]);
    backs[0]!();
    expect(connection.phase).toBe("offline");
    backs[1]!();
    connection.heard(0, true);
    expect([connection.phase, connection.heardAt]).toEqual(["live", 9_000]);
  });
});
