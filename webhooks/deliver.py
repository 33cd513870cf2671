"""`POST /api/v1/webhooks/{name}`: one webhook of a definition. What comes is verified, evaluated, kept and answered."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from models.values import new_id, now
from resolvers.caller import Caller
from resolvers.errors import Overloaded, Unavailable
from resolvers.turns import TURN_SECONDS
from resolvers.webhooks.plan import ItemResult, Plan, Received
from webhooks.answer import answer_of
from webhooks.catalog import Catalog, StoredWebhook
from webhooks.credentials import (
    SECRET_HEADERS,
    SECRET_PARAMETERS,
    body_without_tokens,
    without_secrets,
    without_tokens,
    without_words,
)
from webhooks.definition import PREFIX, DefinitionError, SingleDefinition
from webhooks.escaped import may_be_escaped
from webhooks.evaluate import MAX_ITEMS, Evaluation, Places, Sent
from webhooks.head import head_of
from webhooks.http import (
    Answer,
    AsgiScope,
    Receive,
    Refused,
    Send,
    TurnedAway,
    answer_from,
    headers_of,
    network_of,
    parameters_of,
    posted,
    send_answer,
)
from webhooks.idempotency import key_of
from webhooks.payload import Unreadable, read_payload
from webhooks.receive import DEFAULT_LOGS_URL
from webhooks.refusals import Refusals, headers_of_refused, query_of_refused
from webhooks.translate import Unfit
from webhooks.verification import NotVerified, SignedRequest, Verifier, Way
from webhooks.verification.fitness import passwords

log = logging.getLogger(__name__)

# Where the door keeps a query whose token it has taken out: a webhook may have a secret of that name.
WHOLE_QUERY = "issuegraph.query"
# Where the door keeps, for somebody without a token, a function that gives the TurnedAway of one who has no secret of
# the webhook either. It is the same where there is no such webhook.
REFUSAL = "issuegraph.refusal"
LARGE_BODY = 100_000
# The key of the webhook's secrets is lost: why nobody can be verified is for its owner.
_NOT_VERIFIABLE = Answer(503, {"error": "try again later"})


class Deliveries(Protocol):
    """What of resolvers.webhooks.deliveries.Deliveries is needed here."""

    async def carry_out(self, received: Received, plans: Sequence[Plan], caller: Caller) -> list[ItemResult]:
        """See resolvers.webhooks.deliveries."""
        ...


@dataclass(frozen=True, slots=True)
class _Target:
    """The webhook that a delivery is for: `stored` if a user made it. Without a `definition` it is broken; senders
    still prove who they are by its `ways`, and `keep_bodies` is what it says."""

    name: str
    definition: SingleDefinition | None
    stored: StoredWebhook | None
    ways: tuple[Way, ...]
    keep_bodies: bool
    problem: str | None = None

    @property
    def secrets(self) -> Sequence[str]:
        """What senders show, of a webhook that has its own. Raises Unavailable where they cannot be read."""
        return self.stored.secrets if self.stored is not None and self.stored.has_secrets else ()

    @property
    def secret_headers(self) -> frozenset[str]:
        """Those that prove who sends."""
        return frozenset(name for way in self.ways for name in way.headers)

    @property
    def secret_parameters(self) -> frozenset[str]:
        """The same, of the query."""
        return frozenset(name for way in self.ways for name in way.parameters)


class Webhooks:
    """The ASGI callable of the route; `scope["path_params"]["name"]` says which webhook, `scope["caller"]` who comes.

    A caller without grants has shown no token: a webhook with secrets asks for one of those. `outcomes` counts by path
    and what came of a delivery.
    """

    def __init__(
        self,
        catalog: Catalog,
        deliveries: Deliveries,
        verifier: Verifier,
        *,
        public_url: str,
        logs_url: str = DEFAULT_LOGS_URL,
        outcomes: Counter[tuple[str, str]] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._catalog = catalog
        self._deliveries = deliveries
        self._verifier = verifier
        self._public_url = public_url
        self._settings = {"logsUrl": logs_url}
        self._outcomes: Counter[tuple[str, str]] = Counter() if outcomes is None else outcomes
        self._clock = clock
        self._refusals = Refusals(clock)

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """One delivery."""
        target = await self._target(scope["path_params"]["name"])
        refusal: Callable[[], TurnedAway] | None = scope.get(REFUSAL)
        if target is None and refusal is None:
            await send_answer(send, Answer(404, {"error": "404 page not found"}))
            return
        body = await posted(scope, receive, send)
        if body is None:
            return
        if target is None or (refusal and not (target.stored and target.stored.has_secrets)):
            assert refusal is not None
            raise refusal()
        try:
            work = self._deliver(target, scope, body)
            answer = await answer_from(work, f"a delivery to webhook {target.name}", failed="Failed to process webhook")
        except TurnedAway:
            self._outcomes[PREFIX + target.name, "REFUSED"] += 1
            raise
        has_failed = answer.status >= 500 and answer is not _NOT_VERIFIABLE
        outcome = str(answer.body.get("outcome", "failed" if has_failed else "refused")).upper()
        self._outcomes[PREFIX + target.name, outcome] += 1
        await send_answer(send, answer)

    async def _target(self, name: str) -> _Target | None:
        definition = self._catalog.shipped.get(name)
        if definition is not None:
            return _Target(name, definition, None, definition.verify, definition.keep_bodies)
        stored = self._catalog.find(name)
        if stored is None or not stored.enabled:
            return None
        try:
            if self._catalog.is_compiled(stored):
                definition = self._catalog.definition_of(stored)
            else:
                # A large one takes a second, in which others have their turns.
                definition = await asyncio.to_thread(self._catalog.definition_of, stored)
            return _Target(name, definition, stored, definition.verify, definition.keep_bodies)
        except DefinitionError as error:
            head = await asyncio.to_thread(head_of, stored.definition)
            return _Target(name, None, stored, head.ways, head.keep_bodies, str(error))

    async def _deliver(self, target: _Target, scope: AsgiScope, body: bytes) -> Answer:
        caller: Caller = scope["caller"]
        headers = headers_of(scope)
        query = parameters_of(scope.get(WHOLE_QUERY, scope["query_string"]))
        request = SignedRequest(headers, query, body, network_of(scope))
        stored = target.stored
        try:
            known = (*target.secrets, *passwords(target.ways, target.secrets))
        except Unavailable as problem:
            assert stored is not None
            await self._keep_refused(target, stored, request, self._received(target, request, b"", ()), problem.message)
            return _NOT_VERIFIABLE
        if len(body) > LARGE_BODY and may_be_escaped(body):
            # It may take a tenth of a second, in which others have their turns.
            shown = await asyncio.to_thread(body_without_tokens, body, known)
        else:
            shown = body_without_tokens(body, known)
        received = self._received(target, request, shown, known)
        if stored is not None and stored.has_secrets:
            await self._verify(target, stored, request, received, scope.get(REFUSAL))
            caller = caller if caller.grants else stored.sender
        key = key_of(scope)
        places = Places(caller, received.query, stored.sender if stored else None)
        _check_place(target, places)
        if target.definition is None:
            return await self._carry_out(received, [_broken(target, places)], caller)
        try:
            payload = read_payload(received.content_type, shown)
        except Unreadable as error:
            await self._deliveries.carry_out(replace(received, refused=str(error)), (), caller)
            raise Refused(400, "Unreadable body", str(error)) from error
        if len(body) > LARGE_BODY:
            await asyncio.sleep(0)
        sent = Sent(
            headers=received.headers,
            query=received.query,
            body=payload,
            path=PREFIX + target.name,
            settings=self._settings,
        )
        evaluation = Evaluation(target.definition, sent, places, key=key)
        plans = await planned(evaluation)
        received = replace(received, event=evaluation.kept_event, delivery_key=evaluation.kept_key)
        return await self._carry_out(received, plans, caller, evaluation.notices)

    async def _carry_out(
        self, received: Received, plans: Sequence[Plan], caller: Caller, notices: Sequence[str] = ()
    ) -> Answer:
        results = await self._deliveries.carry_out(received, plans, caller)
        return answer_of(received.id, results, notices, self._public_url)

    def _received(self, target: _Target, request: SignedRequest, shown: bytes, known: Sequence[str]) -> Received:
        """`shown`: the body without secrets, the `known` ones among them."""
        stored = target.stored
        headers, query = request.headers, request.query
        own_headers, own_parameters = target.secret_headers, target.secret_parameters
        keeps = target.keep_bodies and (stored is None or stored.keep_bodies)
        return Received(
            id=new_id(),
            webhook=target.name,
            version=stored.version if stored else None,
            at=now(),
            headers=without_words(
                without_secrets(headers, SECRET_HEADERS, own_headers, self._catalog.secret_headers), known
            ),
            query=without_words(without_secrets(query, SECRET_PARAMETERS, own_parameters), known),
            content_type=without_tokens(headers.get("content-type", "")) or None,
            body=shown if keeps else None,
            body_bytes=len(request.body),
        )

    async def _verify(
        self,
        target: _Target,
        stored: StoredWebhook,
        request: SignedRequest,
        received: Received,
        refusal: Callable[[], TurnedAway] | None,
    ) -> None:
        """Raises `refusal` for a sender that is not who it should be, and Refused for one that had a token.

        Why is in the delivery that is kept.
        """
        try:
            await self._verifier.check(target.ways, request, stored.secrets, self._clock())
        except NotVerified as error:
            await self._keep_refused(target, stored, request, received, str(error))
            if refusal is not None:
                raise refusal() from error
            raise Refused(401, "Not verified", str(error)) from error

    async def _keep_refused(
        self, target: _Target, stored: StoredWebhook, request: SignedRequest, received: Received, why: str
    ) -> None:
        """What its owner is told of a delivery whose sender is not known to be who it says, unless they are many."""
        if not self._refusals.keeps(target.name):
            return
        refused = replace(
            received,
            headers=headers_of_refused(target.definition, request.headers),
            query=query_of_refused(target.definition, request.query),
            body=None,
            refused=why,
        )
        try:
            await self._deliveries.carry_out(refused, (), stored.sender)
        except (Overloaded, Unavailable) as problem:
            log.warning("a refused delivery to webhook %s is not kept: %s", target.name, problem)


async def planned(evaluation: Evaluation) -> list[Plan]:
    """What each item is to become; others have their turn in between."""
    try:
        return [plan async for plan in planned_in_turn(evaluation)]
    except Unfit as error:
        return [Plan(index=0, action="failed", message=evaluation.masking.text(str(error)))]


async def planned_in_turn(evaluation: Evaluation) -> AsyncIterator[Plan]:
    """The same, an item after the other. Raises Unfit where `each` gives no list."""
    begun = time.perf_counter()
    for index, item in enumerate(evaluation.items()[: MAX_ITEMS + 1]):
        if time.perf_counter() - begun > TURN_SECONDS:
            await asyncio.sleep(0)
            begun = time.perf_counter()
        yield evaluation.plan(index, item)


def _check_place(target: _Target, places: Places) -> None:
    """Raises Refused and Forbidden where no item could have a namespace: nothing is kept of such a delivery.

    Which one an item has by its definition, if that tells, is known later.
    """
    of_items = target.definition is None or target.definition.namespace is not None
    namespace = places.asked or (None if of_items else places.only)
    if namespace is not None:
        places.check(namespace)
        return
    places.check_any()
    if not of_items:
        raise Refused(400, "Missing namespace", "add ?namespace= to the address")


def _broken(target: _Target, places: Places) -> Plan:
    message = f"the definition is broken: {target.problem}"
    return Plan(index=0, action="failed", message=message, namespace=places.asked or places.only)
