"""The floor: what the same answers cost without any GraphQL."""

import sys

from tests.bench.contestants import Asked, Contestant
from tests.bench.questions import DOCUMENTS

FLOOR = Contestant(
    name="floor",
    title="the floor: SQL by hand, no GraphQL",
    command=[sys.executable, "-m", "tests.bench.contestants.floor_server"],
    questions={name: Asked(name, dict) for name in DOCUMENTS},
)
