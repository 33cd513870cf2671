"""Every setting of the program, from the environment: `ISSUEGRAPH_` and the name in upper case."""

import re
from collections.abc import Iterator
from ipaddress import ip_network
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from resolvers.access.secret import MIN_CHOSEN_LENGTH
from resolvers.mutation.checks import is_web_address
from resolvers.subscription.wakeups import broadcaster_url
from resolvers.webhooks.secrets import check_key
from web.buckets import check_url
from web.identity.grants import parse_grants
from web.trusted_documents import read_manifest

PREFIX = "ISSUEGRAPH_"
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})

MAX_PORT = 65_535
# More is a slip of the finger, and past what databases and clocks can count.
Count = Annotated[int, Field(ge=1, le=1_000_000_000)]
Days = Annotated[int, Field(ge=1, le=36_500)]
# What the dearest mutation costs with all that it answers (schema/cost.py).
LEAST_QUERY_COST = 2_100
Names = Annotated[tuple[str, ...], NoDecode]

_HOST_NAME = re.compile(r"[\w.-]+|\[[0-9a-fA-F:.]+\]", re.ASCII)
_ORIGIN = re.compile(r"https?://[^/?#@\s*]+/?")
_ADDRESS = re.compile(r"([\w.-]+|\[[0-9a-fA-F:.]+\]):(?!0)\d{1,5}", re.ASCII)


class SettingsError(Exception):
    """A setting is wrong; the message is one line that names it."""


