"""Requests as somebody sends them who wants to keep a server busy: endless heads, slow ones, slow bodies, silence."""

import socket
import sqlite3
import time
from contextlib import ExitStack, closing
from http.client import HTTPResponse

import pytest

from tests.conftest import migrate
from tests.serving import Server
from tests.web.raw_socket import RawSocket
from web.arriving import IDLE_SECONDS, MAX_PIPELINED

SECONDS = 20
PATIENCE = 1.0
HEAD = b"GET /api/v1/version HTTP/1.1\r\nHost: 127.0.0.1\r\n"
POST = b"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module")
def server(servers, tmp_path_factory):
    directory = tmp_path_factory.mktemp("wire")
    url = servers.sqlite_database(directory / "issuegraph.db", migrate)
    settings = {"MAX_HEADER_BYTES": "4000", "REQUEST_SECONDS": str(PATIENCE)}
    with Server(url, directory, **settings) as server:
        yield server


def connect(server):
    return closing(socket.create_connection(("127.0.0.1", server.port), SECONDS))


def rest(connection):
    """All that comes until the server closes."""
    came = b""
    try:
        while piece := connection.recv(65_536):
            came += piece
    except ConnectionResetError:
        pass
    return came


def status(answer):
    return int(answer.split()[1]) if answer else None


def send(connection, *pieces):
    try:
        for piece in pieces:
            connection.sendall(piece)
    except (BrokenPipeError, ConnectionResetError):
        pass


