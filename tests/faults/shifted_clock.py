"""`issuegraph` on a clock that can be set: each SIGUSR1 puts it back, each SIGUSR2 forward, by an hour.

FAULTS_CLOCK_SECONDS says how far off it is at the start.
"""

import os
import signal
import time
from datetime import datetime, tzinfo
from types import SimpleNamespace

import models.values
import resolvers.mutation.reading
import resolvers.mutation.retention
from web.cli import main

STEP_SECONDS = 3_600

shift = float(os.environ.get("FAULTS_CLOCK_SECONDS", "0"))


class ShiftedDatetime(datetime):
    """Differs in what it takes for now."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> "ShiftedDatetime":
        """By the shifted clock."""
        return cls.fromtimestamp(time.time() + shift, tz)


def step(seconds: int) -> None:
    """Sets the clock."""
    global shift
    shift += seconds


if __name__ == "__main__":
    for module in (models.values, resolvers.mutation.reading, resolvers.mutation.retention):
        assert vars(module)["datetime"] is datetime
        vars(module)["datetime"] = ShiftedDatetime
    assert vars(models.values)["time"] is time
    vars(models.values)["time"] = SimpleNamespace(time_ns=lambda: time.time_ns() + int(shift * 1e9))
    signal.signal(signal.SIGUSR1, lambda *_: step(-STEP_SECONDS))
    signal.signal(signal.SIGUSR2, lambda *_: step(STEP_SECONDS))
    main()
