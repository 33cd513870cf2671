"""A database that cannot be written: honest 503s, nothing acknowledged is lost, and it goes on by itself."""

import resource
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.servers import Servers, administer
from tests.serving import Server, exchange

WEBHOOK = "/api/v1/webhooks/pipeline-failure?namespace=team"
CLIENTS = 6
WAIT_SECONDS = 60
PAGE = """query ($after: String) { issueEvents(first: 100, after: $after) {
  nodes { kind changes { field new } } pageInfo { hasNextPage endCursor } } }"""
REPORT = """mutation { createIssue(input: {namespace: "team", title: "t", description: "d", severity: MAJOR,
  issueType: BUILD, scope: {resourceType: "component", resourceName: "api"}}) { action } }"""


class Load:
    """Clients that send each run until it is acknowledged, and keep what they were told."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.acknowledged: list[str] = []
        self.refused: list[str | None] = []
        self.others: list[object] = []
        self._stop = threading.Event()
        self._clients = [threading.Thread(target=self._report, args=(number,)) for number in range(CLIENTS)]

    def __enter__(self) -> "Load":
        for client in self._clients:
            client.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for client in self._clients:
            client.join()

    def wait_for(self, kept: list[str] | list[str | None], more: int) -> None:
        """Until so many more were acknowledged, or refused."""
        goal, until = len(kept) + more, time.monotonic() + WAIT_SECONDS
        while len(kept) < goal:
            assert time.monotonic() < until, f"{len(self.acknowledged)} {len(self.refused)}\n{self.server.log()}"
            time.sleep(0.01)

    def _report(self, client: int) -> None:
        number = 0
        while not self._stop.is_set():
            run = f"{client}-{number}"
            body = {"pipelineName": f"p{client}", "namespace": "team", "failureReason": "x" * 20_000, "runId": run}
            status, headers, answer = exchange(self.server.port, "POST", WEBHOOK, body)
            if status == 201:
                self.acknowledged.append(run)
                number += 1
            elif status == 503:
                self.refused.append(headers["retry-after"])
                time.sleep(0.02)
            else:
                self.others.append((status, answer))


def runs_in_the_log(server: Server) -> Counter[str]:
    """How often each run was counted."""
    runs: Counter[str] = Counter()
    after = None
    while True:
        page = server.ask(PAGE, after=after)["issueEvents"]
        for line in page["nodes"]:
            runs.update(change["new"]["runId"] for change in line["changes"] if change["field"] == "occurrences")
        if not page["pageInfo"]["hasNextPage"]:
            return runs
        after = page["pageInfo"]["endCursor"]


def check_nothing_is_lost(server: Server, load: Load) -> None:
    """Every acknowledged run is in the log once and in the table, also after a kill; no other answer was given."""
    assert load.others == []
    assert set(load.refused) == {"2"}
    server.kill()
    server.start()
    runs = runs_in_the_log(server)
    counts = [issue["occurrenceCount"] for issue in server.get("/api/v1/issues?limit=1000")[1]["data"]]
    lost = [run for run in load.acknowledged if run not in runs]
    repeated = [run for run, times in runs.items() if times > 1]
    print(f"acknowledged {len(load.acknowledged)}, refused {len(load.refused)}", end=", ")
    print(f"lost {len(lost)}, repeated {len(repeated)}")
    assert (lost, repeated) == ([], [])
    assert sum(counts) == len(runs)


def check_everything_is_refused_and_can_be_read(server: Server) -> None:
    status, headers, answer = exchange(server.port, "POST", WEBHOOK, {"pipelineName": "p", "failureReason": "r"})
    assert (status, headers["retry-after"]) == (503, "2")
    assert answer == {"error": "the database cannot be written now"}
    answer = server.post("/graphql", {"query": REPORT})[1]
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["UNAVAILABLE"]
    assert server.get("/api/v1/issues")[0] == 200
    assert server.get("/api/v1/health")[0] == 200


@contextmanager
def full_disk(server: Server) -> Iterator[Callable[[int], None]]:
    """What it gives says how long a file of the server may be."""
    assert server.process
    pid = server.process.pid
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)

    def limit(length: int) -> None:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (length, hard))

    try:
        yield limit
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("synchronous", ["FULL", "NORMAL"])
def test_a_full_disk_refuses_reports_and_loses_none_and_room_is_all_it_needs(
    sqlite_url: str, tmp_path: Path, synchronous: str
) -> None:
    file = Path(str(make_url(sqlite_url).database))
    with Server(sqlite_url, tmp_path, SQLITE_SYNCHRONOUS=synchronous) as server:
        with Load(server) as load:
            for _ in range(2):
                load.wait_for(load.acknowledged, 30)
                with full_disk(server) as limit:
                    # It fills up in the middle of some batch; in the end there is no room for the smallest report.
                    limit(300_000 + max(each.stat().st_size for each in file.parent.glob(f"{file.name}*")))
                    load.wait_for(load.refused, 30)
                    limit(4_096)
                    check_everything_is_refused_and_can_be_read(server)
            load.wait_for(load.acknowledged, 30)
        check_nothing_is_lost(server, load)


@pytest.mark.timeout(300)
def test_a_postgresql_that_only_reads_refuses_reports_and_recovers(
    postgresql_url: str, servers: Servers, tmp_path: Path
) -> None:
    name = make_url(postgresql_url).database

    def administered(statement: str) -> Callable[[], object]:
        return lambda: administer(servers.postgres(), statement)

    become_read_only = administered(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    become_writable = administered(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
    # As after a switch to a standby: only new connections see what the server is now.
    cut_connections = administered(
        f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{name}'"
    )

    with Server(postgresql_url, tmp_path) as server:
        with Load(server) as load:
            for _ in range(2):
                load.wait_for(load.acknowledged, 30)
                become_read_only()
                cut_connections()
                load.wait_for(load.refused, 30)
                check_everything_is_refused_and_can_be_read(server)
                become_writable()
            load.wait_for(load.acknowledged, 30)
        check_nothing_is_lost(server, load)
