"""The key `verify` of a definition."""

import re
from collections.abc import Callable

from webhooks.verification.buildkite import Buildkite
from webhooks.verification.request import Verification
from webhooks.verification.signature import ALGORITHMS, ENCODINGS, KEYS, Hmac
from webhooks.verification.sns import Sns
from webhooks.verification.standard_webhooks import StandardWebhooks
from webhooks.verification.token import Basic, HeaderToken, QueryToken
from webhooks.yaml_reader import Reader

Way = Verification | Sns

MAX_WAYS = 10
MAX_TOLERANCE_SECONDS = 86_400.0
HMAC_KEYS = ("prefix", "separator", "algorithm", "encoding", "key", "signed", "timestamp", "id", "tolerance")
UNITS = {"s": 1, "m": 60, "h": 3_600}
_DURATION = re.compile(r"(\d{1,6})([smh])", re.ASCII)
_HEADER = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]{1,100}", re.ASCII)
_PIECES = re.compile(r"(\{body\}|\{timestamp\}|\{id\})")


def parse(reader: Reader) -> tuple[Way, ...]:
    """The ways in which a sender shows who it is, in order. Raises DefinitionError."""
    ways = tuple(_way(item) for item in reader.items())
    if not 0 < len(ways) <= MAX_WAYS:
        raise reader.error(f"must have 1 to {MAX_WAYS} ways")
    # Its secrets are names of topics, which many know.
    if len(ways) > 1 and any(isinstance(way, Sns) for way in ways):
        raise reader.error("sns must be the only way")
    return ways


def _way(reader: Reader) -> Way:
    members = reader.any_members()
    if "type" not in members:
        raise reader.error("type is missing")
    return TYPES[members["type"].word(*TYPES)](reader)


def _hmac(reader: Reader) -> Way:
    members = reader.members(required=("type", "header"), optional=HMAC_KEYS)
    signed = members["signed"].text() if "signed" in members else "{body}"
    pieces = tuple(piece for piece in _PIECES.split(signed) if piece)
    for name in ("timestamp", "id"):
        if (name in members) != (f"{{{name}}}" in pieces):
            raise members.get(name, reader).error(f"{name} names a header, and {{{name}}} is in signed: both or none")
    if pieces.count("{body}") != 1:
        raise members["signed"].error("must have {body} once")
    if "tolerance" in members and "timestamp" not in members:
        raise members["tolerance"].error("is nothing without timestamp")
    return Hmac(
        header=_header(members["header"]),
        prefix=members["prefix"].text() if "prefix" in members else "",
        separator=members["separator"].text() if "separator" in members else None,
        algorithm=members["algorithm"].word(*ALGORITHMS) if "algorithm" in members else "sha256",
        encoding=members["encoding"].word(*ENCODINGS) if "encoding" in members else "hex",
        key=members["key"].word(*KEYS) if "key" in members else "raw",
        signed=pieces,
        timestamp=_header(members["timestamp"]) if "timestamp" in members else None,
        id=_header(members["id"]) if "id" in members else None,
        tolerance=_tolerance(members, 300.0),
    )


def _token(reader: Reader) -> Way:
    members = reader.members(required=("type",), optional=("header", "prefix", "query"))
    if ("header" in members) == ("query" in members):
        raise reader.error("must have one of header and query")
    if "query" in members:
        if "prefix" in members:
            raise members["prefix"].error("belongs to header")
        return QueryToken(members["query"].text())
    return HeaderToken(_header(members["header"]), members["prefix"].text() if "prefix" in members else "")


def _bearer(reader: Reader) -> Way:
    reader.members(required=("type",))
    return HeaderToken("authorization", "Bearer ")


def _basic(reader: Reader) -> Way:
    reader.members(required=("type",))
    return Basic()


def _buildkite(reader: Reader) -> Way:
    return Buildkite(_tolerance(reader.members(required=("type",), optional=("tolerance",)), 300.0))


def _standard_webhooks(reader: Reader) -> Way:
    return StandardWebhooks(_tolerance(reader.members(required=("type",), optional=("tolerance",)), 300.0))


def _sns(reader: Reader) -> Way:
    return Sns(_tolerance(reader.members(required=("type",), optional=("tolerance",)), 3_600.0))


TYPES: dict[str, Callable[[Reader], Way]] = {
    "hmac": _hmac,
    "token": _token,
    "bearer": _bearer,
    "basic": _basic,
    "buildkite": _buildkite,
    "standard-webhooks": _standard_webhooks,
    "sns": _sns,
}


def _header(reader: Reader) -> str:
    name = reader.text()
    if not _HEADER.fullmatch(name):
        raise reader.error(f"{name!r} must be the name of a header in lower case")
    return name


def _tolerance(members: dict[str, Reader], default: float) -> float:
    reader = members.get("tolerance")
    if reader is None:
        return default
    duration = _DURATION.fullmatch(reader.text())
    seconds = float(int(duration[1]) * UNITS[duration[2]]) if duration else 0.0
    if not 0 < seconds <= MAX_TOLERANCE_SECONDS:
        raise reader.error("must be a time like 300s, 5m or 1h, of a day at most")
    return seconds
