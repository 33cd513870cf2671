"""A server behind a pooler that gives it another session for every transaction."""

import asyncio

import asyncpg
import pytest
from sqlalchemy import make_url

from models.database import Unavailable as DatabaseUnavailable
from models.migrations import is_current
from resolvers.errors import Unavailable
from resolvers.mutation import ResolveIssue
from tests.pooler import Pooler
from tests.resolvers.mutation.house import report
from tests.resolvers.subscription.watching import events, watching

DOCUMENTS = (
    "{ issues { totalCount nodes { title scope { resourceName } labels { name } occurrences { totalCount } } } }",
    "{ issues(first: 3) { nodes { id } } issueStats { total bySeverity { severity count } } }",
    '{ issues(search: "build state:active") { totalCount } scopes { nodes { id } } }',
    "{ issues(where: {severity: {in: [MAJOR, MINOR]}}) { nodes { id links { url } } } }",
    "{ issueStats { total } }",
)


@pytest.fixture
async def pooler(postgresql_url):
    try:
        async with Pooler(postgresql_url) as pooler:
            yield pooler
    except PermissionError as error:
        pytest.skip(str(error))


async def all_ways(house):
    """Reports, questions, and what is watched, several of each at a time. Returns how many issues there are."""
    ids = []

    async def write(number):
        outcome = await house.do(report(resource_name=f"component {number}", title=f"build {number}"))
        ids.append(outcome.issue_ids[0])
        if number % 3 == 0:
            await house.do(ResolveIssue(id=ids[-1]))

    async with house.watch() as watcher:
        await watcher.next()
        for start in range(0, 24, 8):
            reports = [write(number) for number in range(start, start + 8)]
            asked = [house.ask(DOCUMENTS[number % len(DOCUMENTS)]) for number in range(20)]
            await asyncio.gather(*reports, *asked)
        told = await watcher.until(await house.position())
    assert {issue for _, _, issue in events(*told)} == set(ids)
    return (await house.ask("{ issueStats { total } }"))["issueStats"]["total"]


async def test_all_works_through_a_pooler(pooler):
    assert await asyncio.to_thread(is_current, pooler.url)
    async with watching(pooler.url, postgres_pooler=True) as house:
        assert await all_ways(house) == 24
    assert pooler.transactions > 60
    assert pooler.idle


async def test_without_the_setting_it_does_not(pooler, caplog):
    with pytest.raises((DatabaseUnavailable, Unavailable)):
        async with asyncio.timeout(20), watching(pooler.url) as house:
            await all_ways(house)
    assert "prepared statement" in caplog.text


async def test_requests_that_are_cancelled_leave_no_session_behind(pooler):
    async with watching(pooler.url, postgres_pooler=True) as house:
        for pauses in range(30):
            asked = [asyncio.create_task(house.ask(text)) for text in DOCUMENTS]
            for _ in range(pauses):
                await asyncio.sleep(0)
            for task in asked[::2]:
                task.cancel()
            await asyncio.gather(*asked, return_exceptions=True)
        await asyncio.gather(*map(house.ask, DOCUMENTS))


async def test_no_setting_stays_in_a_session(pooler):
    async with watching(pooler.url, postgres_pooler=True) as house:
        await asyncio.gather(*map(house.ask, DOCUMENTS))
    plain = make_url(pooler.url).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(plain, statement_cache_size=0)
    try:
        for _ in range(3):
            async with connection.transaction():
                assert await connection.fetchval("SHOW jit") == "on"
                assert await connection.fetchval("SHOW statement_timeout") == "0"
                assert await connection.fetchval("SHOW default_transaction_read_only") == "off"
                assert await connection.fetchval("SELECT count(*) FROM pg_prepared_statements WHERE name <> ''") == 0
    finally:
        await connection.close()
