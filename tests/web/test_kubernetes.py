"""Tokens that a Kubernetes API server knows: whom it lets in, what it is asked, and for how long that holds."""

import asyncio
import gc

import pytest
from pydantic import SecretStr

from resolvers.access.secret import new_secret
from resolvers.caller import Actor, ActorKind, Caller
from resolvers.errors import Unavailable
from tests.web.client import living
from tests.web.cluster import OWN_TOKEN, FakeCluster
from tests.web.test_access import FIRST, bearer
from tests.web.test_sign_in import VIEWER, Wire
from web.app import create_app
from web.identity import fetch, kubernetes, strangers
from web.identity.fetch import NoAnswer
from web.identity.kubernetes import Kubernetes
from web.settings import Settings

SERVICE_ACCOUNT = "system:serviceaccount:team-a:reporter"


@pytest.fixture
def cluster():
    return FakeCluster()


@pytest.fixture
async def make(cluster, tmp_path):
    file = tmp_path / "token"
    file.write_text(OWN_TOKEN + "\n")
    async with cluster.client() as http:

        def make(**more):
            cluster.changes = []
            given = {"audiences": (), "selector": "", "is_of_others": lambda secret: False, **more}
            on_change = lambda: cluster.changes.append(1)  # noqa: E731
            return Kubernetes("https://cluster", http, token_file=file, on_change=on_change, **given)

        yield make


def aged(known, share):
    """Lets so much of the time pass for which an answer holds."""
    for entry in known._entries.values():
        entry.at -= share * kubernetes.REVIEW_SECONDS
    known._namespaces_at -= share * kubernetes.REVIEW_SECONDS


def granted(known):
    return {f"{grant.permission} {grant.namespace}" for grant in known.caller.grants}


async def test_roles_of_the_cluster_are_permissions_in_namespaces(cluster, make):
    cluster.add("t", SERVICE_ACCOUNT, "get team-a", "create team-a", "update team-a", "create team-b", "delete other")
    known = await make().find("t")
    assert known.caller.actor == Actor(ActorKind.PERSON, f"kubernetes:{SERVICE_ACCOUNT}", SERVICE_ACCOUNT)
    # Whoever may neither see nor report in a namespace is asked about nothing else there.
    assert granted(known) == {"READ team-a", "REPORT team-a", "RESPOND team-a", "REPORT team-b"}
    assert ("access", "delete", "team-b") in cluster.asked
    assert ("access", "delete", "other") not in cluster.asked


async def test_a_role_for_the_whole_cluster_is_a_permission_everywhere(cluster, make):
    cluster.add("t", "ada", "get", "create", "update", "delete")
    assert granted(await make().find("t")) == {"READ *", "REPORT *", "RESPOND *", "MANAGE *"}
    assert len(cluster.asked) == 5
    assert cluster.selectors == []
    cluster.add("u", "ben", "get", "delete other")
    assert granted(await make().find("u")) == {"READ *", "MANAGE other"}


async def test_nobody_else_comes_in(cluster, make):
    cluster.add("without-a-role", "ben")
    cluster.add("without-a-name", None, "get")
    cluster.add("long", "x" * 300, "get")
    of_us = make(is_of_others=lambda secret: secret == "of-another")
    for token in ("unknown", "without-a-role", "without-a-name", "long"):
        assert await of_us.find(token) is None
    count = len(cluster.asked)
    for token in ("", "a b", "a\nb", "é", "x" * 20_000, new_secret(), "of-another"):
        assert await of_us.find(token) is None
    assert len(cluster.asked) == count


async def test_the_answer_is_remembered_for_a_while_and_asked_for_once(cluster, make, monkeypatch):
    cluster.add("t", "ada", "get team-a")
    known = make()
    first, second = await asyncio.gather(known.find("t"), known.find("t"))
    assert first.caller is second.caller
    assert await known.find("unknown") is None
    asked = len(cluster.asked)
    cluster.down = True
    assert (await known.find("t")).caller is first.caller
    assert await known.find("unknown") is None
    assert len(cluster.asked) == asked
    monkeypatch.setattr(kubernetes, "REVIEW_SECONDS", 0.0)
    for token in ("t", "unknown"):
        with pytest.raises(Unavailable):
            await known.find(token)


@pytest.mark.parametrize(("told", "is_in"), [(None, False), ([], False), (["other"], False), (["issuegraph"], True)])
async def test_a_token_for_another_audience_lets_nobody_in(cluster, make, told, is_in):
    cluster.add("t", "ada", "get")
    cluster.audiences = told
    assert (await make(audiences=("issuegraph",)).find("t") is not None) is is_in
    assert cluster.asked[0] == ("token", "t", ["issuegraph"])


