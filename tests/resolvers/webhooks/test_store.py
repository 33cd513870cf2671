"""Webhooks of users: made, changed, deleted, known in every process, and their secrets to nobody."""

import asyncio
import base64
import os
import threading
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import update

from models import Access, AuditEvent, Webhook
from models.database import Database, Write
from resolvers.access import AuditLog, Keyring, PageArguments
from resolvers.caller import Actor, ActorKind, Caller, Grant, Permission, everywhere
from resolvers.errors import Forbidden, Invalid, Unavailable
from resolvers.webhooks import store
from resolvers.webhooks.registry import Registry
from resolvers.webhooks.secrets import NoKey, Secrets, Unreadable
from resolvers.webhooks.store import BadDefinition, Webhooks
from resolvers.webhooks.wanted import Wanted
from tests.resolvers.mutation.house import House
from tests.resolvers.webhooks.fake_engine import FakeEngine

ADA = everywhere(Actor(ActorKind.PERSON, "ada", "Ada"))
BEN = Caller(Actor(ActorKind.PERSON, "ben", "Ben"), (Grant(Permission.MANAGE, "team-*"), Grant(Permission.READ, "*")))
KEY, OTHER_KEY = (base64.b64encode(bytes([number]) * 32).decode() for number in (1, 2))


class Process:
    """One server: what it knows, and the means to change it."""

    def __init__(self, database, *keys, most=100):
        audit = AuditLog(database)
        self.house = House(database)
        self.keyring = Keyring(database, audit)
        self.registry = Registry(database, Secrets(keys))
        self.keyring.on_version.append(self.registry.refresh)
        engine = FakeEngine(self.registry.find)
        self.webhooks = Webhooks(database, audit, engine, Secrets(keys), most=most, on_change=self.keyring.refresh)

    async def make(self, name="ours", who=ADA, **wanted):
        given = {"definition": "title: Ours", "namespaces": ("team-a",), **wanted}
        return await self.webhooks.create(name, Wanted(**given), who)

    async def names(self, who):
        page = await self.webhooks.page(who, PageArguments())
        assert page.total == len(page.rows)
        return [row.name for row in page.rows]


@asynccontextmanager
async def process(url, *keys, **settings):
    database = Database(url)
    try:
        started = Process(database, *(keys or (KEY,)), **settings)
        await started.keyring.refresh()
        yield started
    finally:
        await database.close()


@pytest.fixture
async def ours(database_url):
    async with process(database_url) as ours:
        yield ours


def code_of(refused):
    (error,) = refused.value.errors
    return error.code, error.field


async def test_a_webhook_is_known_in_every_process_as_soon_as_it_looks(ours, database_url):
    async with process(database_url) as theirs:
        made = await ours.make(namespaces=("team-b", "team-a", "team-b"), secrets=("one secret", "another one"))
        assert (made.version, made.title, made.namespaces) == (1, "Ours", ("team-b", "team-a"))
        await theirs.keyring.refresh()
        for registry in (ours.registry, theirs.registry):
            known = registry.find("ours")
            assert (known.definition, known.version, known.enabled, known.keep_bodies) == ("title: Ours", 1, True, True)
            assert known.secrets == ("one secret", "another one")
            assert known.sender == Caller(
                Actor(ActorKind.WEBHOOK, "ours", "Ours"),
                (Grant(Permission.REPORT, "team-a"), Grant(Permission.REPORT, "team-b")),
                tool="ours",
            )
        await theirs.webhooks.update("ours", 1, Wanted(definition="title: Theirs", enabled=False), ADA)
        await ours.keyring.refresh()
        changed = ours.registry.find("ours")
        assert (changed.title, changed.version, changed.enabled) == ("Theirs", 2, False)
        assert changed.secrets == ("one secret", "another one")
        await theirs.webhooks.delete("ours", ADA)
        await ours.keyring.refresh()
        assert ours.registry.find("ours") is None


async def test_only_what_changed_is_read_again(ours):
    await ours.make("one")
    await ours.make("two")
    one = ours.registry.find("one")
    await ours.webhooks.update("two", 1, Wanted(enabled=False), ADA)
    assert ours.registry.find("one") is one
    assert ours.registry.names == ("one", "two")


