"""Definitions: what a tool sends to which paths, and which command each delivery becomes. One YAML file a tool."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from models.values import fold
from models.words import ISSUE_TYPES, SEVERITIES
from resolvers.mutation import limits
from resolvers.mutation.checks import OWN_PARTS
from webhooks.expressions import Expression, Template
from webhooks.fields import TYPES, Field, Fields
from webhooks.yaml_reader import DefinitionError, Reader, read_file

__all__ = ["Definition", "DefinitionError", "Ignore", "Report", "Resolve", "Rule", "Webhook", "load"]

OUR_DEFINITIONS = Path(__file__).parent / "definitions"
# The words that reports may use beside our own; ours are what the database holds.
SEVERITY_WORDS = {word: word for word in SEVERITIES} | {"low": "info", "medium": "minor", "high": "major"}
ISSUE_TYPE_WORDS = {word: word for word in ISSUE_TYPES} | {"pipelinerun": "pipeline"}
# What the server answers itself, and all that lies below.
TAKEN_PATHS = ("/graphql", "/api/v1/issues", "/api/v1/health", "/api/v1/version", "/issues", "/metrics", "/static")
# The members of the variable `settings`.
SETTINGS = frozenset({"logsUrl"})

_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)+")
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What is affected; `resource_namespace` None: the issue's own namespace."""

    resource_type: Template
    resource_name: Template
    resource_namespace: Template | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link that is there when its address is not empty."""

    title: Template
    url: Template


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """One label, or one for each item when the value is a list."""

    name: Template
    value: Template


@dataclass(frozen=True, slots=True)
class Part:
    """An extra part of the fingerprint, left out when its value is empty."""

    name: str
    value: Template


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Becomes a CreateIssue; `labels` None: those of the issue stay."""

    title: Template
    description: Template
    severity: Template
    issue_type: Template
    scope: Scope
    links: tuple[Link, ...] = ()
    labels: tuple[Label, ...] | None = None
    run_id: Template | None = None
    detected_at: Template | None = None
    fingerprint: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolve:
    """Becomes a ResolveScope; `fingerprint` None: any, empty: only issues without extra parts."""

    scope: Scope
    issue_type: Template | None = None
    fingerprint: tuple[Part, ...] | None = None
    at: Template | None = None
    reason: Template | None = None


@dataclass(frozen=True, slots=True)
class Ignore:
    """Becomes nothing; the answer says why."""

    info: Template


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What to do with a delivery for which `when` holds (None: always).

    `status` is that of the answer; `about` is whose issues a resolve's message says were resolved.
    """

    when: Expression | None
    action: Report | Resolve | Ignore
    status: int = 200
    about: Template | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """One path; `fields` None: the body is handed to the rules as it came.

    `idempotency_key` is for deliveries without the header Idempotency-Key.
    """

    path: str
    source: str
    fields: Fields | None
    rules: tuple[Rule, ...]
    idempotency_key: Template | None = None

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """All that it has."""
        return tuple(_expressions((*self.rules, self.idempotency_key)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """One tool; its name is its file's and the `source` of what it reports."""

    name: str
    file: Path
    webhooks: tuple[Webhook, ...]

    @property
    def paths(self) -> tuple[str, ...]:
        """Those it owns, without a slash at the end."""
        return tuple(webhook.path for webhook in self.webhooks)


def load(directory: Path = OUR_DEFINITIONS) -> list[Definition]:
    """The definitions in a directory (`*.yaml`), by name. Raises DefinitionError for the first that is wrong."""
    definitions: list[Definition] = []
    owners: dict[str, Path] = {}
    for file in sorted(directory.glob("*.yaml")):
        definition = _definition(file, owners)
        owners |= dict.fromkeys(definition.paths, file)
        definitions.append(definition)
    return definitions


