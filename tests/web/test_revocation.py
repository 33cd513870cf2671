"""Tokens and real servers: who is turned away is turned away everywhere, streams and sockets too."""

import asyncio
import http.client
import json
import subprocess
import time
from datetime import timedelta

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from models.database import Database
from resolvers.access import AuditLog, Keyring, Sessions
from tests.serving import ISSUEGRAPH, Server

FIRST = "the-first-token-of-these-tests-0123456789"
EVENTS = "subscription { issueEvents { position } }"


def serving(url, directory, **settings):
    return Server(url, directory, DEV="0", BOOTSTRAP_TOKEN=FIRST, **settings)


def ask(server, secret, query, **variables):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {secret}"}
    try:
        connection.request("POST", "/graphql", json.dumps({"query": query, "variables": variables}), headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def make(server, permission="READ", namespace="team-*"):
    query = """mutation ($p: Permission!, $n: String!) {
      createToken(input: {name: "t", grants: [{permission: $p, namespace: $n}]}) { secret token { id } } }"""
    status, answer = ask(server, FIRST, query, p=permission, n=namespace)
    assert status == 200, answer
    made = answer["data"]["createToken"]
    return made["secret"], made["token"]["id"]


def revoke(server, id):
    query = "mutation ($id: ID!) { revokeToken(input: {id: $id}) { token { revokedAt } } }"
    assert ask(server, FIRST, query, id=id)[1]["data"]["revokeToken"]["token"]["revokedAt"]


def socket(server, **more):
    return connect(f"ws://127.0.0.1:{server.port}/graphql", subprotocols=[Subprotocol("graphql-transport-ws")], **more)


async def init(client, payload):
    await client.send(json.dumps({"type": "connection_init", "payload": payload}))
    return json.loads(await asyncio.wait_for(client.recv(), 20))


async def watch(client):
    await client.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": EVENTS}}))
    message = json.loads(await asyncio.wait_for(client.recv(), 20))
    assert message["type"] == "next", message


async def how_it_ends(client):
    """The code with which the server closes, whatever it says before."""
    try:
        while True:
            await asyncio.wait_for(client.recv(), 20)
    except ConnectionClosed as closed:
        return closed.rcvd.code


@pytest.mark.parametrize(
    "payload",
    [{"authorization": "Bearer {}"}, {"Authorization": "Bearer {}"}, {"x-api-key": "{}"}, {"headers": {"token": "{}"}}],
)
async def test_a_socket_brings_its_token_in_the_first_message(sqlite_url, tmp_path, payload):
    with serving(sqlite_url, tmp_path) as server:
        secret, id = await asyncio.to_thread(make, server)
        async with socket(server) as client:
            assert (await init(client, json.loads(json.dumps(payload).replace("{}", secret))))["type"] == (
                "connection_ack"
            )
            await watch(client)
            await asyncio.to_thread(revoke, server, id)
            assert await how_it_ends(client) == 4403


async def test_a_socket_without_a_good_token_is_closed_and_hears_nothing(sqlite_url, tmp_path):
    with serving(sqlite_url, tmp_path) as server:
        for payload in (None, {}, {"authorization": "Bearer nonsense"}, {"token": ""}):
            async with socket(server) as client:
                await client.send(json.dumps({"type": "connection_init", "payload": payload}))
                assert await how_it_ends(client) == 4403
        async with socket(server) as client:
            await client.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": EVENTS}}))
            assert await how_it_ends(client) == 4401
        # One that is wrong in the handshake gets no socket.
        with pytest.raises(Exception, match="403"):
            async with socket(server, additional_headers={"Authorization": "Bearer nonsense"}):
                pass
        async with socket(server, additional_headers={"Authorization": f"Bearer {FIRST}"}) as client:
            assert (await init(client, None))["type"] == "connection_ack"
            await watch(client)


async def test_who_gets_no_socket_is_in_the_audit_as_over_http(sqlite_url, tmp_path):
    with serving(sqlite_url, tmp_path) as server:
        query = """mutation { createToken(input: {name: "t", webhook: "pipeline",
          grants: [{permission: REPORT, namespace: "team-a"}]}) { secret token { id } userErrors { message } } }"""
        made = (await asyncio.to_thread(ask, server, FIRST, query))[1]["data"]["createToken"]
        assert not made["userErrors"], made
        for secret in (None, "nonsense", made["secret"]):
            async with socket(server) as client:
                await client.send(json.dumps({"type": "connection_init", "payload": {"token": secret}}))
                assert await how_it_ends(client) == 4403
    query = "{ auditEvents { nodes { kind subject details } } }"
    with serving(sqlite_url, tmp_path) as server:
        entries = (await asyncio.to_thread(ask, server, FIRST, query))[1]["data"]["auditEvents"]["nodes"]
    refused = {
        (entry["details"]["reason"], entry["subject"]) for entry in entries if entry["kind"] == "AUTHENTICATION_REFUSED"
    }
    assert refused == {
        ("NO_TOKEN", "127.0.0.1"),
        ("UNKNOWN_TOKEN", "127.0.0.1"),
        ("OTHER_PATH", made["token"]["id"]),
    }


async def test_who_is_revoked_at_one_replica_is_turned_away_at_the_other(postgresql_url, redis_url, tmp_path):
    with (
        serving(postgresql_url, tmp_path, WAKEUPS_URL=redis_url) as one,
        serving(postgresql_url, tmp_path) as other,
    ):
        secret, id = await asyncio.to_thread(make, one)
        # Made at one, good at the other at once.
        assert (await asyncio.to_thread(ask, other, secret, "{ viewer { actor { name } } }"))[0] == 200
        connection = http.client.HTTPConnection("127.0.0.1", other.port, timeout=20)
        headers = {"Accept": "text/event-stream", "Content-Type": "application/json", "X-API-Key": secret}
        connection.request("POST", "/graphql", json.dumps({"query": EVENTS}), headers)
        stream = connection.getresponse()
        async with socket(other) as client:
            await init(client, {"token": secret})
            await watch(client)
            begun = time.monotonic()
            await asyncio.to_thread(revoke, one, id)
            assert await how_it_ends(client) == 4403
            assert time.monotonic() - begun < 10
        assert b"FORBIDDEN" in await asyncio.to_thread(stream.read)
        connection.close()
        assert (await asyncio.to_thread(ask, other, secret, "{ viewer { actor { name } } }"))[0] == 401


def test_a_stream_whose_body_comes_after_the_end_of_its_right_is_none(sqlite_url, tmp_path):
    with serving(sqlite_url, tmp_path) as server:
        secret, id = make(server)
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        body = json.dumps({"query": EVENTS}).encode()
        connection.putrequest("POST", "/graphql")
        for name, value in (
            ("Accept", "text/event-stream"),
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            ("X-API-Key", secret),
        ):
            connection.putheader(name, value)
        connection.endheaders(body[:1])
        time.sleep(0.5)
        revoke(server, id)
        connection.send(body[1:])
        response = connection.getresponse()
        assert response.status == 401
        assert b"UNAUTHENTICATED" in response.read()
        connection.close()


async def test_the_command_line_revokes_beside_a_running_server(database_url, tmp_path):
    with serving(database_url, tmp_path) as server:

        def command(*words):
            ran = subprocess.run(
                [ISSUEGRAPH, "token", *words],
                env=server.environment,
                cwd=tmp_path,
                capture_output=True,
                text=True,
                timeout=60,
            )
            assert ran.returncode == 0, ran.stderr
            return ran.stdout.strip()

        made = ["create", "--name", "ci", "--permission", "read", "--namespace", "team-*", "--expires-in", "90d"]
        secret = await asyncio.to_thread(command, *made)
        watcher = await socket(server)
        await init(watcher, {"token": secret})
        await watch(watcher)
        listed = await asyncio.to_thread(command, "list")
        assert "'ci' read:team-*" in listed
        assert secret not in listed
        rotated = await asyncio.to_thread(command, "rotate", "ci", "--overlap", "0")
        assert (await asyncio.to_thread(ask, server, rotated, "{ viewer { actor { name } } }"))[0] == 200
        # Whoever came with the secret before goes with it.
        assert await how_it_ends(watcher) == 4403
        watcher = await socket(server)
        await init(watcher, {"token": rotated})
        await watch(watcher)
        await asyncio.to_thread(command, "revoke", "ci")
        assert await how_it_ends(watcher) == 4403
        assert (await asyncio.to_thread(ask, server, rotated, "{ viewer { actor { name } } }"))[0] == 401


async def test_the_command_line_ends_the_sessions_of_somebody_beside_a_running_server(database_url, tmp_path):
    with serving(database_url, tmp_path) as server:

        def command(*words):
            given = {"env": server.environment, "cwd": tmp_path, "capture_output": True, "text": True, "timeout": 60}
            return subprocess.run([ISSUEGRAPH, "session", *words], **given)

        database = Database(database_url)
        try:
            secret = await sign_in(database)
        finally:
            await database.close()
        browser = {"Cookie": f"issuegraph={secret}", "Origin": f"http://127.0.0.1:{server.port}"}
        async with socket(server, additional_headers=browser) as client:
            assert (await init(client, None))["type"] == "connection_ack"
            await watch(client)
            (line,) = (await asyncio.to_thread(command, "list")).stdout.splitlines()
            assert "'bootstrap' since=20" in line
            assert secret not in line
            ended = await asyncio.to_thread(command, "revoke", "bootstrap")
            assert (ended.returncode, ended.stdout) == (0, "")
            assert line.split()[0] in ended.stderr
            assert await how_it_ends(client) == 4403
        assert (await asyncio.to_thread(command, "list")).stdout == ""
        again = await asyncio.to_thread(command, "revoke", "bootstrap")
        assert again.returncode == 1
        assert again.stderr.startswith("issuegraph: nobody is signed in as 'bootstrap'")
        # The token is as good as before.
        assert (await asyncio.to_thread(ask, server, FIRST, "{ viewer { actor { name } } }"))[0] == 200


async def sign_in(database):
    """A cookie, got with the first token."""
    audit = AuditLog(database)
    keyring = Keyring(database, audit)
    sessions = Sessions(database, audit, keyring, on_change=keyring.refresh, lifetime=timedelta(hours=1))
    await keyring.refresh()
    return await sessions.start((await keyring.find(FIRST)).caller)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["create", "--name", "x", "--permission", "read", "--namespace", "a*b"], "namespace"),
        (["create", "--name", "", "--permission", "read", "--namespace", "a"], "name"),
        (["create", "--name", "x", "--permission", "read", "--namespace", "a", "--expires-in", "soon"], "--expires-in"),
        (["create", "--name", "x", "--permission", "report", "--namespace", "a", "--webhook", "none"], "pipeline"),
        (["revoke", "nobody"], "nobody"),
        (["rotate", "nobody", "--overlap", "x"], "--overlap"),
    ],
)
def test_a_command_that_cannot_be_says_why(sqlite_url, tmp_path, words, told):
    environment = Server(sqlite_url, tmp_path).environment
    ran = subprocess.run([ISSUEGRAPH, "token", *words], env=environment, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 1
    assert ran.stderr.startswith("issuegraph: ")
    assert told in ran.stderr
