"""Browser sessions, on both databases."""

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from models import AuditEvent, Session
from models.database import Database, DatabaseError, Write
from models.values import time_of
from resolvers.access import AuditLog, Keyring, NewToken, PageArguments, Sessions, SignedIn, Tokens, sessions
from resolvers.caller import Actor, ActorKind, Caller, Grant, Permission, everywhere
from resolvers.errors import Forbidden, Unavailable

ADA = everywhere(Actor(ActorKind.PERSON, "ada", "Ada"))
BEN = Caller(Actor(ActorKind.PERSON, "ben", "Ben"), (Grant(Permission.READ, "team-*"), Grant(Permission.RESPOND, "qa")))


class Office:
    """One replica. It hears of changes elsewhere when it is told to look."""

    def __init__(self, database, lifetime, mapping):
        self.database = database
        self.audit = AuditLog(database)
        self.keyring = Keyring(database, self.audit)
        self.look = self.keyring.refresh
        self.tokens = Tokens(database, self.audit, on_change=self.look)
        given = {"on_change": self.look, "lifetime": lifetime, "mapping": mapping}
        self.sessions = Sessions(database, self.audit, self.keyring, **given)
        self.signed_in = SignedIn(database, self.audit)

    def admits(self, caller):
        return self.keyring.admits(caller) and self.sessions.admits(caller)


@asynccontextmanager
async def open_office(url, lifetime=timedelta(hours=1), mapping="as it is"):
    database = Database(url)
    office = Office(database, lifetime, mapping)
    await office.look()
    try:
        yield office
    finally:
        await office.keyring.close()
        await database.close()


@pytest.fixture
async def office(database_url):
    async with open_office(database_url) as office:
        yield office


@pytest.fixture
async def other(database_url):
    async with open_office(database_url) as office:
        yield office


async def told(office):
    page = await office.audit.page(ADA, PageArguments(first=100))
    return [(entry.kind, entry.actor.name, entry.namespace) for entry in reversed(page.rows)]


async def test_who_signs_in_is_known_by_the_cookie_with_the_same_rights_in_every_replica(office, other):
    secret = await office.sessions.start(BEN)
    for replica in (office, other):
        caller = await replica.sessions.find(secret)
        assert (caller.actor, caller.grants) == (BEN.actor, BEN.grants)
        assert caller.session
        assert await replica.sessions.find(secret) is caller
        assert replica.admits(caller)
    assert await told(office) == [("SIGNED_IN", "Ben", "*")]


async def test_who_signs_in_again_ends_the_session_before(office, other):
    first = await office.sessions.start(BEN)
    held = await other.sessions.find(first)
    second = await office.sessions.start(ADA, [first, "none of ours", "x" * 43])
    assert await office.sessions.find(first) is None
    await other.look()
    assert not other.admits(held)
    assert (await other.sessions.find(second)).actor == ADA.actor
    assert [(kind, name) for kind, name, _ in await told(office)] == [
        ("SIGNED_IN", "Ben"),
        ("SIGNED_IN", "Ada"),
        ("SIGNED_OUT", "Ben"),
    ]


async def test_of_too_many_sessions_of_one_caller_the_oldest_end(database_url, office, monkeypatch):
    monkeypatch.setattr(sessions, "MAX_SESSIONS", 3)
    async with open_office(database_url) as small:
        others = await small.sessions.start(ADA)
        secrets = [await small.sessions.start(BEN) for _ in range(2)]
        held = await office.sessions.find(secrets[0])
        secrets += [await small.sessions.start(BEN) for _ in range(2)]
        found = [await small.sessions.find(secret) is not None for secret in secrets]
        assert found == [False, True, True, True]
        assert await small.sessions.find(others) is not None
        await office.look()
        assert not office.admits(held)
        assert ("SESSION_REVOKED", "issuegraph", "*") in await told(small)


async def test_cookies_that_nobody_knows_are_few_statements(office, monkeypatch):
    known = await office.sessions.start(BEN)
    fetch, fetched, go_on = office.database.fetch, [], asyncio.Event()

    async def slow(*given):
        fetched.append(given)
        await go_on.wait()
        return await fetch(*given)

    monkeypatch.setattr(office.database, "fetch", slow)
    made_up = [f"{number:043}" for number in range(500)]
    asking = [asyncio.create_task(office.sessions.find(secret)) for secret in [*made_up, known, *made_up]]
    await asyncio.sleep(0.05)
    asking[0].cancel()
    asking[1].cancel()
    go_on.set()
    found = await asyncio.gather(*asking[2:])
    assert [each.actor for each in found if each] == [BEN.actor]
    assert len(fetched) <= 4