async def test_namespaces_are_chosen_by_their_labels_and_too_many_are_none(cluster, make, monkeypatch):
    cluster.add("t", "ada", "get team-a", "create")
    assert granted(await make(selector="konflux=yes").find("t")) == {"READ team-a", "REPORT *"}
    assert cluster.selectors == ["konflux=yes"]
    monkeypatch.setattr(kubernetes, "MAX_NAMESPACES", 2)
    assert granted(await make().find("t")) == {"REPORT *"}


async def test_without_a_good_token_of_our_own_nobody_comes_in(cluster, make, tmp_path):
    cluster.add("t", "ada", "get")
    known = make()
    (tmp_path / "token").write_text("expired")
    with pytest.raises(Unavailable):
        await known.find("t")
    (tmp_path / "token").unlink()
    with pytest.raises(Unavailable):
        await known.find("t")
    (tmp_path / "token").write_text(OWN_TOKEN)
    assert await known.find("t") is not None


async def test_a_server_that_takes_too_long_is_none(cluster, make, monkeypatch):
    cluster.add("t", "ada", "get")
    monkeypatch.setattr(kubernetes, "TOTAL_SECONDS", 0.0)
    with pytest.raises(Unavailable):
        await make().find("t")


async def test_rights_of_who_stays_are_looked_at_again_and_of_who_is_gone_no_more(cluster, make, monkeypatch):
    cluster.add("t", "ada", "get team-a")
    cluster.add("gone", "ben", "get team-a")
    known = make()
    held = (await known.find("t")).caller
    await known.find("gone")
    # Not yet.
    asked = len(cluster.asked)
    await known.look_again()
    assert len(cluster.asked) == asked
    aged(known, 0.6)
    # The loop holds for a moment what somebody has just waited for.
    await asyncio.sleep(0)
    gc.collect()
    await known.look_again()
    assert [each[1] for each in cluster.asked[asked:] if each[0] == "token"] == ["t"]
    assert known.admits(held)
    assert cluster.changes == []
    cluster.roles.add(("ada", "get", "team-b"))
    aged(known, 0.6)
    await known.look_again()
    assert not known.admits(held)
    assert cluster.changes == [1]
    now = (await known.find("t")).caller
    assert known.admits(now)
    # While nobody can say, nobody has a right to be here.
    cluster.down = True
    aged(known, 0.6)
    await known.look_again()
    assert known.admits(now)
    aged(known, 0.4)
    await known.look_again()
    assert not known.admits(now)
    assert cluster.changes == [1, 1]


async def test_a_server_that_hangs_keeps_nobody_in_for_more_than_a_minute(cluster, make, monkeypatch):
    monkeypatch.setattr(kubernetes, "REVIEW_SECONDS", 1.2)
    for number in range(40):
        cluster.add(f"t{number}", f"u{number}", "get")
    known = make()
    held = [(await known.find(f"t{number}")).caller for number in range(40)]

    async def hangs(secret):
        await asyncio.Event().wait()

    monkeypatch.setattr(known, "_user", hangs)
    looking = asyncio.create_task(known.keep_looking())
    await asyncio.sleep(1.6)
    assert not any(map(known.admits, held))
    assert cluster.changes
    looking.cancel()


async def test_while_the_server_answers_nobody_is_closed_out_for_having_to_wait(cluster, make, monkeypatch):
    monkeypatch.setattr(kubernetes, "REVIEW_SECONDS", 2.0)
    monkeypatch.setattr(kubernetes, "AGAIN_AT_ONCE", 1)
    for number in range(20):
        cluster.add(f"t{number}", f"u{number}", "get team-a")
    known, user = make(), Kubernetes._user
    held = [(await known.find(f"t{number}")).caller for number in range(20)]

    async def slow(secret):
        await asyncio.sleep(0.03)
        return await user(known, secret)

    monkeypatch.setattr(known, "_user", slow)
    looking = asyncio.create_task(known.keep_looking())
    await asyncio.sleep(5)
    assert all(map(known.admits, held))
    assert cluster.changes == []
    looking.cancel()


