"""Two databases of one engine: that of everybody, and one that holds what one caller may see and nothing else."""

import pytest

from tests.conftest import migrate


@pytest.fixture
def other_database_url(database_url, servers, tmp_path):
    """A second database of the test's own, on the same engine."""
    if database_url.startswith("sqlite"):
        yield servers.sqlite_database(tmp_path / "other.db", migrate)
    else:
        with servers.postgres_database(migrate) as url:
            yield url