async def test_when_cookies_cannot_be_looked_up_each_is_told_and_the_next_are_looked_up(office, monkeypatch):
    known = await office.sessions.start(BEN)
    tries = []

    async def fails(*given):
        tries.append(given)
        await asyncio.sleep(0.01)
        raise DatabaseError

    monkeypatch.setattr(office.database, "fetch", fails)
    found = await asyncio.gather(*(office.sessions.find(f"{n:043}") for n in range(50)), return_exceptions=True)
    assert {type(each) for each in found} == {Unavailable}
    assert len(tries) <= 2
    monkeypatch.undo()
    assert await office.sessions.find(known) is not None


async def test_nothing_of_a_cookie_is_in_the_database(office):
    secret = await office.sessions.start(BEN)
    for model in (Session, AuditEvent):
        rows = await office.database.fetch(office.database.compile(select(*model.__table__.columns)))
        assert rows
        assert secret not in repr(rows)


@pytest.mark.parametrize("secret", ["", "x", "0" * 43, "0" * 5_000, "\ud800" * 43, "é" * 43])
async def test_what_is_no_cookie_of_ours_is_nobody(office, secret):
    await office.sessions.start(BEN)
    assert await office.sessions.find(secret) is None


async def test_a_cookie_is_no_token_and_a_token_no_cookie(office):
    made = await office.tokens.create(NewToken(name="ci", grants=(Grant(Permission.READ, "*"),)), ADA)
    secret = await office.sessions.start(BEN)
    assert await office.keyring.find(secret) is None
    assert await office.sessions.find(made.secret) is None


async def test_signing_out_ends_the_session_everywhere_and_no_other(office, other):
    secret, another = await office.sessions.start(BEN), await office.sessions.start(BEN)
    here, there = await office.sessions.find(secret), await other.sessions.find(secret)
    changes = []
    office.keyring.on_change = lambda: changes.append(office.admits(here))
    other.keyring.on_change = lambda: changes.append(other.admits(there))
    await office.sessions.end(secret)
    assert await office.sessions.find(secret) is None
    # The other one has not heard of it, then it does.
    assert other.admits(there)
    await other.look()
    assert changes == [False, False]
    assert await other.sessions.find(secret) is None
    assert (await other.sessions.find(another)).actor == BEN.actor
    await office.sessions.end(secret)
    await office.sessions.end("0" * 43)
    assert [kind for kind, *_ in await told(office)] == ["SIGNED_IN", "SIGNED_IN", "SIGNED_OUT"]


async def test_a_session_that_was_read_while_it_ended_is_read_again(office, other, monkeypatch):
    secret = await office.sessions.start(BEN)
    fetch, reads = other.database.fetch, []

    async def slow(statement, values):
        rows = await fetch(statement, values)
        reads.append(len(rows))
        if len(reads) == 1:
            await office.sessions.end(secret)
            await other.look()
        return rows

    monkeypatch.setattr(other.database, "fetch", slow)
    assert await other.sessions.find(secret) is None
    assert reads == [1, 0]


async def test_a_session_expires_and_those_who_hold_on_to_it_are_told(database_url):
    async with open_office(database_url, timedelta(seconds=0.5)) as office:
        secret = await office.sessions.start(BEN)
        caller = await office.sessions.find(secret)
        assert office.admits(caller)
        changed = asyncio.Event()
        office.keyring.on_change = lambda: None if office.admits(caller) else changed.set()
        await office.keyring.start()
        await asyncio.wait_for(changed.wait(), 5)
        assert await office.sessions.find(secret) is None
        # What is long over goes when somebody comes.
        await office.sessions.start(BEN)
        rows = await office.database.fetch(office.database.compile(select(Session.id)))
        assert len(rows) == 1


async def test_a_session_made_with_a_token_is_the_token_and_ends_with_it(office, other, database_url):
    made = await office.tokens.create(NewToken(name="ci", grants=(Grant(Permission.READ, "team-a"),)), ADA)
    await other.look()
    token = (await office.keyring.find(made.secret)).caller
    secret = await office.sessions.start(token)
    here, there = await office.sessions.find(secret), await other.sessions.find(secret)
    for caller in (here, there):
        assert (caller.actor, caller.grants) == (token.actor, token.grants)
        assert caller.session
    assert await office.sessions.find(secret) is here
    # Signing out is not revoking.
    second = await office.sessions.start(token)
    held = await office.sessions.find(second)
    await office.sessions.end(second)
    assert not office.admits(held)
    assert office.admits(token)
    assert office.admits(here)
    await office.tokens.revoke(made.token.id, ADA)
    await other.look()
    for replica, caller in ((office, here), (other, there)):
        assert not replica.admits(caller)
        assert await replica.sessions.find(secret) is None
    # One who never saw it while the token was good.
    async with open_office(database_url) as third:
        assert await third.sessions.find(secret) is None


