"""Webhooks that users make, as those handle them who answer for their namespaces."""

import asyncio

import strawberry
from strawberry import UNSET, Private

from resolvers.access import Page as PageOf
from resolvers.access import PageArguments, cursor_of
from resolvers.errors import Invalid
from resolvers.webhooks.engine import DefinitionProblem as ProblemOf
from resolvers.webhooks.engine import Template
from resolvers.webhooks.rows import VersionRow, WebhookRow
from resolvers.webhooks.store import BadDefinition
from resolvers.webhooks.wanted import Wanted
from schema.actor import Actor, actor_of
from schema.delivery import manager
from schema.node import PageInfo, page_info_of
from schema.payloads import USER_ERRORS, UserError, user_errors_of
from schema.request import Info, Request
from schema.scalars import DateTime

_NAMESPACES = "Where it may report, whatever its definition says: names, patterns such as team-*, or * for everywhere."
_KEEPS = "Whether the bodies of its deliveries are kept, to be looked at and done again."
_NOTICES = "What is to be said of it, though it was saved."
_PROBLEMS = "What is wrong with the definition; empty when it can be used."


@strawberry.type(description="How a webhook does, by its newest deliveries: at most 1000, of those that are kept.")
class WebhookHealth:
    deliveries: int = strawberry.field(description="How many there are of them.")
    failure_rate: float | None = strawberry.field(
        description="The part of them that was not wholly handled, 0 to 1; null without any."
    )
    last_delivery_at: DateTime | None = strawberry.field(description="When the newest came.")
    last_success_at: DateTime | None = strawberry.field(description="When the newest came that was wholly handled.")
    last_error_at: DateTime | None = strawberry.field(description="When the newest came that was not.")
    last_error: str | None = strawberry.field(description="What was wrong with the newest that failed or was refused.")


@strawberry.type(description="What a webhook was from some time on. Its secrets are no part of it.")
class WebhookVersion:
    version: int = strawberry.field(description="Its number.")
    definition: str = strawberry.field(description="The definition, as it was given.")
    namespaces: list[str] = strawberry.field(description=_NAMESPACES)
    enabled: bool = strawberry.field(description="Whether deliveries were taken.")
    keep_bodies: bool = strawberry.field(description=_KEEPS)
    at: DateTime = strawberry.field(description="From when on it was so.")
    by: Actor = strawberry.field(description="Who made it so.")


@strawberry.type(description="An address that takes the deliveries of a tool, by a definition that somebody wrote.")
class Webhook:
    row: Private[WebhookRow]
    id: strawberry.ID = strawberry.field(description="A UUIDv7.")
    name: str = strawberry.field(description="The last part of its address.")
    title: str = strawberry.field(description="What the definition calls it.")
    definition: str = strawberry.field(description="The definition, as it was given.")
    version: int = strawberry.field(description="Grows with each change of it.")
    enabled: bool = strawberry.field(description="Whether deliveries are taken.")
    keep_bodies: bool = strawberry.field(description=_KEEPS)
    namespaces: list[str] = strawberry.field(description=_NAMESPACES)
    has_secrets: bool = strawberry.field(
        description="Whether its senders show who they are by a secret of its own, which is never shown again."
    )
    created_at: DateTime = strawberry.field(description="When it was made.")
    updated_at: DateTime = strawberry.field(description="When it was last changed.")
    updated_by: Actor = strawberry.field(description="Who changed it last.")
    url: str = strawberry.field(description="Where it takes deliveries.")

    @strawberry.field(
        description="A line for a script that delivers payload.json with $ISSUEGRAPH_TOKEN; where the webhook has "
        "secrets, with $ISSUEGRAPH_SECRET as its definition's `verify` asks for. Where the definition does not say "
        "the namespace, it is the first of `namespaces` that is no pattern; of patterns alone, "
        "$ISSUEGRAPH_NAMESPACE says which."
    )
    async def curl(self, info: Info) -> str:
        row, engine = self.row, info.context.webhooks.engine
        return await asyncio.to_thread(engine.curl, row.definition, self.url, row.namespaces, row.secrets is not None)

    @strawberry.field(description="What it was, the newest first: its last 50 versions.")
    async def versions(self, info: Info) -> list[WebhookVersion]:
        async with info.context.reading() as size:
            return [_version(row) for row in await info.context.webhooks.store.versions(self.row.id, size)]

    @strawberry.field(description="How it does.")
    async def health(self, info: Info) -> WebhookHealth:
        found = await info.context.webhooks.history.health(self.row.name, self.row.created_at, info.context.caller)
        return WebhookHealth(
            deliveries=found.deliveries,
            failure_rate=found.failures / found.deliveries if found.deliveries else None,
            last_delivery_at=_time(found.last_delivery_at),
            last_success_at=_time(found.last_success_at),
            last_error_at=_time(found.last_error_at),
            last_error=found.last_error,
        )


@strawberry.type(description="A webhook in its list.")
class WebhookEdge:
    cursor: str = strawberry.field(description="Where it stands in the list.")
    node: Webhook = strawberry.field(description="The webhook.")