async def test_of_a_review_that_failed_no_question_is_left(cluster, make, monkeypatch):
    cluster.add("t", "ada", "get team-a")
    known, asking = make(), 0

    async def post(path, kind, spec):
        nonlocal asking
        if spec["resourceAttributes"]["verb"] == "get":
            raise NoAnswer("it hangs")
        asking += 1
        try:
            await asyncio.Event().wait()
        finally:
            asking -= 1

    monkeypatch.setattr(known, "_post", post)
    with pytest.raises(NoAnswer):
        await known._grants({"username": "ada"})
    await asyncio.sleep(0)
    assert asking == 0


async def test_rights_are_looked_at_again_side_by_side_and_not_all_at_once(cluster, make, monkeypatch):
    for number in range(15):
        cluster.add(f"t{number}", f"u{number}", "get")
    known, running, most = make(), 0, 0
    held = [(await known.find(f"t{number}")).caller for number in range(15)]
    user = known._user

    async def slow(secret):
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1
        return await user(secret)

    monkeypatch.setattr(known, "_user", slow)
    aged(known, 0.6)
    await known.look_again()
    assert all(map(known.admits, held))
    assert most == kubernetes.AGAIN_AT_ONCE


async def test_a_namespace_that_is_no_longer_chosen_counts_for_a_minute_at_most(cluster, make):
    cluster.add("a", "ada", "get team-a")
    cluster.add("b", "ben", "get team-a")
    known = make()
    await known.find("a")
    cluster.namespaces.remove("team-a")
    aged(known, 0.04)
    held = (await known.find("b")).caller
    aged(known, 0.97)
    assert await known.find("b") is None
    assert not known.admits(held)


