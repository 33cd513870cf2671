"""A delivery by a definition: its event, its items, and what each of them is to become."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

import orjson

from resolvers.caller import Caller, Permission
from resolvers.errors import Forbidden, Invalid
from resolvers.mutation import CreateIssue, ResolveScope
from resolvers.mutation.acknowledge_scope import AcknowledgeScope
from resolvers.mutation.command import Command
from resolvers.mutation.limits import MAX_NAMESPACE_LENGTH
from resolvers.mutation.record_delivery import MAX_NOTICES
from resolvers.webhooks.plan import Plan
from webhooks.credentials import HIDDEN
from webhooks.definition import Acknowledge, Ignore, Report, Rule, SingleDefinition
from webhooks.expressions import Context, Failed, Template, Traced
from webhooks.fitting import Fitting
from webhooks.functions import get, text_of
from webhooks.masking import Masking
from webhooks.translate import Delivery, Terms, Unfit
from webhooks.work import Work

log = logging.getLogger(__name__)

# What rules ask for.
_OfRules = CreateIssue | ResolveScope | AcknowledgeScope

MAX_ITEMS = 5_000
MAX_EVENT_LENGTH = 200
MAX_DELIVERY_KEY = 240
_OWN_MISTAKE = "an error of the server, which its log tells more of"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What expressions see of a delivery, credentials already out."""

    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: Any
    path: str
    settings: Mapping[str, str]


class Places:
    """In which namespace items are: where the caller may report and, if there is one, the owner of the webhook."""

    def __init__(
        self,
        caller: Caller,
        query: Mapping[str, str],
        owner: Caller | None = None,
        fallback: str | None = None,
    ) -> None:
        self._caller = caller
        self._owner = owner
        self._fallback = fallback
        self.asked = query.get("namespace") or None

    @property
    def only(self) -> str | None:
        """The only one there is, or else the fallback."""
        for one, other in ((self._caller, self._owner), (self._owner, self._caller)):
            may = one.namespaces(Permission.REPORT) if one else None
            if may is not None and not may.everywhere and not may.prefixes:
                names = [name for name in may.names if other is None or other.may(Permission.REPORT, name)]
                return names[0] if len(names) == 1 else self._fallback
        return self._fallback

    def check_any(self) -> None:
        """Raises Forbidden for a caller that may report nowhere, or nowhere where the owner of the webhook may."""
        if not any(grant.permission is Permission.REPORT for grant in self._caller.grants):
            raise Forbidden("no permission to report in any namespace")
        may = self._caller.namespaces(Permission.REPORT)
        if self._owner is not None and not may.overlaps(self._owner.namespaces(Permission.REPORT)):
            raise Forbidden("no permission to report in any of this webhook's namespaces")

    def check(self, namespace: str) -> str:
        """The namespace. Raises Forbidden."""
        if not self._caller.may(Permission.REPORT, namespace):
            raise Forbidden(f"no permission to report in namespace {namespace[:MAX_NAMESPACE_LENGTH]}")
        if self._owner is not None and not self._owner.may(Permission.REPORT, namespace):
            raise Forbidden(f"namespace {namespace[:MAX_NAMESPACE_LENGTH]} is not one of this webhook's")
        return namespace