@strawberry.type(description="A page of webhooks.")
class WebhookConnection:
    edges: list[WebhookEdge] = strawberry.field(description="The webhooks with their cursors.")
    nodes: list[Webhook] = strawberry.field(description="The webhooks.")
    page_info: PageInfo = strawberry.field(description="Where the page stands in its list.")
    total_count: int = strawberry.field(description="How many there are in all.")


@strawberry.type(description="A definition that comes with the server, to copy and change.")
class WebhookTemplate:
    name: str = strawberry.field(description="The name of the webhook that it makes, which every server has.")
    title: str = strawberry.field(description="The tool.")
    docs: str | None = strawberry.field(description="The tool's own page about its webhooks.")
    definition: str = strawberry.field(description="The definition.")
    url: str = strawberry.field(description="Where its deliveries are taken, with a token.")


@strawberry.type(description="What is wrong with a definition.")
class DefinitionProblem:
    message: str = strawberry.field(description="What is wrong, for people.")
    line: int = strawberry.field(description="In which line, from 1.")
    column: int | None = strawberry.field(description="Where in the line, from 1, if that is known.")
    path: str = strawberry.field(description="The key, such as rules.0.when.")
    expression: str | None = strawberry.field(description="The expression that it is about.")


@strawberry.input(description="A webhook to make.")
class CreateWebhookInput:
    name: str = strawberry.field(
        description="The last part of its address: a to z, 0 to 9, `.`, `_` and `-`, 100 characters at most."
    )
    definition: str = strawberry.field(description="The definition: YAML, 64 kB at most; docs/webhooks.md.")
    namespaces: list[str] = strawberry.field(description=_NAMESPACES)
    secrets: list[str] | None = strawberry.field(
        default=UNSET,
        description="What its senders sign with or show, two at most; without any they need a token. Kept encrypted.",
    )
    enabled: bool = strawberry.field(default=True, description="Whether deliveries are taken.")
    keep_bodies: bool = strawberry.field(default=True, description=_KEEPS)


@strawberry.input(description="A webhook to change; what is not given stays.")
class UpdateWebhookInput:
    name: str = strawberry.field(description="The webhook.")
    expected_version: int = strawberry.field(
        description="The version that you have seen: CONFLICT when it was changed since."
    )
    definition: str | None = strawberry.field(default=UNSET, description="The definition.")
    namespaces: list[str] | None = strawberry.field(default=UNSET, description=_NAMESPACES)
    secrets: list[str] | None = strawberry.field(
        default=UNSET, description="All secrets from now on, two at most; an empty list takes them away."
    )
    new_secret: str | None = strawberry.field(
        default=UNSET,
        description="A secret more; of those before only the newest stays good. Not together with `secrets`.",
    )
    enabled: bool | None = strawberry.field(default=UNSET, description="Whether deliveries are taken.")
    keep_bodies: bool | None = strawberry.field(default=UNSET, description=_KEEPS)


@strawberry.input(description="A webhook to delete.")
class DeleteWebhookInput:
    name: str = strawberry.field(description="The webhook.")
    expected_version: int | None = strawberry.field(
        default=UNSET,
        description="The version that you have seen: CONFLICT when it was changed since. Any, if it is not given.",
    )


@strawberry.type(description="What createWebhook did.")
class CreateWebhookPayload:
    webhook: Webhook | None = strawberry.field(description="The webhook; null when it was not made.")
    problems: list[DefinitionProblem] = strawberry.field(description=_PROBLEMS)
    notices: list[str] = strawberry.field(description=_NOTICES)
    user_errors: list[UserError] = strawberry.field(description=USER_ERRORS)


@strawberry.type(description="What updateWebhook did.")
class UpdateWebhookPayload:
    webhook: Webhook | None = strawberry.field(description="The webhook as it is now; null when nothing was done.")
    problems: list[DefinitionProblem] = strawberry.field(description=_PROBLEMS)
    notices: list[str] = strawberry.field(description=_NOTICES)
    user_errors: list[UserError] = strawberry.field(description=USER_ERRORS)


@strawberry.type(description="What deleteWebhook did.")
class DeleteWebhookPayload:
    deleted_name: str | None = strawberry.field(description="The webhook that is gone; null when nothing was done.")
    user_errors: list[UserError] = strawberry.field(description=USER_ERRORS)


async def webhook(info: Info, name: str) -> Webhook | None:
    """The webhook, if the caller has MANAGE in all its namespaces. Raises Forbidden and Unavailable."""
    row = await info.context.webhooks.store.one(name, manager(info))
    return None if row is None else webhook_of(info.context, row)


async def webhooks(info: Info, arguments: PageArguments) -> WebhookConnection:
    """A page of them. Raises Forbidden, BadRequest, Unavailable, TooLarge and Overloaded."""
    async with info.context.reading() as size:
        page = await info.context.webhooks.store.page(manager(info), arguments, size)
    return _connection(info.context, page)