def _definition(file: Path, owners: dict[str, Path]) -> Definition:
    reader = read_file(file)
    if not _NAME.fullmatch(file.stem):
        raise reader.error(f"the file's name must be lower case words with hyphens, not {file.stem!r}")
    webhooks: list[Webhook] = []
    for item in reader.members(required=("webhooks",))["webhooks"].items():
        webhook = _webhook(item, file.stem)
        owner = file if webhook.path in [other.path for other in webhooks] else owners.get(webhook.path)
        if owner:
            raise item.error(f"{webhook.path} belongs to {owner.name} already")
        webhooks.append(webhook)
    return Definition(name=file.stem, file=file, webhooks=tuple(webhooks))


def _webhook(reader: Reader, source: str) -> Webhook:
    members = reader.members(required=("path", "rules"), optional=("fields", "request", "idempotencyKey"))
    path = members["path"].text()
    if not _PATH.fullmatch(path):
        raise members["path"].error(f"{path!r} must be /words/like/these, without a slash at the end")
    if any(path == taken or path.startswith(f"{taken}/") for taken in TAKEN_PATHS):
        raise members["path"].error(f"{path} is the server's own")
    words = re.split(r"[^A-Za-z0-9]+", path.rsplit("/", 1)[1])
    struct = members["request"].text() if "request" in members else "".join(map(str.capitalize, words)) + "Request"
    fields = Fields(_fields(members["fields"]), struct) if "fields" in members else None
    rules = tuple(_rule(item, fields) for item in members["rules"].items())
    if not rules:
        raise members["rules"].error("must not be empty")
    key = _Scan(fields).template(members.get("idempotencyKey"))
    return Webhook(path=path, source=source, fields=fields, rules=rules, idempotency_key=key)


def _fields(reader: Reader) -> Iterator[Field]:
    known: dict[str, str] = {}
    for name, member in reader.any_members().items():
        if not _FIELD_NAME.fullmatch(name):
            raise member.error(f"{name!r} must be letters, digits and _")
        other = known.setdefault(fold(name), name)
        if other != name:
            raise member.error(f"is {other} too: upper and lower case are the same")
        keys = member.members(required=("type",), optional=("required", "items"))
        type = keys["type"].word(*TYPES)
        if "items" in keys and type != "list":
            raise keys["items"].error("only lists have items")
        yield Field(
            name=name,
            type=type,
            required="required" in keys and keys["required"].word("true", "false") == "true",
            items=keys["items"].word(*TYPES) if "items" in keys else None,
        )


def _rule(reader: Reader, fields: Fields | None) -> Rule:
    members = reader.members(optional=("when", "report", "resolve", "ignore", "answer"))
    actions = members.keys() & {"report", "resolve", "ignore"}
    if len(actions) != 1:
        raise reader.error("must have one of report, resolve and ignore")
    (word,) = actions
    answer = members["answer"].members(optional=("status", "about")) if "answer" in members else {}
    if "about" in answer and word != "resolve":
        raise answer["about"].error("belongs to resolve")
    scan = _Scan(fields)
    return Rule(
        when=scan.expression(members.get("when")),
        action=_ACTIONS[word](members[word], scan),
        status=int(answer["status"].word("200", "201", "202")) if "status" in answer else 200,
        about=scan.template(answer.get("about")),
    )


class _Scan:
    """Reads templates and checks the names in them against the fields of the webhook."""

    def __init__(self, fields: Fields | None) -> None:
        self._fields = fields

    def expression(self, reader: Reader | None) -> Expression | None:
        return self._checked(reader, reader.expression()) if reader else None

    def template(self, reader: Reader | None) -> Template | None:
        return self.required(reader) if reader else None

    def required(self, reader: Reader) -> Template:
        template = reader.template()
        for expression in template.expressions:
            self._checked(reader, expression)
        return template

    def word(self, reader: Reader, words: Iterable[str]) -> Template:
        template = self.required(reader)
        if template.literal is not None and template.literal not in words:
            raise reader.error(f"{template.source!r} must be one of {', '.join(words)}")
        return template

    def _checked(self, reader: Reader, expression: Expression) -> Expression:
        for name in sorted(expression.settings - SETTINGS):
            known = " and ".join(f"settings.{each}" for each in sorted(SETTINGS))
            wrong = f"there is no settings.{name}" if name else "settings is not a value"
            raise reader.error(f"{expression.source!r} {wrong} ({known})")
        for name in sorted(expression.body_fields):
            if self._fields is not None and name not in self._fields:
                known = ", ".join(field.name for field in self._fields)
                raise reader.error(f"{expression.source!r} there is no field body.{name} ({known})")
        return expression


