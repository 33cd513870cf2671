"""From a GraphQL request to an operation that may run, the same way for every transport."""

from resolvers.caller import Caller
from resolvers.errors import RequestError
from resolvers.query import Documents, Operation
from resolvers.query.variables import values_in
from web.buckets import Buckets
from web.graphql_request import GraphQLRequest
from web.per_caller import PerCaller
from web.trusted_documents import TrustedDocuments

# Reading and validating a document takes as long as answering one: one more for so many characters of it.
CHARACTERS_A_COST = 10
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
        *,
        most_of_one_caller: int = 10_000,
    ) -> None:
        # Whoever runs one takes from here first.
        self.running = PerCaller(most_of_one_caller, "operations")
        self._documents = documents
        self._buckets = buckets
        self._trusted = trusted or TrustedDocuments()

    async def admit(self, request: GraphQLRequest, caller: Caller) -> Operation:
        """The operation, which was charged to the caller. Raises RequestError and RateLimited."""
        buckets = self._buckets
        if buckets is None:
            values_in(request.variables or {})
            return self._operation(request)
        query = request.query
        reading = 0
        if query is not None and query not in self._documents.kept:
            reading = 1 + len(query) // CHARACTERS_A_COST
        try:
            reading += max(0, values_in(request.variables or {}) - FREE_VALUES)
            if reading:
                await buckets.spend(caller.line, reading)
            operation = self._operation(request)
        except RequestError:
            await buckets.spend(caller.line, MISTAKE_COST)
            raise
        operation.charge = await buckets.spend(caller.line, operation.cost)
        return operation

    def _operation(self, request: GraphQLRequest) -> Operation:
        return self._documents.operation(self._trusted.text_of(request), request.operation_name, request.variables)
