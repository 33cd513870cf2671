"""TLS of our own, the certificate that changes under a running server, proxies, and headers that protect browsers."""

import contextlib
import http.client
import json
import os
import socket
import ssl
import subprocess
import time

import pytest
import trustme
from pydantic import ValidationError

from tests.serving import ISSUEGRAPH, Server
from tests.web.client import living
from web.app import create_app
from web.settings import Settings

ALL = {"x-content-type-options": "nosniff", "referrer-policy": "same-origin", "x-frame-options": "DENY"}


class Secure(Server):
    """A server that speaks TLS, with certificates of an authority of its own."""

    def __init__(self, database_url, directory, authority, **settings):
        self.authority = authority
        self.certificate, self.key = directory / "server.pem", directory / "server.key"
        self.renew()
        super().__init__(
            database_url, directory, TLS_CERTIFICATE=str(self.certificate), TLS_KEY=str(self.key), **settings
        )

    def renew(self):
        """New files, put in the places of the old ones; returns the number of the certificate."""
        issued = self.authority.issue_cert("127.0.0.1", "localhost")
        for path, blobs in ((self.key, [issued.private_key_pem]), (self.certificate, issued.cert_chain_pems)):
            new = path.with_suffix(".new")
            new.write_bytes(b"".join(blob.bytes() for blob in blobs))
            new.rename(path)

    def context(self):
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        return context

    def connection(self):
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30, context=self.context())

    def get(self, path):
        connection = self.connection()
        try:
            return self.over(connection, path)
        finally:
            connection.close()

    @staticmethod
    def over(connection, path):
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()

    def serial(self):
        connection = self.connection()
        connection.connect()
        serial = connection.sock.getpeercert()["serialNumber"]
        connection.close()
        return serial


def wait_until(condition):
    until = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_renewed_certificate_is_served_without_a_restart(sqlite_url, tmp_path):
    with Secure(sqlite_url, tmp_path, trustme.CA()) as server:
        assert f"https://127.0.0.1:{server.port}" in server.log()
        open_one = server.connection()
        assert server.over(open_one, "/healthz")[0] == 200
        first = server.serial()
        server.renew()
        wait_until(lambda: server.serial() != first)
        assert "loaded anew" in server.log()
        # What was open goes on.
        assert server.over(open_one, "/healthz")[0] == 200
        open_one.close()

        second = server.serial()
        server.certificate.write_text("no certificate")
        wait_until(lambda: "not loaded anew" in server.log())
        assert server.serial() == second
        server.renew()
        wait_until(lambda: server.serial() != second)


def test_a_stream_with_a_request_behind_it_ends_when_its_client_goes(sqlite_url, tmp_path):
    body = b'{"query": "subscription { issueStats { total } }"}'
    head = b"Host: 127.0.0.1\r\nContent-Type: application/json\r\nAccept: text/event-stream\r\n"
    with Secure(sqlite_url, tmp_path, trustme.CA()) as server:
        raw = socket.create_connection(("127.0.0.1", server.port), 20)
        with server.context().wrap_socket(raw, server_hostname="127.0.0.1") as connection:
            connection.sendall(b"POST /graphql HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n%s" % (head, len(body), body))
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert connection.recv(65_536).startswith(b"HTTP/1.1 200")
            wait_until(lambda: b"issuegraph_subscribers 1.0" in server.get("/metrics")[1])
        wait_until(lambda: b"issuegraph_subscribers 0.0" in server.get("/metrics")[1])
        assert "Traceback" not in server.log()


def test_what_is_no_tls_or_too_old_is_not_answered(sqlite_url, tmp_path):
    with Secure(sqlite_url, tmp_path, trustme.CA()) as server:
        plain = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        plain.request("GET", "/healthz")
        with pytest.raises((http.client.HTTPException, OSError)):
            plain.getresponse()
        plain.close()
        old = server.context()
        old.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.deprecated_call():
            old.minimum_version = ssl.TLSVersion.TLSv1
            old.maximum_version = ssl.TLSVersion.TLSv1_1
        with socket.create_connection(("127.0.0.1", server.port)) as raw, pytest.raises(ssl.SSLError):
            old.wrap_socket(raw, server_hostname="127.0.0.1")
        connection = server.connection()
        connection.request("GET", "/api/v1/version")
        assert connection.getresponse().headers["strict-transport-security"] == "max-age=31536000"
        connection.close()


@pytest.mark.parametrize("wrong", ["missing", "garbage", "another's key"])
def test_a_certificate_that_cannot_be_used_stops_the_start_in_one_line(tmp_path, wrong):
    certificate, key = tmp_path / "server.pem", tmp_path / "server.key"
    authority = trustme.CA()
    authority.issue_cert("localhost").cert_chain_pems[0].write_to_path(certificate)
    if wrong != "missing":
        key.write_bytes(b"-" if wrong == "garbage" else authority.issue_cert("localhost").private_key_pem.bytes())
    environment = {**os.environ, "ISSUEGRAPH_TLS_CERTIFICATE": str(certificate), "ISSUEGRAPH_TLS_KEY": str(key)}
    for command in ("serve", "check"):
        ran = subprocess.run(
            [ISSUEGRAPH, command], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60
        )
        assert ran.returncode == 1
        line = (ran.stdout + ran.stderr).splitlines()[0]
        assert "TLS" in line
        assert str(key) in line
        assert "Traceback" not in ran.stderr


