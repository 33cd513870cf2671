"""`issuegraph erase`: beside a running server, whose subscribers hear of it and whose writer notices."""

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest

from tests.serving import Server, first
from tests.web.test_cli import Shell
from tests.web.test_export import AUDIT, report

WATCH = """subscription ($after: LogPosition) { issueEvents(where: {issue: {namespace: {eq: "team"}}}, after: $after) {
  position events { match event { kind issueId } } } }"""
HAS = "{ issues { position totalCount nodes { namespace } } }"


@pytest.fixture
def shell(tmp_path):
    return Shell(tmp_path)


def on_disk(url):
    path = Path(url.removeprefix("sqlite+aiosqlite:///"))
    return path.read_bytes() + Path(f"{path}-wal").read_bytes()


async def test_a_tenant_is_erased_while_a_server_runs(database_url, shell):
    is_sqlite = database_url.startswith("sqlite")
    erase = ["erase", "--namespace", "team"]
    with Server(database_url, shell.directory) as server:
        ids = [report(server, "team", name, description="quetzal", runId="1") for name in ("api", "page")]
        report(server, "rival", "db")
        before = server.ask(HAS)["issues"]

        # Only said.
        line = await asyncio.to_thread(shell.fails, *erase, DATABASE_URL=database_url)
        assert "2 issues and 2 lines" in line
        assert "--yes" in line
        assert server.ask(HAS)["issues"] == before

        async with aclosing(server.subscribe(WATCH)) as stream:
            assert (await first(stream))["issueEvents"]["events"] == []
            more = ["--yes", *(["--vacuum"] if is_sqlite else [])]
            ran = await asyncio.to_thread(shell.run, *erase, *more, DATABASE_URL=database_url)
            assert ran.returncode == 0, ran
            assert "removed 2 issues, 4 lines of the log and 2 scopes" in ran.stderr
            heard = []
            while len(heard) < 2:
                heard += (await first(stream))["issueEvents"]["events"]
            assert heard == [{"match": "LEFT", "event": {"kind": "DELETED", "issueId": id}} for id in ids]
            if is_sqlite:
                assert b"quetzal" not in on_disk(database_url)
            # The same scope and the same run.
            new = report(server, "team", "api", runId="1")
            assert new not in ids
            while not (heard := (await first(stream))["issueEvents"]["events"]):
                pass
            assert heard == [{"match": "ENTERED", "event": {"kind": "CREATED", "issueId": new}}]

        with pytest.raises(AssertionError, match="POSITION_EXPIRED"):
            await first(server.subscribe(WATCH, after=before["position"]))
        assert sorted(issue["namespace"] for issue in server.ask(HAS)["issues"]["nodes"]) == ["rival", "team"]
        told = [entry for entry in server.ask(AUDIT)["auditEvents"]["nodes"] if entry["kind"] == "NAMESPACE_ERASED"]
        assert [(entry["subject"], entry["actor"]["kind"], entry["details"]["phase"]) for entry in told] == [
            ("team", "PERSON", "DONE"),
            ("team", "PERSON", "BEGUN"),
        ]
    if not is_sqlite:
        assert "autovacuum" in shell.fails(*erase, "--yes", "--vacuum", DATABASE_URL=database_url)
