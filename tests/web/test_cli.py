"""The command line, as people and supervisors see it: a line for what is wrong, and an exit code."""

import os
import resource
import signal
import socket
import subprocess
import sys
import time
from http.client import HTTPResponse
from pathlib import Path

import psutil
import pytest

from schema import sdl
from tests.servers import free_port
from tests.serving import ISSUEGRAPH, Server, request
from web.commands.database import user_name

SECONDS = 60
CLUSTER = {"KUBERNETES_URL": "https://127.0.0.1:9"}


class Shell:
    """`run(...)` runs issuegraph in a directory of its own; `settings` become its environment."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def environment(self, settings):
        outside = {name: value for name, value in os.environ.items() if not name.startswith("ISSUEGRAPH_")}
        return outside | {f"ISSUEGRAPH_{name}": value for name, value in settings.items()}

    def run(self, *arguments, **settings):
        return subprocess.run(
            [ISSUEGRAPH, *arguments],
            env=self.environment(settings),
            cwd=self.directory,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )

    def fails(self, *arguments, **settings):
        """The only line that it says on the way to exit code 1."""
        ran = self.run(*arguments, **settings)
        assert (ran.returncode, ran.stdout) == (1, ""), ran
        (line,) = ran.stderr.splitlines()
        return line


@pytest.fixture
def shell(tmp_path):
    return Shell(tmp_path)


def test_schema_prints_what_clients_see(shell):
    assert shell.run("schema").stdout == sdl()


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"PORT": "http"}, "ISSUEGRAPH_PORT"),
        ({"DATABASE_URL": "mysql://host/name"}, "ISSUEGRAPH_DATABASE_URL"),
        ({"HOST": "0.0.0.0", "DEV": "1"}, "--dev"),
        ({"HOST": "192.0.2.1", "DEV": "1"}, "--dev"),
        ({"METRICS_ADDRESS": "0.0.0.0:9399", "DEV": "1"}, "ISSUEGRAPH_METRICS_ADDRESS"),
        ({"METRICS_ADDRESS": "[::]:9399", "DEV": "1"}, "--dev"),
        ({"DATABASE_URL": "postgresql+asyncpg://ada:secret@127.0.0.1:9/name"}, "127.0.0.1:9"),
        ({"DATABASE_URL": "postgresql+asyncpg://ada:secret@127.0.0.1:9/name?colour=red"}, "colour"),
        ({"DATABASE_URL": "sqlite+aiosqlite:////dev/null/no.db"}, "/dev/null"),
        ({"DATABASE_URL": "sqlite+aiosqlite:////dev"}, "/dev"),
        (
            {**CLUSTER, "KUBERNETES_CA_FILE": "/nowhere/ca.crt"},
            "KUBERNETES_CA_FILE: /nowhere/ca.crt: No such",
        ),
        ({**CLUSTER, "KUBERNETES_CA_FILE": "/dev/null"}, "KUBERNETES_CA_FILE: /dev/null: "),
    ],
)
def test_a_server_that_cannot_begin_says_why_in_one_line(shell, settings, word):
    line = shell.fails("serve", **settings)
    assert word in line
    assert "secret" not in line


def test_a_database_that_is_out_of_date_is_not_served(shell, empty_database_url):
    if empty_database_url.startswith("sqlite"):
        Path(empty_database_url.removeprefix("sqlite+aiosqlite:///")).touch()
    assert "issuegraph migrate" in shell.fails("serve", DATABASE_URL=empty_database_url, PORT=str(free_port()))
    assert shell.run("migrate", DATABASE_URL=empty_database_url).returncode == 0
    assert shell.run("migrate", DATABASE_URL=empty_database_url).returncode == 0
    with Server(empty_database_url, shell.directory) as server:
        assert server.get("/api/v1/health")[0] == 200


def test_after_restored_a_position_names_another_log(shell, database_url):
    with Server(database_url, shell.directory) as server:
        before = server.ask("{ issues { position } }")["issues"]["position"]
    ran = shell.run("restored", DATABASE_URL=database_url)
    assert (ran.returncode, ran.stderr) == (0, "")
    with Server(database_url, shell.directory) as server:
        after = server.ask("{ issues { position } }")["issues"]["position"]
    assert after[:12] != before[:12]
    assert after[12:] == before[12:]


def test_restored_is_not_for_a_file_that_is_in_use_or_not_there(shell, sqlite_url):
    with Server(sqlite_url, shell.directory) as server:
        assert "another server" in shell.fails("restored", DATABASE_URL=sqlite_url)
        assert server.get("/api/v1/health")[1]["components"]["log"]["status"] == "UP"
    assert "not there" in shell.fails("restored")
    assert not (shell.directory / "data").exists()


def test_restored_wants_an_up_to_date_database(shell, empty_database_url):
    if empty_database_url.startswith("sqlite"):
        Path(empty_database_url.removeprefix("sqlite+aiosqlite:///")).touch()
    assert "issuegraph migrate" in shell.fails("restored", DATABASE_URL=empty_database_url)


def identity_of_log(server):
    return server.ask("{ issues { position } }")["issues"]["position"][:12]


def report(server):
    body = {"pipelineName": "build", "namespace": "team", "failureReason": "out of disk"}
    assert server.post("/api/v1/webhooks/pipeline-failure", body, namespace="team")[0] == 201


def test_a_file_that_was_put_back_is_noticed(shell, sqlite_url):
    path = Path(sqlite_url.removeprefix("sqlite+aiosqlite:///"))
    with Server(sqlite_url, shell.directory) as server:
        report(server)
        first = identity_of_log(server)
        server.stop()
        kept = path.read_bytes()

        server.start()
        report(server)
        # It ends as it likes: nothing is lost, nothing is another log.
        server.kill()
        server.start()
        assert identity_of_log(server) == first
        server.stop()
        server.start()
        assert identity_of_log(server) == first
        server.kill()

        for beside in ("-wal", "-shm"):
            Path(f"{path}{beside}").unlink()
        path.write_bytes(kept)
        server.start()
        second = identity_of_log(server)
        assert second != first
        assert "restored from a backup" in server.log()
        server.stop()
        server.start()
        assert identity_of_log(server) == second


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_a_server_did_until_it_was_stopped_is_noted(shell, sqlite_url, number):
    path = Path(sqlite_url.removeprefix("sqlite+aiosqlite:///"))
    with Server(sqlite_url, shell.directory) as server:
        report(server)
        first = identity_of_log(server)
        server.stop()
        kept = path.read_bytes()
        server.start()
        resolved = {"pipelineName": "build", "namespace": "team"}
        assert server.post("/api/v1/webhooks/pipeline-success", resolved, namespace="team")[0] == 200
        server.signal(number)
        # What runs in the background of a shell is begun without the handler that makes 130 of SIGINT.
        assert server.process.wait(20) in ((0,) if number == signal.SIGTERM else (0, 130))
        # Only what was noted when it stopped tells that this is older.
        path.write_bytes(kept)
        server.start()
        assert identity_of_log(server) != first
        assert "restored from a backup" in server.log()


@pytest.mark.parametrize("noted", ["", "words", "0123456789ab 99\n"])
def test_a_note_of_another_log_or_of_none_says_nothing(shell, sqlite_url, noted):
    path = Path(sqlite_url.removeprefix("sqlite+aiosqlite:///"))
    with Server(sqlite_url, shell.directory) as server:
        first = identity_of_log(server)
        server.stop()
        Path(f"{path}.lock").write_text(noted)
        server.start()
        assert identity_of_log(server) == first


def test_serve_dev_makes_what_is_missing_and_says_where_it_is(shell):
    port = free_port()
    server = subprocess.Popen(
        [ISSUEGRAPH, "serve", "--dev"],
        env=shell.environment({"PORT": str(port)}),
        cwd=shell.directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert server.stdout
    try:
        line = server.stdout.readline()
        assert f"http://127.0.0.1:{port}" in line
        assert "may do everything" in line
        assert request(port, "GET", "/api/v1/health")[0] == 200
        assert (shell.directory / "data" / "issuegraph.db").exists()
    finally:
        server.send_signal(signal.SIGINT)
        began = time.monotonic()
        assert server.wait(20) in (0, 130, -signal.SIGINT)
        assert time.monotonic() - began < 8
        assert server.stdout.read() == ""
        server.stdout.close()


def test_an_sqlite_file_has_one_server_and_tools_may_write_beside_it(shell, sqlite_url):
    with Server(sqlite_url, shell.directory) as server:
        line = shell.fails("serve", DATABASE_URL=sqlite_url, PORT=str(free_port()))
        assert "another server" in line
        loaded = shell.run("demo", DATABASE_URL=sqlite_url)
        assert loaded.returncode == 0, loaded
        assert server.ask("{ issues { totalCount } }") == {"issues": {"totalCount": 41}}
        link = Path(sqlite_url.removeprefix("sqlite+aiosqlite:///") + ".link")
        link.symlink_to(link.with_suffix(""))
        line = shell.fails("serve", DATABASE_URL=f"sqlite+aiosqlite:///{link}", PORT=str(free_port()))
        assert "another server" in line
        server.kill()
        server.start()


def test_a_port_that_is_taken_is_one_line(shell, sqlite_url):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ran = shell.run("serve", DATABASE_URL=sqlite_url, PORT=str(port))
    assert ran.returncode == 1
    assert ran.stdout == ""
    lines = [line for line in ran.stderr.splitlines() if str(port) in line]
    assert len(lines) == 1
    assert "Traceback" not in ran.stderr


def test_check_looks_at_everything_and_fails_when_one_thing_is_wrong(shell, database_url):
    ran = shell.run("check", DATABASE_URL=database_url)
    names = ["settings", "database", "migrations", "wake-ups", "definitions"]
    assert [line.split() for line in ran.stdout.splitlines()] == [[name, "ok"] for name in names]
    assert ran.returncode == 0

    ran = shell.run("check", DATABASE_URL=database_url, WAKEUPS_URL="redis://127.0.0.1:9")
    lines = [line.split()[:2] for line in ran.stdout.splitlines()]
    assert [name for name, word in lines if word != "ok"] == ["wake-ups"]
    assert (ran.returncode, ran.stderr) == (1, "")


def test_check_without_a_database_or_with_wrong_settings(shell):
    ran = shell.run("check")
    words = [line.split()[:2] for line in ran.stdout.splitlines()]
    assert [name for name, word in words if word != "ok"] == ["database", "migrations"]
    assert ran.returncode == 1
    assert list(shell.directory.iterdir()) == []

    ran = shell.run("check", HOST="0.0.0.0", DEV="1")
    assert "--dev" in ran.stdout.splitlines()[0]

    (shell.directory / "garbage.db").write_text("This is no database. " * 100)
    ran = shell.run("check", DATABASE_URL="sqlite+aiosqlite:///garbage.db")
    words = [line.split()[:2] for line in ran.stdout.splitlines()]
    assert [name for name, word in words if word != "ok"] == ["database", "migrations"]
    assert ran.stderr == ""

    ran = shell.run("check", **CLUSTER, KUBERNETES_CA_FILE="/nowhere/ca.crt")
    assert "ISSUEGRAPH_KUBERNETES_CA_FILE" in ran.stdout.splitlines()[0]

    ran = shell.run("check", PORT="0x")
    (line,) = ran.stdout.splitlines()
    assert "ISSUEGRAPH_PORT" in line
    assert ran.returncode == 1


def test_demo_is_loaded_once_and_live_needs_a_server(shell, sqlite_url):
    first, again = (shell.run("demo", DATABASE_URL=sqlite_url) for _ in range(2))
    assert (first.returncode, again.returncode) == (0, 0)
    assert "41 issues" in first.stdout
    assert "0 issues" in again.stdout
    ran = shell.run("demo", "--live", DATABASE_URL=sqlite_url, PORT=str(free_port()))
    assert ran.returncode == 1
    assert "no server" in ran.stderr.splitlines()[-1]
    assert "--url" in shell.fails("demo", "--live", "--url", "nonsense", DATABASE_URL=sqlite_url)
    assert shell.run("demo", "--url", "http://127.0.0.1:9").returncode == 2


def test_demo_for_a_server_elsewhere_loads_nothing_here(shell, sqlite_url):
    with Server(sqlite_url, shell.directory) as server:
        playing = subprocess.Popen(
            [ISSUEGRAPH, "demo", "--live", "--url", f"http://127.0.0.1:{server.port}/"],
            env=shell.environment({}),
            cwd=shell.directory,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert playing.stdout
        try:
            assert playing.stdout.readline().startswith("20")
        finally:
            playing.kill()
            playing.wait()
            playing.stdout.close()
        assert 1 <= server.ask("{ issues { totalCount } }")["issues"]["totalCount"] < 10
    assert not (shell.directory / "data").exists()


def test_help_names_the_commands_and_an_unknown_one_is_2(shell):
    ran = shell.run("--help")
    assert ran.returncode == 0
    for command in ("serve", "migrate", "backup", "restored", "export", "erase", "demo", "schema", "check"):
        assert command in ran.stdout
    assert shell.run("dance").returncode == 2
    assert shell.run().returncode == 2


def test_help_does_not_wait_for_what_it_does_not_need():
    """Imports are late: `schema` and `check` aside, nothing of the server is read for a word on the screen."""
    code = "import sys, web.cli; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"strawberry", "alembic", "uvicorn", "cel"} & set(loaded)


def test_the_server_may_open_as_many_files_as_the_system_lets_it(sqlite_url, tmp_path):
    low = ("sh", "-c", f'ulimit -S -n 256; exec "{ISSUEGRAPH}" "$@"', "sh")
    with Server(sqlite_url, tmp_path, program=low) as server:
        assert server.process
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        assert psutil.Process(server.process.pid).rlimit(psutil.RLIMIT_NOFILE) == (hard, hard)


def test_who_has_no_name_is_known_by_the_number(monkeypatch):
    def nameless():
        raise KeyError("getpwuid(): uid not found: 10001")

    monkeypatch.setattr("getpass.getuser", nameless)
    monkeypatch.setattr("os.getuid", lambda: 10001)
    assert user_name() == "10001"


def test_a_namespace_of_nothing_is_none_and_an_overlap_has_an_end(shell, sqlite_url):
    for command in ("erase", "export"):
        told = shell.fails(command, "--namespace", "", DATABASE_URL=sqlite_url)
        assert told == "issuegraph: --namespace must not be empty"
    told = shell.fails("token", "rotate", "ci", "--overlap", "91d", DATABASE_URL=sqlite_url)
    assert told == "issuegraph: --overlap is 90d at most (it is '91d')"


def test_a_server_that_waits_for_nobody_stops_without_an_error(sqlite_url, tmp_path):
    with Server(sqlite_url, tmp_path, SHUTDOWN_SECONDS="0") as server:
        assert request(server.port, "GET", "/healthz")[0] == 200
        server.stop()
    assert "error" not in server.log().lower()


def test_who_is_still_sending_when_the_time_of_a_stop_is_over_is_told_to_try_again(sqlite_url, tmp_path):
    with (
        Server(sqlite_url, tmp_path, SHUTDOWN_SECONDS="1") as server,
        socket.create_connection(("127.0.0.1", server.port), 20) as connection,
    ):
        head = b"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nX-Request-Id: mine\r\n"
        connection.sendall(head + b"Content-Length: 100\r\n\r\n{")
        time.sleep(0.3)
        server.signal(signal.SIGTERM)
        answer = HTTPResponse(connection)
        answer.begin()
        assert (answer.status, answer.headers["x-request-id"]) == (503, "mine")
        assert answer.headers["retry-after"]
        assert "stops" in answer.read().decode()
    assert "Traceback" not in server.log()


def test_who_reads_nothing_holds_no_stop_up(sqlite_url, tmp_path):
    head = b"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    body = b'{"query": "{ __schema { types { name description fields { name description } } } }"}'
    with Server(sqlite_url, tmp_path, SHUTDOWN_SECONDS="1") as server, socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        connection.connect(("127.0.0.1", server.port))
        until = time.monotonic() + 60
        # Each is answered whole, until the client's system takes no more.
        while "issuegraph_unread_bytes 0.0" in server.get("/metrics")[1]:
            connection.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            assert time.monotonic() < until
            time.sleep(0.1)
        # One that is waited for, behind what is not read.
        connection.sendall(head + b"Content-Length: 100\r\n\r\n{")
        time.sleep(0.5)
        server.signal(signal.SIGTERM)
        assert server.process.wait(15) == 0
