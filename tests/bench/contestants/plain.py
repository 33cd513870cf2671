"""The plain way: Strawberry resolvers over the SQLAlchemy ORM, as their documentation teaches it."""

import sys

from tests.bench.contestants import Asked, Contestant
from tests.bench.questions import DOCUMENTS

CONTESTANT = Contestant(
    name="plain",
    title="Strawberry + SQLAlchemy ORM, the plain way",
    command=[sys.executable, "-m", "tests.bench.contestants.plain_server"],
    # The fields and arguments have issuegraph's names, so documents and answers are the same.
    questions={name: Asked(document, read=dict) for name, document in DOCUMENTS.items()},
    environment={"PORT": "{port}", "DATABASE_URL": "{url}"},
)