@pytest.mark.parametrize(
    "settings",
    [
        {"tls_certificate": "a.pem"},
        {"tls_key": "a.key"},
        {"trusted_proxies": "proxy.example.com"},
        {"trusted_proxies": "*"},
        {"trusted_proxies": "10.0.0.0/33"},
    ],
)
def test_settings_that_make_no_sense_are_refused(settings):
    with pytest.raises(ValidationError):
        Settings(**settings)


def headers_of(answer, but=("content-type", "content-length", "x-request-id", "allow", "cache-control")):
    return {name: value for name, value in answer.headers.items() if name not in but}


async def test_every_answer_tells_a_browser_what_it_may_not_do(sqlite_url):
    async with living(create_app(Settings(dev=True, database_url=sqlite_url))) as client:
        answers = [
            await client.get("/api/v1/version"),
            await client.get("/healthz"),
            await client.get("/metrics"),
            await client.get("/nowhere"),
            await client.post("/graphql", {"query": "{"}),
            await client.get("/api/v1/issues", headers={"host": "evil.example.com"}),
            await client.request("OPTIONS", "/graphql"),
        ]
        page = await client.get("/graphql", headers={"accept": "text/html"})
    for answer in answers:
        headers = headers_of(answer)
        assert headers.pop("content-security-policy").startswith("default-src 'none'; ")
        assert headers == ALL | {"cross-origin-resource-policy": "same-origin"}
    headers = headers_of(page)
    policy = headers.pop("content-security-policy")
    (scripts,) = [part for part in policy.split("; ") if part.startswith("script-src ")]
    assert "unsafe" not in scripts
    assert "'nonce-" in scripts
    assert headers == ALL | {
        "cross-origin-resource-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-embedder-policy": "require-corp",
    }


@pytest.mark.parametrize(("url", "told"), [("https://issues.example.com", True), ("http://issues.example.com", False)])
async def test_browsers_are_told_to_come_by_https_if_they_do(sqlite_url, url, told):
    async with living(create_app(Settings(dev=True, database_url=sqlite_url, public_url=url))) as client:
        for path in ("/api/v1/version", "/nowhere"):
            assert ("strict-transport-security" in (await client.get(path)).headers) is told


@pytest.mark.parametrize(
    ("trusted", "client"),
    [("", "127.0.0.1"), ("10.0.0.0/8", "127.0.0.1"), ("127.0.0.1", "203.0.113.9"), ("127.0.0.0/8", "203.0.113.9")],
)
def test_only_trusted_proxies_say_who_the_client_is(sqlite_url, tmp_path, trusted, client):
    with Server(sqlite_url, tmp_path, TRUSTED_PROXIES=trusted) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        # The first is what the client itself made up.
        connection.request("GET", "/nowhere", headers={"X-Forwarded-For": "192.0.2.1, 203.0.113.9"})
        assert connection.getresponse().status == 404
        connection.close()
        server.stop()
        lines = [json.loads(line) for line in server.log().splitlines() if line.startswith("{")]
    assert [line["client"] for line in lines if line["event"] == "request"] == [client]


# A handshake that begins, and does not go on.
HALF_A_RECORD = b"\x16\x03\x01"


def silent(server):
    connection = socket.create_connection(("127.0.0.1", server.port), 30)
    connection.sendall(HALF_A_RECORD)
    return connection


def is_closed(connection):
    try:
        return connection.recv(1_000) == b""
    except ConnectionResetError:
        return True


def test_a_handshake_that_is_not_over_in_time_is_ended(sqlite_url, tmp_path):
    with Secure(sqlite_url, tmp_path, trustme.CA(), REQUEST_SECONDS="1") as server:
        began = time.monotonic()
        with contextlib.closing(silent(server)) as connection:
            assert is_closed(connection)
        assert 0.9 < time.monotonic() - began < 20
        assert server.get("/healthz")[0] == 200


def test_of_more_than_may_wait_the_handshake_that_waits_longest_gives_way(sqlite_url, tmp_path):
    with (
        Secure(sqlite_url, tmp_path, trustme.CA(), MAX_WAITING_CONNECTIONS="20") as server,
        contextlib.ExitStack() as opened,
    ):
        began = [opened.enter_context(contextlib.closing(silent(server))) for _ in range(21)]
        assert is_closed(began[0])
        open_one = server.connection()
        assert server.over(open_one, "/healthz")[0] == 200
        assert is_closed(began[1])
        began += [opened.enter_context(contextlib.closing(silent(server))) for _ in range(20)]
        # One that says nothing between two requests waits like those.
        assert is_closed(open_one.sock)
        assert server.get("/healthz")[0] == 200
        assert is_closed(began[-20])


def test_a_server_full_of_handshakes_still_answers_and_stops(sqlite_url, tmp_path):
    files = ("sh", "-c", f'ulimit -n 200; exec {ISSUEGRAPH} "$@"', "sh")
    with Secure(sqlite_url, tmp_path, trustme.CA(), program=files) as server, contextlib.ExitStack() as opened:
        for _ in range(400):
            opened.enter_context(contextlib.closing(silent(server)))
        assert [server.get("/healthz")[0] for _ in range(5)] == [200] * 5
        server.stop()
        assert server.process.returncode == 0