LONG = {
    "a header": [HEAD, b"A: " + b"x" * 5_000, b"\r\n\r\n"],
    "many headers": [HEAD, *[b"A%d: x\r\n" % number for number in range(1_000)], b"\r\n"],
    "a URL": [b"GET /api/v1/issues?search=" + b"x" * 5_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"],
    "a header without an end": [HEAD, b"A: ", *[b"x" * 1_000] * 100],
    "a name without an end": [HEAD, *[b"x" * 1_000] * 100],
    "a URL without an end": [b"GET /", *[b"x" * 1_000] * 100],
    "all at once": [HEAD + b"A: " + b"x" * 60_000 + b"\r\n\r\n"],
    "a handshake": [HEAD, b"Upgrade: websocket\r\nConnection: Upgrade\r\nA: " + b"x" * 5_000 + b"\r\n\r\n"],
}


@pytest.mark.parametrize("pieces", LONG.values(), ids=LONG)
def test_a_head_that_is_too_long_is_431(server, pieces):
    with connect(server) as connection:
        send(connection, *pieces)
        answer = rest(connection)
    # What was still on its way when the server closed may take the answer with it.
    assert status(answer) in (431, None)
    assert b"200 OK" not in answer


def test_a_head_that_is_too_long_is_told_so(server):
    with connect(server) as connection:
        send(connection, HEAD + b"A: " + b"x" * 5_000 + b"\r\n\r\n")
        assert status(rest(connection)) == 431


def test_a_head_just_short_enough_is_taken_in_any_pieces_and_with_its_body(server):
    filler = b"A: " + b"x" * 3_500 + b"\r\n"
    body = b'{"query": "{ __typename }", "variables": {"a": "' + b"x" * 30_000 + b'"}}'
    request = POST + filler + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body
    for size in (len(request), 1_000):
        with connect(server) as connection:
            send(connection, *[request[at : at + size] for at in range(0, len(request), size)])
            assert status(rest(connection)) == 200


CHUNKED = POST + b"Transfer-Encoding: chunked\r\n"
BODY = b'{"query": "{ __typename }"}'
BESIDE_THE_BODY = {
    "a trailer without an end": b"0\r\nA: " + b"x" * 5_000,
    "many trailers": b"0\r\n" + b"".join(b"A%d: x\r\n" % number for number in range(1_000)),
    "a chunk's extension": b"1;a=" + b"x" * 5_000,
}


@pytest.mark.parametrize("rest_of_it", BESIDE_THE_BODY.values(), ids=BESIDE_THE_BODY)
def test_what_comes_beside_a_body_is_as_short_as_a_head(server, rest_of_it):
    with connect(server) as connection:
        send(connection, CHUNKED + b"Expect: 100-continue\r\n\r\n")
        # From here on the server has read the head, and counts each byte.
        assert status(connection.recv(65_536)) == 100
        send(connection, rest_of_it)
        assert status(rest(connection)) == 431


def test_short_trailers_are_taken_after_a_body_in_many_pieces(server):
    chunks = [b"1\r\n%c\r\n" % byte for byte in BODY] + [b"2000\r\n" + b" " * 0x2000 + b"\r\n"]
    whole = CHUNKED + b"\r\n" + b"".join(chunks) + b"0\r\nA: " + b"x" * 3_500 + b"\r\n\r\n"
    for size in (len(whole), 100):
        with connect(server) as connection:
            send(connection, *[whole[at : at + size] for at in range(0, len(whole), size)])
            answer = HTTPResponse(connection)
            answer.begin()
            assert answer.status == 200
            answer.read()


def test_requests_one_after_the_other_are_counted_each_for_itself(server):
    with connect(server) as connection:
        for _ in range(5):
            send(connection, HEAD + b"A: " + b"x" * 3_000 + b"\r\n\r\n")
            answer = HTTPResponse(connection)
            answer.begin()
            assert answer.status == 200
            answer.read()


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([], None),
        ([b"G"], 408),
        ([HEAD], 408),
        ([HEAD + b"\r\n", HEAD], 200),
        ([POST + b"Content-Length: 10\r\n\r\n", b"{"], None),
        ([POST + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n{\r\n"], None),
    ],
    ids=["nothing", "a byte", "half a head", "half a second head", "half a body", "half a chunked body"],
)
def test_what_does_not_arrive_whole_is_ended(server, pieces, expected):
    began = time.monotonic()
    with connect(server) as connection:
        send(connection, *pieces)
        assert status(rest(connection)) == expected
    assert time.monotonic() - began < 5 * PATIENCE + 5


def test_dripping_does_not_help(server):
    began = time.monotonic()
    with connect(server) as connection:
        connection.settimeout(PATIENCE / 10)
        send(connection, HEAD)
        while time.monotonic() - began < SECONDS:
            send(connection, b"A: x\r\n")
            try:
                answer = connection.recv(65_536)
            except TimeoutError:
                continue
            except ConnectionResetError:
                answer = b""
            break
    assert status(answer) in (408, None)
    assert PATIENCE * 0.9 < time.monotonic() - began < SECONDS


def test_an_answer_that_goes_on_is_not_ended(server):
    body = b'{"query": "subscription { issueStats { total } }"}'
    head = POST + b"Accept: text/event-stream\r\nContent-Length: %d\r\n\r\n" % len(body)
    with connect(server) as connection:
        send(connection, head + body)
        assert status(connection.recv(65_536)) == 200
        connection.settimeout(2 * PATIENCE)
        with pytest.raises(TimeoutError):
            rest(connection)


def test_hundreds_who_say_nothing_keep_nobody_out(server):
    silent = [socket.create_connection(("127.0.0.1", server.port), SECONDS) for _ in range(300)]
    try:
        for connection in silent:
            connection.sendall(HEAD)
        assert server.get("/api/v1/version")[0] == 200
        assert all(status(rest(connection)) == 408 for connection in silent)
    finally:
        for connection in silent:
            connection.close()


@pytest.fixture
def small_server(servers, tmp_path):
    url = servers.sqlite_database(tmp_path / "issuegraph.db", migrate)
    with Server(url, tmp_path, MAX_WAITING_CONNECTIONS="20") as server:
        yield server


def ask(connection):
    connection.sendall(HEAD + b"\r\n")
    answer = HTTPResponse(connection)
    answer.begin()
    answer.read()
    return answer.status


@pytest.fixture
def many(small_server):
    """Opens so many connections."""
    with ExitStack() as opened:
        yield lambda count: [opened.enter_context(connect(small_server)) for _ in range(count)]


def test_of_more_than_may_wait_the_one_that_waits_longest_gives_way(many):
    silent = many(20)
    silent[0].sendall(HEAD)
    time.sleep(0.5)  # for the server to have it
    (answering,) = many(1)
    body = b'{"query": "subscription { issueStats { total } }"}'
    head = POST + b"Accept: text/event-stream\r\nContent-Length: %d\r\n\r\n" % len(body)
    answering.sendall(head + body)
    assert status(answering.recv(65_536)) == 200
    assert [ask(connection) for connection in many(20)] == [200] * 20
    assert [status(rest(connection)) for connection in silent] == [503, *[None] * 19]
    # Whoever is being answered is not one of those.
    answering.settimeout(0.5)
    with pytest.raises(TimeoutError):
        rest(answering)


def test_connections_that_wait_for_their_next_request_give_way_too(many):
    idle = many(20)
    assert [ask(connection) for connection in idle] == [200] * 20
    assert ask(idle[0]) == 200  # It was the first, and is now the last.
    (another,) = many(1)
    assert ask(another) == 200
    assert rest(idle[1]) == b""
    assert [ask(connection) for connection in (idle[0], *idle[2:])] == [200] * 19


def test_sockets_that_do_not_say_who_they_are_give_way_and_those_that_do_stay(small_server, many):
    upgrade = (
        b"GET /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
    )
    with RawSocket(small_server.port) as known:
        silent = many(20)
        for connection in silent:
            connection.sendall(upgrade)
            assert status(connection.recv(65_536)) == 101
        assert [ask(connection) for connection in many(20)] == [200] * 20
        assert [rest(connection) for connection in silent] == [b""] * 20
        known.send({"type": "ping"})
        assert known.message() == {"type": "pong"}


def test_who_was_answered_and_asks_nothing_more_is_let_go_after_a_while(server):
    with connect(server) as connection:
        for pause in (IDLE_SECONDS / 2, 0):
            # Each answer begins the time anew.
            send(connection, HEAD + b"\r\n")
            assert status(connection.recv(65_536)) == 200
            answered = time.monotonic()
            time.sleep(pause)
        assert rest(connection) == b""
        assert IDLE_SECONDS - 0.1 < time.monotonic() - answered < IDLE_SECONDS + 5


def test_who_was_answered_and_begins_again_is_waited_for(server):
    with connect(server) as connection:
        send(connection, HEAD + b"\r\n")
        assert status(connection.recv(65_536)) == 200
        time.sleep(IDLE_SECONDS - 0.5)
        send(connection, HEAD[:20])
        time.sleep(0.8)
        # Its answer is not cut off by the time that it had.
        send(connection, HEAD[20:] + b"\r\n")
        assert status(connection.recv(65_536)) == 200


REPORT_BODY = b'{"pipelineName": "%s", "namespace": "team", "failureReason": "out of disk"}'
UPGRADE = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
TO_SOCKET = (
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n"
)


def statuses(came):
    """Of all answers in what came."""
    return [int(line[:3]) for line in came.split(b"HTTP/1.1 ")[1:]]


def with_length(body):
    return b"Content-Length: %d\r\n" % len(body), body


def in_chunks(body):
    return b"Transfer-Encoding: chunked\r\n", b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)


@pytest.mark.parametrize("framed", [with_length, in_chunks])
@pytest.mark.parametrize("upgrade", [UPGRADE, TO_SOCKET], ids=["h2c", "websocket by POST"])
@pytest.mark.parametrize("in_pieces", [False, True])
def test_who_offers_another_protocol_is_answered_in_this_one(server, framed, upgrade, in_pieces):
    framing, body = framed(BODY)
    # Were the body read as a request of its own, it would be one.
    smuggling, smuggled = framed(HEAD + b"\r\n")
    first = POST + upgrade + framing + b"\r\n"
    second = POST + upgrade + smuggling + b"\r\n"
    last = HEAD + b"Connection: close\r\n\r\n"
    pieces = (
        [first, body[:5], body[5:], second, smuggled, last] if in_pieces else [first + body + second + smuggled + last]
    )
    with connect(server) as connection:
        for piece in pieces:
            send(connection, piece)
            time.sleep(0.05 if in_pieces else 0)
        came = rest(connection)
    assert statuses(came) == [200, 400, 200]
    assert b"__typename" in came
    assert came.count(b'"version"') == 1


def test_an_upgrade_without_a_body_is_answered_too(server):
    with connect(server) as connection:
        send(connection, HEAD + UPGRADE + b"\r\n" + HEAD + UPGRADE + b"\r\n" + HEAD + b"Connection: close\r\n\r\n")
        assert statuses(rest(connection)) == [200, 200, 200]


REFUSED = {
    "garbage": (b"GARBAGE\r\n\r\n", 400),
    "a long head": (HEAD + b"A: " + b"x" * 5_000 + b"\r\n\r\n", 431),
    "half a head": (HEAD, 408),
    "half a body": (POST + b"Content-Length: 10\r\n\r\n{", None),
    "a broken body": (POST + b"Transfer-Encoding: chunked\r\n\r\nno number\r\n", 400),
    "a socket": (b"GET /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\n" + TO_SOCKET + b"\r\n", 400),
    "too many": ((HEAD + b"\r\n") * (MAX_PIPELINED + 1), 503),
}


@pytest.mark.parametrize(("behind", "refusal"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_is_told_behind_the_answers_that_are_due(servers, tmp_path, behind, refusal):
    path = tmp_path / "issuegraph.db"
    url = servers.sqlite_database(path, migrate)
    with (
        Server(url, tmp_path, MAX_HEADER_BYTES="4000", REQUEST_SECONDS="1") as server,
        closing(sqlite3.connect(path, isolation_level=None)) as other,
        connect(server) as connection,
    ):
        framing, body = with_length(REPORT_BODY % b"build")
        report = POST.replace(b"/graphql", b"/api/v1/webhooks/pipeline-failure") + framing + b"\r\n" + body
        # Nobody writes meanwhile.
        other.execute("BEGIN IMMEDIATE")
        send(connection, report)
        time.sleep(0.3)
        send(connection, behind)
        connection.settimeout(2)
        with pytest.raises(TimeoutError):
            connection.recv(65_536)
        other.execute("ROLLBACK")
        connection.settimeout(SECONDS)
        came = statuses(rest(connection))
        waited = MAX_PIPELINED * (refusal == 503)
        assert came == [201, *[200] * waited, *([] if refusal is None else [refusal])]


@pytest.mark.parametrize("before", [b"\r\n", b"\r\n" * 50], ids=["one", "many"])
def test_empty_lines_are_no_request(server, before):
    with connect(server) as connection:
        send(connection, HEAD + b"\r\n")
        assert status(connection.recv(65_536)) == 200
        began = time.monotonic()
        for _ in range(3):
            send(connection, before)
            time.sleep(1)
        assert rest(connection) == b""
        assert time.monotonic() - began < IDLE_SECONDS + 5


@pytest.mark.parametrize("whole", [False, True])
def test_whose_body_was_too_large_is_let_go_though_it_comes_afterwards(server, whole):
    size = 2_000_000
    with connect(server) as connection:
        send(connection, POST + b"Content-Length: %d\r\n\r\n" % size)
        assert status(connection.recv(65_536)) == 413
        send(connection, b"x" * (size if whole else 1_000))
        began = time.monotonic()
        assert rest(connection) == b""
        assert time.monotonic() - began < IDLE_SECONDS + 5


@pytest.mark.parametrize("behind", [HEAD + b"\r\n", b"GARBAGE\r\n\r\n", HEAD], ids=["whole", "garbage", "half"])
@pytest.mark.parametrize("later", [False, True])
def test_a_stream_with_a_request_behind_it_ends_when_its_client_goes(server, behind, later):
    body = b'{"query": "subscription { issueStats { total } }"}'
    head = POST + b"Accept: text/event-stream\r\nContent-Length: %d\r\n\r\n" % len(body)
    with connect(server) as connection:
        send(connection, head + body + (b"" if later else behind))
        assert status(connection.recv(65_536)) == 200
        wait_until(lambda: subscribers(server) == 1)
        if later:
            send(connection, behind)
            time.sleep(0.2)
    gone = time.monotonic()
    wait_until(lambda: subscribers(server) == 0)
    # Not only when the next sign cannot be sent.
    assert time.monotonic() - gone < 5
    assert "Traceback" not in server.log()


def wait_until(condition):
    until = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def subscribers(server):
    _, told = server.get("/metrics")
    (line,) = [line for line in told.splitlines() if line.startswith("issuegraph_subscribers ")]
    return float(line.split()[1])


@pytest.mark.parametrize("before", [b"", HEAD + b"\r\n"], ids=["first", "second"])
@pytest.mark.parametrize("at_once", [False, True])
def test_a_url_that_is_none_is_told_so(server, before, at_once):
    bad = b"GET http://[ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    with connect(server) as connection:
        if before and not at_once:
            send(connection, before)
            assert status(connection.recv(65_536)) == 200
        send(connection, before + bad if at_once else bad)
        assert statuses(rest(connection)) == ([200, 400] if before and at_once else [400])
