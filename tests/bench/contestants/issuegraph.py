"""issuegraph itself, on either database."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.bench.contestants import Asked, Contestant
from tests.bench.questions import DOCUMENTS

QUESTIONS = {name: Asked(document, dict) for name, document in DOCUMENTS.items()}
# One caller asks for all. It is counted all the same.
NO_LIMIT = {
    f"ISSUEGRAPH_{name}": "1000000000"
    for name in ("COST_PER_SECOND", "COST_BURST", "MAX_CALLER_OPERATIONS", "MAX_CALLER_SOCKETS")
}


SERVE = [str(Path(sys.executable).with_name("issuegraph")), "serve"]
TOKEN = "a-token-of-the-benchmark-0123456789-0123456789"


def _issuegraph(
    name: str,
    title: str,
    database: str,
    *,
    command: Sequence[str] = (*SERVE, "--dev"),
    environment: Mapping[str, str] = NO_LIMIT,
    headers: Mapping[str, str] | None = None,
) -> Contestant:
    return Contestant(
        name=name,
        title=title,
        command=command,
        questions=QUESTIONS,
        database=database,
        environment={"ISSUEGRAPH_PORT": "{port}", "ISSUEGRAPH_DATABASE_URL": "{url}", **environment},
        headers=headers or {},
        is_ours=True,
    )


ON_POSTGRESQL = _issuegraph("issuegraph-postgresql", "issuegraph, PostgreSQL", "postgresql")
ON_SQLITE = _issuegraph("issuegraph-sqlite", "issuegraph, SQLite", "sqlite")
# What doors and limits cost: served as to others, with a token; without those; and with nothing before it at all. Run
# when they are named.
WITH_A_TOKEN = _issuegraph(
    "issuegraph-token",
    "issuegraph, PostgreSQL, with a token",
    "postgresql",
    command=SERVE,
    environment={"ISSUEGRAPH_BOOTSTRAP_TOKEN": TOKEN, **NO_LIMIT},
    headers={"Authorization": f"Bearer {TOKEN}"},
)
_BARE_SERVER = [sys.executable, "-m", "tests.bench.contestants.bare_server"]
OPEN = _issuegraph(
    "issuegraph-open",
    "issuegraph, PostgreSQL, without authentication and limits",
    "postgresql",
    command=[*_BARE_SERVER, "entrance"],
)
BARE = _issuegraph(
    "issuegraph-bare",
    "issuegraph, PostgreSQL, with nothing before GraphQL",
    "postgresql",
    command=_BARE_SERVER,
)
