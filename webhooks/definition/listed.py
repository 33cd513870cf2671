"""Definitions with a list of paths, as Kite's are: what is posted to which, and what becomes of it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from models.values import fold
from webhooks.definition.parts import Rule, expressions_in
from webhooks.definition.rules import Scan, read_rule
from webhooks.definition.samples import Sample, read_sample
from webhooks.definition.words import TAKEN_PATHS
from webhooks.expressions import VARIABLES, Expression, Template
from webhooks.fields import TYPES, Field, Fields
from webhooks.yaml_reader import Reader

_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)+")
_FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


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
    samples: tuple[Sample, ...] = ()

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """All that it has."""
        return tuple(expressions_in((*self.rules, self.idempotency_key)))


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


def read_listed(reader: Reader, file: Path, owners: dict[str, Path]) -> Definition:
    """The definition of a file; `owners` are the files of paths that are taken. Raises DefinitionError."""
    webhooks: list[Webhook] = []
    for item in reader.members(required=("webhooks",))["webhooks"].items():
        webhook = _webhook(item, file.stem)
        owner = file if webhook.path in [other.path for other in webhooks] else owners.get(webhook.path)
        if owner:
            raise item.error(f"{webhook.path} belongs to {owner.name} already")
        webhooks.append(webhook)
    return Definition(name=file.stem, file=file, webhooks=tuple(webhooks))


def _webhook(reader: Reader, source: str) -> Webhook:
    members = reader.members(required=("path", "rules"), optional=("fields", "request", "idempotencyKey", "samples"))
    path = members["path"].text()
    if not _PATH.fullmatch(path):
        raise members["path"].error(f"{path!r} must be /words/like/these, without a slash at the end")
    if any(path == taken or path.startswith(f"{taken}/") for taken in TAKEN_PATHS):
        raise members["path"].error(f"{path} is the server's own")
    words = re.split(r"[^A-Za-z0-9]+", path.rsplit("/", 1)[1])
    struct = members["request"].text() if "request" in members else "".join(map(str.capitalize, words)) + "Request"
    fields = Fields(_fields(members["fields"]), struct) if "fields" in members else None
    scan = Scan(VARIABLES, fields)
    rules = tuple(read_rule(item, scan) for item in members["rules"].items())
    if not rules:
        raise members["rules"].error("must not be empty")
    key = scan.template(members.get("idempotencyKey"))
    samples = tuple(read_sample(item) for item in members["samples"].items()) if "samples" in members else ()
    return Webhook(path=path, source=source, fields=fields, rules=rules, idempotency_key=key, samples=samples)


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
