"""A GraphQL request as it comes over HTTP: what is asked, and in which media type the answer is wanted."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import orjson

from web.asgi import Scope, header

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"
EVENT_STREAM = "text/event-stream"
# A range of Accept with this parameter is a type of its own: what else comes as multipart/mixed, we do not send.
MULTIPART = "multipart/mixed; subscriptionSpec=1.0"
HTML = "text/html"
# In the URL of a GET.
_ASKS = re.compile(rb"(?:^|&)(?:query|documentId|extensions)=")
# Browsers send some 150 bytes of Accept. Longer ones are read each time, and no further than so many types.
_KEPT_BYTES = 500
_MAX_RANGES = 50
_COMMON_TYPES = (JSON, "application/json; charset=utf-8", "application/json;charset=utf-8")


class BadRequest(Exception):
    """A request that is none; answered with `status` and the message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class GraphQLRequest(NamedTuple):
    """What a client asks for, its types checked: by the document, by its id, or by both."""

    query: str | None
    operation_name: str | None = None
    variables: Mapping[str, Any] | None = None
    document_id: str | None = None


@dataclass(frozen=True)
class Accept:
    """Which media types a client takes, and how gladly (0 to 1)."""

    ranges: Mapping[str, float]

    @classmethod
    def of(cls, scope: Scope) -> "Accept":
        """From all Accept headers; without one everything is taken."""
        value = b",".join([value for name, value in scope["headers"] if name == b"accept"])
        return _kept(value) if len(value) <= _KEPT_BYTES else _accept(value)

    def names(self, kind: str) -> bool:
        """Whether the type itself is asked for, not only by a `*`."""
        return self.ranges.get(kind, 0.0) > 0

    def quality(self, kind: str) -> float:
        """How gladly the type is taken; 0 is not at all."""
        for each in (kind, f"{kind.partition('/')[0]}/*", "*/*"):
            if each in self.ranges:
                return self.ranges[each]
        return 0.0

    @cached_property
    def json(self) -> str | None:
        """The media type for an answer, or None when the client takes neither."""
        graphql, plain = self.quality(GRAPHQL_JSON), self.quality(JSON)
        if not graphql and not plain:
            return None
        # Clients that know only application/json expect status 200 whatever happened, so a `*` does not choose.
        return GRAPHQL_JSON if (self.names(GRAPHQL_JSON) and graphql >= plain) or not plain else JSON

    @cached_property
    def stream(self) -> str | None:
        """The media type for results one after the other, or None when the client asks for none."""
        named = [kind for kind in (EVENT_STREAM, MULTIPART) if self.names(kind)]
        return max(named, key=self.quality, default=None)

    def wants_page(self) -> bool:
        """Whether this is a browser that somebody sits at."""
        return self.names(HTML) and not self.names(JSON) and not self.names(GRAPHQL_JSON)


def _accept(value: bytes) -> Accept:
    ranges = value.decode("latin-1").split(",", _MAX_RANGES)[:_MAX_RANGES]
    return Accept(dict(map(_range, ranges)) if value.strip(b", ") else {"*/*": 1.0})


_kept = lru_cache(maxsize=256)(_accept)


def is_for_page(scope: Scope, accept: Accept) -> bool:
    """Whether a GET is answered with the page for people: it asks nothing, and is a browser's."""
    return accept.wants_page() and _ASKS.search(scope["query_string"]) is None


def of_url(scope: Scope) -> GraphQLRequest:
    """The request in a URL's query. Raises BadRequest."""
    values: dict[str, Any] = {}
    try:
        for name, value in parse_qsl(scope["query_string"].decode(), keep_blank_values=True, errors="strict"):
            values.setdefault(name, value)
        for name in ("variables", "extensions"):
            if values.get(name):
                values[name] = orjson.loads(values[name])
            else:
                values.pop(name, None)
    except ValueError as error:
        raise BadRequest(400, "The URL's query must be UTF-8, its `variables` and `extensions` JSON") from error
    return checked(values)


def of_body(scope: Scope, body: bytes) -> GraphQLRequest:
    """The request in a body. Raises BadRequest."""
    _check_content_type(header(scope, b"content-type"))
    try:
        values = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest(400, f"The body is not JSON: {error}") from None
    if isinstance(values, list):
        raise BadRequest(400, "Batches are not taken: send one operation a request, as one JSON object")
    if not isinstance(values, dict):
        raise BadRequest(400, "The body must be one JSON object with `query`")
    return checked(values)


def checked(values: Mapping[str, Any]) -> GraphQLRequest:
    """The request that an object is. Raises BadRequest."""
    query, name, id = values.get("query"), values.get("operationName"), values.get("documentId")
    if not (query is None or isinstance(query, str)):
        raise BadRequest(400, "`query` must be a string")
    if not (id is None or isinstance(id, str)):
        raise BadRequest(400, "`documentId` must be a string")
    if not (name is None or isinstance(name, str)):
        raise BadRequest(400, "`operationName` must be a string")
    for member in ("variables", "extensions"):
        given = values.get(member)
        if not (given is None or isinstance(given, dict)):
            raise BadRequest(400, f"`{member}` must be an object")
    id = id or _persisted(values.get("extensions") or {})
    if not (query or id):
        raise BadRequest(400, "`query` is required, or `documentId`")
    return GraphQLRequest(query or None, name or None, values.get("variables"), id or None)


def _persisted(extensions: Mapping[str, Any]) -> str | None:
    """The id of the document that Apollo's `persistedQuery` names. Raises BadRequest."""
    asked = extensions.get("persistedQuery")
    if asked is None:
        return None
    digest = asked.get("sha256Hash") if isinstance(asked, dict) and asked.get("version") == 1 else None
    if not isinstance(digest, str):
        raise BadRequest(400, "`extensions.persistedQuery` must be like {version: 1, sha256Hash: ...}")
    return f"sha256:{digest.lower()}"


def _check_content_type(value: str | None) -> None:
    if value in _COMMON_TYPES:
        return
    kind, *parameters = (value or "").lower().split(";")
    charsets = [text.partition("=")[2].strip(' "') for text in parameters if text.strip().startswith("charset")]
    if kind.strip() != JSON or any(charset not in ("utf-8", "utf8") for charset in charsets):
        raise BadRequest(415, "The Content-Type must be application/json, in UTF-8")


def _range(text: str) -> tuple[str, float]:
    kind, *parameters = text.lower().split(";")
    quality = 1.0
    kind = kind.strip()
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if kind == "multipart/mixed" and name.strip() == "subscriptionspec" and value.strip(' "') == "1.0":
            kind = MULTIPART
        elif name.strip() == "q":
            try:
                quality = float(value)
            except ValueError:
                quality = 0.0
    return kind, quality
