"""Tokens and their audit, on both databases."""

import asyncio
import json
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

import resolvers.turns
from models import database
from models.database import Database
from models.values import time_of
from resolvers.access import AuditLog, Keyring, NewToken, PageArguments, Tokens, keyring
from resolvers.access.secret import digest_of, is_made_here, new_secret
from resolvers.caller import Actor, ActorKind, Caller, Grant, Permission, everywhere
from resolvers.errors import BadRequest, Forbidden, Invalid, Unavailable

ADA = everywhere(Actor(ActorKind.PERSON, "ada", "Ada"))
BEN = Caller(Actor(ActorKind.PERSON, "ben", "Ben"), (Grant(Permission.ADMIN, "team-*"), Grant(Permission.ADMIN, "qa")))


class Office:
    def __init__(self, database):
        self.database = database
        self.audit = AuditLog(database)
        self.keyring = Keyring(database, self.audit)
        self.tokens = Tokens(database, self.audit, on_change=self.keyring.refresh)

    async def make(self, name="ci", *grants, who=ADA, **more):
        grants = grants or (Grant(Permission.REPORT, "team-a"),)
        return await self.tokens.create(NewToken(name=name, grants=grants, **more), who)

    async def told(self, who=ADA):
        """Kind, actor's name and namespace of each audit event, the oldest first."""
        page = await self.audit.page(who, PageArguments(first=100))
        return [(entry.kind, entry.actor.name, entry.namespace) for entry in reversed(page.rows)]


@pytest.fixture
async def office(database_url):
    async with open_office(database_url) as office:
        yield office


@asynccontextmanager
async def open_office(url):
    database = Database(url)
    office = Office(database)
    await office.keyring.refresh()
    try:
        yield office
    finally:
        await office.keyring.close()
        await database.close()


def in_time(**delta):
    return time_of(datetime.now(UTC) + timedelta(**delta))


def test_a_secret_is_known_by_its_form_and_no_two_are_alike():
    secrets = {new_secret() for _ in range(200)}
    assert len(secrets) == 200
    for secret in secrets:
        assert secret.startswith("igt_")
        assert len(secret) == 53
        assert is_made_here(secret)
        assert not is_made_here(secret[:-1] + ("0" if secret[-1] != "0" else "1"))
    for other in ("", "igt_", "igt_" + "0" * 49 + "é", "x" * 53, "igt_" + "\ud800" * 49):
        assert not is_made_here(other)
        assert len(digest_of(other)) == 64


async def test_who_shows_the_secret_is_the_token_with_its_grants(office):
    made = await office.make("ci", Grant(Permission.REPORT, "team-*"), Grant(Permission.READ, "team-a"))
    known = await office.keyring.find(made.secret)
    assert known.caller.actor == Actor(ActorKind.TOKEN, made.token.id, "ci")
    assert set(known.caller.grants) == {Grant(Permission.REPORT, "team-*"), Grant(Permission.READ, "team-a")}
    assert known.webhook is None
    assert made.token.created_by == ADA.actor
    # The same one stays the same: streams are shared by who asks.
    await office.make("another")
    assert (await office.keyring.find(made.secret)).caller is known.caller


async def test_of_too_many_tokens_no_more_are_made_until_some_have_ended(office):
    office.tokens = Tokens(office.database, office.audit, most=2)
    first = await office.make("first")
    await office.make("short", expires_at=in_time(seconds=0.3))
    with pytest.raises(Invalid) as refused:
        await asyncio.gather(office.make("third"), office.make("fourth"))
    assert [(error.code, error.field) for error in refused.value.errors] == [("TOO_MANY", ("name",))]
    await asyncio.sleep(0.4)
    await office.make("third")
    with pytest.raises(Invalid):
        await office.make("fourth")
    await office.tokens.revoke(first.token.id, ADA)
    await office.make("fourth")


async def test_nothing_of_a_secret_is_in_the_database(office):
    made = await office.make()
    from sqlalchemy import select

    from models import AuditEvent, Token

    for model in (Token, AuditEvent):
        rows = await office.database.fetch(office.database.compile(select(*model.__table__.columns)))
        assert rows
        assert made.secret not in repr(rows)
        assert made.secret[4:] not in repr(rows)


