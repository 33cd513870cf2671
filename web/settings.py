"""Every setting of the program, from the environment: `ISSUEGRAPH_` and the name in upper case."""

from typing import Annotated

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from web.identity.grants import parse_grants
from web.setting_values import (
    ChosenSecret,
    Count,
    DatabaseUrl,
    Days,
    Durability,
    HostNames,
    HostPort,
    HttpUrl,
    Keys,
    LimitsUrl,
    LogLevel,
    Manifest,
    Names,
    Networks,
    OpenIdScopes,
    Origins,
    OwnUrl,
    Port,
    SafeUrl,
    Seconds,
    WakeupsUrl,
    is_safe,
    keys_in,
)

PREFIX = "ISSUEGRAPH_"
# What the dearest mutation costs with all that it answers (schema/cost.py).
LEAST_QUERY_COST = 2_100


class SettingsError(Exception):
    """A setting is wrong; the message is one line that names it."""


class Settings(BaseSettings):
    """docs/settings.md describes each; a test compares."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="ignore", env_ignore_empty=True, frozen=True, validate_default=True
    )

    # Where things are
    database_url: DatabaseUrl = "sqlite+aiosqlite:///data/issuegraph.db"
    wakeups_url: WakeupsUrl = "memory://"
    host: str = "127.0.0.1"
    port: Port = 8080
    public_url: OwnUrl = ""
    metrics_address: HostPort = ""
    tls_certificate: str = ""
    tls_key: Annotated[str, Field(validate_default=True)] = ""
    logs_url: HttpUrl = "https://konflux.dev/logs/pipelineruns/"

    # Who may come
    dev: bool = False
    bootstrap_token: ChosenSecret = SecretStr("")
    hosts: HostNames = ()
    origins: Origins = ()
    trusted_documents: Manifest = ""
    only_trusted_documents: bool = False
    trusted_proxies: Networks = ()
    session_hours: Annotated[int, Field(ge=1, le=8_760)] = 12
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr = SecretStr("")
    oidc_issuer: str = ""
    oidc_audiences: Names = ()
    oidc_scopes: OpenIdScopes = "openid profile email"
    oidc_groups_claim: str = "groups"
    oidc_grants: str = ""
    kubernetes_url: SafeUrl = ""
    kubernetes_token_file: str = "/var/run/secrets/kubernetes.io/serviceaccount/token"
    kubernetes_ca_file: str = "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"
    kubernetes_audiences: Names = ()
    kubernetes_selector: str = ""

    # What is kept, and how surely
    sqlite_synchronous: Durability = "FULL"
    readers: Annotated[int, Field(ge=1, le=1_000)] | None = None
    occurrences_kept: Count = 100
    run_memory_days: Days = 400
    resume_window_days: Days = 7
    log_retention_days: Days = 400
    audit_retention_days: Days = 400
    deployment_retention_days: Days = 800
    delivery_body_hours: Annotated[int, Field(ge=1, le=876_000)] = 48
    delivery_days: Days = 30
    secret_key: Keys = SecretStr("")
    postgres_statements: Annotated[int, Field(ge=0, le=1_000_000)] = 500
    postgres_pooler: bool = False

    # Limits of one request
    query_timeout_seconds: Seconds = 10.0
    max_header_bytes: Count = 32_000
    max_body_bytes: Count = 1_000_000
    max_answer_bytes: Count = 20_000_000
    request_seconds: Seconds = 30.0
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
    limits_url: LimitsUrl = "memory://"
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
    socket_init_seconds: Seconds = 5.0
    socket_ping_seconds: Seconds = 12.0
    socket_stall_seconds: Seconds = 30.0
    max_buffered_batches: Count = 100
    max_replays: Count = 4
    shutdown_seconds: Annotated[int, Field(ge=0, le=3_600)] = 5

    log_level: LogLevel = "info"

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
        if not is_safe(value):
            raise ValueError("must be an https address, as the provider itself writes it")
        if not info.data.get("oidc_client_id"):
            raise ValueError(f"needs {PREFIX}OIDC_CLIENT_ID")
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

    @field_validator("only_trusted_documents")
    @classmethod
    def _some_are_trusted(cls, value: bool, info: ValidationInfo) -> bool:
        if value and not info.data.get("trusted_documents"):
            raise ValueError(f"needs {PREFIX}TRUSTED_DOCUMENTS")
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

    @property
    def secret_keys(self) -> tuple[str, ...]:
        """What secrets are encrypted with, the newest first."""
        return keys_in(self.secret_key)

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