async def test_a_session_of_a_rotated_token_lasts_no_longer_than_the_secret_before(office, other):
    made = await office.tokens.create(NewToken(name="ci", grants=(Grant(Permission.READ, "team-a"),)), ADA)
    cookie = await office.sessions.start((await office.keyring.find(made.secret)).caller)
    await other.look()
    caller, there = await office.sessions.find(cookie), await other.sessions.find(cookie)
    assert caller is not None
    assert there is not None
    await office.tokens.rotate(made.token.id, ADA, overlap=timedelta(seconds=1))
    await other.look()
    # Also one that began with the secret before, while that was good.
    late = await office.sessions.start((await office.keyring.find(made.secret)).caller)
    assert await office.sessions.find(cookie)
    assert await other.sessions.find(late)
    await asyncio.sleep(1.1)
    for replica in (office, other):
        for secret in (cookie, late):
            assert await replica.sessions.find(secret) is None
    assert not office.admits(caller)
    assert not other.admits(there)


async def test_nobody_signs_in_with_a_secret_that_was_rotated_away_elsewhere(office, other):
    made = await office.tokens.create(NewToken(name="ci", grants=(Grant(Permission.READ, "*"),)), ADA)
    await other.look()
    there = (await other.keyring.find(made.secret)).caller
    changed = await office.tokens.rotate(made.token.id, ADA, overlap=timedelta(0))
    # The other replica has not heard of it.
    assert await other.keyring.find(made.secret)
    with pytest.raises(Forbidden):
        await other.sessions.start(there)
    newest = (await office.keyring.find(changed.secret)).caller
    assert await office.sessions.find(await office.sessions.start(newest))
    await office.tokens.revoke(made.token.id, ADA)
    with pytest.raises(Forbidden):
        await other.sessions.start(newest)
    assert [kind for kind, *_ in await told(office)].count("SIGNED_IN") == 1


async def test_who_signs_in_with_the_secret_before_stays_as_long_as_that_whatever_the_replica_knows(office, other):
    made = await office.tokens.create(NewToken(name="ci", grants=(Grant(Permission.READ, "*"),)), ADA)
    await other.look()
    there = (await other.keyring.find(made.secret)).caller
    await office.tokens.rotate(made.token.id, ADA, overlap=timedelta(seconds=1))
    cookie = await other.sessions.start(there)
    (row,) = await office.signed_in.page()
    assert row.expires_at < time_of(datetime.now(UTC) + timedelta(seconds=1))
    assert await office.sessions.find(cookie)
    await asyncio.sleep(1.1)
    for replica in (office, other):
        assert await replica.sessions.find(cookie) is None


async def test_a_session_ends_with_the_secret_that_opened_it_and_not_with_the_next_one(office, other):
    made = await office.tokens.create(NewToken(name="ci", grants=(Grant(Permission.READ, "*"),)), ADA)
    first = await office.sessions.start((await office.keyring.find(made.secret)).caller)
    hers = await office.sessions.find(first)
    second = await office.tokens.rotate(made.token.id, ADA, overlap=timedelta(hours=24))
    later = await office.sessions.start((await office.keyring.find(second.secret)).caller)
    await other.look()
    assert await other.sessions.find(first)
    await office.tokens.rotate(made.token.id, ADA, overlap=timedelta(hours=24))
    await other.look()
    for replica in (office, other):
        assert await replica.keyring.find(made.secret) is None
        assert await replica.sessions.find(first) is None
        assert (await replica.sessions.find(later)).actor.name == "ci"
    assert not office.admits(hers)
    (row,) = await office.signed_in.page()
    assert row.actor.name == "ci"


async def test_a_session_of_a_version_that_kept_no_secret_is_shortened_by_every_rotation(office):
    made = await office.tokens.create(NewToken(name="ci", grants=(Grant(Permission.READ, "*"),)), ADA)
    cookie = await office.sessions.start((await office.keyring.find(made.secret)).caller)
    forget = office.database.compile(update(Session).values(token_digest=None))

    def work():
        yield Write(forget, [{}])

    await office.database.transact(work)
    caller = await office.sessions.find(cookie)
    assert caller.actor.name == "ci"
    await office.tokens.rotate(made.token.id, ADA, overlap=timedelta(hours=24))
    assert await office.sessions.find(cookie)
    await office.tokens.rotate(made.token.id, ADA, overlap=timedelta(0))
    assert await office.sessions.find(cookie) is None
    assert not office.admits(caller)


async def test_who_calls_themselves_by_the_id_of_another_hides_nobody(office):
    await office.sessions.start(BEN)
    for id in ("second", "third"):
        await office.sessions.start(Caller(Actor(ActorKind.PERSON, id, "ben"), BEN.grants))
    assert [row.actor for row in await office.signed_in.of("ben")] == [BEN.actor]