@pytest.mark.parametrize("secret", ["", "igt_", "x", "Bearer", "\ud800", "0" * 5_000])
async def test_what_is_no_token_lets_nobody_in(office, secret):
    await office.make()
    assert await office.keyring.find(secret) is None
    assert await office.keyring.find(new_secret()) is None


async def test_a_revoked_token_is_no_longer_good_and_revoking_again_changes_nothing(office):
    made = await office.make()
    caller = (await office.keyring.find(made.secret)).caller
    assert office.keyring.admits(caller)
    first = await office.tokens.revoke(made.token.id, ADA)
    assert await office.keyring.find(made.secret) is None
    assert not office.keyring.admits(caller)
    looks = office.keyring._versions
    again = await office.tokens.revoke(made.token.id, ADA)
    assert office.keyring._versions == looks
    assert again.token.revoked_at == first.token.revoked_at is not None
    assert [kind for kind, *_ in await office.told()] == ["TOKEN_CREATED", "TOKEN_REVOKED"]


async def test_rotation_keeps_the_token_and_ends_the_secret_before_the_last(office):
    made = await office.make()
    second = await office.tokens.rotate(made.token.id, ADA, overlap=timedelta(hours=1))
    assert second.token.id == made.token.id
    assert (await office.keyring.find(made.secret)).caller == (await office.keyring.find(second.secret)).caller
    third = await office.tokens.rotate(made.token.id, ADA, overlap=timedelta(0))
    assert await office.keyring.find(made.secret) is None
    assert await office.keyring.find(second.secret) is None
    assert await office.keyring.find(third.secret)
    with pytest.raises(Invalid, match="overlapSeconds"):
        await office.tokens.rotate(made.token.id, ADA, overlap=timedelta(days=91))


async def test_who_showed_the_secret_before_is_here_no_longer_than_it_is_good(office):
    made = await office.make()
    held = (await office.keyring.find(made.secret)).caller
    second = await office.tokens.rotate(made.token.id, ADA, overlap=timedelta(seconds=1))
    here = (await office.keyring.find(second.secret)).caller
    assert office.keyring.admits(held)
    ended = asyncio.Event()
    office.keyring.on_change = lambda: None if office.keyring.admits(held) else ended.set()
    await office.keyring.start()
    async with asyncio.timeout(10):
        await ended.wait()
    assert office.keyring.admits(here)
    await office.tokens.rotate(made.token.id, ADA, overlap=timedelta(0))
    assert not office.keyring.admits(here)


async def test_an_expired_token_is_no_longer_good_and_that_is_written_down_once(office):
    made = await office.make(expires_at=in_time(seconds=0.4))
    caller = (await office.keyring.find(made.secret)).caller
    await asyncio.sleep(0.5)
    assert await office.keyring.find(made.secret) is None
    assert not office.keyring.admits(caller)
    await office.keyring._note()
    await office.keyring._note()
    assert [kind for kind, *_ in await office.told()].count("TOKEN_EXPIRED") == 1
    with pytest.raises(Invalid, match="no longer good"):
        await office.tokens.rotate(made.token.id, ADA)


async def test_ends_are_told_and_changes_heard_of_while_nothing_can_be_written(office, database_url, monkeypatch):
    made = await office.make(expires_at=in_time(seconds=1))
    caller = (await office.keyring.find(made.secret)).caller
    person = Caller(Actor(ActorKind.PERSON, "u-1", "u"), (), expires_at=time.time() + 1)
    office.keyring.note_end(person.expires_at)
    writing, ended = asyncio.Event(), asyncio.Event()

    async def waits_for_ever(work):
        writing.set()
        await asyncio.Event().wait()

    def changed():
        if not office.keyring.admits(caller) and not office.keyring.admits(person):
            ended.set()

    monkeypatch.setattr(office.database, "transact", waits_for_ever)
    office.keyring.on_change = changed
    await office.keyring.start()
    async with open_office(database_url) as other, asyncio.timeout(20):
        await writing.wait()
        await ended.wait()
        revoked = await other.make("revoked")
        held = (await office.keyring.find(revoked.secret)).caller
        await other.tokens.revoke(revoked.token.id, ADA)
        while office.keyring.admits(held):
            await asyncio.sleep(0.05)
    monkeypatch.undo()


