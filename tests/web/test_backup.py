"""`issuegraph backup`: a copy of one moment, whoever writes meanwhile; and who may read what the program makes."""

import json
import os
import sqlite3
import stat
import subprocess
import threading
from contextlib import closing
from pathlib import Path

import pytest

from tests.serving import ISSUEGRAPH, Server

HOOK = "/api/v1/webhooks/pipeline-failure"


def run(directory, *arguments, url=""):
    """In `directory`, with an umask that lets everybody read."""
    outside = {name: value for name, value in os.environ.items() if not name.startswith("ISSUEGRAPH_")}
    return subprocess.run(
        [ISSUEGRAPH, *arguments],
        env=outside | {"ISSUEGRAPH_DATABASE_URL": url},
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=60,
        umask=0o022,
    )


def mode(path):
    return stat.S_IMODE(Path(path).stat().st_mode)


def path_of(url):
    return Path(url.removeprefix("sqlite+aiosqlite:///"))


class Reporting(threading.Thread):
    """Reports as fast as it is answered; `answered` is how many were taken."""

    def __init__(self, server):
        super().__init__()
        self.server = server
        self.answered = 0
        self.over = threading.Event()

    def run(self):
        while not self.over.is_set():
            body = {"pipelineName": f"p{self.answered}", "namespace": "team", "failureReason": "r"}
            assert self.server.post(HOOK, body)[0] == 201
            self.answered += 1

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()


def test_a_backup_under_load_has_all_that_was_answered_before_and_can_be_served(sqlite_url, tmp_path):
    with Server(sqlite_url, tmp_path) as server, Reporting(server) as load:
        copies = []
        for number in range(3):
            while load.answered < 20 * (number + 1):
                assert load.is_alive()
            before = load.answered
            copy = tmp_path / f"copy-{number}.db"
            ran = run(tmp_path, "backup", str(copy), url=sqlite_url)
            assert (ran.returncode, ran.stderr) == (0, "")
            assert str(copy) in ran.stdout
            copies.append((copy, before, load.answered + 1))
    for copy, least, most in copies:
        assert mode(copy) == 0o600
        with closing(sqlite3.connect(copy)) as connection:
            (issues,) = connection.execute("SELECT count(*) FROM issue").fetchone()
            ((end,), (newest,)) = (
                connection.execute(statement).fetchone()
                for statement in ('SELECT "end" FROM event_log', "SELECT max(position) FROM issue_event")
            )
        assert least <= issues <= most
        assert end == newest
    assert {path.name for path in tmp_path.glob("*copy-*")} == {copy.name for copy, *_ in copies}

    copied = f"sqlite+aiosqlite:///{copies[-1][0]}"
    assert run(tmp_path, "restored", url=copied).returncode == 0
    with Server(copied, tmp_path) as server:
        total = server.ask("{ issues { totalCount } }")["issues"]["totalCount"]
        assert copies[-1][1] <= total <= copies[-1][2]


def test_a_file_that_is_there_is_never_replaced(sqlite_url, tmp_path):
    there = tmp_path / "there.db"
    there.write_text("mine")
    for target in (there, path_of(sqlite_url)):
        ran = run(tmp_path, "backup", str(target), url=sqlite_url)
        assert ran.returncode == 1
        assert "there already" in ran.stderr
    assert there.read_text() == "mine"


def test_what_cannot_be_done_is_one_line_and_leaves_nothing(sqlite_url, tmp_path, postgresql_url):
    garbage = tmp_path / "garbage.db"
    garbage.write_text("This is no database. " * 1_000)
    for url, target, word in (
        (sqlite_url, tmp_path / "nowhere" / "copy.db", "nowhere"),
        (f"sqlite+aiosqlite:///{garbage}", tmp_path / "copy.db", "not a database"),
        (f"sqlite+aiosqlite:///{tmp_path}/none.db", tmp_path / "copy.db", "not there"),
        (postgresql_url, tmp_path / "copy.db", "pg_dump"),
    ):
        ran = run(tmp_path, "backup", str(target), url=url)
        assert (ran.returncode, ran.stdout, len(ran.stderr.splitlines())) == (1, "", 1), ran
        assert word in ran.stderr
    assert not list(tmp_path.glob("*copy*"))
    assert not (tmp_path / "none.db").exists()


def test_a_damaged_database_is_not_passed_off_as_a_backup(sqlite_url, tmp_path):
    path = path_of(sqlite_url)
    with Server(sqlite_url, tmp_path) as server:
        for number in range(20):
            server.post(HOOK, {"pipelineName": f"p{number}", "namespace": "team", "failureReason": "r" * 2_000})
    with closing(sqlite3.connect(path)) as connection:
        pages = json.loads(
            connection.execute(
                "SELECT json_group_array(rootpage) FROM sqlite_master WHERE tbl_name = 'issue' AND rootpage > 0"
            ).fetchone()[0]
        )
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with path.open("r+b") as file:
        for page in pages:
            file.seek((page - 1) * size)
            file.write(b"\x07" * 200)
    ran = run(tmp_path, "backup", str(tmp_path / "copy.db"), url=sqlite_url)
    assert ran.returncode == 1
    assert not list(tmp_path.glob("*copy*"))


@pytest.mark.parametrize("command", ["migrate", "demo"])
def test_what_the_program_makes_is_for_its_own_user_alone(tmp_path, command):
    assert run(tmp_path, command).returncode == 0
    assert mode(tmp_path / "data") == 0o700
    assert mode(tmp_path / "data" / "issuegraph.db") == 0o600
    # A reader that stays keeps the files beside it there.
    with closing(sqlite3.connect(tmp_path / "data" / "issuegraph.db")) as connection:
        connection.execute("SELECT count(*) FROM issue").fetchone()
        with Server("sqlite+aiosqlite:///data/issuegraph.db", tmp_path):
            made = {path.name: mode(path) for path in (tmp_path / "data").iterdir()}
    assert set(made) >= {"issuegraph.db", "issuegraph.db-wal", "issuegraph.db-shm", "issuegraph.db.lock"}
    assert set(made.values()) == {0o600}
