"""Deliveries in: each path of a definition is a bare ASGI callable that makes a command and answers its outcome."""

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Protocol

from resolvers.caller import Caller, Permission
from resolvers.errors import Forbidden, Invalid, Overloaded, TimedOut, TooLarge, Unavailable
from resolvers.mutation import CreateIssue, Outcome, ResolveScope
from resolvers.mutation.outcome import LeftIssue
from webhooks.definition import Definition, Ignore, Report, Resolve, Rule, Webhook
from webhooks.expressions import Context
from webhooks.go_json import BadBody, read_json
from webhooks.http import (
    Answer,
    AsgiScope,
    Receive,
    Refused,
    Send,
    namespace_of,
    posted,
    query_of,
    send_answer,
)
from webhooks.idempotency import checked, key_of
from webhooks.translate import Delivery, Unfit

log = logging.getLogger(__name__)

DEFAULT_LOGS_URL = "https://konflux.dev/logs/pipelineruns/"

# The issue as REST shows it: `await show_issue(id, caller, as a command left it, if that is known)`.
ShowIssue = Callable[[str, Caller, LeftIssue | None], Awaitable[Mapping[str, Any]]]


class Writer(Protocol):
    """What of resolvers.mutation.Writer is needed here."""

    async def submit(
        self, command: CreateIssue | ResolveScope, caller: Caller, *, body_bytes: int | None = None
    ) -> Outcome:
        """See resolvers.mutation.Writer."""
        ...


class Receiver:
    """Makes the ASGI callables of definitions. `scope["caller"]` says who delivers; who limits bodies does it outside.

    `logs_url` is what the logs of a pipeline run without a link of its own are found at, its run id appended.
    `outcomes` counts by path and what came of a delivery.
    """

    def __init__(
        self,
        definitions: Iterable[Definition],
        writer: Writer,
        show_issue: ShowIssue,
        *,
        logs_url: str = DEFAULT_LOGS_URL,
        outcomes: Counter[tuple[str, str]] | None = None,
    ) -> None:
        self._writer = writer
        self._show_issue = show_issue
        self._settings = {"logsUrl": logs_url}
        self.outcomes: Counter[tuple[str, str]] = Counter() if outcomes is None else outcomes
        self.routes: Mapping[str, _Endpoint] = {
            webhook.path: _Endpoint(self, webhook) for definition in definitions for webhook in definition.webhooks
        }

    async def deliver(self, scope: AsgiScope, body: bytes, endpoint: "_Endpoint") -> Answer:
        """Carries out one delivery. Raises nothing."""
        try:
            return await self._deliver(scope, body, endpoint)
        except Refused as refused:
            return refused.answer
        except Forbidden:
            return Answer(403, {"error": "Access denied to this namespace"})
        except (Overloaded, Unavailable) as problem:
            return Answer(503, {"error": problem.message})
        except Invalid as invalid:
            return Answer(400, {"details": invalid.message, "error": "Validation failed"})
        except Unfit as unfit:
            return Answer(400, {"details": str(unfit), "error": "Validation failed"})
        except Exception:
            log.exception("a delivery to %s", endpoint.webhook.path)
            return Answer(500, {"error": "Failed to process webhook"})

    async def _deliver(self, scope: AsgiScope, body: bytes, endpoint: "_Endpoint") -> Answer:
        caller: Caller = scope["caller"]
        key = key_of(scope)
        query = query_of(scope)
        try:
            payload, unreadable = read_json(body), None
        except BadBody as error:
            payload, unreadable = None, error
        fields = endpoint.webhook.fields
        values = fields.named(payload) if fields else payload
        namespace = namespace_of(query, values.get("namespace") if fields else None)
        if not caller.may(Permission.REPORT, namespace):
            raise Forbidden(f"no permission to report in namespace {namespace}")
        try:
            if unreadable:
                raise unreadable
            if fields:
                fields.check(payload, values, filled=("namespace",))
        except BadBody as error:
            raise Refused(400, "Missing required fields", str(error)) from error
        if fields and "namespace" in fields:
            values["namespace"] = namespace

        context = Context(endpoint.variables(scope, query, values, self._settings), endpoint.functions)
        delivery = Delivery(namespace, endpoint.webhook.source, context, key, endpoint.webhook.idempotency_key)
        rule = delivery.first_rule(endpoint.webhook.rules)
        answer = await self._carry_out(rule, delivery, caller, len(body))
        return answer.with_notices(delivery.fitting.notices)

    async def _carry_out(self, rule: Rule | None, delivery: Delivery, caller: Caller, body_bytes: int) -> Answer:
        if rule is None:
            return Answer(200, {"info": "No rule applies, nothing done"})
        if isinstance(rule.action, Ignore):
            return Answer(rule.status, {"info": delivery.text("ignore", rule.action.info)})
        if isinstance(rule.action, Report):
            command = delivery.create_issue(rule.action)
            outcome = checked(await self._writer.submit(command, caller, body_bytes=body_bytes))
            (id,) = outcome.issue_ids
            action = (outcome.action or "").lower()
            shown = await self._shown(id, caller, outcome.left)
            return Answer(rule.status, {"status": "success", "action": action, "issue": shown})
        assert isinstance(rule.action, Resolve)
        repair = delivery.resolve_scope(rule.action)
        about = delivery.text("about", rule.about) if rule.about else ""
        about = about or f"{repair.resource_type} {repair.resource_name}"
        outcome = checked(await self._writer.submit(repair, caller, body_bytes=body_bytes))
        message = f"Resolved {outcome.count} issue(s) for {about}"
        return Answer(rule.status, {"status": "success", "message": message})

    async def _shown(self, id: str, caller: Caller, left: LeftIssue | None) -> Mapping[str, Any]:
        try:
            return await self._show_issue(id, caller, left)
        except Exception as error:
            # The report is on disk: an error would make the tool send it again.
            is_known = isinstance(error, (Overloaded, TimedOut, TooLarge, Unavailable))
            log.warning("issue %s of a delivery cannot be shown: %s", id, error, exc_info=not is_known)
            return {"id": id}


