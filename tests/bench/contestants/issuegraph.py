"""issuegraph itself, on either database."""

import sys
from pathlib import Path

from tests.bench.contestants import Asked, Contestant
from tests.bench.questions import DOCUMENTS

QUESTIONS = {name: Asked(document, dict) for name, document in DOCUMENTS.items()}


def _issuegraph(name: str, title: str, database: str) -> Contestant:
    return Contestant(
        name=name,
        title=title,
        command=[str(Path(sys.executable).with_name("issuegraph")), "serve", "--dev"],
        questions=QUESTIONS,
        database=database,
        environment={"ISSUEGRAPH_PORT": "{port}", "ISSUEGRAPH_DATABASE_URL": "{url}"},
        is_ours=True,
    )


ON_POSTGRESQL = _issuegraph("issuegraph-postgresql", "issuegraph, PostgreSQL", "postgresql")
ON_SQLITE = _issuegraph("issuegraph-sqlite", "issuegraph, SQLite", "sqlite")
