"""Rules read from YAML, the same in every form of a definition."""

from collections.abc import Callable, Mapping
from typing import Any

from resolvers.mutation import limits
from resolvers.mutation.checks import OWN_PARTS
from webhooks.definition.constants import (
    DEPENDS,
    constant_branches,
    constant_of,
    no_address,
    no_condition,
    no_object,
    no_text,
    no_time,
)
from webhooks.definition.parts import Acknowledge, Action, Ignore, Label, Link, Part, Report, Resolve, Rule, Scope
from webhooks.definition.words import ISSUE_TYPE_WORDS, SETTINGS, SEVERITY_WORDS, meaning_of
from webhooks.expressions import Expression, Failed, Template, literal
from webhooks.fields import Fields
from webhooks.functions import text_of
from webhooks.yaml_reader import Reader

MAX_RULE_NAME = 200
# What is wrong with a value that is the same for every delivery; None: nothing.
Problem = Callable[[Any], str | None]


def read_rule(reader: Reader, scan: "Scan") -> Rule:
    """A rule of a definition with paths. Raises DefinitionError."""
    members = reader.members(optional=("when", "report", "resolve", "ignore", "answer"))
    word = _action(reader, members, ("report", "resolve", "ignore"))
    answer = members["answer"].members(optional=("status", "about")) if "answer" in members else {}
    if "about" in answer and word != "resolve":
        raise answer["about"].error("belongs to resolve")
    return Rule(
        when=scan.expression(members.get("when")),
        action=_ACTIONS[word](members[word], scan),
        status=int(answer["status"].word("200", "201", "202")) if "status" in answer else 200,
        about=scan.template(answer.get("about")),
    )


def read_named_rule(reader: Reader, scan: "Scan", number: int) -> Rule:
    """A rule of a definition of one webhook. Raises DefinitionError."""
    members = reader.members(optional=("name", "when", *_ACTIONS))
    word = _action(reader, members, tuple(_ACTIONS))
    return Rule(
        when=scan.expression(members.get("when")),
        action=_ACTIONS[word](members[word], scan),
        name=members["name"].text()[:MAX_RULE_NAME] if "name" in members else f"rule {number}",
    )


def _action(reader: Reader, members: Mapping[str, Reader], words: tuple[str, ...]) -> str:
    found = [word for word in words if word in members]
    if len(found) != 1:
        raise reader.error(f"must have one of {', '.join(words[:-1])} and {words[-1]}")
    return found[0]


class Scan:
    """Reads templates, and checks the names in them against the variables and the fields of the webhook.

    With `severities`, severities are words of its own, and all words in any case; None: ours. `any_severity`: other
    words have a meaning too. `strict`: a constant that can never hold is refused.
    """

    def __init__(
        self,
        variables: frozenset[str],
        fields: Fields | None = None,
        severities: Mapping[str, str] | None = None,
        *,
        any_severity: bool = False,
        strict: bool = True,
    ) -> None:
        self._variables = variables
        self._fields = fields
        self._severities = severities
        self._any_severity = any_severity
        self._strict = strict

    def expression(self, reader: Reader | None) -> Expression | None:
        """A condition. Raises DefinitionError, as all of these do."""
        if reader is None:
            return None
        expression = self._checked(reader, reader.expression(self._variables))
        self._check_constant(reader, expression, no_condition)
        return expression

    def template(self, reader: Reader | None, problem: Problem | None = None) -> Template | None:
        """A text with `${...}`, if it is there."""
        return self.required(reader, problem) if reader else None

    def required(self, reader: Reader, problem: Problem | None = None) -> Template:
        """A text with `${...}`; what it gives whatever the delivery, always or in a case, must have no `problem`."""
        template = self._template(reader, problem)
        if problem and self._strict:
            for branch in constant_branches(template, self._variables):
                self._check_constant(reader, branch, problem)
        return template

    def severity(self, reader: Reader) -> Template:
        """One that gives a severity."""
        words = SEVERITY_WORDS if self._severities is None else self._severities
        return self._template(reader, self._no_word(words)) if self._any_severity else self.word(reader, words)

    def word(self, reader: Reader, words: Mapping[str, str]) -> Template:
        """One that gives one of these words."""
        return self.required(reader, self._no_word(words))

    def _template(self, reader: Reader, problem: Problem | None) -> Template:
        template = reader.template(self._variables)
        for expression in template.expressions:
            self._checked(reader, expression)
        self._check_constant(reader, template, problem)
        return template

    def _no_word(self, words: Mapping[str, str]) -> Problem:
        def problem(value: Any) -> str | None:
            known = meaning_of(text_of(value), words, in_any_case=self._severities is not None)
            return None if known else f"must be one of {', '.join(words)}"

        return problem

    def _checked(self, reader: Reader, expression: Expression) -> Expression:
        if self._strict and (pattern := expression.compiled.bad_pattern):
            wrong = f"{expression.source!r} has {pattern}, which is no regular expression"
            raise reader.error(wrong, expression.source)
        for name in sorted(expression.compiled.settings - SETTINGS):
            known = " and ".join(f"settings.{each}" for each in sorted(SETTINGS))
            wrong = f"there is no settings.{name}" if name else "settings is not a value"
            raise reader.error(f"{expression.source!r} {wrong} ({known})")
        for name in sorted(expression.compiled.body_fields):
            if self._fields is not None and name not in self._fields:
                known = ", ".join(field.name for field in self._fields)
                raise reader.error(f"{expression.source!r} there is no field body.{name} ({known})")
        return expression

    def _check_constant(self, reader: Reader, source: Template | Expression, problem: Problem | None) -> None:
        if not self._strict:
            return
        try:
            value = constant_of(source)
        except Failed as error:
            raise reader.error(f"{source.source!r} never gives a value: {error}", source.source) from error
        if problem and value is not DEPENDS and (wrong := problem(value)):
            is_text = isinstance(source, Template) and not source.expressions
            raise reader.error(f"{source.source!r} {wrong}", None if is_text else source.source)


