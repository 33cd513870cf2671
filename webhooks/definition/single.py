"""Definitions of one webhook: who sends, what in a delivery is an item, and which command each item becomes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from hashlib import blake2b
from pathlib import Path

from models.words import SEVERITIES
from resolvers.mutation import limits
from webhooks.definition.constants import no_list
from webhooks.definition.parts import Rule, expressions_in
from webhooks.definition.rules import Scan, read_named_rule
from webhooks.definition.samples import Sample, read_sample
from webhooks.definition.words import SEVERITY_WORDS
from webhooks.expressions import ALL_VARIABLES, Expression, Template
from webhooks.head import keeps_bodies
from webhooks.paths import Names, merged
from webhooks.verification import Way, parse
from webhooks.yaml_reader import DefinitionError, Reader, read_text

MAX_BYTES = 65_536
MAX_RULES = 200
MAX_TITLE = 200
MAX_PATHS = 100  # of `required`, and of `mask`
_DURATION = re.compile(r"(\d{1,8})([smhd])", re.ASCII)
_UNITS = {"s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_MASKED = re.compile(r"(body|headers|query)(\.[^.]+)+")
_REQUIRED = re.compile(r"(body|item|headers|query)(\.[^.]+)+")
_WEB_ADDRESS = re.compile(r"https?://[!-~]+")
# Whatever is no part of `each`: there are no items yet.
_BEFORE_ITEMS = ALL_VARIABLES - {"item", "index"}
_BEFORE_EVENT = _BEFORE_ITEMS - {"event"}


@dataclass(frozen=True, kw_only=True)
class SingleDefinition:
    """One webhook; `source` is that of its issues, `text` what all of this was read from.

    `severities` are words in lower case beside ours, `severity_default` is for all others (None: they fail).
    `required` are paths of what each item must have, `mask` of what is not shown, `reopen_within` as in CreateIssue.
    """

    name: str
    title: str
    docs: str | None
    source: str
    text: str
    verify: tuple[Way, ...] = ()
    delivery_id: Template | None = None
    event: Template | None = None
    namespace: Template | None = None
    each: Template | None = None
    required: tuple[str, ...] = ()
    mask: tuple[str, ...] = ()
    keep_bodies: bool = True
    reopen_within: timedelta | None = None
    severities: Mapping[str, str]
    severity_default: str | None = None
    rules: tuple[Rule, ...]
    samples: tuple[Sample, ...] = ()

    @cached_property
    def expressions(self) -> tuple[Expression, ...]:
        """All that it has."""
        found = (self.delivery_id, self.event, self.namespace, self.each, *self.rules)
        return tuple(expressions_in(found))

    @cached_property
    def functions(self) -> frozenset[str]:
        """Those of ours that it calls."""
        return frozenset(name for expression in self.expressions for name in expression.compiled.functions)

    @cached_property
    def names(self) -> Names:
        """What of a delivery it names."""
        return merged(path for expression in self.expressions for path in expression.compiled.paths)

    @cached_property
    def digest(self) -> str:
        """Tells it from what it was before it was changed."""
        return blake2b(self.text.encode(errors="replace"), digest_size=16).hexdigest()

    @cached_property
    def secret_headers(self) -> frozenset[str]:
        """Those that prove who sends; nobody else may see them."""
        return frozenset(name for way in self.verify for name in way.headers)

    @cached_property
    def secret_parameters(self) -> frozenset[str]:
        """The same, of the query."""
        return frozenset(name for way in self.verify for name in way.parameters)


def parse_single(name: str, text: str, file: Path | None = None, *, strict: bool = False) -> SingleDefinition:
    """The definition of a webhook. Raises DefinitionError; its lines are those of `file`, or of `name`.

    `strict`: also for a constant that can never hold for its field. One that is used already keeps doing the rest.
    """
    file = file or Path(name)
    if len(text.encode(errors="replace")) > MAX_BYTES:
        raise DefinitionError(file, 1, f"is longer than {MAX_BYTES:,} bytes")
    return read_single(read_text(text, file), name, text, strict=strict)


def read_single(reader: Reader, name: str, text: str, *, strict: bool = False) -> SingleDefinition:
    """The same, of what was read already."""
    members = reader.members(
        required=("title", "rules"),
        optional=(
            *("docs", "source", "verify", "deliveryId", "event", "namespace", "each", "mask", "required", "keepBodies"),
            *("reopenWithin", "severities", "severityDefault", "samples"),
        ),
    )
    severities = SEVERITY_WORDS | (_severities(members["severities"]) if "severities" in members else {})
    default = members["severityDefault"].word(*SEVERITIES) if "severityDefault" in members else None
    variables = ALL_VARIABLES if "each" in members else _BEFORE_ITEMS
    scan = Scan(variables, severities=severities, any_severity=default is not None, strict=strict)
    before_event = Scan(_BEFORE_EVENT, strict=strict)
    rules = tuple(read_named_rule(item, scan, number) for number, item in enumerate(members["rules"].items(), 1))
    if not 0 < len(rules) <= MAX_RULES:
        raise members["rules"].error(f"must have 1 to {MAX_RULES} rules")
    return SingleDefinition(
        name=name,
        title=members["title"].text()[:MAX_TITLE],
        docs=_address(members["docs"]) if "docs" in members else None,
        source=_source(members["source"]) if "source" in members else name,
        text=text,
        verify=parse(members["verify"]) if "verify" in members else (),
        delivery_id=before_event.template(members.get("deliveryId")),
        event=before_event.template(members.get("event")),
        namespace=scan.template(members.get("namespace")),
        each=_list(members["each"], Scan(_BEFORE_ITEMS, strict=strict)) if "each" in members else None,
        required=_paths(members, "required", _REQUIRED, "body.run.id, item.name, headers.x-event or query.key"),
        mask=_paths(members, "mask", _MASKED, "body.token, headers.x-my-key or query.key"),
        keep_bodies=keeps_bodies(members),
        reopen_within=_duration(members["reopenWithin"]) if "reopenWithin" in members else None,
        severities=severities,
        severity_default=default,
        rules=rules,
        samples=tuple(read_sample(item) for item in members["samples"].items()) if "samples" in members else (),
    )


def _severities(reader: Reader) -> dict[str, str]:
    words = {word: ours.word(*SEVERITY_WORDS) for word, ours in reader.any_members().items()}
    return {word.casefold(): SEVERITY_WORDS[ours] for word, ours in words.items()}


def _address(reader: Reader) -> str:
    address = reader.text()
    if not _WEB_ADDRESS.fullmatch(address):
        raise reader.error(f"{address!r} must be a http or https address")
    return address


def _source(reader: Reader) -> str:
    source = reader.text()
    if len(source) > limits.MAX_SOURCE_LENGTH:
        raise reader.error(f"may have {limits.MAX_SOURCE_LENGTH} characters at most")
    return source


def _list(reader: Reader, scan: Scan) -> Template:
    template = scan.required(reader, no_list)
    if len(template.parts) != 1:
        raise reader.error("must be one ${...} that gives a list")
    return template


def _paths(members: Mapping[str, Reader], key: str, pattern: re.Pattern[str], like: str) -> tuple[str, ...]:
    """Those that lead into a delivery; names of headers in lower case."""
    paths: list[str] = []
    for item in members[key].items() if key in members else ():
        path = item.text()
        if not pattern.fullmatch(path):
            raise item.error(f"{path!r} must be like {like}")
        if path.startswith("item.") and "each" not in members:
            raise item.error("there are no items without each")
        paths.append(path.lower() if path.startswith("headers.") else path)
    if len(paths) > MAX_PATHS:
        raise members[key].error(f"may have {MAX_PATHS} paths at most")
    return tuple(paths)


def _duration(reader: Reader) -> timedelta:
    text = reader.text()
    found = _DURATION.fullmatch(text)
    time = int(found[1]) * _UNITS[found[2]] if found else None
    if time is None or time > limits.MAX_REOPEN_WITHIN:
        raise reader.error(f"{text!r} must be a time like 90s, 15m, 12h or 7d, of 366 days at most")
    return time
