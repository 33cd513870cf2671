"""Every setting of the program, from the environment: `ISSUEGRAPH_` and the name in upper case."""

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from resolvers.mutation.checks import is_web_address
from resolvers.subscription.wakeups import broadcaster_url

PREFIX = "ISSUEGRAPH_"

# More is a slip of the finger, and past what databases and clocks can count.
Count = Annotated[int, Field(ge=1, le=1_000_000_000)]
Days = Annotated[int, Field(ge=1, le=36_500)]
Names = Annotated[tuple[str, ...], NoDecode]

_HOST_NAME = re.compile(r"[\w.-]+|\[[0-9a-fA-F:.]+\]", re.ASCII)
_ORIGIN = re.compile(r"https?://[^/?#@\s*]+/?")


class SettingsError(Exception):
    """A setting is wrong; the message is one line that names it."""


class Settings(BaseSettings):
    """docs/settings.md describes each; a test compares."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", env_ignore_empty=True, frozen=True)

    # Where things are
    database_url: str = "sqlite+aiosqlite:///data/issuegraph.db"
    wakeups_url: str = "memory://"
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65_535)] = 8080
    public_url: str = ""
    logs_url: str = "https://konflux.dev/logs/pipelineruns/"

    # Who may come
    insecure: bool = False
    hosts: Names = ()
    origins: Names = ()

    # What is kept, and how surely
    sqlite_synchronous: Literal["FULL", "NORMAL"] = "FULL"
    readers: Annotated[int, Field(ge=1, le=1_000)] | None = None
    occurrences_kept: Count = 100
    run_memory_days: Days = 400
    resume_window_days: Days = 7
    log_retention_days: Days = 400
    postgres_statements: Annotated[int, Field(ge=0, le=1_000_000)] = 500
    postgres_pooler: bool = False

    # Limits of one request
    query_timeout_seconds: Annotated[float, Field(gt=0, le=3_600)] = 10.0
    max_body_bytes: Count = 1_000_000
    max_document_tokens: Count = 5_000
    max_document_depth: Count = 15
    max_document_fields: Count = 2_000
    max_document_aliases: Count = 100
    max_document_directives: Count = 50
    max_root_fields: Count = 50
    max_page: Count = 100
    max_ids: Count = 200
    max_graph_nodes: Count = 1_000
    max_graph_depth: Count = 10

    # Limits of the whole
    max_waiting_commands: Count = 10_000
    max_waiting_bytes: Count = 64_000_000
    max_socket_operations: Count = 100
    max_socket_message_bytes: Count = 1_000_000
    socket_init_seconds: Annotated[float, Field(gt=0, le=3_600)] = 5.0
    socket_ping_seconds: Annotated[float, Field(gt=0, le=3_600)] = 12.0
    socket_stall_seconds: Annotated[float, Field(gt=0, le=3_600)] = 30.0
    max_buffered_batches: Count = 100
    max_replays: Count = 4
    shutdown_seconds: Annotated[int, Field(ge=0, le=3_600)] = 5

    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("hosts", "origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        """Several are written with commas between them."""
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

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

    @field_validator("log_retention_days")
    @classmethod
    def _not_within_the_window(cls, value: int, info: ValidationInfo) -> int:
        window = info.data.get("resume_window_days", 0)
        if value < window:
            raise ValueError(f"must be no less than {PREFIX}RESUME_WINDOW_DAYS, which is {window}")
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
            port = make_url(value).port
        except (ArgumentError, ValueError):
            # What SQLAlchemy says of it may hold the password.
            raise ValueError("is not a URL: its host or port is not as URLs have them") from None
        if port is not None and not 0 < port < 65_536:
            raise ValueError("has a port that cannot be")
        return value

    @field_validator("wakeups_url")
    @classmethod
    def _known_wakeups(cls, value: str) -> str:
        broadcaster_url(value)
        return value

    @property
    def own_url(self) -> str:
        """Where people find this server: `public_url`, or the address it listens on."""
        if self.public_url:
            return self.public_url.rstrip("/")
        # An address that stands for all of them is none to go to.
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        host = f"[{host}]" if ":" in host else host
        return f"http://{host}:{self.port}"

    @property
    def sqlite_path(self) -> str | None:
        """The file, if the database is one."""
        head = "sqlite+aiosqlite:///"
        return self.database_url.removeprefix(head) if self.database_url.startswith(head) else None


def is_http_url(value: str) -> bool:
    """Whether it is http or https, with a host, and a port that can be."""
    try:
        return is_web_address(value) and urlsplit(value).port != 0
    except ValueError:
        return False


def load() -> Settings:
    """The settings of this environment. Raises SettingsError with one line that names what is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = PREFIX + str(first["loc"][0]).upper()
        message = first["msg"].removeprefix("Value error, ")
        # An address may hold a password.
        given = "" if name.endswith("_URL") else f" (it is {first['input']!r})"
        raise SettingsError(f"{name}: {message}{given}") from None
