"""What scanners and attackers try first, against a real server as it is by default."""

import http.client
import json
import re
import socket
import time
from contextlib import ExitStack, contextmanager

import pytest

from tests.serving import Server

FIRST = "the-first-token-of-these-tests-0123456789"
HTML = "<img src=x onerror=alert(1)>"
HANDSHAKE = (
    b"GET /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
)


@pytest.fixture(scope="module")
def server(servers, tmp_path_factory):
    from tests.conftest import migrate

    directory = tmp_path_factory.mktemp("abuse")
    url = servers.sqlite_database(directory / "issuegraph.db", migrate)
    with Server(url, directory, DEV="0", BOOTSTRAP_TOKEN=FIRST) as server:
        yield server


def request(server, method, path, body=None, token=FIRST, **headers):
    """Status, headers and text."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    given = {"Authorization": f"Bearer {token}"} if token else {}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        connection.request(method, path, body, given)
        response = connection.getresponse()
        return response.status, response.headers, response.read().decode()
    finally:
        connection.close()


def ask(server, query, token=FIRST, **more):
    status, _, text = request(
        server, "POST", "/graphql", json.dumps({"query": query, **more}), token, Content_Type="application/json"
    )
    return status, json.loads(text)


def code(answer):
    return answer["errors"][0]["extensions"]["code"]


def make(server, permission, namespace):
    grant = f'{{permission: {permission}, namespace: "{namespace}"}}'
    query = f'mutation {{ createToken(input: {{name: "t", grants: [{grant}]}}) {{ secret }} }}'
    return ask(server, query)[1]["data"]["createToken"]["secret"]


def raw(server, *parts, pause=0.0):
    """What comes back for bytes as they are, up to the end of the connection."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        for part in parts:
            connection.sendall(part)
            time.sleep(pause)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        try:
            while piece := connection.recv(65_536):
                answer += piece
        except ConnectionResetError:
            pass
        return answer


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("{ " + " ".join(f"a{n}: __typename" for n in range(1_000)) + " }", "TOO_COMPLEX"),
        ("{ __typename " + "@skip(if: false) " * 500 + "}", "TOO_COMPLEX"),
        ("{ " + "__typename " * 20_000 + "}", "TOO_COMPLEX"),
        ("{ a " * 10_000, "TOO_COMPLEX"),
        ("query { ...a } fragment a on Query { ...b } fragment b on Query { ...a }", "BAD_REQUEST"),
        ("{ issues { nodes { " + "related { nodes { " * 30 + "id" + " } }" * 30 + " } } }", "TOO_COMPLEX"),
        ("{ issues(first: 100) { nodes { related(first: 100) { nodes { related(first: 100) { nodes { id } } } } } } }",
         "QUERY_TOO_EXPENSIVE"),
        ("{ issues(first: 1000000) { nodes { id } } }", None),
        ("query A { __typename } query B { __typename }", "BAD_REQUEST"),
        ("{ isues { nodes { id } } }", "BAD_REQUEST"),
        ("{ issues(were: {}) { totalCount } }", "BAD_REQUEST"),
        ("mutation { createIssu(input: {}) { position } }", "BAD_REQUEST"),
    ],
)  # fmt: skip
def test_an_operation_beyond_the_limits_is_refused_and_teaches_nothing(server, query, expected):
    begun = time.monotonic()
    _, answer = ask(server, query)
    assert time.monotonic() - begun < 10
    assert answer.get("data") is None or expected is None
    assert code(answer) in ([expected] if expected else ["QUERY_TOO_EXPENSIVE", "BAD_USER_INPUT"])
    told = json.dumps(answer)
    assert "Did you mean" not in told
    assert not re.search(r"Traceback|\.py\b|sqlite|SELECT", told)
    assert len(told) < 100_000


@pytest.mark.parametrize("body", ["[]", '[{"query": "{ __typename }"}]', "null", '"x"', "5", "{", '{"query": 5}', ""])
def test_a_body_that_is_no_single_request_is_400(server, body):
    status, _, text = request(server, "POST", "/graphql", body, Content_Type="application/json")
    assert (status, code(json.loads(text))) == (400, "BAD_REQUEST")


@pytest.mark.parametrize(
    "content_type",
    ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data", "application/graphql", ""],
)
def test_what_a_form_can_send_is_not_graphql(server, content_type):
    body = "query=mutation%20%7B%20__typename%20%7D"
    status, _, text = request(server, "POST", "/graphql", body, Content_Type=content_type)
    assert (status, code(json.loads(text))) == (415, "BAD_REQUEST")


def test_a_mutation_does_not_come_by_get(server):
    status, headers, _ = request(server, "GET", "/graphql?query=mutation%20%7B%20__typename%20%7D")
    assert (status, headers["allow"]) == (405, "POST")


def test_nobody_finds_out_what_this_is_without_a_token(server):
    for query in ("{ __typename }", "{ __schema { types { name } } }", "{ nonsense }", "{ _service { sdl } }"):
        status, answer = ask(server, query, token=None)
        assert (status, list(answer), code(answer)) == (401, ["errors"], "UNAUTHENTICATED")
    for path in ("/graphiql", "/playground", "/console", "/altair", "/api/graphql", "/v1/graphql", "/voyager"):
        status, _, text = request(server, "GET", path, token=None, Accept="text/html")
        assert status == 401
        assert "graphi" not in text.lower()