async def test_whatever_goes_wrong_with_one_end_the_next_is_told(office, monkeypatch):
    told = asyncio.Event()

    def fails():
        office.keyring.on_change = told.set
        office.keyring.note_end(time.time())
        raise ValueError

    office.keyring.on_change = fails
    monkeypatch.setattr(keyring, "LOOK_SECONDS", 0.01)
    office.keyring.note_end(time.time())
    await office.keyring.start()
    async with asyncio.timeout(20):
        await told.wait()


async def test_while_a_process_learns_nobody_who_is_good_is_turned_away(office, database_url, monkeypatch):
    monkeypatch.setattr(resolvers.turns, "TURN_SECONDS", 0)
    made = [await office.make(str(number), Grant(Permission.READ, "team-a")) for number in range(20)]
    async with open_office(database_url) as other:
        before = [(await other.keyring.find(each.secret)).caller for each in made]
        await office.tokens.revoke(made[0].token.id, ADA)
        new = await office.make("new", Grant(Permission.READ, "team-b"))
        learning, turns = asyncio.create_task(other.keyring.refresh()), 0
        while not learning.done():
            turns += 1
            assert all(map(other.keyring.admits, before[1:]))
            await asyncio.sleep(0)
        assert turns >= 20
        assert [other.keyring.admits(each) for each in before] == [False] + [True] * 19
        # Streams are shared by who asks.
        assert (await other.keyring.find(made[1].secret)).caller is before[1]
        assert (await other.keyring.find(new.secret)).caller.grants == (Grant(Permission.READ, "team-b"),)


async def test_first_use_and_refusals_are_told_with_their_number(office):
    made = await office.make()
    for _ in range(3):
        await office.keyring.find(made.secret)
        office.keyring.refused("NO_TOKEN", "192.0.2.7")
    await office.keyring._note()
    await office.keyring.find(made.secret)
    await office.keyring._note()
    page = await office.audit.page(ADA, PageArguments())
    assert sorted(entry.kind for entry in page.rows) == ["AUTHENTICATION_REFUSED", "TOKEN_CREATED", "TOKEN_FIRST_USED"]
    (refused,) = [entry for entry in page.rows if entry.kind == "AUTHENTICATION_REFUSED"]
    assert (refused.subject, refused.actor.kind) == ("192.0.2.7", ActorKind.SYSTEM)
    assert '"count":3' in refused.details.replace(" ", "")
    (token,) = (await office.tokens.page(ADA, PageArguments())).rows
    assert token.last_used_at is not None


async def test_refusals_wait_for_the_end_of_their_minute_whatever_else_is_written(office, database_url, monkeypatch):
    monkeypatch.setattr(keyring, "LOOK_SECONDS", 0.01)
    made = [await office.make(name) for name in ("one", "two", "three")]
    await office.keyring.start()

    async def kinds():
        return [kind for kind, *_ in await office.told()]

    async def until_written(kind, times):
        async with asyncio.timeout(20):
            while (await kinds()).count(kind) < times:
                await asyncio.sleep(0.01)

    for number, each in enumerate(made, 1):
        office.keyring.refused("NO_TOKEN", "192.0.2.7")
        await office.keyring.find(each.secret)
        await until_written("TOKEN_FIRST_USED", number)
    assert "AUTHENTICATION_REFUSED" not in await kinds()
    # Their minute is over.
    office.keyring._refusals_due = 0.0
    await until_written("AUTHENTICATION_REFUSED", 1)
    # Those of the next are written at the end at the latest.
    office.keyring.refused("NO_TOKEN", "192.0.2.7", 2)
    await office.keyring.close()
    page = await office.audit.page(ADA, PageArguments())
    counts = [json.loads(entry.details)["count"] for entry in page.rows if entry.kind == "AUTHENTICATION_REFUSED"]
    assert counts == [2, 3]