def templates(info: Info) -> list[WebhookTemplate]:
    """The definitions that come with the server. Raises Forbidden."""
    manager(info)
    services = info.context.webhooks
    return [_template(template, services.url) for template in services.engine.templates()]


async def create_webhook(info: Info, given: CreateWebhookInput) -> CreateWebhookPayload:
    """Makes a webhook. Raises Forbidden and Unavailable."""
    wanted = Wanted(
        definition=given.definition,
        namespaces=tuple(given.namespaces),
        enabled=given.enabled,
        keep_bodies=given.keep_bodies,
        secrets=tuple(given.secrets or ()),
    )
    try:
        row = await info.context.webhooks.store.create(given.name, wanted, manager(info))
    except BadDefinition as refused:
        return CreateWebhookPayload(webhook=None, problems=problems_of(refused.problems), notices=[], user_errors=[])
    except Invalid as refused:
        return CreateWebhookPayload(webhook=None, problems=[], notices=[], user_errors=user_errors_of(refused.errors))
    notices = await _notices(info.context, row)
    return CreateWebhookPayload(webhook=webhook_of(info.context, row), problems=[], notices=notices, user_errors=[])


async def update_webhook(info: Info, given: UpdateWebhookInput) -> UpdateWebhookPayload:
    """Changes a webhook. Raises Forbidden and Unavailable."""
    wanted = Wanted(
        definition=None if given.definition is UNSET else given.definition,
        namespaces=tuple(given.namespaces) if isinstance(given.namespaces, list) else None,
        enabled=None if given.enabled is UNSET else given.enabled,
        keep_bodies=None if given.keep_bodies is UNSET else given.keep_bodies,
        secrets=tuple(given.secrets) if isinstance(given.secrets, list) else None,
        new_secret=None if given.new_secret is UNSET else given.new_secret,
    )
    store = info.context.webhooks.store
    try:
        row = await store.update(given.name, given.expected_version, wanted, manager(info))
    except BadDefinition as refused:
        return UpdateWebhookPayload(webhook=None, problems=problems_of(refused.problems), notices=[], user_errors=[])
    except Invalid as refused:
        return UpdateWebhookPayload(webhook=None, problems=[], notices=[], user_errors=user_errors_of(refused.errors))
    notices = await _notices(info.context, row)
    return UpdateWebhookPayload(webhook=webhook_of(info.context, row), problems=[], notices=notices, user_errors=[])


async def delete_webhook(info: Info, given: DeleteWebhookInput) -> DeleteWebhookPayload:
    """Deletes a webhook. Raises Forbidden and Unavailable."""
    try:
        expected = None if given.expected_version is UNSET else given.expected_version
        row = await info.context.webhooks.store.delete(given.name, manager(info), expected)
    except Invalid as refused:
        return DeleteWebhookPayload(deleted_name=None, user_errors=user_errors_of(refused.errors))
    return DeleteWebhookPayload(deleted_name=row.name, user_errors=[])


def webhook_of(request: Request, row: WebhookRow) -> Webhook:
    """A webhook as the schema has it."""
    url = request.webhooks.url + row.name
    return Webhook(
        row=row,
        id=strawberry.ID(row.id),
        name=row.name,
        title=row.title,
        definition=row.definition,
        version=row.version,
        enabled=row.enabled,
        keep_bodies=row.keep_bodies,
        namespaces=list(row.namespaces),
        has_secrets=row.secrets is not None,
        created_at=DateTime(row.created_at),
        updated_at=DateTime(row.updated_at),
        updated_by=actor_of(row.updated_by),
        url=url,
    )


async def _notices(request: Request, row: WebhookRow) -> list[str]:
    found = await asyncio.to_thread(request.webhooks.engine.notices, row.definition, row.secrets is not None)
    return list(found)


def problems_of(problems: tuple[ProblemOf, ...]) -> list[DefinitionProblem]:
    """What is wrong with a definition, as the schema has it."""
    return [
        DefinitionProblem(
            message=problem.message,
            line=problem.line,
            column=problem.column,
            path=problem.path,
            expression=problem.expression,
        )
        for problem in problems
    ]


def _connection(request: Request, page: PageOf[WebhookRow]) -> WebhookConnection:
    edges = [WebhookEdge(cursor=cursor_of(row.id), node=webhook_of(request, row)) for row in page.rows]
    return WebhookConnection(
        edges=edges,
        nodes=[edge.node for edge in edges],
        page_info=page_info_of(page, [edge.cursor for edge in edges]),
        total_count=page.total,
    )


def _version(row: VersionRow) -> WebhookVersion:
    return WebhookVersion(
        version=row.version,
        definition=row.definition,
        namespaces=list(row.namespaces),
        enabled=row.enabled,
        keep_bodies=row.keep_bodies,
        at=DateTime(row.at),
        by=actor_of(row.by),
    )


def _template(template: Template, url: str) -> WebhookTemplate:
    return WebhookTemplate(
        name=template.name,
        title=template.title,
        docs=template.docs,
        definition=template.definition,
        url=url + template.name,
    )


def _time(value: str | None) -> DateTime | None:
    return None if value is None else DateTime(value)
