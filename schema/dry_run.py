"""What a definition would make of a delivery, told without doing it."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

import strawberry
from strawberry import UNSET, Private

from resolvers.caller import Caller, Grant, Permission
from resolvers.errors import UserError as BrokenRule
from resolvers.mutation import CreateIssue
from resolvers.webhooks.engine import NAMELESS, DryItem, DryRequest, Evaluated, TriedRule
from resolvers.webhooks.meeting import Met, Report
from resolvers.webhooks.wanted import MAX_DEFINITION_LENGTH
from schema.delivery import manager
from schema.issue import FingerprintPart, Issue
from schema.met import MetIssues
from schema.payloads import USER_ERRORS, UserError, user_errors_of
from schema.request import Info
from schema.scalars import JSON
from schema.sqibs import SqibsFilterInput, filters_of
from schema.webhook import DefinitionProblem, problems_of

_WAYS = ("definition", "webhook", "template", "filters")


@strawberry.input(description="A delivery to try. Give one of `definition`, `webhook`, `template` and `filters`.")
class TestWebhookInput:
    definition: str | None = strawberry.field(default=UNSET, description="By this definition.")
    webhook: str | None = strawberry.field(default=UNSET, description="By that of this webhook, as it is now.")
    template: str | None = strawberry.field(default=UNSET, description="By this one, which comes with the server.")
    filters: list[SqibsFilterInput] | None = strawberry.field(
        default=UNSET, description="By these filters of SQIBS, of which a definition is made."
    )
    payload: JSON = strawberry.field(description="The body.")
    headers: JSON | None = strawberry.field(default=UNSET, description="Headers: an object of texts.")
    query: JSON | None = strawberry.field(default=UNSET, description="Parameters of the URL: an object of texts.")


@strawberry.type(description="An expression that was tried.")
class EvaluatedExpression:
    path: str = strawberry.field(description="Where it stands in the definition, such as rules.0.when.")
    expression: str = strawberry.field(description="The expression.")
    value: JSON | None = strawberry.field(description="What it gave; a long one is cut.")
    error: str | None = strawberry.field(description="Why it gave nothing.")


@strawberry.type(description="A rule that was looked at.")
class TriedWebhookRule:
    name: str = strawberry.field(description="Its name.")
    matched: bool = strawberry.field(description="Whether it is the one that decides.")
    message: str | None = strawberry.field(description="Why it does not, where there is more to say.")
    values: list[EvaluatedExpression] = strawberry.field(description="What its expressions gave.")


@strawberry.type(description="What one item of the delivery would become.")
class TestedItem:
    place: Private[int]
    # Of the plan itself.
    told: Private[str | None]
    met: Private[MetIssues]
    index: int = strawberry.field(description="Its place in the delivery, from 0.")
    rule: str | None = strawberry.field(description="The rule that matched.")
    command: str | None = strawberry.field(
        description="What would be done: createIssue, resolveScope, acknowledgeScope, or another; null for nothing."
    )
    action: str | None = strawberry.field(description="Without a command: ignored, unmatched or failed.")
    notices: list[str] = strawberry.field(description="What of it could not be kept as it came.")
    namespace: str | None = strawberry.field(description="The namespace that it is about.")
    fields: JSON = strawberry.field(description="What would be done it with.")
    rules: list[TriedWebhookRule] = strawberry.field(description="The rules that were looked at, in order.")
    values: list[EvaluatedExpression] = strawberry.field(description="What expressions outside of the rules gave.")
    fingerprint: list[FingerprintPart] = strawberry.field(
        description="The parts that would tell its issue from others."
    )

    @strawberry.field(
        description="Why it is ignored or failed, or why the issue that it joins would be reopened or stay as it is."
    )
    async def message(self) -> str | None:
        return self.told or _said_of(await self.met.of(self.place))

    @strawberry.field(
        description="The issue that a report would join, if the caller may read it: the active one, or a resolved one "
        "that it would reopen or change nothing of (`message` says so); null: a new one."
    )
    async def joins(self, info: Info) -> Issue | None:
        return await self.met.issue(info, self.place)  # type: ignore[no-any-return]


@strawberry.type(description="What testWebhook found. Nothing was done.")
class TestWebhookPayload:
    definition: str | None = strawberry.field(description="The definition that was tried: of filters, to be kept.")
    items: list[TestedItem] = strawberry.field(description="What each item would become.")
    event: str | None = strawberry.field(description="What the sender calls the delivery.")
    delivery_key: str | None = strawberry.field(description="The sender's own id of it.")
    notices: list[str] = strawberry.field(description="What is to be said of all of it.")
    refused: str | None = strawberry.field(description="Why the payload could not be read at all.")
    problems: list[DefinitionProblem] = strawberry.field(
        description="What is wrong with the definition; empty when it can be used."
    )
    user_errors: list[UserError] = strawberry.field(description=USER_ERRORS)


async def test_webhook(info: Info, given: TestWebhookInput) -> TestWebhookPayload:
    """Tries a delivery. Raises Forbidden and Unavailable."""
    caller = manager(info)
    if sum(getattr(given, name) not in (UNSET, None) for name in _WAYS) != 1:
        return _refused(BrokenRule(code="INVALID", field=("definition",), message=f"give one of {', '.join(_WAYS)}"))
    errors = [_of_texts(name, getattr(given, name)) for name in ("headers", "query")]
    if wrong := [error for error in errors if error is not None]:
        return _refused(*wrong)
    found = await _definition(info, given, caller)
    if isinstance(found, BrokenRule):
        return _refused(found)
    name, definition, sender = found
    headers = {name.lower(): value for name, value in _texts(given.headers).items()}
    request = DryRequest(payload=given.payload, headers=headers, query=_texts(given.query))
    # A large definition takes a second to read, in which others have their turns.
    run = await asyncio.to_thread(info.context.webhooks.engine.dry_run, definition, request, sender, name)
    met = MetIssues(info.context, [_report(item) for item in run.items])
    return TestWebhookPayload(
        definition=definition,
        items=[_item(place, item, met) for place, item in enumerate(run.items)],
        event=run.event,
        delivery_key=run.delivery_key,
        notices=list(run.notices),
        refused=run.refused,
        problems=problems_of(run.problems),
        user_errors=[],
    )


async def _definition(info: Info, given: TestWebhookInput, caller: Caller) -> tuple[str, str, Caller] | BrokenRule:
    """The webhook's name, the definition, and who would deliver: who may report where the caller may manage."""
    services = info.context.webhooks
    if isinstance(given.webhook, str):
        row = await services.store.one(given.webhook, caller)
        if row is None:
            return BrokenRule(code="NOT_FOUND", field=("webhook",), message="there is no such webhook")
        return row.name, row.definition, _reporting(caller, row.namespaces)
    managed = [grant.namespace for grant in caller.grants if grant.permission is Permission.MANAGE]
    if isinstance(given.template, str):
        for template in services.engine.templates():
            if template.name == given.template:
                return template.name, template.definition, _reporting(caller, managed)
        return BrokenRule(code="NOT_FOUND", field=("template",), message="there is no such template")
    if isinstance(given.filters, list):
        filters = filters_of(given.filters)
        if isinstance(filters, BrokenRule):
            return filters
        return NAMELESS, services.engine.definition_of_filters(*filters), _reporting(caller, managed)
    definition = given.definition or ""
    if not 0 < len(definition) <= MAX_DEFINITION_LENGTH:
        message = f"definition has 1 to {MAX_DEFINITION_LENGTH:,} characters"
        return BrokenRule(code="TOO_LONG" if definition else "REQUIRED", field=("definition",), message=message)
    return NAMELESS, definition, _reporting(caller, managed)


