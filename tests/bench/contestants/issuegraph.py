"""issuegraph itself, on either database."""

import sys
from pathlib import Path

from tests.bench.contestants import Asked, Contestant
from tests.bench.questions import DOCUMENTS

QUESTIONS = {name: Asked(document, dict) for name, document in DOCUMENTS.items()}
# One caller asks for all. It is counted all the same.
NO_LIMIT = {
    f"ISSUEGRAPH_{name}": "1000000000"
    for name in ("COST_PER_SECOND", "COST_BURST", "MAX_CALLER_OPERATIONS", "MAX_CALLER_SOCKETS")
}


def _issuegraph(name: str, title: str, database: str) -> Contestant:
    return Contestant(
        name=name,
        title=title,
        command=[str(Path(sys.executable).with_name("issuegraph")), "serve", "--dev"],
        questions=QUESTIONS,
        database=database,
        environment={"ISSUEGRAPH_PORT": "{port}", "ISSUEGRAPH_DATABASE_URL": "{url}", **NO_LIMIT},
        is_ours=True,
    )


ON_POSTGRESQL = _issuegraph("issuegraph-postgresql", "issuegraph, PostgreSQL", "postgresql")
ON_SQLITE = _issuegraph("issuegraph-sqlite", "issuegraph, SQLite", "sqlite")
