"""What PostgreSQL says when it cannot write just now is no fault of a command, and passes."""

import pytest
from sqlalchemy import make_url

from models.database import Database, Refused, Unavailable
from tests.models.test_database import adding, names, scope
from tests.servers import Servers, administer

FAILING = """CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION 'it fails' USING ERRCODE = '{code}'; END $$"""


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("53100", Unavailable),  # disk_full
        ("53200", Unavailable),  # out_of_memory
        ("25006", Unavailable),  # read_only_sql_transaction
        ("58030", Unavailable),  # io_error
        ("40001", Unavailable),  # serialization_failure
        ("57P01", Unavailable),  # admin_shutdown
        ("XX000", Unavailable),  # internal_error, as for a file that may not grow
        ("23514", Refused),  # check_violation
        ("22001", Refused),  # string_data_right_truncation
    ],
)
async def test_what_passes_is_unavailable_and_what_is_wrong_with_the_row_is_refused(
    postgresql_url: str, code: str, error: type[Exception]
) -> None:
    administer(postgresql_url, FAILING.format(code=code))
    administer(postgresql_url, "CREATE TRIGGER fail BEFORE INSERT ON scope EXECUTE FUNCTION fail()")
    database = Database(postgresql_url)
    with pytest.raises(error) as caught:
        await database.transact(adding(database, scope("api")))
    assert type(caught.value) is error
    assert not getattr(caught.value, "in_doubt", False)
    administer(postgresql_url, "DROP TRIGGER fail ON scope")
    await database.transact(adding(database, scope("api")))
    assert await names(database) == ["api"]
    await database.close()


async def test_a_connection_to_what_only_reads_is_not_kept(postgresql_url: str, servers: Servers) -> None:
    name = make_url(postgresql_url).database
    administer(servers.postgres(), f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    database = Database(postgresql_url)
    with pytest.raises(Unavailable, match="read-only transaction"):
        await database.transact(adding(database, scope("api")))
    administer(servers.postgres(), f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
    await database.transact(adding(database, scope("api")))
    assert await names(database) == ["api"]
    await database.close()
