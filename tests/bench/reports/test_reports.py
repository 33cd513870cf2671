"""The benchmark itself, very small: who does the same work answers alike, and what is wrong ends the run."""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.bench.reports.answers import all_found, same_answers
from tests.bench.reports.contestants import FLOOR, POSTGRESQL, SQLITE_FULL, TWO_PROCESSES
from tests.bench.reports.payloads import WEBHOOKS, Payloads
from tests.bench.reports.report import as_json, as_text
from tests.bench.reports.rounds import Length, run
from tests.bench.reports.serving import Postgres, load, running
from tests.bench.servers import Cores, Failed
from tests.servers import Servers

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets the benchmark choose the cores")

CONTESTANTS = (SQLITE_FULL, POSTGRESQL, TWO_PROCESSES, FLOOR)
LENGTH = Length(pipelines=30, rounds=1, seconds=0.3, connections=[4, 64], warm_up_seconds=0.1)


@pytest.fixture
def cores() -> Cores:
    """All of them for everybody: other tests run at the same time."""
    all_of_them = frozenset(os.sched_getaffinity(0))
    return Cores(all_of_them, all_of_them)


def test_all_do_the_same_and_are_measured(servers: Servers, tmp_path: Path, cores: Cores) -> None:
    postgres = Postgres(servers.postgres())
    report = run(CONTESTANTS, LENGTH, directory=tmp_path, postgres=postgres, cores=cores, command="make bench-report")

    figures = json.loads(json.dumps(as_json(report)))["connections"]
    assert figures.keys() == {"4", "64"}
    for found in figures.values():
        assert found.keys() == {each.name for each in CONTESTANTS}
        assert all(each["median"]["p99"] >= each["median"]["p50"] > 0 for each in found.values())
        assert found["sqlite-full"]["median"]["wal_bytes"] > 0
    rate = figures["64"]["postgresql"]["median"]["requests_per_second"]
    text = as_text(report)
    assert f"| {POSTGRESQL.title} | {rate:,.0f} (" in text
    assert f"| {POSTGRESQL.title}: requests/s | at least 4,000 |" in text


def test_what_is_wrong_ends_the_run(tmp_path: Path, cores: Cores) -> None:
    with running(SQLITE_FULL, tmp_path, None, cores) as server:
        same_answers([server])
        load(server, cores, connections=2, count=30)
        all_found([server])

        # An acknowledgement without a row.
        server.acknowledged["failure"] += 1
        with pytest.raises(
            Failed, match=r"sqlite-full acknowledged \{'failure': \d+, 'success': \d+\}, its tables have"
        ):
            all_found([server])

        # An answer about something else, and another status.
        for changed in ({"holds": '"resourceName":"another"'}, {"status": 200}):
            payloads = Payloads(replace(WEBHOOKS.failure, **changed), WEBHOOKS.success)
            server.contestant = replace(SQLITE_FULL, payloads=payloads)
            with pytest.raises(Failed, match="sqlite-full: not the answer to failure"):
                load(server, cores, connections=2, count=30)
