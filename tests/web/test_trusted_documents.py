"""Documents by their ids: from the manifest, over every transport, beside other documents or instead of them."""

import asyncio
import hashlib
import json

import pytest

from tests.resolvers.mutation.house import ADA
from tests.resolvers.subscription.test_clients import play
from tests.serving import Server
from tests.web.client import living, without_cost
from web.app import create_app, sockets_of
from web.doors import OpenDoor
from web.house import open_house
from web.settings import Settings, SettingsError, load
from web.trusted_documents import ManifestError, id_of, read_manifest

GRAPHQL = "application/graphql-response+json"
TYPENAME = "{ __typename }"
NAMED = "query A($yes: Boolean!) { a: __typename @include(if: $yes) } query B { b: __typename }"
WATCH = "subscription { issueStats { total } }"
OTHER = "{ other: __typename }"
TRUSTED = [TYPENAME, NAMED, WATCH]


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def by_id(text):
    return {"documentId": f"sha256:{digest(text)}"}


def by_hash(text):
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": digest(text)}}}


@pytest.fixture
def manifest(tmp_path):
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps({id_of(text): text for text in TRUSTED}))
    return str(path)


@pytest.fixture
async def client(sqlite_url, manifest):
    async with living(create_app(Settings(dev=True, database_url=sqlite_url, trusted_documents=manifest))) as client:
        yield client


@pytest.fixture
async def strict(sqlite_url, manifest):
    settings = Settings(dev=True, database_url=sqlite_url, trusted_documents=manifest, only_trusted_documents=True)
    async with living(create_app(settings)) as client:
        yield client


async def ask(client, members):
    return await client.post("/graphql", members, headers={"accept": GRAPHQL})


def code(answer):
    assert answer.status == 400
    (error,) = answer.json["errors"]
    return error["extensions"]["code"]


@pytest.mark.parametrize("asked", [by_id, by_hash])
async def test_a_trusted_document_is_asked_for_by_its_id(client, strict, asked):
    for each in (client, strict):
        assert without_cost((await ask(each, asked(TYPENAME))).json) == {"data": {"__typename": "Query"}}
        members = {**asked(NAMED), "operationName": "A", "variables": {"yes": True}}
        assert without_cost((await ask(each, members)).json) == {"data": {"a": "Query"}}
        both = {**asked(TYPENAME), "query": TYPENAME}
        assert without_cost((await ask(each, both)).json) == {"data": {"__typename": "Query"}}
        given = asked(TYPENAME).items()
        in_url = {name: value if isinstance(value, str) else json.dumps(value) for name, value in given}
        answer = await each.get("/graphql", headers={"accept": GRAPHQL}, **in_url)
        assert without_cost(answer.json) == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize("asked", [by_id, by_hash])
async def test_an_unknown_id_is_told_in_the_words_of_apollo_and_never_remembered(client, asked):
    for _ in range(2):
        answer = await ask(client, asked(OTHER))
        assert code(answer) == "PERSISTED_QUERY_NOT_FOUND"
        assert answer.json["errors"][0]["message"] == "PersistedQueryNotFound"
        answer = await ask(client, {**asked(OTHER), "query": OTHER})
        assert without_cost(answer.json) == {"data": {"other": "Query"}}


async def test_an_id_is_not_believed(client):
    assert code(await ask(client, {**by_id(TYPENAME), "query": OTHER})) == "BAD_REQUEST"
    assert code(await ask(client, {**by_hash(OTHER), "query": TYPENAME})) == "BAD_REQUEST"


@pytest.mark.parametrize(
    "members",
    [
        {"documentId": 1},
        {"documentId": ""},
        {"documentId": None},
        {"extensions": {"persistedQuery": "x"}},
        {"extensions": {"persistedQuery": {}}},
        {"extensions": {"persistedQuery": {"version": 2, "sha256Hash": digest(TYPENAME)}}},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": 1}}},
    ],
)
async def test_an_id_that_is_none_is_400(client, members):
    assert code(await ask(client, members)) == "BAD_REQUEST"


async def test_nothing_else_is_taken_where_only_trusted_documents_are(strict):
    for members in ({"query": OTHER}, {**by_id(OTHER), "query": OTHER}, {**by_hash(OTHER), "query": OTHER}):
        assert code(await ask(strict, members)) == "QUERY_NOT_IN_SAFELIST"
    assert code(await ask(strict, by_id(OTHER))) == "PERSISTED_QUERY_NOT_FOUND"
    assert code(await ask(strict, {"query": "{ __schema { types { name } } }"})) == "QUERY_NOT_IN_SAFELIST"
    assert without_cost((await ask(strict, {"query": TYPENAME})).json) == {"data": {"__typename": "Query"}}
    assert (await strict.get("/api/v1/issues")).status == 200


