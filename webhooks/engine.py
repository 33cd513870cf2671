"""Definitions at work for GraphQL and for replays: see resolvers.webhooks.engine."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson

from resolvers.caller import Caller
from resolvers.webhooks.engine import (
    NAMELESS,
    DefinitionProblem,
    DryRequest,
    DryRun,
    NoSuchWebhook,
    Template,
    UnreadableBody,
)
from resolvers.webhooks.filters import Filter
from resolvers.webhooks.plan import Plan, Received
from webhooks.catalog import Catalog
from webhooks.clients import CLIENTS, definition_of_client, plans_of_client
from webhooks.credentials import SECRET_HEADERS, SECRET_PARAMETERS, without_secrets
from webhooks.curl import curl_of
from webhooks.definition import PREFIX, DefinitionError, SingleDefinition, ours, parse_single
from webhooks.deliver import planned
from webhooks.dry_run import dry_run
from webhooks.evaluate import Evaluation, Places, Sent
from webhooks.head import NOT_LOOKED_AT, head_of, unfit_secrets
from webhooks.idempotency import HEADER
from webhooks.keep import PROVIDERS
from webhooks.masking import hide, names_of
from webhooks.paths import Names
from webhooks.payload import Unreadable, read_payload
from webhooks.receive import DEFAULT_LOGS_URL
from webhooks.sqibs import definition_of_filters


class Definitions:
    """An Engine (resolvers.webhooks.engine) of the definitions of a catalog."""

    def __init__(self, catalog: Catalog, *, logs_url: str = DEFAULT_LOGS_URL) -> None:
        self._catalog = catalog
        self._settings = {"logsUrl": logs_url}
        # Several that are shown together would have their turns together.
        self._one_body = asyncio.Lock()
        of_paths = {path.removeprefix(PREFIX) for path in ours().paths} | set(ours().paths.values())
        # Keep's clients know some of the shipped ones by another name.
        self._taken = of_paths | CLIENTS.keys() | PROVIDERS.keys()

    def is_reserved(self, name: str) -> bool:
        """See Engine."""
        return name in self._taken

    def problems(self, name: str, definition: str) -> Sequence[DefinitionProblem]:
        """See Engine."""
        return problems_of(name, definition)

    def title(self, name: str, definition: str) -> str:
        """See Engine."""
        return head_of(definition).title or name

    def unfit_secrets(self, definition: str, secrets: Sequence[str], new: int) -> Sequence[tuple[int, str]]:
        """See Engine."""
        return list(unfit_secrets(head_of(definition), secrets, new))

    def notices(self, definition: str, has_secrets: bool) -> Sequence[str]:
        """See Engine."""
        return [NOT_LOOKED_AT] if head_of(definition).ways and not has_secrets else []

    def curl(self, definition: str, url: str, namespaces: Sequence[str], has_secrets: bool) -> str:
        """See Engine."""
        return curl_of(head_of(definition), url, namespaces, has_secrets=has_secrets)

    def templates(self) -> Sequence[Template]:
        """See Engine."""
        shipped = sorted(self._catalog.shipped.values(), key=lambda each: each.name)
        return [Template(name=each.name, title=each.title, docs=each.docs, definition=each.text) for each in shipped]

    async def plans(self, received: Received, caller: Caller) -> Sequence[Plan]:
        """See Engine."""
        if received.webhook in CLIENTS:
            return await plans_of_client(received, caller, self._catalog, self._settings)
        definition: SingleDefinition | None = None
        problem = ""
        try:
            # A large one takes a second, in which others have their turns.
            definition = await asyncio.to_thread(self._definition, received)
        except DefinitionError as error:
            problem = f"the definition is broken: {error}"
        if received.body is None:
            raise UnreadableBody("the body was not kept")
        try:
            payload = read_payload(received.content_type, received.body)
        except Unreadable as error:
            raise UnreadableBody(str(error)) from error
        if definition is None:
            return [Plan(index=0, action="failed", message=problem)]
        sent = self._sent(received.webhook, received.headers, received.query, payload)
        stored = self._catalog.find(received.webhook)
        places = Places(caller, received.query, stored.sender if stored else None)
        # Not the key that is kept, in which what is masked is hidden.
        key = received.headers.get(HEADER.decode())
        return await planned(Evaluation(definition, sent, places, default_at=received.at, key=key))

    async def masked(self, received: Received) -> Received:
        """See Engine."""
        try:
            definition = await asyncio.to_thread(self._masking, received)
        except DefinitionError:
            # Nobody knows what must not be shown.
            raise NoSuchWebhook from None
        if definition is None or not definition.mask:
            return received
        headers, query = dict(received.headers), dict(received.query)
        hide(headers, names_of(definition.mask, "headers"))
        hide(query, names_of(definition.mask, "query"))
        body, names = received.body, names_of(definition.mask, "body")
        if names and body is not None:
            async with self._one_body:
                body = await _masked_body(received.content_type, body, names)
        return replace(received, headers=headers, query=query, body=body)

    def dry_run(self, definition: str, request: DryRequest, caller: Caller, name: str = NAMELESS) -> DryRun:
        """See Engine."""
        try:
            # One with a name is used already.
            read = parse_single(name, definition, strict=name == NAMELESS)
        except DefinitionError as error:
            return DryRun(problems=(problem_of(error),))
        hidden = (SECRET_HEADERS, read.secret_headers, self._catalog.secret_headers)
        headers = without_secrets(request.headers, *hidden)
        query = without_secrets(request.query, SECRET_PARAMETERS, read.secret_parameters)
        return dry_run(read, self._sent(name, headers, query, request.payload), caller)

    def definition_of_filters(self, triggers: Sequence[Filter], resolves: Sequence[Filter]) -> str:
        """See Engine."""
        return definition_of_filters(triggers, resolves)

    def _masking(self, received: Received) -> SingleDefinition | None:
        """What says what is not shown. Raises NoSuchWebhook and DefinitionError."""
        of_client = received.webhook in CLIENTS
        return definition_of_client(received, self._catalog) if of_client else self._definition(received)

    def _definition(self, received: Received) -> SingleDefinition:
        """That of the webhook which it came to, and of no later one of that name.

        Raises NoSuchWebhook and DefinitionError.
        """
        shipped = self._catalog.shipped.get(received.webhook)
        if shipped is not None and received.version is None:
            return shipped
        stored = self._catalog.find(received.webhook)
        # Ids grow with time.
        if stored is None or stored.id > received.id:
            raise NoSuchWebhook
        return self._catalog.definition_of(stored)

    def _sent(self, name: str, headers: Mapping[str, str], query: Mapping[str, str], payload: Any) -> Sent:
        return Sent(headers=headers, query=query, body=payload, path=PREFIX + name, settings=self._settings)


def problems_of(name: str, definition: str) -> list[DefinitionProblem]:
    """What is wrong with a text: the first that was found, or nothing."""
    try:
        parse_single(name, definition, strict=True)
    except DefinitionError as error:
        return [problem_of(error)]
    return []


def problem_of(error: DefinitionError) -> DefinitionProblem:
    """The same for people."""
    return DefinitionProblem(
        message=error.problem,
        line=error.line,
        column=error.column,
        path=error.keys.replace("[", ".").replace("]", ""),
        expression=error.expression,
    )


async def _masked_body(content_type: str | None, body: bytes, names: Names) -> bytes | None:
    """Others have their turn between reading, masking and writing, each of which may take some milliseconds."""
    await asyncio.sleep(0)
    try:
        payload = read_payload(content_type, body)
    except Unreadable:
        return None
    if not isinstance(payload, dict | list):
        return None
    await asyncio.sleep(0)
    hide(payload, names)
    await asyncio.sleep(0)
    try:
        return orjson.dumps(payload)
    except orjson.JSONEncodeError:
        return None
