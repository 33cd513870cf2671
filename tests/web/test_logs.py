"""The log: what a line has, which requests have one, and what never comes into it."""

import http.client
import io
import json
import logging
from contextlib import suppress

import pytest
from pydantic import SecretStr
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from tests.serving import Server
from tests.web.client import living
from web import logs
from web.app import create_app
from web.settings import Settings

PROTOCOL = Subprotocol("graphql-transport-ws")
SECRET = "s3cr3t-0f-th3-h0us3"


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def own_logging():
    """Puts logging back as it was."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    root.handlers[:], level = before
    root.setLevel(level)
    for room in logs.ROOMS:
        logging.getLogger(room).setLevel(logging.NOTSET)


@pytest.fixture
def lines(own_logging):
    """Call it for the lines that were logged since."""
    stream = io.StringIO()
    logs.set_up(Settings(), stream)

    def written():
        text = stream.getvalue()
        stream.seek(0)
        stream.truncate()
        return [json.loads(line) for line in text.splitlines()]

    return written


@pytest.fixture
async def client(sqlite_url):
    async with living(create_app(Settings(dev=True, database_url=sqlite_url))) as client:
        yield client


def test_a_line_is_json_and_an_exception_is_one_line_too(lines):
    try:
        raise RuntimeError("one\ntwo")
    except RuntimeError:
        logging.getLogger("web.some").exception("it is %s", "broken")
    (line,) = lines()
    assert (line["event"], line["level"], line["logger"]) == ("it is broken", "error", "web.some")
    assert line["at"].endswith("Z")
    assert "RuntimeError: one\ntwo" in line["exception"]


def test_a_terminal_gets_lines_for_people(own_logging):
    stream = Terminal()
    logs.set_up(Settings(), stream)
    logging.getLogger("web.some").warning("look here")
    assert "look here" in stream.getvalue()
    assert not stream.getvalue().startswith("{")


def test_libraries_do_not_chatter(own_logging):
    stream = io.StringIO()
    logs.set_up(Settings(log_level="debug"), stream)
    logging.getLogger("websockets.server").debug("< Authorization: Bearer %s", SECRET)
    assert stream.getvalue() == ""
    logging.getLogger("web.some").debug("ours")
    assert "ours" in stream.getvalue()


async def test_a_request_has_an_id_that_the_answer_bears(client):
    first, second = [(await client.get("/api/v1/version")).headers["x-request-id"] for _ in range(2)]
    assert first != second
    assert first.isascii()
    given = await client.get("/api/v1/version", headers={"x-request-id": "build-17.a_B"})
    assert given.headers["x-request-id"] == "build-17.a_B"
    for bad in ("", "x" * 65, "two words", "line\u00a0", "a;b", '"'):
        answer = await client.get("/api/v1/version", headers={"x-request-id": bad})
        assert answer.headers["x-request-id"] not in ("", bad)


async def test_what_is_refused_has_a_line_and_what_is_answered_has_none(client, lines):
    await client.get("/api/v1/version")
    assert lines() == []
    answer = await client.get("/nowhere\n", headers={"x-request-id": "mine"}, token=SECRET)
    (line,) = lines()
    del line["at"], line["seconds"]
    assert line == {
        "event": "request",
        "level": "info",
        "logger": "web.entrance",
        "method": "GET",
        "path": "/nowhere\\n",
        "status": answer.status,
        "client": "127.0.0.1",
        "request_id": "mine",
    }
    assert await client.knock("/elsewhere") == "websocket.close"
    (line,) = lines()
    assert (line["event"], line["path"], line["status"]) == ("refused socket", "/elsewhere", 404)
    assert line["request_id"]


async def test_every_request_has_a_line_at_debug(client, own_logging):
    stream = io.StringIO()
    logs.set_up(Settings(log_level="debug"), stream)
    await client.get("/api/v1/version")
    (line,) = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert (line["level"], line["status"], line["path"]) == ("debug", 200, "/api/v1/version")


async def test_a_failure_says_its_id_and_the_log_the_rest(client, lines, monkeypatch):
    async def broken(self):
        raise RuntimeError("boom")

    monkeypatch.setattr("models.database.Database.ping", broken)
    answer = await client.get("/api/v1/health", headers={"x-request-id": "mine"})
    assert (answer.status, answer.json) == (500, {"error": "Internal server error mine"})
    failure, request = lines()
    assert "boom" in failure["exception"]
    assert (failure["level"], failure["request_id"]) == ("error", "mine")
    assert (request["level"], request["status"]) == ("warning", 500)


@pytest.mark.parametrize(
    "text",
    [
        "GET /api/v1/webhooks/github?token={} HTTP/1.1",
        "GET /x?a=b&api_key={}&c=d",
        "{{'Authorization': 'Bearer {}'}}",
        "authorization: Basic {}",
        "[(b'authorization', b'Bearer {}')]",
        "X-API-Key: {}",
        "Cookie: {}",
        "postgresql+asyncpg://ada:{}@host/name",
        "a token igt_{} somewhere",
    ],
)
def test_secrets_are_taken_out(text):
    shown = logs.without_secrets(text.format(SECRET))
    assert SECRET not in shown
    assert logs.HIDDEN in shown


def test_passwords_of_the_settings_are_known_however_they_are_spelled():
    settings = Settings(
        bootstrap_token=SecretStr("first-token-" * 3),
        database_url="postgresql+asyncpg://ada:p%40ss-word@host/name",
        wakeups_url="redis://:other-one@host",
        limits_url="redis://:a&third@host",
        oidc_issuer="https://sso.example.com",
        oidc_client_id="issuegraph",
        oidc_client_secret=SecretStr("of-the-provider"),
        oidc_grants="*=read:*",
    )
    known = logs.passwords_of(settings)
    for text in ("p%40ss-word", "p@ss-word", "other-one", "a&third", "of-the-provider", "first-token-" * 3):
        assert logs.without_secrets(f"it was {text}!", known) == f"it was {logs.HIDDEN}!"
    assert logs.passwords_of(Settings()) == ()


def test_a_password_is_hidden_where_json_spells_it_otherwise(own_logging):
    password = 'qu"ote\\and-\u00e9'
    stream = io.StringIO()
    logs.set_up(
        Settings(
            oidc_issuer="https://sso.example.com",
            oidc_client_id="issuegraph",
            oidc_client_secret=SecretStr(password),
            oidc_grants="*=read:*",
        ),
        stream,
    )
    logging.getLogger("web.some").warning("it was %s", password)
    assert json.loads(stream.getvalue())["event"] == f"it was {logs.HIDDEN}"


async def test_a_real_server_logs_no_secret_whatever_it_is_sent(sqlite_url, tmp_path):
    with Server(sqlite_url, tmp_path, LOG_LEVEL="debug", WAKEUPS_URL=f"redis://:{SECRET}@127.0.0.1:1") as server:
        headers = {
            "Authorization": f"Bearer {SECRET}",
            "X-API-Key": SECRET,
            "Cookie": f"session={SECRET}",
            "X-Request-Id": "seen-it",
            "Content-Type": "application/json",
        }
        for path in ("/api/v1/webhooks/pipeline-failure", "/graphql", "/nowhere", "/api/v1/issues/x"):
            for method, body in (("POST", "{"), ("GET", None), ("PUT", json.dumps({"token": SECRET}))):
                connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
                connection.request(method, f"{path}?token={SECRET}&api_key={SECRET}", body, headers)
                connection.getresponse().read()
                connection.close()
        for path in ("/graphql", "/nowhere"):
            uri = f"ws://127.0.0.1:{server.port}{path}?token={SECRET}"
            with suppress(InvalidStatus, ConnectionClosed):
                async with connect(uri, additional_headers=headers, subprotocols=[PROTOCOL]) as socket:
                    await socket.send(json.dumps({"type": "connection_init", "payload": {"token": SECRET}}))
                    await socket.recv()
                    await socket.send(f"no message: {SECRET}")
                    await socket.recv()
        raw = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        raw.connect()
        raw.sock.sendall(f"GET /x?token={SECRET} nonsense\r\nAuthorization: {SECRET}\r\n\r\n".encode())
        raw.sock.recv(1_000)
        raw.close()
        server.stop()
        log = server.log()
    assert log.count("seen-it") >= 12
    assert SECRET not in log
    lines = [json.loads(line) for line in log.splitlines() if not line.startswith("issuegraph is on")]
    assert {"request", "refused socket"} <= {line["event"] for line in lines}