async def test_a_change_of_webhooks_is_known_everywhere_and_has_nobody_read_the_tokens(ours, database_url, monkeypatch):
    async with process(database_url) as other:
        changes = []
        other.keyring.on_change = lambda: changes.append(other.registry.names)

        def no_tokens(*_):
            raise AssertionError

        with monkeypatch.context() as patched:
            patched.setattr(other.keyring, "_learn", no_tokens)
            await ours.make("one")
            await ours.make("two")
            await ours.webhooks.update("one", 1, Wanted(enabled=False), ADA)
            await ours.webhooks.delete("two", ADA)
            await other.keyring.refresh()
        assert (other.registry.names, other.registry.find("one").enabled) == (("one",), False)
        assert changes == []
        # The version before this one, beside it, tells of every change alike.
        database = ours.house.database
        enabled = database.compile(update(Webhook).values(enabled=True, version=Webhook.version + 1))
        changed = database.compile(update(Access).values(version=Access.version + 1))

        def work():
            yield Write(enabled, [{}])
            yield Write(changed, [{}])

        await database.transact(work)
        await other.keyring.refresh()
        assert changes == [("one",)]
        assert other.registry.find("one").enabled


async def test_secrets_are_kept_encrypted_and_two_are_good_while_one_takes_the_place_of_the_other(ours):
    await ours.make(secrets=("first secret",))
    kept = (await ours.house.row(Webhook))["secrets"]
    assert "first" not in kept
    await ours.webhooks.update("ours", 1, Wanted(new_secret="second secret"), ADA)
    await ours.webhooks.update("ours", 2, Wanted(new_secret="third secret"), ADA)
    assert ours.registry.find("ours").secrets == ("third secret", "second secret")
    await ours.webhooks.update("ours", 3, Wanted(secrets=("third secret",)), ADA)
    assert ours.registry.find("ours").secrets == ("third secret",)
    await ours.webhooks.update("ours", 4, Wanted(secrets=()), ADA)
    assert ours.registry.find("ours").secrets == ()
    assert (await ours.house.row(Webhook))["secrets"] is None


async def test_a_secret_that_nobody_could_show_is_refused_and_its_field_is_named(ours):
    with pytest.raises(Invalid) as refused:
        await ours.make(secrets=("first secret", "an odd secret"))
    assert code_of(refused) == ("INVALID", ("secrets", "1"))
    await ours.make(definition="title: odd", secrets=("an odd secret",))
    for wanted, field in (
        (Wanted(definition="title: Ours"), ("definition",)),
        (Wanted(definition="title: Ours", new_secret="odd again"), ("newSecret",)),
        (Wanted(definition="title: Ours", secrets=("odd again",)), ("secrets", "0")),
    ):
        with pytest.raises(Invalid) as refused:
            await ours.webhooks.update("ours", 1, wanted, ADA)
        assert refused.value.errors[0].field == field
    assert ours.registry.find("ours").version == 1
    changed = Wanted(definition="title: Ours", secrets=("first secret",))
    assert (await ours.webhooks.update("ours", 1, changed, ADA)).version == 2


async def test_a_definition_is_read_beside_everything_else(ours, monkeypatch):
    threads = {}
    for name in ("problems", "title", "unfit_secrets"):
        read = getattr(FakeEngine, name)

        def watched(*given, name=name, read=read):
            threads[name] = threading.current_thread()
            return read(*given)

        monkeypatch.setattr(FakeEngine, name, watched)
    await ours.make(secrets=("first secret",))
    assert threads.keys() == {"problems", "title", "unfit_secrets"}
    assert threading.main_thread() not in threads.values()


async def test_a_weak_secret_is_refused_when_it_is_new_and_goes_on_when_it_is_kept(ours):
    with pytest.raises(Invalid) as refused:
        await ours.make(secrets=("first secret", "a weak one"))
    assert code_of(refused) == ("INVALID", ("secrets", "1"))
    await ours.make(definition="title: weak", secrets=("a weak one",))
    await ours.webhooks.update("ours", 1, Wanted(definition="title: Ours"), ADA)
    with pytest.raises(Invalid) as refused:
        await ours.webhooks.update("ours", 2, Wanted(new_secret="another weak one"), ADA)
    assert code_of(refused) == ("INVALID", ("newSecret",))
    await ours.webhooks.update("ours", 2, Wanted(new_secret="first secret"), ADA)
    assert ours.registry.find("ours").secrets == ("first secret", "a weak one")


