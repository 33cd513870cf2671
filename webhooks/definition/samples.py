"""Samples of definitions: a payload of the tool, and what must come of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import orjson

from webhooks.yaml_reader import Reader

OURS = "ours"
_FIELDS = {
    "report": (
        *("title", "description", "severity", "issueType", "namespace", "scope", "links", "labels", "runId"),
        *("detectedAt", "fingerprint", "reopenWithin"),
    ),
    "resolve": ("scope", "issueType", "namespace", "fingerprint", "at", "reason"),
    "acknowledge": ("scope", "issueType", "namespace", "fingerprint", "at"),
}
_WORDS = ("ignore", "fail", "nothing")


@dataclass(frozen=True, slots=True)
class Expected:
    """What must come of an item: `action` is report, resolve, acknowledge, ignore, fail or nothing.

    `fields` are those members of the command that are compared; of ignore and fail `text`, "" for any.
    """

    action: str
    fields: Mapping[str, Any]
    text: str = ""
    rule: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One delivery. `origin`: whose payload it is, in words."""

    name: str
    line: int
    headers: Mapping[str, str]
    query: Mapping[str, str]
    content_type: str
    body: bytes
    origin: str
    expect: tuple[Expected, ...]


def read_sample(reader: Reader) -> Sample:
    """Raises DefinitionError."""
    names = ("headers", "query", "body", "form", "text", "origin")
    members = reader.members(required=("name", "expect"), optional=names)
    given = [name for name in ("body", "form", "text") if name in members]
    if len(given) != 1:
        raise reader.error("must have one of body, form and text")
    headers = {name.lower(): value for name, value in _texts(members.get("headers")).items()}
    if given == ["form"]:
        content_type, body = "application/x-www-form-urlencoded", urlencode(_texts(members["form"])).encode()
    elif given == ["text"]:
        content_type, body = "text/plain", members["text"].text().encode()
    else:
        content_type, body = "application/json", orjson.dumps(members["body"].data())
    return Sample(
        name=members["name"].text(),
        line=reader.line,
        headers={"content-type": content_type} | headers,
        query=_texts(members.get("query")),
        content_type=headers.get("content-type", content_type),
        body=body,
        origin=members["origin"].text() if "origin" in members else OURS,
        expect=tuple(_expected(item) for item in members["expect"].items()),
    )


def _texts(reader: Reader | None) -> dict[str, str]:
    return {name: member.any_text() for name, member in reader.any_members().items()} if reader else {}


def _expected(reader: Reader) -> Expected:
    members = reader.members(optional=(*_FIELDS, *_WORDS, "rule"))
    actions = members.keys() - {"rule"}
    if len(actions) != 1:
        raise reader.error(f"must have one of {', '.join((*_FIELDS, *_WORDS))}")
    (action,) = actions
    rule = members["rule"].text() if "rule" in members else None
    if action in _WORDS:
        text = members[action].text()
        return Expected(action, {}, "" if text == "true" else text, rule)
    fields = members[action].members(optional=_FIELDS[action])
    return Expected(action, {name: member.data() for name, member in fields.items()}, rule=rule)
