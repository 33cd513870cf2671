"""From a rule and a delivery to a command. What cannot be kept as it came is cut or dropped, with a notice."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from models.values import parse_time
from resolvers.mutation import CreateIssue, LabelValue, LinkValue, PartValue, ResolveScope, limits
from resolvers.mutation.acknowledge_scope import AcknowledgeScope
from resolvers.mutation.checks import is_far_ahead
from webhooks.definition import (
    ISSUE_TYPE_WORDS,
    SEVERITY_WORDS,
    Acknowledge,
    Link,
    Part,
    Report,
    Resolve,
    Rule,
    Scope,
)
from webhooks.definition.words import meaning_of
from webhooks.expressions import Context, Failed, Missing, Template, TooMuch
from webhooks.fence import MAX_TOLD
from webhooks.fitting import Fitting
from webhooks.functions import text_of


class Unfit(Exception):
    """A delivery that no command can be made of; the message is for the answer's `details`."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a definition says of all of its issues.

    `severities` are words in lower case, `severity_default` is for all others (None: they are refused), with the word
    itself kept as a label. `default_at` stands for times that a delivery does not tell.
    """

    severities: Mapping[str, str]
    severity_default: str | None = None
    reopen_within: timedelta | None = None
    default_at: str | None = None


def _called(rule: Rule, rules: tuple[Rule, ...]) -> str:
    """Its name in notices; one without a name is `rule 1` and so on."""
    place = f"rule {rules.index(rule) + 1}"
    return place if rule.name in ("", place) else f"rule {rule.name!r}"


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came, as expressions see it, and what was done about it so far.

    `key` is the header Idempotency-Key, `key_of` what the definition takes in its place. `terms` None: those of
    definitions with paths.
    """

    namespace: str
    source: str
    context: Context
    key: str | None = None
    key_of: Template | None = None
    fitting: Fitting = field(default_factory=Fitting)
    terms: Terms | None = None

    def first_rule(self, rules: tuple[Rule, ...]) -> Rule | None:
        """The first whose `when` holds; one that cannot be told does not. Raises TooMuch."""
        for rule in rules:
            try:
                if rule.when is None or rule.when.value(self.context) is True:
                    return rule
            except TooMuch:
                raise
            except Failed as error:
                if self.terms and isinstance(error, Missing):
                    continue
                self.fitting.notice(f"{_called(rule, rules)} was passed over: {error}")
        return None

    def create_issue(self, report: Report) -> CreateIssue:
        """Raises Unfit, and resolvers.errors.Invalid for a place that cannot be."""
        type, name, namespace = self._scope(report.scope)
        title = self.fitting.text("title", self._needed("title", report.title), limits.MAX_TITLE_LENGTH)
        description = self._needed("description", report.description)
        run_id = self._text("runId", report.run_id)
        severity, labels = self._severity(report)
        return CreateIssue(
            namespace=self.namespace,
            title=title,
            description=self.fitting.text("description", description, limits.MAX_DESCRIPTION_LENGTH) or title,
            severity=severity,
            issue_type=self._word("issueType", report.issue_type, ISSUE_TYPE_WORDS),
            resource_type=type,
            resource_name=name,
            resource_namespace=namespace,
            links=self._links(report.links) or None,
            labels=labels,
            detected_at=self._time("detectedAt", report.detected_at),
            source=self.source,
            run_id=None if not run_id else self.fitting.key("runId", run_id, limits.MAX_RUN_ID_LENGTH),
            fingerprint=self._parts(report.fingerprint),
            reopen_within=self.terms.reopen_within if self.terms else None,
            idempotency_key=self._idempotency_key(),
        )

    def resolve_scope(self, resolve: Resolve) -> ResolveScope:
        """Raises Unfit, and resolvers.errors.Invalid for a place that cannot be."""
        reason = self._text("reason", resolve.reason)
        type, name, namespace = self._scope(resolve.scope)
        word = resolve.issue_type
        return ResolveScope(
            namespace=self.namespace,
            resource_type=type,
            resource_name=name,
            resource_namespace=namespace,
            issue_type=None if word is None else self._word("issueType", word, ISSUE_TYPE_WORDS),
            fingerprint=None if resolve.fingerprint is None else self._parts(resolve.fingerprint, with_empty=True),
            at=self._time("at", resolve.at),
            reason=None if not reason else self.fitting.text("reason", reason, limits.MAX_REASON_LENGTH),
            idempotency_key=self._idempotency_key(),
        )

    def acknowledge_scope(self, acknowledge: Acknowledge) -> AcknowledgeScope:
        """Raises Unfit, and resolvers.errors.Invalid for a place that cannot be."""
        type, name, namespace = self._scope(acknowledge.scope)
        word, parts = acknowledge.issue_type, acknowledge.fingerprint
        return AcknowledgeScope(
            namespace=self.namespace,
            resource_type=type,
            resource_name=name,
            resource_namespace=namespace,
            issue_type=None if word is None else self._word("issueType", word, ISSUE_TYPE_WORDS),
            fingerprint=None if parts is None else self._parts(parts, with_empty=True),
            at=self._time("at", acknowledge.at),
        )

    def text(self, name: str, template: Template) -> str:
        """What a template gives, or "" with a notice."""
        return self._text(name, template) or ""

    def _idempotency_key(self) -> str | None:
        if self.key is not None or self.key_of is None:
            return self.key
        key = self._text("idempotencyKey", self.key_of)
        return self.fitting.key("idempotencyKey", key, limits.MAX_IDEMPOTENCY_KEY_LENGTH) if key else None

    def _needed(self, name: str, template: Template) -> str:
        try:
            return text_of(template.value(self.context))
        except TooMuch:
            raise
        except Failed as error:
            raise Unfit(f"{name}: {error}") from error

    def _optional(self, name: str, template: Template) -> Any:
        try:
            return template.value(self.context)
        except TooMuch:
            raise
        except Failed as error:
            self.fitting.notice(f"{name} was left out: {error}")
            return None

    def _text(self, name: str, template: Template | None) -> str | None:
        return text_of(self._optional(name, template)) if template else None

    def _severity(self, report: Report) -> tuple[str, tuple[LabelValue, ...] | None]:
        """The severity and the labels, which keep a word that no table has."""
        word, labels = self._needed("severity", report.severity), self._labels_of(report)
        words = SEVERITY_WORDS if self.terms is None else self.terms.severities
        known = meaning_of(word, words, in_any_case=self.terms is not None)
        if known is not None:
            return known, labels
        if self.terms is None or self.terms.severity_default is None:
            raise Unfit(
                "invalid severity value" if self.terms is None else f"severity: {word[:MAX_TOLD]!r} is not known"
            )
        if word.strip():
            label = LabelValue("severity", self.fitting.text("severity", word, limits.MAX_LABEL_VALUE_LENGTH))
            labels = tuple(dict.fromkeys((*(labels or ()), label)))[: limits.MAX_LABELS]
        return self.terms.severity_default, labels

    def _word(self, name: str, template: Template, words: Mapping[str, str]) -> str:
        given = self._needed(name, template)
        word = meaning_of(given, words, in_any_case=self.terms is not None)
        if word is None:
            raise Unfit(f"{name}: {given[:MAX_TOLD]!r} is not known" if self.terms else f"invalid {name} value")
        return word

    def _scope(self, scope: Scope) -> tuple[str, str, str | None]:
        type = self._needed("scope.resourceType", scope.resource_type)
        name = self._needed("scope.resourceName", scope.resource_name)
        namespace = scope.resource_namespace
        return (
            self.fitting.key("scope.resourceType", type, limits.MAX_RESOURCE_TYPE_LENGTH),
            self.fitting.key("scope.resourceName", name, limits.MAX_RESOURCE_NAME_LENGTH),
            None if namespace is None else self._namespace(namespace),
        )

    def _namespace(self, template: Template) -> str | None:
        name = "scope.resourceNamespace"
        return self.fitting.key(name, self._needed(name, template), limits.MAX_NAMESPACE_LENGTH) or None

    def _time(self, name: str, template: Template | None) -> str | None:
        default = self.terms.default_at if self.terms else None
        text = self._text(name, template)
        if not text:
            return default
        try:
            at = parse_time(text)
        except ValueError as error:
            self.fitting.notice(f"{name} was left out: {error}")
            return default
        if is_far_ahead(at):
            self.fitting.notice(f"{name} was left out: {at} is more than a day in the future")
            return default
        return at

    def _links(self, links: tuple[Link, ...]) -> tuple[LinkValue, ...]:
        pairs = [(self.text("a link's title", link.title), self.text("a link", link.url)) for link in links]
        return self.fitting.links(pairs)

    def _labels_of(self, report: Report) -> tuple[LabelValue, ...] | None:
        labels = report.labels
        if labels is None:
            return None
        if not isinstance(labels, Template):
            return self._labels(
                (self.text("a label's name", label.name), self._optional("a label", label.value)) for label in labels
            )
        value = self._optional("labels", labels)
        if isinstance(value, dict):
            return self._labels((text_of(name), each) for name, each in value.items())
        if value is not None:
            self.fitting.notice("labels were left out: they must be an object")
        return None

    def _labels(self, labels: Iterable[tuple[str, Any]]) -> tuple[LabelValue, ...]:
        values: dict[LabelValue, None] = {}  # each once, in order
        for name, value in labels:
            if not name:
                continue
            name = self.fitting.text("a label's name", name, limits.MAX_LABEL_NAME_LENGTH)
            for item in value if isinstance(value, list | tuple) else [value]:
                if item is not None and not (self.terms and item == "") and len(values) <= limits.MAX_LABELS:
                    values[LabelValue(name, self.fitting.text(name, text_of(item), limits.MAX_LABEL_VALUE_LENGTH))] = (
                        None
                    )
        return self.fitting.first("labels", list(values), limits.MAX_LABELS)

    def _parts(self, parts: tuple[Part, ...], *, with_empty: bool = False) -> tuple[PartValue, ...]:
        """A report leaves empty ones out; what resolves is told that they are not there: it would mean any."""
        values = ((part.name, self._needed(f"fingerprint.{part.name}", part.value)) for part in parts)
        return tuple(
            PartValue(name, self.fitting.key(f"fingerprint.{name}", value, limits.MAX_PART_VALUE_LENGTH))
            for name, value in values
            if value or with_empty
        )
