"""Random queries over random data: the planner answers each as graphql-core does over Python lists of the same data."""

import asyncio
import math
import os
import random

import pytest
from graphql import parse
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from resolvers.query import DocumentLimits
from tests.resolvers.mutation.house import ADA, caller
from tests.resolvers.query import reference
from tests.resolvers.query.house import asking
from tests.resolvers.query.random_documents import RandomDocument
from tests.resolvers.query.world import happenings, learn_cursors, world_of

DOCUMENTS = int(os.environ.get("ISSUEGRAPH_DIFFERENTIAL", "150"))  # on each database
WORLDS = 2 if DOCUMENTS <= 150 else 10
CALLERS = (
    ADA,
    ADA,
    caller(team=["READ"], **{"Team*": ["READ"]}),
    caller(**{"team*": ["READ"], "other%": ["READ"], "x": ["REPORT"]}),
    caller(team=["REPORT", "RESPOND", "MANAGE", "ADMIN"]),
)
SETTINGS = settings(
    deadline=None,
    database=None,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
    print_blob=False,
)
LIMITS = DocumentLimits(**dict.fromkeys(DocumentLimits.__dataclass_fields__, 10**9))


class Dice:
    """As much of `random.Random` as the generators use, thrown by hypothesis, which can so make what fails smaller."""

    def __init__(self, draw):
        self._draw = draw

    def randrange(self, start, stop=None):
        low, high = (0, start) if stop is None else (start, stop)
        return self._draw(st.integers(low, high - 1))

    def random(self):
        # What is smallest is what `random() < likely` says no to.
        return 0.99 - self.randrange(100) / 100

    def choice(self, values):
        return values[self.randrange(len(values))]

    def sample(self, values, count):
        rest = list(values)
        return [rest.pop(self.randrange(len(rest))) for _ in range(count)]


@st.composite
def documents(draw, world):
    """A document for the data of a world."""
    return RandomDocument(Dice(draw), world)


class Comparison:
    """The planner and the reference on the same data."""

    def __init__(self, house, world):
        self._house, self._world = house, world
        self._meanings = {}  # of cursors: each stands for one item of one order

    async def check(self, document, who):
        """All sets of variables, and the first again, for its kept plan."""
        node = parse(document.text)
        for values in (*document.values, document.values[0]):
            planned = await self._house.answer(document.text, values, who)
            expected = reference.answer(self._world, who, node, values)
            failed = [error["path"] for error in planned.get("errors", ())]
            assert sorted(failed) == sorted(error.path[:1] for error in expected.errors or ()), (planned, expected)
            self._same(planned["data"], expected.data, "data", values)

    def _same(self, found, expected, path, values):
        if isinstance(expected, dict) and isinstance(found, dict):
            assert list(found) == list(expected), (path, values)
            for key, value in expected.items():
                self._same(found[key], value, f"{path}.{key}", values)
        elif isinstance(expected, list) and isinstance(found, list):
            assert len(found) == len(expected), (path, found, expected, values)
            for place, value in enumerate(expected):
                self._same(found[place], value, f"{path}.{place}", values)
        elif isinstance(expected, reference.Cursor):
            assert isinstance(found, str), (path, found, expected, values)
            assert self._meanings.setdefault(found, expected) == expected, (path, found, expected, values)
        elif isinstance(expected, float):
            assert math.isclose(found, expected, abs_tol=1e-5), (path, found, expected, values)
        else:
            assert (type(found), found) == (type(expected), expected), (path, values)


async def start(house, number):
    """A world in an empty house."""
    await happenings(house, random.Random(number))
    world = await world_of(house)
    await learn_cursors(house, world)
    return Comparison(house, world), world


@pytest.mark.timeout(0 if DOCUMENTS > 150 else 600)
@pytest.mark.parametrize("number", range(WORLDS))
def test_any_query_is_answered_as_graphql_core_answers_it_over_lists(database_url, number):
    with asyncio.Runner() as runner:
        opened = asking(database_url, document_limits=LIMITS)
        house = runner.run(opened.__aenter__())
        try:
            comparison, world = runner.run(start(house, number))

            @seed(number)
            @settings(SETTINGS, max_examples=max(1, DOCUMENTS // WORLDS))
            @given(documents(world), st.sampled_from(CALLERS))
            def check(document, who):
                runner.run(comparison.check(document, who))

            check()
        finally:
            runner.run(opened.__aexit__(None, None, None))
