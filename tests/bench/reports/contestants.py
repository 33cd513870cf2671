"""The servers that are compared: how each is started, on what, and how it is told of a failure."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.reports.payloads import FLOOR as FLOOR_PAYLOADS
from tests.bench.reports.payloads import WEBHOOKS, Payloads

BIN = Path(sys.executable).parent


@dataclass(frozen=True, slots=True)
class Contestant:
    """One server, of one process or several that share a database. It listens on a port of the loopback interface.

    In the environment `{port}`, `{url}` (SQLAlchemy's), `{plain_url}` (without a driver) and `{answer}` (issuegraph's
    to a failure) are filled in.
    """

    name: str
    title: str
    command: Sequence[str]
    payloads: Payloads
    # "sqlite", "postgresql", or None.
    database: str | None
    environment: Mapping[str, str] = field(default_factory=dict)
    processes: int = 1
    is_ours: bool = False
    # Its answers and its rows are the same as issuegraph's.
    is_same_work: bool = False


def _issuegraph(name: str, title: str, database: str, processes: int = 1, **environment: str) -> Contestant:
    return Contestant(
        name=name,
        title=f"issuegraph, {title}",
        command=[str(BIN / "issuegraph"), "serve", "--dev"],
        payloads=WEBHOOKS,
        database=database,
        environment={"ISSUEGRAPH_PORT": "{port}", "ISSUEGRAPH_DATABASE_URL": "{url}", **environment},
        processes=processes,
        is_ours=True,
        is_same_work=True,
    )


SQLITE_FULL = _issuegraph("sqlite-full", "SQLite, synchronous FULL", "sqlite", ISSUEGRAPH_SQLITE_SYNCHRONOUS="FULL")
SQLITE_NORMAL = _issuegraph(
    "sqlite-normal", "SQLite, synchronous NORMAL", "sqlite", ISSUEGRAPH_SQLITE_SYNCHRONOUS="NORMAL"
)
POSTGRESQL = _issuegraph("postgresql", "PostgreSQL", "postgresql")
TWO_PROCESSES = _issuegraph(
    "two-processes", "PostgreSQL, two processes", "postgresql", processes=2, ISSUEGRAPH_WAKEUPS_URL="{url}"
)
FLOOR = Contestant(
    name="floor",
    title="the HTTP floor: reads the body, answers what never changes",
    command=[sys.executable, "-m", "tests.bench.reports.floor_server"],
    payloads=FLOOR_PAYLOADS,
    database=None,
    environment={"PORT": "{port}", "ANSWER": "{answer}"},
)

ALL: Sequence[Contestant] = (SQLITE_FULL, SQLITE_NORMAL, POSTGRESQL, TWO_PROCESSES, FLOOR)