async def test_who_is_signed_in_is_listed_without_any_secret(office, database_url):
    first = await office.sessions.start(BEN)
    made = await office.tokens.create(NewToken(name="ci", grants=(Grant(Permission.READ, "team-a"),)), ADA)
    token = (await office.keyring.find(made.secret)).caller
    await office.sessions.start(token)
    over = await office.sessions.start(BEN)
    await office.sessions.end(over)
    async with open_office(database_url, timedelta(seconds=-1)) as late:
        # It was over when it began; the next one to sign in would clear it away.
        await late.sessions.start(BEN)
    rows = await office.signed_in.page()
    assert [row.actor for row in rows] == [token.actor, BEN.actor]
    newest, oldest = rows
    assert newest.id > oldest.id
    assert oldest.created_at < oldest.expires_at
    assert await office.signed_in.page(before=newest.id) == [oldest]
    assert first not in repr(rows)
    assert await office.signed_in.of("ben") == await office.signed_in.of("Ben") == [oldest]
    assert await office.signed_in.of(newest.id) == [newest]
    assert await office.signed_in.of("nobody") == []
    # A session goes with its token.
    await office.tokens.revoke(made.token.id, ADA)
    assert await office.signed_in.page() == [oldest]


async def test_an_administrator_ends_all_sessions_of_somebody_in_every_replica(office, other):
    cleo = Caller(Actor(ActorKind.PERSON, "cleo", "Cleo"), BEN.grants)
    secrets = [await office.sessions.start(BEN), await office.sessions.start(BEN)]
    hers = await office.sessions.start(cleo)
    held = [await replica.sessions.find(secret) for replica in (office, other) for secret in secrets]
    assert all(office.admits(caller) or other.admits(caller) for caller in held)
    changes = []
    other.keyring.on_change = lambda: changes.append(other.admits(held[2]))
    rows = await office.signed_in.of("ben")
    assert await office.signed_in.revoke([row.id for row in rows], ADA) == rows
    for replica in (office, other):
        await replica.look()
        for secret in secrets:
            assert await replica.sessions.find(secret) is None
        assert not any(replica.admits(caller) for caller in held)
        assert (await replica.sessions.find(hers)).actor == cleo.actor
    assert changes == [False]
    # Again, nothing is left to be ended, or to be told.
    assert await office.signed_in.revoke([row.id for row in rows], ADA) == []
    assert (await told(office))[3:] == [("SESSION_REVOKED", "Ada", "*")] * 2
    page = await office.audit.page(ADA, PageArguments(first=2))
    assert {entry.subject for entry in page.rows} == {row.id for row in rows}
    assert [json.loads(entry.details) for entry in page.rows] == [{"name": "Ben", "of": "ben"}] * 2


@pytest.mark.parametrize("mapping", ["as it is now", None])
async def test_a_session_does_not_outlive_the_settings_that_gave_its_rights(office, database_url, mapping):
    secret = await office.sessions.start(BEN)
    made = await office.tokens.create(NewToken(name="ci", grants=(Grant(Permission.READ, "*"),)), ADA)
    of_token = await office.sessions.start((await office.keyring.find(made.secret)).caller)
    async with open_office(database_url, mapping=mapping) as changed:
        assert await changed.sessions.find(secret) is None
        # A token's rights are those of the token.
        assert (await changed.sessions.find(of_token)).actor.name == "ci"
    async with open_office(database_url) as same:
        assert (await same.sessions.find(secret)).grants == BEN.grants


async def test_a_session_of_a_version_that_kept_no_settings_is_none(office, database_url):
    secret = await office.sessions.start(BEN)
    forget = office.database.compile(update(Session).values(mapping_digest=None))

    def work():
        yield Write(forget, [{}])

    await office.database.transact(work)
    async with open_office(database_url) as later:
        assert await later.sessions.find(secret) is None


async def test_a_session_of_a_token_that_another_replica_has_just_made_is_known_at_once(office, other):
    made = await office.tokens.create(NewToken(name="ci", grants=(Grant(Permission.READ, "*"),)), ADA)
    token = (await office.keyring.find(made.secret)).caller
    secret, another = await office.sessions.start(token), await office.sessions.start(token)
    assert (await other.sessions.find(secret)).actor == token.actor
    await office.tokens.revoke(made.token.id, ADA)
    await other.look()
    assert await other.sessions.find(another) is None


async def test_who_has_just_come_by_a_token_of_another_replica_may_sign_out(office, other):
    made = await office.tokens.create(NewToken(name="ci", grants=(Grant(Permission.READ, "*"),)), ADA)
    secret = await office.sessions.start((await office.keyring.find(made.secret)).caller)
    await other.sessions.end(secret)
    assert ("SIGNED_OUT", "ci", "*") in await told(office)
    await office.look()
    assert await office.sessions.find(secret) is None