async def test_a_stream_of_events_is_the_same(strict):
    headers = {"accept": "text/event-stream"}
    answer = await strict.post("/graphql", by_id(TYPENAME), headers=headers)
    assert '"__typename":"Query"' in answer.text
    answer = await strict.post("/graphql", {"query": "subscription { issueEvents { position } }"}, headers=headers)
    assert "QUERY_NOT_IN_SAFELIST" in answer.text


async def test_a_socket_is_the_same(sqlite_url, manifest):
    settings = Settings(dev=True, database_url=sqlite_url, trusted_documents=manifest, only_trusted_documents=True)
    asked = {
        "id": by_id(TYPENAME),
        # As the client graphql-ws does it, for which `query` must be there.
        "hash": {"query": "", **by_hash(TYPENAME)},
        "text": {"query": TYPENAME},
        "watch": by_id(WATCH),
        "other": {"query": OTHER},
        "unknown": by_id(OTHER),
        "malformed": {"query": "", "extensions": {"persistedQuery": 1}},
    }
    async with open_house(settings) as house:
        incoming, sent = asyncio.Queue(), asyncio.Queue()
        incoming.put_nowait({"type": "websocket.connect"})
        said = [{"type": "connection_init"}]
        said += [{"id": id, "type": "subscribe", "payload": payload} for id, payload in asked.items()]
        for message in said:
            incoming.put_nowait({"type": "websocket.receive", "text": json.dumps(message)})
        scope = {"type": "websocket", "subprotocols": ["graphql-transport-ws"], "caller": ADA}
        serving = asyncio.create_task(sockets_of(house, OpenDoor({}))(scope, incoming.get, sent.put))
        assert (await sent.get())["type"] == "websocket.accept"
        first = {}
        while len(first) < len(asked):
            message = json.loads((await asyncio.wait_for(sent.get(), 20))["text"])
            first.setdefault(message.get("id"), message.get("payload"))
            first.pop(None, None)
        incoming.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await serving
    for id in ("id", "hash", "text"):
        assert first[id]["data"] == {"__typename": "Query"}
    assert first["watch"]["data"] == {"issueStats": {"total": 0}}
    codes = {id: first[id][0]["extensions"]["code"] for id in ("other", "unknown", "malformed")}
    assert codes == {
        "other": "QUERY_NOT_IN_SAFELIST",
        "unknown": "PERSISTED_QUERY_NOT_FOUND",
        "malformed": "BAD_REQUEST",
    }


async def test_apollo_client_asks_by_hash_and_sends_the_text_when_it_must(sqlite_url, tmp_path):
    known, unknown = "{\n  position\n}", "{\n  issues {\n    totalCount\n  }\n}"
    # As the client spells it: it adds what its cache needs.
    spelt = unknown.replace("totalCount\n", "totalCount\n    __typename\n")
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps({id_of(known): known}))
    with Server(sqlite_url, tmp_path, TRUSTED_DOCUMENTS=str(path)) as server:
        seen = await play(server, "persisted.mjs", known, spelt)
    assert seen["sent"] == [[False, True], [False, True], [True, True]]
    assert [list(data) for data in seen["got"]] == [["position"], ["issues"]]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("{", "JSON"),
        ("[]", "object"),
        ('{"sha256:0": 1}', "object"),
        (json.dumps({digest(TYPENAME): TYPENAME}), "id"),
        (json.dumps({id_of(TYPENAME): OTHER}), "id"),
    ],
)
def test_a_wrong_manifest_stops_the_start(tmp_path, monkeypatch, text, word):
    path = tmp_path / "manifest.json"
    path.write_text(text)
    with pytest.raises(ManifestError, match=word):
        read_manifest(str(path))
    monkeypatch.setenv("ISSUEGRAPH_TRUSTED_DOCUMENTS", str(path))
    with pytest.raises(SettingsError, match=r"^ISSUEGRAPH_TRUSTED_DOCUMENTS: "):
        load()


def test_a_manifest_must_be_there(tmp_path, monkeypatch):
    monkeypatch.setenv("ISSUEGRAPH_TRUSTED_DOCUMENTS", str(tmp_path / "none.json"))
    with pytest.raises(SettingsError, match=r"cannot be read: No such file"):
        load()
    monkeypatch.delenv("ISSUEGRAPH_TRUSTED_DOCUMENTS")
    monkeypatch.setenv("ISSUEGRAPH_ONLY_TRUSTED_DOCUMENTS", "1")
    with pytest.raises(SettingsError, match="needs ISSUEGRAPH_TRUSTED_DOCUMENTS"):
        load()