class Settings(BaseSettings):
    """docs/settings.md describes each; a test compares."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="ignore", env_ignore_empty=True, frozen=True, validate_default=True
    )

    # Where things are
    database_url: str = "sqlite+aiosqlite:///data/issuegraph.db"
    wakeups_url: str = "memory://"
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=MAX_PORT)] = 8080
    public_url: str = ""
    metrics_address: str = ""
    tls_certificate: str = ""
    tls_key: Annotated[str, Field(validate_default=True)] = ""
    logs_url: str = "https://konflux.dev/logs/pipelineruns/"

    # Who may come
    dev: bool = False
    bootstrap_token: SecretStr = SecretStr("")
    hosts: Names = ()
    origins: Names = ()
    trusted_documents: str = ""
    only_trusted_documents: bool = False
    trusted_proxies: Names = ()
    session_hours: Annotated[int, Field(ge=1, le=8_760)] = 12
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr = SecretStr("")
    oidc_issuer: str = ""
    oidc_audiences: Names = ()
    oidc_scopes: str = "openid profile email"
    oidc_groups_claim: str = "groups"
    oidc_grants: str = ""
    kubernetes_url: str = ""
    kubernetes_token_file: str = "/var/run/secrets/kubernetes.io/serviceaccount/token"
    kubernetes_ca_file: str = "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"
    kubernetes_audiences: Names = ()
    kubernetes_selector: str = ""

    # What is kept, and how surely
    sqlite_synchronous: Literal["FULL", "NORMAL"] = "FULL"
    readers: Annotated[int, Field(ge=1, le=1_000)] | None = None
    occurrences_kept: Count = 100
    run_memory_days: Days = 400
    resume_window_days: Days = 7
    log_retention_days: Days = 400
    audit_retention_days: Days = 400
    deployment_retention_days: Days = 800
    delivery_body_hours: Annotated[int, Field(ge=1, le=876_000)] = 48
    delivery_days: Days = 30
    secret_key: SecretStr = SecretStr("")
    postgres_statements: Annotated[int, Field(ge=0, le=1_000_000)] = 500
    postgres_pooler: bool = False

    # Limits of one request
    query_timeout_seconds: Annotated[float, Field(gt=0, le=3_600)] = 10.0
    max_header_bytes: Count = 32_000
    max_body_bytes: Count = 1_000_000
    max_answer_bytes: Count = 20_000_000
    request_seconds: Annotated[float, Field(gt=0, le=3_600)] = 30.0
    max_document_tokens: Count = 5_000
    max_document_operations: Count = 50
    max_document_depth: Count = 15
    max_document_fields: Count = 2_000
    max_document_aliases: Count = 100
    max_document_directives: Count = 50
    max_root_fields: Count = 50
    max_query_cost: Count = 20_000
    max_conditions: Count = 200
    max_page: Count = 100
    max_ids: Count = 200
    max_graph_nodes: Count = 1_000
    max_graph_depth: Count = 10

    # Limits of one caller
    limits_url: str = "memory://"
    cost_per_second: Count = 50_000
    cost_burst: Count = 2_000_000
    max_caller_operations: Count = 5_000
    max_caller_sockets: Count = 1_000
    max_caller_groups: Count = 200

    # Limits of the whole
    max_webhooks: Count = 10_000
    max_tokens: Count = 10_000
    max_waiting_connections: Count = 10_000
    max_bodies_bytes: Count = 64_000_000
    max_waiting_commands: Count = 10_000
    max_waiting_bytes: Count = 64_000_000
    max_answers_bytes: Count = 100_000_000
    max_socket_operations: Count = 100
    max_socket_message_bytes: Count = 1_000_000
    socket_init_seconds: Annotated[float, Field(gt=0, le=3_600)] = 5.0
    socket_ping_seconds: Annotated[float, Field(gt=0, le=3_600)] = 12.0
    socket_stall_seconds: Annotated[float, Field(gt=0, le=3_600)] = 30.0
    max_buffered_batches: Count = 100
    max_replays: Count = 4
    shutdown_seconds: Annotated[int, Field(ge=0, le=3_600)] = 5

    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("hosts", "origins", "trusted_proxies", "oidc_audiences", "kubernetes_audiences", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        """Several are written with commas between them."""
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("bootstrap_token")
    @classmethod
    def _hard_to_guess(cls, value: SecretStr) -> SecretStr:
        given = value.get_secret_value()
        if given and (len(given) < MIN_CHOSEN_LENGTH or not given.isascii() or not given.isprintable() or " " in given):
            raise ValueError(f"must have {MIN_CHOSEN_LENGTH} printable ASCII characters or more, and no spaces")
        return value

    @field_validator("sqlite_synchronous", "log_level", mode="before")
    @classmethod
    def _either_case(cls, value: object, info: ValidationInfo) -> object:
        if not isinstance(value, str):
            return value
        return value.lower() if info.field_name == "log_level" else value.upper()

    @field_validator("hosts")
    @classmethod
    def _names_only(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if not _HOST_NAME.fullmatch(name):
                raise ValueError("must be names such as issues.example.com or [::1], without ports")
        return value

    @field_validator("origins")
    @classmethod
    def _origins_only(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if not _ORIGIN.fullmatch(origin) or not is_http_url(origin):
                raise ValueError("must be like https://pages.example.com, without a path")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _networks_only(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            try:
                ip_network(network)
            except ValueError:
                raise ValueError("must be addresses or networks such as 10.0.0.7 or 10.1.0.0/16") from None
        return value

    @field_validator("tls_key")
    @classmethod
    def _with_a_certificate(cls, value: str, info: ValidationInfo) -> str:
        if bool(value) != bool(info.data.get("tls_certificate")):
            raise ValueError(f"goes with {PREFIX}TLS_CERTIFICATE: neither is of use alone")
        return value

    @field_validator("oidc_issuer")
    @classmethod
    def _trusted(cls, value: str, info: ValidationInfo) -> str:
        if not value:
            return value
        if not _is_safe(value):
            raise ValueError("must be an https address, as the provider itself writes it")
        if not info.data.get("oidc_client_id"):
            raise ValueError(f"needs {PREFIX}OIDC_CLIENT_ID")
        return value

    @field_validator("kubernetes_url")
    @classmethod
    def _safe(cls, value: str) -> str:
        if value and not _is_safe(value):
            raise ValueError("must be an https address")
        return value

    @field_validator("oidc_scopes")
    @classmethod
    def _with_openid(cls, value: str) -> str:
        if "openid" not in value.split():
            raise ValueError("must have openid among them")
        return value

    @field_validator("oidc_grants")
    @classmethod
    def _known_grants(cls, value: str, info: ValidationInfo) -> str:
        if not parse_grants(value) and info.data.get("oidc_issuer"):
            raise ValueError("is empty: nobody whom the provider knows could do anything")
        return value

    @field_validator("log_retention_days")
    @classmethod
    def _not_within_the_window(cls, value: int, info: ValidationInfo) -> int:
        window = info.data.get("resume_window_days", 0)
        if value < window:
            raise ValueError(f"must be no less than {PREFIX}RESUME_WINDOW_DAYS, which is {window}")
        return value

    @field_validator("delivery_days")
    @classmethod
    def _not_before_their_bodies(cls, value: int, info: ValidationInfo) -> int:
        hours, window = info.data.get("delivery_body_hours", 0), info.data.get("resume_window_days", 0)
        if value * 24 < hours:
            raise ValueError(f"must be no less than {PREFIX}DELIVERY_BODY_HOURS, which is {hours}")
        if value < window:
            raise ValueError(f"must be no less than {PREFIX}RESUME_WINDOW_DAYS, which is {window}")
        return value

    @field_validator("secret_key")
    @classmethod
    def _of_keys(cls, value: SecretStr) -> SecretStr:
        for key in _keys_in(value):
            check_key(key)
        return value

    @field_validator("public_url", "logs_url")
    @classmethod
    def _web_address(cls, value: str) -> str:
        if value and not is_http_url(value):
            raise ValueError("must be an address that begins with http:// or https:// and a name")
        return value

    @field_validator("public_url")
    @classmethod
    def _only_a_place(cls, value: str) -> str:
        if "?" in value or "#" in value:
            raise ValueError("must be an address without ? and #")
        return value

    @field_validator("metrics_address")
    @classmethod
    def _host_and_port(cls, value: str) -> str:
        if value and not (_ADDRESS.fullmatch(value) and int(value.rpartition(":")[2]) <= MAX_PORT):
            raise ValueError(f"must be like 0.0.0.0:9090 or [::1]:9090, the port {MAX_PORT} at most")
        return value

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
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
        if not all(0 < port <= MAX_PORT for port in ports):
            raise ValueError("has a port that cannot be")
        return value

    @field_validator("trusted_documents")
    @classmethod
    def _readable(cls, value: str) -> str:
        if value:
            read_manifest(value)
        return value

    @field_validator("only_trusted_documents")
    @classmethod
    def _some_are_trusted(cls, value: bool, info: ValidationInfo) -> bool:
        if value and not info.data.get("trusted_documents"):
            raise ValueError(f"needs {PREFIX}TRUSTED_DOCUMENTS")
        return value

    @field_validator("limits_url")
    @classmethod
    def _known_limits(cls, value: str) -> str:
        check_url(value)
        return value

    @field_validator("max_query_cost")
    @classmethod
    def _room_for_a_token(cls, value: int) -> int:
        if value < LEAST_QUERY_COST:
            raise ValueError(f"must be no less than {LEAST_QUERY_COST}, which the mutation createToken may cost")
        return value

    @field_validator("cost_burst")
    @classmethod
    def _room_for_one(cls, value: int, info: ValidationInfo) -> int:
        most = info.data.get("max_query_cost", 0)
        if value < most:
            raise ValueError(f"must be no less than {PREFIX}MAX_QUERY_COST, which is {most}")
        return value

    @field_validator("max_answers_bytes")
    @classmethod
    def _room_for_one_answer(cls, value: int, info: ValidationInfo) -> int:
        least = 2 * info.data.get("max_answer_bytes", 0)
        if value < least:
            raise ValueError(f"must be no less than twice {PREFIX}MAX_ANSWER_BYTES, which is {least}")
        return value

    @field_validator("wakeups_url")
    @classmethod
    def _known_wakeups(cls, value: str) -> str:
        broadcaster_url(value)
        return value

    @property
    def secret_keys(self) -> tuple[str, ...]:
        """What secrets are encrypted with, the newest first."""
        return _keys_in(self.secret_key)

    @property
    def own_url(self) -> str:
        """Where people find this server: `public_url`, or the address it listens on."""
        if self.public_url:
            return self.public_url.rstrip("/")
        # An address that stands for all of them is none to go to.
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        host = f"[{host}]" if ":" in host else host
        return f"{'https' if self.tls_certificate else 'http'}://{host}:{self.port}"

    @property
    def is_https(self) -> bool:
        """Whether browsers come by https."""
        return self.own_url.lower().startswith("https:")

    @property
    def sqlite_path(self) -> str | None:
        """The file, if the database is one."""
        head = "sqlite+aiosqlite:///"
        return self.database_url.removeprefix(head) if self.database_url.startswith(head) else None


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


def _keys_in(value: SecretStr) -> tuple[str, ...]:
    return tuple(key.strip() for key in value.get_secret_value().split(",") if key.strip())


def is_http_url(value: str) -> bool:
    """Whether it is http or https, with a host, and a port that can be."""
    try:
        return is_web_address(value) and urlsplit(value).port != 0
    except ValueError:
        return False


def _is_safe(value: str) -> bool:
    """Whether it is an address whose answers nobody else can give: https, or http on this machine."""
    parts = urlsplit(value)
    is_private = parts.scheme == "https" or parts.hostname in LOOPBACK_NAMES
    return is_private and is_http_url(value) and "?" not in value and "#" not in value


def load() -> Settings:
    """The settings of this environment. Raises SettingsError with one line that names what is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = PREFIX + str(first["loc"][0]).upper()
        message = first["msg"].removeprefix("Value error, ")
        # An address may hold a password.
        given = "" if name.endswith(("_URL", "_TOKEN", "_SECRET", "_SECRET_KEY")) else f" (it is {first['input']!r})"
        raise SettingsError(f"{name}: {message}{given}") from None