async def test_refusals_of_many_addresses_are_a_few_rows_with_the_number_of_all(office, monkeypatch):
    async def unwritable(work):
        raise Unavailable("the disk is full")

    for number in range(5_000):
        office.keyring.refused("NO_TOKEN", f"192.0.2.{number}")
        office.keyring.refused("UNKNOWN_TOKEN", "198.51.100.1")
    with monkeypatch.context() as patched:
        patched.setattr(office.keyring._database, "transact", unwritable)
        for number in range(100):
            with pytest.raises(Unavailable):
                await office.keyring._note()
            office.keyring.refused("NO_TOKEN", f"203.0.113.{number}")
    await office.keyring._note()
    page = await office.audit.page(ADA, PageArguments(first=100))
    told = {entry.subject: json.loads(entry.details) for entry in page.rows}
    assert len(page.rows) == page.total == len(told) <= 52
    assert told["198.51.100.1"] == {"reason": "UNKNOWN_TOKEN", "count": 5_000}
    assert sum(each["count"] for each in told.values() if each["reason"] == "NO_TOKEN") == 5_100


async def test_many_tokens_that_nobody_knows_are_one_look_at_the_database(office, monkeypatch):
    read, reads, go_on = office.database.read, [], asyncio.Event()

    async def slow(work):
        reads.append(work)
        await go_on.wait()
        return await read(work)

    monkeypatch.setattr(office.database, "read", slow)
    first = asyncio.create_task(office.keyring.find(new_secret()))
    await asyncio.sleep(0)
    others = [asyncio.create_task(office.keyring.find(new_secret())) for _ in range(100)]
    await asyncio.sleep(0.05)
    assert len(reads) == 1
    go_on.set()
    assert await asyncio.gather(first, *others) == [None] * 101
    # That one had begun before the others came: a token might have been made since. One more is for all of them.
    assert len(reads) == 2


async def test_who_waits_for_a_look_is_told_that_it_failed_and_not_that_it_was_cut_off(office, monkeypatch):
    made = await office.make()
    read, reads, go_on = office.database.read, [], asyncio.Event()

    async def failing(work):
        reads.append(work)
        await go_on.wait()
        raise database.Unavailable("away", in_doubt=False)

    monkeypatch.setattr(office.database, "read", failing)
    tasks = [asyncio.create_task(office.keyring.find(new_secret())) for _ in range(50)]
    await asyncio.sleep(0.05)
    go_on.set()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {Unavailable}
    assert len(reads) <= 2
    # Who goes away takes the look along, but not the answer of who stays.
    go_on.clear()
    gone = asyncio.create_task(office.keyring.find(new_secret()))
    await asyncio.sleep(0.05)
    stays = asyncio.create_task(office.keyring.find(new_secret()))
    await asyncio.sleep(0.05)
    monkeypatch.setattr(office.database, "read", read)
    gone.cancel()
    assert await asyncio.wait_for(stays, 5) is None
    assert await office.keyring.find(made.secret) is not None


async def test_an_administrator_hands_on_what_lies_within_its_namespaces(office):
    for namespace in ("team-a", "team-b*", "team-*", "qa"):
        await office.make("good", Grant(Permission.MANAGE, namespace), who=BEN)
    for namespace in ("*", "team", "tea*", "qa*", "qa-2", "other"):
        with pytest.raises(Forbidden):
            await office.make("bad", Grant(Permission.READ, namespace), who=BEN)
        with pytest.raises(Forbidden):
            await office.make("bad", Grant(Permission.READ, "qa"), Grant(Permission.READ, namespace), who=BEN)
    nobody = Caller(Actor(ActorKind.TOKEN, "x", "x"), (Grant(Permission.MANAGE, "*"), Grant(Permission.READ, "*")))
    with pytest.raises(Forbidden):
        await office.make("bad", who=nobody)
    assert (await office.tokens.page(ADA, PageArguments())).total == 4


