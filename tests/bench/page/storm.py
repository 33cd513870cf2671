"""A process that reports alerts at a steady rate, in batches as Alertmanager sends them.

Standard input has the task as a line of JSON; what was sent goes to standard output. Of what comes after the first
reports, eight in ten are further ones of issues that are active, one resolves, one opens anew: as many as were there.
"""

import json
import random
import select
import sys
import time
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.bench.watch.asking import Asker, say

FURTHER, OPENED = 0.8, 0.1
PATH = "/api/v1/webhooks/alertmanager?namespace=storm"


@dataclass(frozen=True, slots=True)
class Task:
    """So many reports a second, `batch` of them in a request, about so many alerts; the first ones open them all."""

    port: int
    rate: float
    batch: int
    seconds: float
    alerts: int
    connections: int = 4


class Alerts:
    """What fires, and what is over; batches of reports about them."""

    def __init__(self, count: int) -> None:
        self._dice = random.Random(11)
        self._over = list(range(count))
        self._firing: list[int] = []
        self._number = 0
        self._begin = datetime.now(UTC)

    def first(self, size: int) -> tuple[str, str] | None:
        """The next batch that opens alerts, path and body; None when all are open."""
        return self._batch([self._opened() for _ in range(min(size, len(self._over)))]) if self._over else None

    def batch(self, size: int) -> tuple[str, str]:
        """Path and body."""
        return self._batch([self._next() for _ in range(size)])

    def _next(self) -> dict[str, Any]:
        turn = self._dice.random()
        if turn < FURTHER or (turn < FURTHER + OPENED and not self._over):
            return self._alert(self._dice.choice(self._firing), "firing")
        if turn < FURTHER + OPENED:
            return self._opened()
        place = self._dice.randrange(len(self._firing))
        self._firing[place], self._firing[-1] = self._firing[-1], self._firing[place]
        self._over.append(self._firing.pop())
        return self._alert(self._over[-1], "resolved")

    def _opened(self) -> dict[str, Any]:
        self._firing.append(self._over.pop(0))
        return self._alert(self._firing[-1], "firing")

    def _alert(self, number: int, status: str) -> dict[str, Any]:
        self._number += 1
        # Another start is another run.
        at = (self._begin + timedelta(microseconds=self._number)).isoformat()
        severity = ("info", "warning", "error", "critical")[number % 4]
        return {
            "status": status,
            "labels": {"alertname": "TooSlow", "severity": severity, "deployment": f"service-{number:05}"},
            "annotations": {"summary": f"Service {number:05} is slow", "description": "95 % of answers take over 2 s"},
            "startsAt": at,
            "endsAt": at,
            "fingerprint": f"{number:016x}",
        }

    def _batch(self, alerts: list[dict[str, Any]]) -> tuple[str, str]:
        body = {"version": "4", "status": "firing", "externalURL": "http://alertmanager:9093", "alerts": alerts}
        return PATH, json.dumps(body)


def run(task: Task) -> dict[str, float]:
    """How many reports a second were answered while it lasted."""
    alerts = Alerts(task.alerts)
    asker = Asker(task.port)
    while batch := alerts.first(task.batch):
        asker.ask(*batch)
        while not asker.answered():
            pass
    say({"opened": task.alerts})
    sys.stdin.readline()
    askers = {each.socket.fileno(): each for each in (Asker(task.port) for _ in range(task.connections))}
    idle, polled = deque(askers), select.epoll()
    for file in askers:
        polled.register(file, select.EPOLLIN)
    begun, asked, answered = time.perf_counter(), 0, 0
    while (now := time.perf_counter() - begun) < task.seconds:
        if idle and asked * task.batch <= now * task.rate:
            askers[file := idle.popleft()].ask(*alerts.batch(task.batch))
            asked += 1
            continue
        for file, _ in polled.poll(0.001):
            if askers[file].answered():
                idle.append(file)
                answered += 1
    return {"per_second": answered * task.batch / task.seconds}


def main() -> None:
    """One task: opens the alerts, says so, and begins when a line comes."""
    say(run(Task(**json.loads(sys.stdin.readline()))))


if __name__ == "__main__":
    main()