def _reporting(caller: Caller, namespaces: Iterable[str]) -> Caller:
    return Caller(caller.actor, tuple(Grant(Permission.REPORT, namespace) for namespace in namespaces))


def _of_texts(name: str, given: Any) -> BrokenRule | None:
    if given in (UNSET, None) or (isinstance(given, dict) and all(isinstance(value, str) for value in given.values())):
        return None
    return BrokenRule(code="INVALID", field=(name,), message=f"{name} is an object of texts")


def _texts(given: Any) -> Mapping[str, str]:
    return given if isinstance(given, dict) else {}


def _refused(*errors: BrokenRule) -> TestWebhookPayload:
    return TestWebhookPayload(
        definition=None,
        items=[],
        event=None,
        delivery_key=None,
        notices=[],
        refused=None,
        problems=[],
        user_errors=user_errors_of(errors),
    )


def _report(item: DryItem) -> Report | None:
    command, key = item.plan.command, item.fingerprint_key
    return Report(key, command) if isinstance(command, CreateIssue) and key is not None else None


def _said_of(met: Met | None) -> str | None:
    if met is None or met.action == "UPDATED":
        return None
    if met.action == "REOPENED":
        return "it would reopen an issue that was resolved a short time before (reopenWithin)"
    if met.is_counted:
        return "nothing would change: this run was counted already"
    return "nothing would change: it failed before the last resolve"


def _item(place: int, item: DryItem, met: MetIssues) -> TestedItem:
    plan = item.plan
    command = type(plan.command).__name__ if plan.command is not None else ""
    return TestedItem(
        place=place,
        told=plan.message,
        met=met,
        index=plan.index,
        rule=plan.rule,
        command=command[:1].lower() + command[1:] or None,
        action=plan.action,
        notices=list(plan.notices),
        namespace=plan.namespace,
        fields=JSON(dict(item.fields)),
        rules=[_rule(rule) for rule in item.rules],
        values=[_value(value) for value in item.values],
        fingerprint=[FingerprintPart(name=name, value=value) for name, value in item.fingerprint],
    )


def _rule(rule: TriedRule) -> TriedWebhookRule:
    return TriedWebhookRule(
        name=rule.name, matched=rule.matched, message=rule.message, values=[_value(value) for value in rule.values]
    )


def _value(value: Evaluated) -> EvaluatedExpression:
    return EvaluatedExpression(path=value.path, expression=value.expression, value=JSON(value.value), error=value.error)
