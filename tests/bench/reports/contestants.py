"""The servers that are compared: how each is started, on what, and how it is told of a failure."""

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.bench.contestants.issuegraph import NO_LIMIT
from tests.bench.reports import payloads
from tests.bench.reports.payloads import WEBHOOKS, Payloads

BIN = Path(sys.executable).parent
HERE = Path(__file__).parent
DEFINITIONS = HERE.parents[2] / "webhooks" / "definitions"
# For this one machine and hour.
SECRET_KEY = "aXNzdWVncmFwaCBiZW5jaCBpc3N1ZWdyYXBoIGJlbmM="


@dataclass(frozen=True, slots=True)
class Contestant:
    """One server, of one process or several that share a database. It listens on a port of the loopback interface.

    In command and environment `{port}`, `{directory}`, `{url}` (SQLAlchemy's), `{plain_url}` (without a driver) and
    `{answer}` (issuegraph's to a failure) are filled in.
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
    # A GraphQL operation before the first request.
    prepare: str = ""
    # Why its program may not be here.
    if_missing: str = ""

    @property
    def is_here(self) -> bool:
        """Whether its program is installed."""
        return shutil.which(self.command[0]) is not None


def _issuegraph(name: str, title: str, database: str, processes: int = 1, **environment: str) -> Contestant:
    """Told in Kite's words."""
    return Contestant(
        name=name,
        title=f"issuegraph, {title}",
        command=[str(BIN / "issuegraph"), "serve", "--dev"],
        payloads=WEBHOOKS,
        database=database,
        environment={"ISSUEGRAPH_PORT": "{port}", "ISSUEGRAPH_DATABASE_URL": "{url}", **NO_LIMIT, **environment},
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


def _github(size: int, title: str, told_plainly: Contestant) -> Contestant:
    """Told by GitHub, with signatures, by a webhook of its own; each delivery is kept."""
    definition = (DEFINITIONS / "github.yaml").read_text()
    given = f'{{name: "{payloads.GITHUB_WEBHOOK}", namespaces: ["team"], secrets: ["{payloads.GITHUB_SECRET}"]'
    return replace(
        told_plainly,
        name=f"{told_plainly.name}-github-{size}",
        title=f"{told_plainly.title}: {title} of GitHub, signed and kept",
        payloads=payloads.github(size),
        environment={**told_plainly.environment, "ISSUEGRAPH_SECRET_KEY": SECRET_KEY},
        is_same_work=False,
        prepare=f"mutation {{ createWebhook(input: {given}, definition: {json.dumps(definition)}}})"
        " { webhook { url } problems { message } userErrors { message } } }",
    )


GITHUB = tuple(
    _github(size, title, plain)
    for plain in (SQLITE_FULL, POSTGRESQL)
    for size, title in ((2_000, "2 kB"), (20_000, "20 kB"))
)
FLOOR = Contestant(
    name="floor",
    title="the HTTP floor: reads the body, answers what never changes",
    command=[sys.executable, "-m", "tests.bench.reports.floor_server"],
    payloads=payloads.FLOOR,
    database=None,
    environment={"PORT": "{port}", "ANSWER": "{answer}"},
)


def _plain(name: str, title: str, database: str) -> Contestant:
    return Contestant(
        name=name,
        title=f"the plain way: Starlette + SQLAlchemy ORM, {title}",
        command=[sys.executable, "-m", "tests.bench.reports.plain_server"],
        payloads=WEBHOOKS,
        database=database,
        environment={"PORT": "{port}", "DATABASE_URL": "{url}"},
        is_same_work=True,
    )


PLAIN_ON_SQLITE = _plain("plain-sqlite", "SQLite, synchronous FULL", "sqlite")
PLAIN_ON_POSTGRESQL = _plain("plain-postgresql", "PostgreSQL", "postgresql")

# In an environment of its own, as its dependencies are others than ours. Three workers, as gunicorn's documentation has
# it for one core; threads, as without them it closes each connection after one answer; and longer than two seconds for
# the next request of a connection, as a busy one closes some that wait. Who may post is not asked.
ALERTA = Contestant(
    name="alerta",
    title="Alerta 9, gunicorn, PostgreSQL",
    command=[
        *(str(HERE / "alerta" / ".venv" / "bin" / "gunicorn"), "--bind", "127.0.0.1:{port}", "--preload"),
        *("--workers", "3", "--worker-class", "gthread", "--threads", "4"),
        *("--keep-alive", "60", "alerta.app:create_app()"),
    ],
    payloads=payloads.ALERTA,
    database="postgresql",
    environment={"DATABASE_URL": "{plain_url}", "AUTH_REQUIRED": "False"},
    if_missing="its environment is made by `make bench-report`",
)
# Debian's name first. It keeps alerts in memory.
ALERTMANAGER = Contestant(
    name="alertmanager",
    title="Alertmanager, in memory, nothing committed",
    command=[
        shutil.which("prometheus-alertmanager") or "alertmanager",
        f"--config.file={HERE / 'alertmanager.yml'}",
        "--storage.path={directory}/alertmanager",
        "--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
        "--log.level=error",
    ],
    payloads=payloads.ALERTMANAGER,
    database=None,
    # The server has one core.
    environment={"GOMAXPROCS": "1"},
    if_missing="Debian's package prometheus-alertmanager is not installed",
)

ALL: Sequence[Contestant] = (
    SQLITE_FULL,
    SQLITE_NORMAL,
    POSTGRESQL,
    TWO_PROCESSES,
    *GITHUB,
    FLOOR,
    PLAIN_ON_SQLITE,
    PLAIN_ON_POSTGRESQL,
    ALERTA,
    ALERTMANAGER,
)
