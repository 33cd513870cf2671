"""What becomes of a call: what the webhook that bears the source's name makes of it, else what our filters do."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from resolvers.caller import Caller
from resolvers.webhooks.plan import Plan
from webhooks.catalog import Catalog
from webhooks.definition import DefinitionError, SingleDefinition, parse_single
from webhooks.evaluate import MAX_ITEMS, Evaluation, Places, Sent
from webhooks.payload import Unreadable, read_payload
from webhooks.sqibs.filters import DEFAULT_FILTERS
from webhooks.translate import Unfit

NAME = "sqibs"
_DEFAULT = parse_single(NAME, DEFAULT_FILTERS)
_NOTHING = frozenset({"unmatched", "ignored"})


def plans(
    catalog: Catalog,
    query: Mapping[str, str],
    headers: Mapping[str, str],
    content_type: str | None,
    body: bytes,
    caller: Caller,
    *,
    default_at: str | None = None,
) -> list[Plan]:
    """`query` has `from` and `namespace`. Never raises for a payload's sake: what is no JSON is an empty one."""
    try:
        payload = read_payload(content_type, body) if body.strip() else {}
    except Unreadable:
        payload = {}
    best: list[Plan] = []
    for definition, owner in _definitions(catalog, query.get("from", "")):
        sent = Sent(headers=headers, query=query, body=payload, path="/v1/process", settings={})
        made = _planned(Evaluation(definition, sent, Places(caller, query, owner), default_at=default_at))
        if any(plan.action not in _NOTHING for plan in made):
            return made
        best = best or made
    return best


def _definitions(catalog: Catalog, source: str) -> Iterator[tuple[SingleDefinition, Caller | None]]:
    name = re.sub(r"[^a-z0-9]+", "-", source.lower()).strip("-")
    stored = catalog.find(name) if name else None
    if stored is not None and stored.enabled:
        try:
            yield catalog.definition_of(stored), stored.sender
        except DefinitionError:
            pass
    if name in catalog.shipped:
        yield catalog.shipped[name], None
    yield _DEFAULT, None


def _planned(evaluation: Evaluation) -> list[Plan]:
    try:
        items: Sequence[Any] = evaluation.items()
    except Unfit as error:
        return [Plan(index=0, action="unmatched", message=str(error))]
    return [evaluation.plan(index, item) for index, item in enumerate(items[: MAX_ITEMS + 1])]