def _report(reader: Reader, scan: _Scan) -> Report:
    members = reader.members(
        required=("title", "description", "severity", "issueType", "scope"),
        optional=("links", "labels", "runId", "detectedAt", "fingerprint"),
    )
    return Report(
        title=scan.required(members["title"]),
        description=scan.required(members["description"]),
        severity=scan.word(members["severity"], SEVERITY_WORDS),
        issue_type=scan.word(members["issueType"], ISSUE_TYPE_WORDS),
        scope=_scope(members["scope"], scan),
        links=tuple(_link(item, scan) for item in members["links"].items()) if "links" in members else (),
        labels=tuple(_label(item, scan) for item in members["labels"].items()) if "labels" in members else None,
        run_id=scan.template(members.get("runId")),
        detected_at=scan.template(members.get("detectedAt")),
        fingerprint=_parts(members["fingerprint"], scan) if "fingerprint" in members else (),
    )


def _resolve(reader: Reader, scan: _Scan) -> Resolve:
    members = reader.members(required=("scope",), optional=("issueType", "fingerprint", "at", "reason"))
    return Resolve(
        scope=_scope(members["scope"], scan),
        issue_type=scan.word(members["issueType"], ISSUE_TYPE_WORDS) if "issueType" in members else None,
        fingerprint=_parts(members["fingerprint"], scan) if "fingerprint" in members else None,
        at=scan.template(members.get("at")),
        reason=scan.template(members.get("reason")),
    )


def _ignore(reader: Reader, scan: _Scan) -> Ignore:
    return Ignore(scan.required(reader))


_Action = Report | Resolve | Ignore
_ACTIONS: dict[str, Callable[[Reader, _Scan], _Action]] = {"report": _report, "resolve": _resolve, "ignore": _ignore}


def _scope(reader: Reader, scan: _Scan) -> Scope:
    members = reader.members(required=("resourceType", "resourceName"), optional=("resourceNamespace",))
    return Scope(
        resource_type=scan.required(members["resourceType"]),
        resource_name=scan.required(members["resourceName"]),
        resource_namespace=scan.template(members.get("resourceNamespace")),
    )


def _link(reader: Reader, scan: _Scan) -> Link:
    members = reader.members(required=("title", "url"))
    return Link(title=scan.required(members["title"]), url=scan.required(members["url"]))


def _label(reader: Reader, scan: _Scan) -> Label:
    members = reader.members(required=("name", "value"))
    return Label(name=scan.required(members["name"]), value=scan.required(members["value"]))


def _parts(reader: Reader, scan: _Scan) -> tuple[Part, ...]:
    members = reader.any_members()
    if len(members) > limits.MAX_FINGERPRINT_PARTS:
        raise reader.error(f"may have {limits.MAX_FINGERPRINT_PARTS} parts at most")
    for name, member in members.items():
        if name in OWN_PARTS:
            raise member.error("is a part of every fingerprint already")
        if not 0 < len(name) <= limits.MAX_PART_NAME_LENGTH:
            raise member.error(f"the name must have 1 to {limits.MAX_PART_NAME_LENGTH} characters")
    return tuple(Part(name, scan.required(member)) for name, member in members.items())


def _expressions(value: object) -> Iterator[Expression]:
    """All expressions within frozen dataclasses and tuples."""
    if isinstance(value, Expression):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from _expressions(item)
    elif hasattr(value, "__dataclass_fields__"):
        for name in value.__dataclass_fields__:
            yield from _expressions(getattr(value, name))