class Evaluation:
    """One delivery. `default_at` stands for times that it does not tell; `trace` gets what expressions gave.

    `key` is the sender's id of it where the definition finds none. What comes again with its id is not done again, as
    long as the definition is the same.
    """

    def __init__(
        self,
        definition: SingleDefinition,
        sent: Sent,
        places: Places,
        *,
        default_at: str | None = None,
        key: str | None = None,
        trace: list[Traced] | None = None,
    ) -> None:
        self._definition = definition
        self._default_at = default_at
        self._places = places
        self._terms = Terms(definition.severities, definition.severity_default, definition.reopen_within, default_at)
        variables = {
            "body": sent.body,
            "headers": sent.headers,
            "query": sent.query,
            "path": sent.path,
            "settings": sent.settings,
            "event": "",
        }
        self.masking = Masking(definition.mask, variables)
        self.trace = trace
        self._context = Context(variables, definition.functions, work=Work(), names=definition.names, trace=trace)
        self.notices: list[str] = []
        self._event = self._said("event", definition.event)
        self.event = self._event[:MAX_EVENT_LENGTH]
        self._context.variables["event"] = self.event
        self._key = self._said("deliveryId", definition.delivery_id) or key or ""
        # Of an id whose credentials are out, nobody knows whether it is the same.
        self.delivery_key = _fitting_key(self._key) if HIDDEN not in self._key else None

    @property
    def kept_event(self) -> str | None:
        """The event as it is kept: what is masked is not in it."""
        return self.masking.text(self._event)[:MAX_EVENT_LENGTH] or None

    @property
    def kept_key(self) -> str | None:
        """The same of the sender's id. It tells no delivery from another."""
        return _fitting_key(self.masking.text(self._key))

    def items(self) -> list[Any]:
        """One for each plan. Raises Unfit when `each` gives no list."""
        each = self._definition.each
        if each is None:
            return [None]
        try:
            items = each.value(self._context)
        except Failed as error:
            raise Unfit(f"each: {error}") from error
        if not isinstance(items, list):
            raise Unfit("each: gives no list")
        return items

    def plan(self, index: int, item: Any) -> Plan:
        """What an item becomes; raises nothing."""
        if index >= MAX_ITEMS:
            message = f"items past the first {MAX_ITEMS:,} of a delivery are not handled"
            return Plan(index=index, action="failed", message=message)
        if self._definition.each is not None:
            self._context.next_item(index, item)
        fitting = Fitting(self.masking.text)
        rule: Rule | None = None
        try:
            self._check_required()
            delivery = Delivery("", self._definition.source, self._context, fitting=fitting, terms=self._terms)
            rule = delivery.first_rule(self._definition.rules)
            plan = self._planned(index, rule, fitting)
        except (Unfit, Failed) as error:
            plan = self._failed(index, rule, fitting, str(error))
        except (Invalid, Forbidden) as error:
            plan = self._failed(index, rule, fitting, error.message)
        except Exception:
            log.exception("item %d of a delivery to %s", index, self._definition.name)
            plan = self._failed(index, rule, fitting, _OWN_MISTAKE)
        return plan

    def _check_required(self) -> None:
        """Raises Unfit."""
        for path in self._definition.required:
            variable, _, names = path.partition(".")
            if get(self._context.variables[variable], names) in (None, ""):
                raise Unfit(f"required: there is no {path}")

    def _planned(self, index: int, rule: Rule | None, fitting: Fitting) -> Plan:
        name = rule.name if rule else None
        if rule is None or isinstance(rule.action, Ignore):
            action, message = "unmatched", None
            if rule is not None and isinstance(rule.action, Ignore):
                delivery = Delivery("", self._definition.source, self._context, fitting=fitting, terms=self._terms)
                action, message = "ignored", delivery.text("ignore", rule.action.info)
            try:
                namespace = self._namespace()
            except (Unfit, Failed, Forbidden):
                namespace = None
            return self._done(index, name, fitting, namespace, action=action, message=message)
        namespace = self._namespace()
        delivery = Delivery(namespace, self._definition.source, self._context, fitting=fitting, terms=self._terms)
        command: _OfRules
        if isinstance(rule.action, Report):
            command = delivery.create_issue(rule.action)
        elif isinstance(rule.action, Acknowledge):
            command = delivery.acknowledge_scope(rule.action)
        else:
            command = delivery.resolve_scope(rule.action)
        return self._done(index, name, fitting, namespace, command=self._keyed(index, command))

    def _keyed(self, index: int, command: _OfRules) -> _OfRules:
        """With a key, where nothing else in it tells that it comes again: no run, and no time of a success."""
        told = command.run_id if isinstance(command, CreateIssue) else command.at
        if self.delivery_key is None or told not in (None, self._default_at):
            return command
        definition = self._definition
        key = orjson.dumps([definition.name, definition.digest, self.delivery_key, index])
        return replace(command, idempotency_key=f"delivery {blake2b(key, digest_size=16).hexdigest()}")

    def _failed(self, index: int, rule: Rule | None, fitting: Fitting, message: str) -> Plan:
        try:
            namespace = self._namespace()
        except (Unfit, Failed, Forbidden):
            namespace = None
        return self._done(index, rule.name if rule else None, fitting, namespace, action="failed", message=message)

    def _done(
        self,
        index: int,
        rule: str | None,
        fitting: Fitting,
        namespace: str | None,
        *,
        command: Command | None = None,
        action: str | None = None,
        message: str | None = None,
    ) -> Plan:
        if self._context.cut:
            self._context.cut = False
            fitting.notice("an expression gave more than 65,536 characters, which were cut")
        return Plan(
            index=index,
            rule=rule,
            command=command,
            action=action,
            message=message and self.masking.text(message),
            notices=tuple(fitting.notices[:MAX_NOTICES]),
            namespace=namespace,
            untold=self._default_at,
        )

    def _namespace(self) -> str:
        """Raises Unfit and Forbidden."""
        template = self._definition.namespace
        given = ""
        if template is not None:
            try:
                given = text_of(template.value(self._context))
            except Failed as error:
                raise Unfit(f"namespace: {error}") from error
        asked = self._places.asked
        if given and asked and given != asked:
            raise Unfit(f"namespace: the delivery says {given[:MAX_NAMESPACE_LENGTH]}, the query {asked}")
        namespace = given or asked or self._places.only
        if not namespace:
            raise Unfit("namespace: there is none; add ?namespace= to the address")
        return self._places.check(namespace)

    def _said(self, name: str, template: Template | None) -> str:
        if template is None:
            return ""
        try:
            return text_of(template.value(self._context)).replace("\0", "\ufffd")
        except Failed as error:
            self.notices.append(f"{name} was left out: {error}")
            return ""


def _fitting_key(key: str) -> str | None:
    return Fitting().key("deliveryId", key, MAX_DELIVERY_KEY) or None
