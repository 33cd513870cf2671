"""What every test may ask for: a database of its own on each of the two engines, and a Redis."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers import POSTGRES_VERSIONS, Servers

SERVERS = pytest.StashKey[Servers]()

ENGINES = [pytest.param("sqlite", id="sqlite"), pytest.param("postgresql", id="postgresql")]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--postgres",
        type=int,
        choices=POSTGRES_VERSIONS,
        help="the PostgreSQL to test on (18, or the one of ISSUEGRAPH_TEST_POSTGRES_URL)",
    )
    parser.addoption(
        "--soak",
        type=int,
        default=0,
        help="how many rounds each fault of tests/faults gets, and how many cases tests/leaks (a few)",
    )


def pytest_configure(config: pytest.Config) -> None:
    # With xdist each worker comes by here too, and joins the run of the process that started it.
    run: dict[str, Any] = getattr(config, "workerinput", {})
    directory = run.get("servers_directory") or tempfile.mkdtemp(prefix="issuegraph-")
    owner = run.get("servers_owner", os.getpid())
    config.stash[SERVERS] = Servers(Path(directory), owner, config.getoption("--postgres"))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    servers = node.config.stash[SERVERS]
    node.workerinput["servers_directory"] = str(servers.directory)
    node.workerinput["servers_owner"] = servers.owner


def pytest_unconfigure(config: pytest.Config) -> None:
    servers = config.stash.get(SERVERS, None)
    if servers and servers.owner == os.getpid():
        servers.stop()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What the faults did to anybody."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    told = {
        report.nodeid.rpartition("::")[2].removeprefix("test_"): dict(report.user_properties)["counts"]
        for report in reports
        if getattr(report, "when", None) == "call" and "counts" in dict(report.user_properties)
    }
    if not told:
        return
    terminalreporter.section("faults")
    words = list(next(iter(told.values())))
    width = max(map(len, told))
    terminalreporter.write_line(" ".join([" " * width, *(f"{word:>12}" for word in words)]))
    for name, counts in sorted(told.items()):
        terminalreporter.write_line(" ".join([f"{name:{width}}", *(f"{counts[word]:12,}" for word in words)]))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what runs on PostgreSQL, so that `-m postgresql` runs exactly that again on another version."""
    for item in items:
        engines = getattr(item, "callspec", None)
        if {"postgresql_url", "own_postgres"} & set(getattr(item, "fixturenames", ())) or (
            engines and {"postgresql"} & {engines.params.get(n) for n in ("database_url", "empty_database_url")}
        ):
            item.add_marker(pytest.mark.postgresql)


def migrate(url: str) -> None:
    """Bring the database up to date. Imported late: a test without a database needs none of it."""
    from models.migrations import migrate

    migrate(url)


@pytest.fixture(scope="session")
def servers(pytestconfig: pytest.Config) -> Servers:
    """PostgreSQL and Redis, started when first asked for."""
    return pytestconfig.stash[SERVERS]


@pytest.fixture(params=ENGINES)
def database_url(request: pytest.FixtureRequest, servers: Servers, tmp_path: Path) -> Iterator[str]:
    """A migrated database of the test's own, on each engine in turn."""
    if request.param == "sqlite":
        yield servers.sqlite_database(tmp_path / "issuegraph.db", migrate)
        return
    with servers.postgres_database(migrate) as url:
        yield url


@pytest.fixture(params=ENGINES)
def empty_database_url(request: pytest.FixtureRequest, servers: Servers, tmp_path: Path) -> Iterator[str]:
    """A database of the test's own with nothing in it, on each engine in turn."""
    if request.param == "sqlite":
        yield servers.sqlite_database(tmp_path / "empty.db", None)
        return
    with servers.postgres_database(None) as url:
        yield url


@pytest.fixture
def sqlite_url(servers: Servers, tmp_path: Path) -> str:
    """A migrated SQLite database, for what only SQLite has."""
    return servers.sqlite_database(tmp_path / "sqlite.db", migrate)


@pytest.fixture
def postgresql_url(servers: Servers) -> Iterator[str]:
    """A migrated PostgreSQL database, for what only PostgreSQL has (several replicas, record arrays)."""
    with servers.postgres_database(migrate) as url:
        yield url


@pytest.fixture
def redis_url(servers: Servers) -> str:
    """A Redis. Tests running at the same time share it: use channel names of your own."""
    return servers.redis()