def test_introspection_is_for_those_who_may_read(server):
    reporter = make(server, "REPORT", "team-a")
    for query in ("{ __schema { types { name } } }", '{ t: __type(name: "Issue") { fields { name } } }'):
        _, answer = ask(server, query, token=reporter)
        assert (code(answer), answer.get("data")) == ("FORBIDDEN", None)
    assert ask(server, "{ __typename }", token=reporter)[1]["data"] == {"__typename": "Query"}


@pytest.mark.parametrize(
    "path",
    [
        "/static/../web/settings.py", "/static/..%2f..%2fpyproject.toml", "/static/%2e%2e/%2e%2e/pyproject.toml",
        "/static/....//....//pyproject.toml", "/static//etc/passwd", "/static/%00", "/static/..%5c..%5cpyproject.toml",
        "//graphql", "/graphql%2f..%2fmetrics", "/api/v1/issues/..%2f..%2f..%2fmetrics", "/./metrics", "/metrics/../",
        "/%67raphql/../api/v1/issues", "/healthz/../metrics", "/healthz/", "/readyz//", "/static/../metrics",
        "/api/v1/health/../issues", "/sign-in/../metrics", "/api/v1/webhooks/pipeline-failure/../../issues",
    ],
)  # fmt: skip
def test_a_path_with_tricks_leads_nowhere(server, path):
    status, _, text = request(server, "GET", path, token=None)
    assert status in (401, 404), text
    assert "[project]" not in text
    assert "issuegraph_" not in text


@pytest.mark.parametrize(
    "header", ["X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method", "X-Original-URL", "X-Rewrite-URL"]
)
def test_no_header_makes_another_request_of_it(server, header):
    value = "/api/v1/health" if "URL" in header else "DELETE"
    assert request(server, "GET", "/api/v1/issues", token=None, **{header.replace("-", "_"): value})[0] == 401
    assert request(server, "GET", "/api/v1/issues", **{header.replace("-", "_"): value})[0] == 200


def test_two_readings_of_where_a_request_ends_are_refused(server):
    head = f"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nAuthorization: Bearer {FIRST}\r\n".encode()
    smuggled = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
    for framing in (
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
        b"Content-Length: -1\r\n\r\n",
        b"Content-Length: 1e3\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    ):
        answer = raw(server, head + framing + smuggled)
        assert b"issuegraph_" not in answer
        assert answer == b"" or re.match(rb"HTTP/1.1 4\d\d ", answer), answer[:200]


def test_garbage_on_the_line_ends_that_line_only(server):
    for garbage in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01",
        b"\0" * 1_000,
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\r\n" * 999,
    ):
        assert b"200 OK" not in raw(server, garbage)
    assert request(server, "GET", "/healthz")[0] == 200


@contextmanager
def half_open(server, count, begin):
    with ExitStack() as stack:
        for _ in range(count):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=20))
            connection.sendall(begin)
        yield


@pytest.mark.parametrize(
    "begin",
    [
        b"",
        b"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\n",
        b"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n{",
        HANDSHAKE,
    ],
    ids=["silent", "half a head", "half a body", "sockets that say nothing"],
)  # fmt: skip
def test_clients_that_never_finish_do_not_keep_others_out(server, begin):
    with half_open(server, 300, begin):
        begun = time.monotonic()
        assert ask(server, "{ viewer { actor { name } } }")[0] == 200
        assert time.monotonic() - begun < 10


def test_html_and_scripts_in_a_report_stay_text(server):
    body = {
        "title": HTML, "description": HTML, "severity": "major", "issueType": "build", "namespace": "team-a",
        "scope": {"resourceType": "component", "resourceName": HTML},
        "links": [{"title": HTML, "url": "javascript:alert(1)"}, {"title": "ok", "url": "https://ci.example.com/1"}],
    }  # fmt: skip
    status, headers, text = request(server, "POST", "/api/v1/issues", json.dumps(body), Content_Type="application/json")
    assert (status, headers["x-content-type-options"]) == (201, "nosniff")
    assert headers["content-type"].startswith("application/json")
    issue = json.loads(text)
    assert [link["url"] for link in issue["links"]] == ["https://ci.example.com/1"]
    assert issue["notices"]
    for path in (
        f"/api/v1/issues/{issue['id']}",
        f"/api/v1/issues/{HTML.replace(' ', '%20')}",
        f"/{HTML.replace(' ', '%20')}",
    ):
        _, headers, _ = request(server, "GET", path, Accept="text/html")
        assert headers["content-type"].startswith("application/json")
        assert headers["x-content-type-options"] == "nosniff"


def test_another_site_gets_nothing_out_of_a_browser(server):
    for headers in (
        {"Origin": "https://evil.example.com"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Origin": "null"},
        {"Host": "rebound.example.com"},
    ):
        status, answered, _ = request(server, "POST", "/api/v1/issues", "{}", Content_Type="text/plain", **headers)
        assert status in (403, 421)
        assert "access-control-allow-origin" not in answered