async def test_an_administrator_sees_and_ends_only_what_lies_within_its_namespaces(office):
    inside = await office.make("in", Grant(Permission.READ, "team-a"), Grant(Permission.READ, "qa"))
    half = await office.make("half", Grant(Permission.READ, "team-a"), Grant(Permission.READ, "other"))
    outside = await office.make("out", Grant(Permission.READ, "*"))
    page = await office.tokens.page(BEN, PageArguments())
    assert ([token.name for token in page.rows], page.total) == (["in"], 1)
    for other in (half, outside):
        for act in (office.tokens.revoke, office.tokens.rotate):
            with pytest.raises(Invalid) as refused:
                await act(other.token.id, BEN)
            with pytest.raises(Invalid) as unknown:
                await act("01890000-0000-7000-8000-000000000000", BEN)
            assert refused.value.errors == unknown.value.errors
    await office.tokens.revoke(inside.token.id, BEN)
    one = await office.make("one", Grant(Permission.READ, "qa"))
    assert one.token.id in {entry.subject for entry in (await office.audit.page(BEN, PageArguments())).rows}
    assert {namespace for _, _, namespace in await office.told(BEN)} == {"qa"}
    assert {namespace for _, _, namespace in await office.told()} == {"qa", "*"}


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("name", {"name": ""}),
        ("name", {"name": "x" * 201}),
        ("name", {"name": "a\0b"}),
        ("name", {"name": "a\x1b[2J"}),
        ("grants", {"grants": ()}),
        ("grants", {"grants": tuple(Grant(Permission.READ, f"n{i}") for i in range(201))}),
        ("namespace", {"grants": (Grant(Permission.READ, ""),)}),
        ("namespace", {"grants": (Grant(Permission.READ, "a*b"),)}),
        ("namespace", {"grants": (Grant(Permission.READ, "**"),)}),
        ("permission", {"webhook": "pipeline", "grants": (Grant(Permission.READ, "a"),)}),
        ("expiresAt", {"expires_at": "2020-01-01T00:00:00.000000Z"}),
    ],
)
def test_a_token_that_cannot_be_names_the_field(field, given):
    with pytest.raises(Invalid) as refused:
        NewToken(**{"name": "ci", "grants": (Grant(Permission.REPORT, "a"),), **given})
    assert [error.field[-1] for error in refused.value.errors] == [field]


async def test_pages_go_through_all_tokens_both_ways(office):
    made = [(await office.make(f"t{number}")).token.id for number in range(5)]
    newest_first = made[::-1]
    from resolvers.access import cursor_of

    page = await office.tokens.page(ADA, PageArguments(first=2))
    assert [token.id for token in page.rows] == newest_first[:2]
    assert (page.total, page.has_next, page.has_previous) == (5, True, False)
    page = await office.tokens.page(ADA, PageArguments(first=3, after=cursor_of(newest_first[1])))
    assert [token.id for token in page.rows] == newest_first[2:]
    assert (page.has_next, page.has_previous) == (False, True)
    page = await office.tokens.page(ADA, PageArguments(last=2, before=cursor_of(newest_first[3])))
    assert [token.id for token in page.rows] == newest_first[1:3]
    assert (page.has_next, page.has_previous) == (True, True)
    for wrong in (
        PageArguments(first=0),
        PageArguments(first=101),
        PageArguments(first=1, last=1),
        PageArguments(after="nonsense"),
    ):
        with pytest.raises(BadRequest):
            await office.tokens.page(ADA, wrong)


async def test_the_first_token_is_made_once_whoever_tries(database_url):
    async with open_office(database_url) as one, open_office(database_url) as other:
        made = await asyncio.gather(*(office.tokens.create_first() for office in (one, other, one, other)))
        (first,) = [each for each in made if each is not None]
        caller = (await one.keyring.find(first.secret)).caller
        assert all(caller.may(permission, "anywhere") for permission in Permission)
        await one.tokens.revoke(first.token.id, ADA)
        assert await other.tokens.create_first() is None


async def test_another_process_hears_of_it_by_looking(database_url):
    async with open_office(database_url) as here, open_office(database_url) as there:
        await there.keyring.start()
        made = await here.make()
        caller = (await there.keyring.find(made.secret)).caller
        await here.tokens.revoke(made.token.id, ADA)
        there.keyring.wake()
        async with asyncio.timeout(10):
            while there.keyring.admits(caller):
                await asyncio.sleep(0.01)
        assert await there.keyring.find(made.secret) is None
