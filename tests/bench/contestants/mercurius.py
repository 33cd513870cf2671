"""Mercurius: Fastify, compiled queries, loaders and hand-written SQL. Its schema takes issuegraph's own documents."""

from tests.bench.contestants import Asked, Contestant
from tests.bench.contestants.reading import node
from tests.bench.questions import DOCUMENTS

CONTESTANT = Contestant(
    name="mercurius",
    title="Mercurius 16, JIT and loaders",
    command=node("mercurius.mjs"),
    questions={name: Asked(document, dict) for name, document in DOCUMENTS.items()},
    environment={"NODE_ENV": "production"},
)
