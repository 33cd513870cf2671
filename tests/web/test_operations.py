"""Documents that nobody has read before: callers have them read in turn."""

import asyncio
import threading
from types import SimpleNamespace

import pytest

import schema
from resolvers.errors import Overloaded
from resolvers.query import DocumentLimits
from resolvers.query.document import SHORT_CHARACTERS, Document, Documents
from tests.resolvers.mutation.house import ADA, BOB
from tests.turns import counted_turns
from web.buckets import MemoryBuckets
from web.graphql_request import GraphQLRequest
from web.operations import MOST_READ, Operations


class Slow:
    """Documents that are read one after the other, each when it is told so."""

    def __init__(self):
        self.read_texts = []
        self.go = asyncio.Semaphore(0)

    def __contains__(self, text):
        return text in self.read_texts

    async def read(self, text):
        if text not in self.read_texts:
            await self.go.acquire()
            self.read_texts.append(text)
        return text

    def when_read(self, text, call):
        call()

    def operation_of(self, document, name, variables):
        return document


@pytest.fixture
def operations():
    slow = Slow()
    operations = Operations(slow)  # type: ignore[arg-type]

    async def ask(text, who):
        return await operations._read(text, who)

    return SimpleNamespace(slow=slow, ask=ask, admit=operations.admit)


async def test_who_has_many_makes_nobody_else_wait_for_all_of_them(operations):
    asked = [asyncio.create_task(operations.ask(f"ada {number}", ADA)) for number in range(5)]
    await asyncio.sleep(0)
    asked.append(asyncio.create_task(operations.ask("bob", BOB)))
    await asyncio.sleep(0)
    for _ in asked:
        operations.slow.go.release()
    await asyncio.gather(*asked)
    assert operations.slow.read_texts.index("bob") <= 2
    assert await operations.ask("bob", ADA) == "bob"


async def test_who_has_very_many_is_turned_away(operations):
    texts = [f"ada {number}".ljust(SHORT_CHARACTERS + 1) for number in range(MOST_READ + 1)]
    asked = [asyncio.create_task(operations.ask(text, ADA)) for text in texts[:MOST_READ]]
    await asyncio.sleep(0)
    with pytest.raises(Overloaded, match="documents that were never read before"):
        await operations.ask(texts[MOST_READ], ADA)
    for task in asked[1:]:
        task.cancel()
    await asyncio.gather(*asked[1:], return_exceptions=True)
    bob = asyncio.create_task(operations.ask("bob", BOB))
    operations.slow.go.release()
    operations.slow.go.release()
    assert await bob == "bob"
    assert operations.slow.read_texts == [texts[0], "bob"]


async def test_an_operation_is_admitted_with_its_document(operations):
    operations.slow.go.release()
    assert await operations.admit(GraphQLRequest(query="{ a }"), ADA) == "{ a }"


async def test_a_document_that_nobody_wants_any_more_has_its_turn_until_it_is_read():
    documents, go = Documents(schema.schema._schema, DocumentLimits()), threading.Event()
    read = documents._read

    def slowly(text):
        go.wait(20)
        return read(text)

    documents._read = slowly  # type: ignore[method-assign]
    operations = Operations(documents)
    texts = [f"{{ {name}: position " + "}".rjust(SHORT_CHARACTERS) for name in ("ada", "bob")]
    ada, bob = (asyncio.create_task(operations._read(text, who)) for text, who in zip(texts, (ADA, BOB), strict=True))
    await asyncio.sleep(0)
    ada.cancel()
    await asyncio.gather(ada, return_exceptions=True)
    assert operations._turn.waiting == 1
    go.set()
    assert isinstance(await bob, Document)
    await asyncio.sleep(0)
    assert texts[0] in documents.kept
    assert (operations._turn.taken, operations._turn.waiting) == (0, 0)


async def test_how_long_reading_took_is_told_of_who_had_it_read():
    slow, told = Slow(), []
    meter = SimpleNamespace(took=lambda line, seconds: told.append((line, seconds)))
    operations = Operations(slow, meter=meter)  # type: ignore[arg-type]
    reading = asyncio.create_task(operations._read("a", ADA))
    await asyncio.sleep(0.01)
    slow.go.release()
    await reading
    ((line, seconds),) = told
    assert line == ADA.line
    assert seconds > 0


async def test_between_many_that_come_at_once_everything_else_has_its_turn():
    buckets = MemoryBuckets(rate=1_000, burst=1_000_000)
    operations = Operations(Documents(schema.schema._schema, DocumentLimits()), buckets)
    asked = [GraphQLRequest(f"{{ a{number}: __typename }}") for number in range(40)]
    async with counted_turns() as turns:
        await asyncio.gather(*[operations.admit(request, ADA) for request in asked])
    assert turns.count >= 39
