"""From a GraphQL request to an operation that may run, the same way for every transport."""

import asyncio
import time

from models.places import Places
from resolvers.caller import Caller
from resolvers.charge import Free, Meter
from resolvers.errors import RequestError
from resolvers.query import Answers, Documents, Operation, Size
from resolvers.query.document import SHORT_CHARACTERS, Document
from resolvers.query.refused import Refused
from resolvers.query.variables import values_in
from web.buckets import Buckets
from web.graphql_request import GraphQLRequest
from web.per_caller import PerCaller
from web.trusted_documents import TrustedDocuments

# Reading a document and validating it takes as long as answering one: 1 for each token, and for so many characters.
CHARACTERS_A_COST = 10
# Of a body, what is not charged, and how much beyond it is 1.
FREE_BYTES = 65_536
BYTES_A_COST = 100
# Of one caller, those that wait to be read.
MOST_READ = 50
# What the variables of most requests have, and is not charged.
FREE_VALUES = 100
# A request that cannot be run.
MISTAKE_COST = 10


class Operations:
    """Admits operations; without `buckets` none is charged."""

    def __init__(
        self,
        documents: Documents,
        buckets: Buckets | None = None,
        trusted: TrustedDocuments | None = None,
        answers: Answers | None = None,
        *,
        most_of_one_caller: int = 10_000,
        meter: Meter | None = None,
    ) -> None:
        # Whoever runs one takes from here first.
        self.running = PerCaller(most_of_one_caller, "operations")
        self._reading = PerCaller(MOST_READ, "documents that were never read before")
        self._turn = Places(1)
        self._answers = answers or Answers()
        self._documents = documents
        self._buckets = buckets
        self._meter = meter or Free()
        self._trusted = trusted or TrustedDocuments()

    async def charge_body(self, size: int, caller: Caller) -> None:
        """What so many bytes cost, whatever comes of them; most requests have few, for nothing. Raises RateLimited."""
        if self._buckets is not None and size > FREE_BYTES:
            await self._buckets.spend(caller.line, (size - FREE_BYTES) // BYTES_A_COST)

    async def admit(self, request: GraphQLRequest, caller: Caller) -> Operation:
        """The operation, which was charged to the caller. Raises RequestError, RateLimited and Overloaded."""
        buckets = self._buckets
        if buckets is None:
            values_in(request.variables or {})
            return await self._operation(request)
        query = request.query
        is_new = query is not None and query not in self._documents
        tokens = self._documents.tokens_in(query) if query is not None and is_new else 0
        reading = 1 + len(query) // CHARACTERS_A_COST + tokens if query is not None and is_new else 0
        try:
            text = self._trusted.text_of(request)
            if request.variables:
                reading += max(0, values_in(request.variables) - FREE_VALUES)
            if is_new and len(text) > SHORT_CHARACTERS:
                self._reading.check(caller)
            if reading:
                await buckets.spend(caller.line, reading)
            document = None if is_new else self._documents.known(text)
            if document is None:
                document = await self._read(text, caller)
            if is_new and document.tokens > tokens:
                buckets.owe(caller.line, document.tokens - tokens)
            operation = self._documents.operation_of(document, request.operation_name, request.variables)
        except RequestError:
            await buckets.spend(caller.line, MISTAKE_COST)
            raise
        operation.charge = await buckets.spend(caller.line, operation.cost)
        return operation

    def answering(self, operation: Operation, caller: Caller) -> Size:
        """Counts what its answer takes of memory: `with operations.answering(operation, caller)`, until it is sent."""
        operation.size = size = self._answers.begin(caller.line)
        return size

    async def _read(self, text: str, caller: Caller) -> Document | Refused:
        """In the turn of the caller, where others have long documents to read too. Raises Overloaded."""
        if text in self._documents:
            # Somebody is reading it.
            return await self._documents.read(text)
        waiting = self._reading.take(caller) if len(text) > SHORT_CHARACTERS else None
        try:
            await self._turn.take(caller.line)
        except BaseException:
            if waiting is not None:
                self._reading.give_back(waiting)
            raise
        begun, loop = time.monotonic(), asyncio.get_running_loop()

        def over() -> None:
            self._meter.took(caller.line, time.monotonic() - begun)
            if waiting is not None:
                self._reading.give_back(waiting)
            # However many wait, everything else has its turn between them.
            loop.call_soon(self._turn.give_back, caller.line)

        try:
            return await self._documents.read(text)
        finally:
            # A long one is read to its end, though nobody may want it any more.
            self._documents.when_read(text, over)

    async def _operation(self, request: GraphQLRequest) -> Operation:
        document = await self._documents.read(self._trusted.text_of(request))
        return self._documents.operation_of(document, request.operation_name, request.variables)