async def test_whatever_goes_wrong_rights_are_looked_at_again(cluster, make, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(kubernetes, "REVIEW_SECONDS", 2.0)
    cluster.add("t", "ada", "get")
    known = make()
    held = (await known.find("t")).caller
    user, broken = known._user, True

    async def fails(secret):
        if broken:
            raise LookupError
        return await user(secret)

    monkeypatch.setattr(known, "_user", fails)
    looking = asyncio.create_task(known.keep_looking())
    await asyncio.sleep(1.2)
    assert "cannot be looked at" in caplog.text
    broken = False
    (tmp_path / "token").write_bytes(b"\xff\xfe")
    with pytest.raises(Unavailable):
        await known.find("another")
    (tmp_path / "token").write_text(OWN_TOKEN)
    cluster.roles.clear()
    async with asyncio.timeout(20):
        while known.admits(held):
            await asyncio.sleep(0.05)
    assert not looking.done()
    looking.cancel()


async def test_who_comes_by_another_way_is_not_turned_away_for_a_name(cluster, make):
    known = make()
    assert known.admits(Caller(Actor(ActorKind.PERSON, "kubernetes:ada", "Ada"), ()))


async def test_tokens_that_nobody_knows_are_asked_about_only_so_often(cluster, make, monkeypatch):
    monkeypatch.setattr(strangers, "AT_ONCE_OF_ONE", 3)
    monkeypatch.setattr(strangers, "PER_SECOND_OF_ONE", 0.001)
    for name in ("ada", "ben", "cleo", "dora", "emil"):
        cluster.add(name, name, "get team-a")
    known = make()
    # Who is somebody does not count.
    kept = [await known.find(name, "here") for name in ("ada", "ben", "cleo", "dora")]
    assert all(kept)
    for number in range(3):
        assert await known.find(f"stranger-{number}", "here") is None
    asked = len(cluster.asked)
    for token in ("stranger-4", "emil"):
        with pytest.raises(Unavailable, match="too many"):
            await known.find(token, "here")
    assert await known.find("stranger-1", "here") is None
    assert await known.find("ada", "here") is not None
    assert len(cluster.asked) == asked
    # Whoever stays is looked at all the same; a stranger who comes again is one more.
    aged(known, 0.6)
    await known.look_again()
    assert await known.find("ada", "here") is not None
    aged(known, 0.5)
    with pytest.raises(Unavailable):
        await known.find("stranger-1", "here")
    # Others have their own allowance.
    assert await known.find("emil", "elsewhere") is not None


async def test_strangers_of_many_networks_are_asked_about_only_so_often_together(cluster, make, monkeypatch):
    monkeypatch.setattr(strangers, "AT_ONCE", 3)
    monkeypatch.setattr(strangers, "PER_SECOND", 0.001)
    known = make()
    for number in range(3):
        assert await known.find(f"stranger-{number}", f"network-{number}") is None
    with pytest.raises(Unavailable, match="too many"):
        await known.find("stranger-4", "network-4")


async def test_few_new_tokens_are_asked_about_at_once_and_few_more_wait(cluster, make, monkeypatch):
    monkeypatch.setattr(kubernetes, "NEW_AT_ONCE", 2)
    monkeypatch.setattr(strangers, "WAITING", 5)
    monkeypatch.setattr(strangers, "WAITING_OF_ONE", 4)
    known, running, most, go_on = make(), 0, 0, asyncio.Event()
    user = known._user

    async def slow(secret):
        nonlocal running, most
        running += 1
        most = max(most, running)
        await go_on.wait()
        running -= 1
        return await user(secret)

    monkeypatch.setattr(known, "_user", slow)
    names = [f"u-{number}" for number in range(5)]
    for name in names:
        cluster.add(name, name, "get team-a")
    waiting = [asyncio.create_task(known.find(name, "here")) for name in names[:4] * 2]
    await asyncio.sleep(0.05)
    with pytest.raises(Unavailable, match="too many"):
        await known.find("u-4", "here")
    waiting += [asyncio.create_task(known.find("u-4", "elsewhere")) for _ in range(2)]
    await asyncio.sleep(0.05)
    with pytest.raises(Unavailable, match="too many"):
        await known.find("one-more")
    assert (running, most) == (2, 2)
    go_on.set()
    found = await asyncio.gather(*waiting)
    assert [each.caller.actor.name for each in found] == [*names[:4] * 2, "u-4", "u-4"]
    assert most == 2
    assert await known.find("one-more") is None


@pytest.fixture
def short_reviews(monkeypatch):
    monkeypatch.setattr(kubernetes, "REVIEW_SECONDS", 0.8)


@pytest.fixture
async def client(sqlite_url, cluster, tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "new_client", cluster.client)
    (tmp_path / "own").write_text(OWN_TOKEN)
    settings = Settings(
        database_url=sqlite_url,
        bootstrap_token=SecretStr(FIRST),
        kubernetes_url="http://127.0.0.1:6443",
        kubernetes_token_file=str(tmp_path / "own"),
    )
    async with living(create_app(settings)) as client:
        yield client


async def test_a_service_account_reports_and_a_person_reads_what_is_theirs(client, cluster):
    cluster.add("reporter", SERVICE_ACCOUNT, "create team-a")
    cluster.add("reader", "ada", "get team-a")
    failure = {"pipelineName": "build", "failureReason": "out of disk"}
    for namespace, status in (("team-a", 201), ("team-b", 403)):
        body = {**failure, "namespace": namespace}
        answer = await client.post("/api/v1/webhooks/pipeline-failure", body, headers=bearer("reporter"))
        assert answer.status == status
    body = {**failure, "namespace": "team-b"}
    assert (await client.post("/api/v1/webhooks/pipeline-failure", body, headers=bearer(FIRST))).status == 201
    answer = await client.get("/api/v1/issues", headers=bearer("reader"), namespace="team-a")
    assert [issue["namespace"] for issue in answer.json["data"]] == ["team-a"]
    query = {"query": "{ issues { totalCount } }"}
    answer = await client.post("/graphql", query, headers=bearer("reader"))
    assert answer.json["data"]["issues"]["totalCount"] == 1
    # A URL is in somebody's log: our own tokens alone.
    asked = len(cluster.asked)
    assert (await client.post("/api/v1/webhooks/pipeline-failure", failure, token="reporter")).status == 401
    assert (await client.post("/graphql", VIEWER, headers=bearer(FIRST))).status == 200
    assert len(cluster.asked) == asked


async def test_while_the_api_server_is_away_its_tokens_are_answered_with_503(client, cluster):
    cluster.down = True
    assert (await client.get("/api/v1/issues", headers=bearer("t"))).status == 503
    assert (await client.get("/api/v1/issues", headers=bearer(FIRST))).status == 200


async def test_a_socket_is_closed_when_the_role_is_taken_away(short_reviews, client, cluster):
    cluster.add("t", "ada", "get team-a")
    cluster.add("u", "ben", "get team-a")
    async with Wire(client, {}) as wire, Wire(client, bearer("u")) as other:
        for each, payload in ((wire, {"token": "t"}), (other, None)):
            await each.say({"type": "connection_init", "payload": payload})
            assert await each.hear() == {"type": "connection_ack"}
        cluster.roles.discard(("ada", "get", "team-a"))
        assert await wire.hear() == {"type": "websocket.close", "code": 4403, "reason": "Forbidden"}
        await other.say({"type": "ping"})
        assert await other.hear() == {"type": "pong"}
