"""Who may ask for the schema itself: whoever may read something, and nobody else."""

import pytest
from graphql import get_introspection_query

from resolvers.errors import Forbidden
from tests.resolvers.mutation.house import ADA, caller
from tests.resolvers.query.house import asking

WITHOUT_READ = caller(team=["REPORT", "RESPOND", "MANAGE", "ADMIN"])
ASKED = [
    get_introspection_query(),
    "{ __schema { types { name } } }",
    '{ __type(name: "Issue") { name } }',
    "query { ...F } fragment F on Query { s: __schema { types { name } } }",
    '{ position ... on Query { t: __type(name: "Issue") { name } } }',
]


@pytest.fixture
async def house(sqlite_url):
    async with asking(sqlite_url) as house:
        yield house


@pytest.mark.parametrize("text", ASKED)
async def test_the_schema_is_for_callers_who_may_read_somewhere(house, text):
    with pytest.raises(Forbidden):
        await house.answer(text, who=WITHOUT_READ)
    for who in (ADA, caller(team=["READ"]), caller(**{"team-*": ["READ"]})):
        assert "errors" not in await house.answer(text, who=who)


@pytest.mark.parametrize("text", ["{ __typename }", "{ viewer { __typename grants { __typename permission } } }"])
async def test_the_name_of_a_type_is_for_everybody(house, text):
    assert "errors" not in await house.answer(text, who=WITHOUT_READ)


async def test_a_text_that_only_looks_so_is_none(house):
    answer = await house.answer('{ __schemas: __typename issues(search: "__schema") { totalCount } }', who=WITHOUT_READ)
    assert answer["data"]["issues"] == {"totalCount": 0}
