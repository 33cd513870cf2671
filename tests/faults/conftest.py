"""How hard the faults strike, and what they did, for the table at the end of the run."""

from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import migrate
from tests.faults.scene import Counts, Scene, scene
from tests.servers import OwnServer, Servers, administer, in_thread, with_database

HERE = Path(__file__).parent
# With two servers and a database on a busy machine.
SHORT_FORM_SECONDS = 400

OpenScene = Callable[..., AbstractAsyncContextManager[Scene]]


class Soak:
    """The short form, or the long one with so many rounds."""

    def __init__(self, rounds: int) -> None:
        self._rounds = rounds

    def rounds(self, short: int, share: float = 1.0) -> range:
        """For a loop: `short` times, or this share of the rounds that were asked for."""
        return range(max(short, round(self._rounds * share)))

    def seconds(self, short: float, long: float) -> float:
        """How long."""
        return long if self._rounds else short


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The long form takes as long as it takes."""
    seconds = 0 if config.getoption("--soak") else SHORT_FORM_SECONDS
    for item in items:
        if item.path.parent == HERE:
            item.add_marker(pytest.mark.timeout(seconds))


@pytest.fixture(scope="session")
def soak(pytestconfig: pytest.Config) -> Soak:
    """How hard."""
    return Soak(pytestconfig.getoption("--soak"))


@pytest.fixture
def tell(record_property: Callable[[str, Any], None]) -> Callable[[Counts], None]:
    """Puts what came of a fault into the table."""
    return lambda counts: record_property("counts", counts.told())


@pytest.fixture
def opened(database_url: str, tmp_path: Path) -> OpenScene:
    """`async with opened() as scene`, on each engine in turn."""
    return partial(scene, database_url, tmp_path)


@pytest.fixture
def own_postgres(servers: Servers) -> Iterator[tuple[OwnServer, str]]:
    """A PostgreSQL of the test's own, and the URL of a migrated database in it."""
    with servers.own_postgres() as own:
        administer(own.url, 'CREATE DATABASE "faults" TEMPLATE template0')
        url = with_database(own.url, "faults")
        in_thread(lambda: migrate(url))
        yield own, url
