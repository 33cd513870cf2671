"""A process that asks at a steady rate, whatever the answers do: `python -m tests.bench.watch.steady`.

Standard input has the task as a line of JSON; what was found goes to standard output. The time of a request begins when
it was due: one that waits because others are slow is slow itself.
"""

import json
import select
import sys
import time
from collections import deque
from dataclasses import dataclass

from tests.bench.watch.asking import Asker, at, fail, say
from tests.bench.watch.watchers import NUMBER

PATIENCE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Kind:
    """Requests of one kind: so many a second, the bodies in turn."""

    name: str
    rate: float
    path: str
    bodies: list[str]


def run(port: int, kinds: list[Kind], seconds: float, connections: int) -> dict[str, dict[str, float]]:
    """By the name of each kind, how many were answered a second while it lasted, and the milliseconds they took."""
    askers = {asker.socket.fileno(): asker for asker in (Asker(port) for _ in range(connections))}
    polled = select.epoll()
    for file in askers:
        polled.register(file, select.EPOLLIN)
    # The one that is idle longest comes first: servers close what is quiet.
    idle, waiting = deque(askers), deque[tuple[float, Kind, int]]()
    asked: dict[int, tuple[float, Kind]] = {}
    numbers = {kind.name: 0 for kind in kinds}
    times: dict[str, list[float]] = {kind.name: [] for kind in kinds}
    begun = time.perf_counter()
    in_time = {kind.name: 0 for kind in kinds}
    while True:
        now = time.perf_counter() - begun
        for kind in kinds:
            while (due := numbers[kind.name] / kind.rate) <= min(now, seconds):
                waiting.append((due, kind, numbers[kind.name]))
                numbers[kind.name] += 1
        while waiting and idle:
            due, kind, number = waiting.popleft()
            file = idle.popleft()
            askers[file].ask(kind.path, kind.bodies[number % len(kind.bodies)].replace(NUMBER, str(number)))
            asked[file] = (due, kind)
        if now >= seconds and not waiting and not asked:
            break
        if now >= seconds + PATIENCE_SECONDS:
            fail(f"{len(waiting) + len(asked):,} requests were not answered {PATIENCE_SECONDS} seconds after the end")
        for file, _ in polled.poll(0.0005):
            if askers[file].answered():
                due, kind = asked.pop(file)
                done = time.perf_counter() - begun
                times[kind.name].append(done - due)
                in_time[kind.name] += done <= seconds
                idle.append(file)
    found = {}
    for name, each in times.items():
        each.sort()
        found[name] = {"per_second": in_time[name] / seconds, "p50": at(0.5, each), "p99": at(0.99, each)}
    return found


def main() -> None:
    """One task."""
    task = json.loads(sys.stdin.readline())
    say(run(task["port"], [Kind(**kind) for kind in task["kinds"]], task["seconds"], task["connections"]))


if __name__ == "__main__":
    main()