class _Endpoint:
    """One path; knows what its expressions read, because handing data to CEL costs more than evaluating."""

    def __init__(self, receiver: Receiver, webhook: Webhook) -> None:
        self.webhook = webhook
        compiled = [expression.compiled for expression in webhook.expressions]
        self.functions = frozenset(name for each in compiled for name in each.functions)
        self._variables = frozenset(name for each in compiled for name in each.variables)
        self._receiver = receiver
        self._whole_body = any(each.reads_whole_body for each in compiled)
        self._body_fields = {name for each in compiled for name in each.body_fields}

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        body = await posted(scope, receive, send)
        if body is None:
            return
        answer = await self._receiver.deliver(scope, body, self)
        self._receiver.outcomes[self.webhook.path, _outcome(answer)] += 1
        await send_answer(send, answer)

    def variables(
        self, scope: AsgiScope, query: Mapping[str, str], body: Any, settings: Mapping[str, str]
    ) -> dict[str, Any]:
        """What some expression reads."""
        if isinstance(body, dict) and not self._whole_body:
            body = {name: body[name] for name in self._body_fields if name in body}
        variables = {"body": body, "query": query, "settings": settings, "path": self.webhook.path}
        if "headers" in self._variables:
            variables["headers"] = _headers(scope)
        return {name: value for name, value in variables.items() if name in self._variables}


def _outcome(answer: Answer) -> str:
    """CREATED, UPDATED, REOPENED or UNCHANGED of a report, RESOLVED, IGNORED, REFUSED, FAILED."""
    if answer.status >= 400:
        return "FAILED" if answer.status >= 500 else "REFUSED"
    if "info" in answer.body:
        return "IGNORED"
    return str(answer.body.get("action", "resolved")).upper()


def _headers(scope: AsgiScope) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
