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

TEXT = (Path(__file__).parent.parent.parent / "docs" / "graphql.md").read_text()
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


def test_every_code_is_told():
    codes = {each.code for each in vars(errors).values() if isinstance(each, type) and issubclass(each, Problem)}
    for code in {"BAD_REQUEST", "TOO_COMPLEX", *codes, *UserErrorCode}:
        assert f"`{code}`" in TEXT, code
