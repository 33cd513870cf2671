"""Settings: what they are without an environment, what a wrong one says, and that the page lists them all."""

import re
from pathlib import Path
from unittest.mock import patch

import pytest

from web.house import open_database
from web.settings import PREFIX, Settings, SettingsError, load

PAGE = Path(__file__).parent.parent.parent / "docs" / "settings.md"
ROW = re.compile(r"^\| `(ISSUEGRAPH_\w+)` \| (?:`([^`]*)`)? *\| (.+) \|$", re.MULTILINE)


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch):
    for name in Settings.model_fields:
        monkeypatch.delenv(PREFIX + name.upper(), raising=False)


def as_written(value):
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value in ("", (), None) else str(value)


def test_the_page_lists_every_setting_with_its_default():
    listed = {name: default for name, default, _ in ROW.findall(PAGE.read_text())}
    fields = Settings.model_fields
    assert listed == {PREFIX + name.upper(): as_written(field.default) for name, field in fields.items()}


def test_what_is_set_is_taken(monkeypatch):
    monkeypatch.setenv("ISSUEGRAPH_PORT", "9000")
    monkeypatch.setenv("ISSUEGRAPH_DEV", "1")
    monkeypatch.setenv("ISSUEGRAPH_HOSTS", "issues.example.com, other.example.com,")
    monkeypatch.setenv("ISSUEGRAPH_READERS", "")
    settings = load()
    assert settings == Settings(port=9000, dev=True, hosts=("issues.example.com", "other.example.com"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://host/name"),
        ("DATABASE_URL", "postgresql://host/name"),
        ("DATABASE_URL", "sqlite+aiosqlite:///:memory:"),
        ("DATABASE_URL", "sqlite+aiosqlite:///data/issuegraph.db?mode=ro"),
        ("DATABASE_URL", "postgresql+asyncpg://host:port/name"),
        ("DATABASE_URL", "postgresql+asyncpg://host:99999/name"),
        ("DATABASE_URL", "postgresql+asyncpg:///name?host=one:5432&host=two:99999"),
        ("DATABASE_URL", "postgresql+asyncpg:///name?host=one&port=99999"),
        ("METRICS_ADDRESS", "127.0.0.1:99999"),
        ("METRICS_ADDRESS", "[::1]:65536"),
        ("PORT", "65536"),
        ("PUBLIC_URL", "https://host:65536"),
        ("WAKEUPS_URL", "redis://host:65536"),
        ("LIMITS_URL", "redis://host:65536"),
        ("WAKEUPS_URL", "kafka://host"),
        ("WAKEUPS_URL", "redis://host:port"),
        ("WAKEUPS_URL", "postgresql+asyncpg://host:port/name"),
        ("LIMITS_URL", "postgres://host"),
        ("LIMITS_URL", "redis://host:port"),
        ("COST_BURST", "19999"),
        ("COST_PER_SECOND", "0"),
        ("MAX_QUERY_COST", "2099"),
        ("PORT", "tcp://10.0.0.7:8080"),
        ("LOG_RETENTION_DAYS", "6"),
        ("PORT", "0"),
        ("PORT", "70000"),
        ("DEV", "perhaps"),
        ("SQLITE_SYNCHRONOUS", "OFF"),
        ("READERS", "0"),
        ("QUERY_TIMEOUT_SECONDS", "0"),
        ("QUERY_TIMEOUT_SECONDS", "3601"),
        ("QUERY_TIMEOUT_SECONDS", "nan"),
        ("POSTGRES_STATEMENTS", "-1"),
        ("POSTGRES_POOLER", "pgbouncer"),
        ("MAX_PAGE", "-1"),
        ("MAX_PAGE", "99999999999999999999"),
        ("RUN_MEMORY_DAYS", "1000000"),
        ("MAX_BODY_BYTES", "1 MB"),
        ("SOCKET_INIT_SECONDS", "0"),
        ("SOCKET_INIT_SECONDS", "inf"),
        ("SOCKET_INIT_SECONDS", "nan"),
        ("LOG_LEVEL", "loud"),
        ("HOSTS", "https://issues.example.com"),
        ("ORIGINS", "pages.example.com"),
        ("ORIGINS", "*"),
        ("ORIGINS", "https://[::"),
        ("PUBLIC_URL", "issues.example.com"),
        ("PUBLIC_URL", "http://[::/"),
        ("PUBLIC_URL", "http://issues.example.com/a?b=c"),
        ("PUBLIC_URL", "http://issues.example.com:port"),
        ("SESSION_HOURS", "0"),
        ("OIDC_ISSUER", "https://sso.example.com"),
        ("OIDC_SCOPES", "profile"),
        ("KUBERNETES_URL", "http://kubernetes.default.svc"),
        ("KUBERNETES_URL", "kubernetes.default.svc"),
        ("OIDC_GRANTS", "team-a"),
        ("OIDC_GRANTS", "team-a=write:team-a"),
        ("DELIVERY_DAYS", "1"),
        ("LOGS_URL", "logs"),
        ("LOGS_URL", "http://logs of runs/"),
    ],
)
def test_a_wrong_value_is_one_line_that_names_the_variable(monkeypatch, name, value):
    monkeypatch.setenv(PREFIX + name, value)
    with pytest.raises(SettingsError) as error:
        load()
    (line,) = str(error.value).splitlines()
    assert line.startswith(f"{PREFIX}{name}: ")