def _report(reader: Reader, scan: Scan) -> Report:
    members = reader.members(
        required=("title", "description", "severity", "issueType", "scope"),
        optional=("links", "labels", "runId", "detectedAt", "fingerprint"),
    )
    return Report(
        title=scan.required(members["title"], no_text),
        description=scan.required(members["description"]),
        severity=scan.severity(members["severity"]),
        issue_type=scan.word(members["issueType"], ISSUE_TYPE_WORDS),
        scope=_scope(members["scope"], scan),
        links=tuple(_link(item, scan) for item in members["links"].items()) if "links" in members else (),
        labels=_labels(members["labels"], scan) if "labels" in members else None,
        run_id=scan.template(members.get("runId")),
        detected_at=scan.template(members.get("detectedAt"), no_time),
        fingerprint=_parts(members["fingerprint"], scan) if "fingerprint" in members else (),
    )


def _resolve(reader: Reader, scan: Scan) -> Resolve:
    members = reader.members(required=("scope",), optional=("issueType", "fingerprint", "at", "reason"))
    return Resolve(
        scope=_scope(members["scope"], scan),
        issue_type=scan.word(members["issueType"], ISSUE_TYPE_WORDS) if "issueType" in members else None,
        fingerprint=_parts(members["fingerprint"], scan) if "fingerprint" in members else None,
        at=scan.template(members.get("at"), no_time),
        reason=scan.template(members.get("reason")),
    )


def _acknowledge(reader: Reader, scan: Scan) -> Acknowledge:
    members = reader.members(required=("scope",), optional=("issueType", "fingerprint", "at"))
    return Acknowledge(
        scope=_scope(members["scope"], scan),
        issue_type=scan.word(members["issueType"], ISSUE_TYPE_WORDS) if "issueType" in members else None,
        fingerprint=_parts(members["fingerprint"], scan) if "fingerprint" in members else None,
        at=scan.template(members.get("at"), no_time),
    )


def _ignore(reader: Reader, scan: Scan) -> Ignore:
    return Ignore(scan.required(reader))


_ACTIONS: dict[str, Callable[[Reader, Scan], Action]] = {
    "report": _report,
    "resolve": _resolve,
    "acknowledge": _acknowledge,
    "ignore": _ignore,
}


def _scope(reader: Reader, scan: Scan) -> Scope:
    members = reader.members(required=("resourceType", "resourceName"), optional=("resourceNamespace",))
    return Scope(
        resource_type=scan.required(members["resourceType"], no_text),
        resource_name=scan.required(members["resourceName"], no_text),
        resource_namespace=scan.template(members.get("resourceNamespace")),
    )


def _link(reader: Reader, scan: Scan) -> Link:
    members = reader.members(required=("title", "url"))
    return Link(title=scan.required(members["title"]), url=scan.required(members["url"], no_address))


def _labels(reader: Reader, scan: Scan) -> tuple[Label, ...] | Template:
    """A list of name and value, a mapping of them, or an expression that gives one."""
    if reader.is_text:
        return scan.required(reader, no_object)
    if reader.is_mapping:
        return tuple(
            Label(name=literal(name), value=scan.required(value)) for name, value in reader.any_members().items()
        )
    return tuple(_label(item, scan) for item in reader.items())


def _label(reader: Reader, scan: Scan) -> Label:
    members = reader.members(required=("name", "value"))
    return Label(name=scan.required(members["name"]), value=scan.required(members["value"]))


def _parts(reader: Reader, scan: Scan) -> tuple[Part, ...]:
    members = reader.any_members()
    if len(members) > limits.MAX_FINGERPRINT_PARTS:
        raise reader.error(f"may have {limits.MAX_FINGERPRINT_PARTS} parts at most")
    for name, member in members.items():
        if name in OWN_PARTS:
            raise member.error("is a part of every fingerprint already")
        if not 0 < len(name) <= limits.MAX_PART_NAME_LENGTH:
            raise member.error(f"the name must have 1 to {limits.MAX_PART_NAME_LENGTH} characters")
    return tuple(Part(name, scan.required(member)) for name, member in members.items())
