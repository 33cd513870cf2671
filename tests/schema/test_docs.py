"""What docs/graphql.md shows and promises is so."""

import re
from pathlib import Path

import pytest

from models.values import new_id
from resolvers import errors
from resolvers.errors import Problem
from resolvers.query import DocumentLimits
from schema.enums import UserErrorCode
from tests.resolvers.mutation.house import ADA
from tests.resolvers.query.house import asking
from web import asgi

ROOT = Path(__file__).parent.parent.parent
TEXT = (ROOT / "docs" / "graphql.md").read_text()
EXAMPLES = re.findall(r"```graphql\n(.*?)```", TEXT, re.DOTALL)


@pytest.fixture
async def narrow(sqlite_url):
    """A house with the limits that the server has by default."""
    async with asking(sqlite_url, document_limits=DocumentLimits()) as house:
        yield house


async def test_every_example_runs(narrow):
    for text in EXAMPLES:
        variables = {"ids": [new_id()]} if "$ids" in text else None
        operation = narrow.planner.documents.operation(text, None, variables)
        if operation.kind != "subscription":
            answer = await narrow.executor.execute(operation, ADA)
            assert "errors" not in answer, text
            assert None not in answer["data"].values(), text


def test_the_codes_of_errors_are_those_that_are_told():
    codes = {each.code for each in vars(errors).values() if isinstance(each, type) and issubclass(each, Problem)}
    for room in ("resolvers", "schema", "web"):
        for file in (ROOT / room).rglob("*.py"):
            codes.update(re.findall(r'"code": "(\w+)"', file.read_text()))
    codes.update(asgi.CODES.values())
    rows = re.findall(r"^\| (.+?) \|", TEXT.partition("\n## Errors\n")[2].partition("\n## ")[0], re.MULTILINE)
    told = {code for row in rows for code in re.findall(r"`(\w+)`", row)}
    assert codes == told


def test_every_code_of_user_errors_is_told():
    for code in UserErrorCode:
        assert f"`{code}`" in TEXT, code


def test_the_cost_that_is_reckoned_is_the_one(narrow):
    (text,) = (text for text in EXAMPLES if "query Costs" in text)
    cost = narrow.planner.documents.operation(text).cost
    assert f"That is {cost}." in TEXT
    assert f"more than {DocumentLimits().cost:,} is refused" in TEXT