@pytest.mark.parametrize(
    ("issuer", "grants", "wrong"),
    [
        ("http://sso.example.com", "a=read:a", "OIDC_ISSUER"),
        ("sso.example.com", "a=read:a", "OIDC_ISSUER"),
        ("https://sso.example.com/?a", "a=read:a", "OIDC_ISSUER"),
        ("https://sso.example.com", "", "OIDC_GRANTS"),
        ("https://sso.example.com", "a=read:a", None),
        ("http://127.0.0.1:5556/dex", "a=read:a", None),
    ],
)
def test_an_identity_provider_is_one_to_be_trusted_and_lets_somebody_in(monkeypatch, issuer, grants, wrong):
    monkeypatch.setenv("ISSUEGRAPH_OIDC_CLIENT_ID", "issuegraph")
    monkeypatch.setenv("ISSUEGRAPH_OIDC_ISSUER", issuer)
    monkeypatch.setenv("ISSUEGRAPH_OIDC_GRANTS", grants)
    if wrong is None:
        assert load().oidc_issuer == issuer
        return
    with pytest.raises(SettingsError, match=rf"^{PREFIX}{wrong}: "):
        load()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql://ada:secret@host/name"),
        ("DATABASE_URL", "postgresql+asyncpg://ada@host:secret/name"),
        ("SECRET_KEY", "secret"),
        ("WAKEUPS_URL", "redis://ada:secret"),
        ("LIMITS_URL", "redis://ada:secret"),
        ("WAKEUPS_URL", "postgresql+asyncpg://ada:secret/name"),
    ],
)
def test_a_password_is_not_said_aloud(monkeypatch, name, value):
    monkeypatch.setenv(PREFIX + name, value)
    with pytest.raises(SettingsError) as error:
        load()
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({}, "http://127.0.0.1:8080"),
        ({"host": "::1", "port": 81}, "http://[::1]:81"),
        ({"host": "0.0.0.0"}, "http://127.0.0.1:8080"),
        ({"host": "::"}, "http://[::1]:8080"),
        ({"public_url": "https://issues.example.com/"}, "https://issues.example.com"),
    ],
)
def test_where_people_find_the_server(given, url):
    assert Settings(**given).own_url == url


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite+aiosqlite:///data/issuegraph.db", "data/issuegraph.db"),
        ("sqlite+aiosqlite:////var/lib/issuegraph.db", "/var/lib/issuegraph.db"),
        ("postgresql+asyncpg://host/name", None),
    ],
)
def test_the_file_of_a_database_that_is_one(url, path):
    assert Settings(database_url=url).sqlite_path == path


def test_the_database_is_opened_as_the_settings_say():
    settings = Settings(readers=3, query_timeout_seconds=2.5, postgres_statements=7, postgres_pooler=True)
    with patch("web.house.Database") as opened:
        open_database(settings)
    assert opened.call_args.kwargs == {
        "synchronous": "FULL",
        "readers": 3,
        "timeout_seconds": 2.5,
        "kept_statements": 7,
        "pooled": True,
    }