async def test_an_older_key_still_reads_and_a_key_that_is_gone_lets_nobody_in(ours, database_url):
    await ours.make(secrets=("first secret",))
    async with process(database_url, OTHER_KEY, KEY) as both:
        assert both.registry.find("ours").secrets == ("first secret",)
        await both.webhooks.update("ours", 1, Wanted(new_secret="second secret"), ADA)
    async with process(database_url, OTHER_KEY) as newest:
        assert newest.registry.find("ours").secrets == ("second secret", "first secret")
    async with process(database_url, KEY) as oldest:
        stored = oldest.registry.find("ours")
        assert stored.has_secrets
        with pytest.raises(Unavailable):
            _ = stored.secrets
        # A new one mends it.
        await oldest.webhooks.update("ours", 2, Wanted(new_secret="third secret"), ADA)
        assert oldest.registry.find("ours").secrets == ("third secret",)


async def test_without_a_key_no_secret_is_kept_and_the_setting_is_named(database_url):
    database = Database(database_url)
    without = Process(database)
    with pytest.raises(Invalid, match="ISSUEGRAPH_SECRET_KEY") as refused:
        await without.make(secrets=("first secret",))
    assert code_of(refused) == ("INVALID", ("secrets",))
    assert (await without.make()).secrets is None
    await database.close()


@pytest.mark.parametrize(
    ("wanted", "error"),
    [
        ({"name": "Ours"}, ("INVALID", ("name",))),
        ({"name": "a" * 101}, ("INVALID", ("name",))),
        ({"name": "github"}, ("CONFLICT", ("name",))),
        ({"definition": ""}, ("REQUIRED", ("definition",))),
        ({"definition": "x" * 65_537}, ("TOO_LONG", ("definition",))),
        ({"namespaces": ()}, ("REQUIRED", ("namespaces",))),
        ({"namespaces": ("a*b",)}, ("INVALID", ("namespaces", "0"))),
        ({"namespaces": tuple(map(str, range(201)))}, ("TOO_MANY", ("namespaces",))),
        ({"secrets": ("short",)}, ("INVALID", ("secrets", "0"))),
        ({"secrets": ("long enough",) * 3}, ("TOO_MANY", ("secrets",))),
    ],
)
async def test_what_cannot_be_is_refused_with_its_field(ours, wanted, error):
    with pytest.raises(Invalid) as refused:
        await ours.make(**wanted)
    assert code_of(refused) == error
    assert await ours.house.rows(Webhook) == []


async def test_a_definition_that_cannot_be_used_is_not_kept(ours):
    with pytest.raises(BadDefinition) as refused:
        await ours.make(definition="title: x\nbad")
    assert [(problem.line, problem.path) for problem in refused.value.problems] == [(2, "rules.0")]
    await ours.make()
    with pytest.raises(BadDefinition):
        await ours.webhooks.update("ours", 1, Wanted(definition="bad"), ADA)
    assert (await ours.house.row(Webhook))["version"] == 1


async def test_a_name_is_one_webhooks_and_there_are_so_many_at_most(database_url):
    async with process(database_url, most=2) as ours:
        await ours.make("one")
        with pytest.raises(Invalid) as refused:
            await ours.make("one")
        assert code_of(refused) == ("CONFLICT", ("name",))
        await ours.make("two")
        with pytest.raises(Invalid) as refused:
            await ours.make("three")
        assert code_of(refused) == ("TOO_MANY", ("name",))


async def test_of_two_changes_of_the_same_version_one_is_told_of_the_other(ours):
    await ours.make()
    results = await asyncio.gather(
        *(ours.webhooks.update("ours", 1, Wanted(definition=f"title: {n}"), ADA) for n in range(2)),
        return_exceptions=True,
    )
    assert sorted(type(result).__name__ for result in results) == ["Invalid", "WebhookRow"]
    (conflict,) = [result for result in results if isinstance(result, Invalid)]
    assert [error.code for error in conflict.errors] == ["CONFLICT"]


