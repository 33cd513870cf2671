"""What becomes of a call: what the webhook that bears the source's name makes of it, else what our filters do."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from resolvers.caller import Caller, Permission
from resolvers.webhooks.plan import Plan, Received
from webhooks.catalog import Catalog
from webhooks.client import meets
from webhooks.credentials import without_secrets
from webhooks.definition import DefinitionError, SingleDefinition, parse_single
from webhooks.deliver import planned_in_turn
from webhooks.evaluate import Evaluation, Places, Sent
from webhooks.payload import Unreadable, read_payload
from webhooks.sqibs.filters import DEFAULT_FILTERS
from webhooks.translate import Unfit

NAME = "sqibs"
PATH = "/v1/process"
DEFAULT = parse_single(NAME, DEFAULT_FILTERS)
_NOTHING = frozenset({"unmatched", "ignored"})


def name_of(source: str) -> str:
    """The name of the webhook of a source: `My CI` is `my-ci`."""
    return re.sub(r"[^a-z0-9]+", "-", source.lower()).strip("-")


def named(catalog: Catalog, query: Mapping[str, str]) -> SingleDefinition | None:
    """The definition of the source's name, also where it is disabled; `query` is that of a call that was kept.

    Raises DefinitionError.
    """
    name = name_of(query.get("from", ""))
    stored = catalog.find(name) if name else None
    # Somebody else who took the name has no say in what is shown.
    if stored is not None and stored.sender.may(Permission.REPORT, query.get("namespace", "")):
        return catalog.definition_of(stored)
    return catalog.shipped.get(name)


def without_proof(received: Received, definition: SingleDefinition) -> Received:
    """The call without what proves to this definition who sends."""
    return replace(
        received,
        headers=without_secrets(received.headers, definition.secret_headers),
        query=without_secrets(received.query, definition.secret_parameters),
    )


@dataclass(frozen=True, kw_only=True)
class Call:
    """A call as filters see it: `received` has `from` and `namespace` in its query. `default_at` as in Evaluation."""

    received: Received
    body: bytes
    caller: Caller
    settings: Mapping[str, str]
    default_at: str | None = None

    @property
    def is_readable(self) -> bool:
        """What is not counts as an empty payload."""
        return self._payload is not None

    def by(self, definition: SingleDefinition, owner: Caller | None = None) -> Evaluation:
        """The call by a definition, which does not see what is secret of it."""
        received = without_proof(self.received, definition)
        payload = {} if self._payload is None else self._payload[0]
        sent = Sent(headers=received.headers, query=received.query, body=payload, path=PATH, settings=self.settings)
        return Evaluation(definition, sent, Places(self.caller, received.query, owner), default_at=self.default_at)

    @cached_property
    def _payload(self) -> tuple[Any] | None:
        try:
            return (read_payload(self.received.content_type, self.body),)
        except Unreadable:
            return None


async def has_something(evaluation: Evaluation) -> bool:
    """Whether any item becomes more than nothing; others have their turn in between."""
    try:
        async for plan in planned_in_turn(evaluation):
            if plan.action not in _NOTHING:
                return True
    except Unfit:
        pass
    return False


async def plans(catalog: Catalog, call: Call) -> list[Plan]:
    """What a call that was kept becomes now. Never raises for a payload's sake."""
    best: list[Plan] = []
    try:
        for definition, owner in _definitions(catalog, call):
            made = await _planned(call.by(definition, owner))
            if any(plan.action not in _NOTHING for plan in made):
                return made
            best = best or made
    except DefinitionError as error:
        namespace = call.received.query.get("namespace")
        return [Plan(index=0, action="failed", message=f"the definition is broken: {error}", namespace=namespace)]
    return best


def _definitions(catalog: Catalog, call: Call) -> Iterator[tuple[SingleDefinition, Caller | None]]:
    """Raises DefinitionError."""
    query = call.received.query
    name = name_of(query.get("from", ""))
    stored = catalog.find(name) if name else None
    if stored is not None and stored.enabled and meets(call.caller, query, stored):
        yield catalog.definition_of(stored), stored.sender
        return
    if name in catalog.shipped:
        yield catalog.shipped[name], None
    yield DEFAULT, None


async def _planned(evaluation: Evaluation) -> list[Plan]:
    try:
        return [plan async for plan in planned_in_turn(evaluation)]
    except Unfit as error:
        return [Plan(index=0, action="unmatched", message=str(error))]
