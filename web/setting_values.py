"""The values that settings take: each type says what is wrong with others, by a ValueError."""

import re
from collections.abc import Callable, Iterator
from ipaddress import ip_network
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from resolvers.access.secret import MIN_CHOSEN_LENGTH
from resolvers.mutation.checks import is_web_address
from resolvers.subscription.wakeups import broadcaster_url
from resolvers.webhooks.secrets import check_key
from web.buckets import check_url
from web.trusted_documents import read_manifest

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})

_MAX_PORT = 65_535
_HOST_NAME = re.compile(r"[\w.-]+|\[[0-9a-fA-F:.]+\]", re.ASCII)
_ORIGIN = re.compile(r"https?://[^/?#@\s*]+/?")
_ADDRESS = re.compile(r"([\w.-]+|\[[0-9a-fA-F:.]+\]):(?!0)\d{1,5}", re.ASCII)


def is_http_url(value: str) -> bool:
    """Whether it is http or https, with a host, and a port that can be."""
    try:
        return is_web_address(value) and urlsplit(value).port != 0
    except ValueError:
        return False


def is_safe(value: str) -> bool:
    """Whether it is an address whose answers nobody else can give: https, or http on this machine."""
    parts = urlsplit(value)
    is_private = parts.scheme == "https" or parts.hostname in LOOPBACK_NAMES
    return is_private and is_http_url(value) and "?" not in value and "#" not in value


def keys_in(value: SecretStr) -> tuple[str, ...]:
    """Keys that are written with commas between them."""
    return tuple(key.strip() for key in value.get_secret_value().split(",") if key.strip())


def _split(value: object) -> object:
    """Several are written with commas between them."""
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _checked(check: Callable[[str], object]) -> AfterValidator:
    """By what raises ValueError for a wrong one."""

    def validate(value: str) -> str:
        check(value)
        return value

    return AfterValidator(validate)


def _hard_to_guess(value: SecretStr) -> SecretStr:
    given = value.get_secret_value()
    if given and (len(given) < MIN_CHOSEN_LENGTH or not given.isascii() or not given.isprintable() or " " in given):
        raise ValueError(f"must have {MIN_CHOSEN_LENGTH} printable ASCII characters or more, and no spaces")
    return value


def _of_keys(value: SecretStr) -> SecretStr:
    for key in keys_in(value):
        check_key(key)
    return value


def _names_only(value: tuple[str, ...]) -> tuple[str, ...]:
    for name in value:
        if not _HOST_NAME.fullmatch(name):
            raise ValueError("must be names such as issues.example.com or [::1], without ports")
    return value


def _origins_only(value: tuple[str, ...]) -> tuple[str, ...]:
    for origin in value:
        if not _ORIGIN.fullmatch(origin) or not is_http_url(origin):
            raise ValueError("must be like https://pages.example.com, without a path")
    return value


def _networks_only(value: tuple[str, ...]) -> tuple[str, ...]:
    for network in value:
        try:
            ip_network(network)
        except ValueError:
            raise ValueError("must be addresses or networks such as 10.0.0.7 or 10.1.0.0/16") from None
    return value


def _web_address(value: str) -> None:
    if value and not is_http_url(value):
        raise ValueError("must be an address that begins with http:// or https:// and a name")


def _only_a_place(value: str) -> None:
    if "?" in value or "#" in value:
        raise ValueError("must be an address without ? and #")


def _safe(value: str) -> None:
    if value and not is_safe(value):
        raise ValueError("must be an https address")


def _host_and_port(value: str) -> None:
    if value and not (_ADDRESS.fullmatch(value) and int(value.rpartition(":")[2]) <= _MAX_PORT):
        raise ValueError(f"must be like 0.0.0.0:9090 or [::1]:9090, the port {_MAX_PORT} at most")


def _with_openid(value: str) -> None:
    if "openid" not in value.split():
        raise ValueError("must have openid among them")


def _readable(value: str) -> None:
    if value:
        read_manifest(value)


def _known_database(value: str) -> None:
    if not value.startswith(("sqlite+aiosqlite:///", "postgresql+asyncpg://")):
        raise ValueError("must begin with sqlite+aiosqlite:/// or postgresql+asyncpg://")
    if value in ("sqlite+aiosqlite:///", "sqlite+aiosqlite:///:memory:"):
        raise ValueError("SQLite needs a file: sqlite+aiosqlite:///path")
    if value.startswith("sqlite") and "?" in value:
        raise ValueError("SQLite takes no options: sqlite+aiosqlite:///path")
    if "\0" in value:
        raise ValueError("contains a NUL character")
    try:
        ports = [*_ports_in(make_url(value))]
    except (ArgumentError, ValueError):
        # What SQLAlchemy says of it may hold the password.
        raise ValueError("is not a URL: its host or port is not as URLs have them") from None
    if not all(0 < port <= _MAX_PORT for port in ports):
        raise ValueError("has a port that cannot be")


def _ports_in(url: URL) -> Iterator[int]:
    """The port of each of its hosts; some stand in its options."""
    if url.port is not None:
        yield url.port
    for name, values in url.normalized_query.items():
        for value in ",".join(values).split(","):
            # More colons without brackets are those of an IPv6 address.
            has_port = value.count(":") == 1 or "]:" in value
            port = value if name == "port" else value.rpartition(":")[2] if name == "host" and has_port else ""
            if port.isdecimal():
                yield int(port)


# More is a slip of the finger, and past what databases and clocks can count.
Count = Annotated[int, Field(ge=1, le=1_000_000_000)]
Days = Annotated[int, Field(ge=1, le=36_500)]
Seconds = Annotated[float, Field(gt=0, le=3_600)]
Port = Annotated[int, Field(ge=1, le=_MAX_PORT)]

Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
HostNames = Annotated[Names, AfterValidator(_names_only)]
Origins = Annotated[Names, AfterValidator(_origins_only)]
Networks = Annotated[Names, AfterValidator(_networks_only)]

ChosenSecret = Annotated[SecretStr, AfterValidator(_hard_to_guess)]
Keys = Annotated[SecretStr, AfterValidator(_of_keys)]

HttpUrl = Annotated[str, _checked(_web_address)]
OwnUrl = Annotated[HttpUrl, _checked(_only_a_place)]
SafeUrl = Annotated[str, _checked(_safe)]
HostPort = Annotated[str, _checked(_host_and_port)]
DatabaseUrl = Annotated[str, _checked(_known_database)]
LimitsUrl = Annotated[str, _checked(check_url)]
WakeupsUrl = Annotated[str, _checked(broadcaster_url)]

Manifest = Annotated[str, _checked(_readable)]
OpenIdScopes = Annotated[str, _checked(_with_openid)]
# In either case.
Durability = Annotated[Literal["FULL", "NORMAL"], BeforeValidator(_upper)]
LogLevel = Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)]