async def test_who_has_not_manage_in_every_namespace_of_a_webhook_does_not_know_it(ours):
    await ours.make("mine", namespaces=("team-a", "team-b"))
    await ours.make("wide", namespaces=("team-*",))
    for name, namespaces in (("half", ("team-a", "other")), ("all", ("*",)), ("wider", ("te*",))):
        await ours.make(name, namespaces=namespaces)
        assert await ours.webhooks.one(name, BEN) is None
        for attempt in (ours.webhooks.update(name, 1, Wanted(enabled=False), BEN), ours.webhooks.delete(name, BEN)):
            with pytest.raises(Invalid) as refused:
                await attempt
            assert code_of(refused) == ("NOT_FOUND", ("name",))
    assert await ours.names(BEN) == ["wide", "mine"]
    assert await ours.names(ADA) == ["wider", "all", "half", "wide", "mine"]
    for odd in ("no such", "a\0b", "\ud800", ""):
        assert await ours.webhooks.one(odd, ADA) is None
    with pytest.raises(Forbidden):
        await ours.make("theirs", BEN, namespaces=("team-a", "other"))
    with pytest.raises(Forbidden):
        await ours.webhooks.update("mine", 1, Wanted(namespaces=("other",)), BEN)


async def test_the_versions_of_a_webhook_tell_what_it_was_and_who_made_it_so(ours, monkeypatch):
    monkeypatch.setattr(store, "VERSIONS_KEPT", 3)
    made = await ours.make(namespaces=("team-a",))
    for version in range(1, 5):
        wanted = Wanted(definition=f"title: {version}", namespaces=("team-a", "team-b"), keep_bodies=False)
        await ours.webhooks.update("ours", version, wanted, BEN)
    versions = await ours.webhooks.versions(made.id)
    assert [(each.version, each.definition, each.by.id) for each in versions] == [
        (5, "title: 4", "ben"),
        (4, "title: 3", "ben"),
        (3, "title: 2", "ben"),
    ]
    assert (versions[0].namespaces, versions[0].enabled, versions[0].keep_bodies) == (("team-a", "team-b"), True, False)


async def test_the_audit_tells_of_each_change_and_of_no_secret(ours):
    await ours.make(secrets=("first secret",))
    await ours.webhooks.update("ours", 1, Wanted(namespaces=("team-a", "team-b")), BEN)
    await ours.webhooks.delete("ours", ADA)
    rows = await ours.house.rows(AuditEvent)
    assert [(row["kind"], row["actor_id"], row["namespace"], row["subject"]) for row in rows] == [
        ("WEBHOOK_CREATED", "ada", "team-a", "ours"),
        ("WEBHOOK_CHANGED", "ben", "*", "ours"),
        ("WEBHOOK_DELETED", "ada", "*", "ours"),
    ]
    assert "secret" not in str(rows)


def test_the_key_beside_a_database_is_made_for_the_first_secret_and_is_its_owners(tmp_path):
    database = tmp_path / "issuegraph.db"
    with pytest.raises(Unreadable):
        Secrets([], database).decrypted("something")
    assert list(tmp_path.iterdir()) == []
    kept = Secrets([], database).encrypted(["a secret"])
    assert Secrets([], database).decrypted(kept) == ("a secret",)
    assert Secrets([], database).encrypted(["another"]) != kept
    assert os.stat(tmp_path / "issuegraph.db.key").st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["issuegraph.db.key"]


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"short"])
def test_a_file_with_no_key_in_it_reads_and_encrypts_nothing(tmp_path, content):
    database = tmp_path / "issuegraph.db"
    kept = Secrets([], database).encrypted(["a secret"])
    file = tmp_path / "issuegraph.db.key"
    key = file.read_bytes()
    file.write_bytes(content)
    for act in (lambda: Secrets([], database).decrypted(kept), lambda: Secrets([], database).encrypted(["another"])):
        with pytest.raises(Unreadable):
            act()
    file.unlink()
    file.mkdir()
    with pytest.raises(Unreadable):
        Secrets([], database).decrypted(kept)
    file.rmdir()
    file.write_bytes(key)
    assert Secrets([], database).decrypted(kept) == ("a secret",)


def test_a_key_that_cannot_be_made_is_told(tmp_path):
    with pytest.raises(OSError, match="nowhere"):
        Secrets([], tmp_path / "nowhere" / "issuegraph.db").encrypted(["a secret"])


def test_a_key_is_32_bytes_in_either_base64():
    for good in (KEY, KEY.replace("=", "") + "=", base64.urlsafe_b64encode(b"\xff" * 32).decode()):
        Secrets([good]).encrypted(["a secret"])
    for bad in ("", "x", KEY[:-4], KEY + "AAAA", "é" * 44):
        with pytest.raises(ValueError, match="openssl rand"):
            Secrets([bad])
    with pytest.raises(NoKey):
        Secrets([]).encrypted(["a secret"])
