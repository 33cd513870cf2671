"""The benchmark itself, very small: who does the same work answers alike, and what is wrong ends the run."""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.bench.reports.answers import all_found, same_answers
from tests.bench.reports.contestants import (
    ALERTA,
    FLOOR,
    GITHUB,
    PLAIN_ON_POSTGRESQL,
    PLAIN_ON_SQLITE,
    SQLITE_FULL,
    TWO_PROCESSES,
    Contestant,
)
from tests.bench.reports.payloads import WEBHOOKS, Payloads
from tests.bench.reports.report import as_json, as_text
from tests.bench.reports.rounds import Length, run
from tests.bench.reports.serving import Postgres, load, running
from tests.bench.servers import Cores, Failed
from tests.servers import Servers

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets the benchmark choose the cores")

LENGTH = Length(pipelines=30, rounds=1, seconds=0.3, connections=[4, 8], warm_up_seconds=0.1)
NOT_HERE = Contestant("other", "another tool", ["no-such-program"], WEBHOOKS, None, if_missing="it cannot be had")


@pytest.fixture
def cores() -> Cores:
    """All of them for everybody: other tests run at the same time."""
    all_of_them = frozenset(os.sched_getaffinity(0))
    return Cores(all_of_them, all_of_them)


def test_all_do_the_same_and_are_measured(servers: Servers, tmp_path: Path, cores: Cores) -> None:
    contestants = (SQLITE_FULL, TWO_PROCESSES, GITHUB[0], FLOOR, PLAIN_ON_SQLITE, PLAIN_ON_POSTGRESQL)
    report = run(
        (*contestants, NOT_HERE),
        LENGTH,
        directory=tmp_path,
        postgres=Postgres(servers.postgres()),
        cores=cores,
        command="make bench-report",
    )

    figures = json.loads(json.dumps(as_json(report)))["connections"]
    assert figures.keys() == {"4", "8"}
    for found in figures.values():
        assert found.keys() == {each.name for each in contestants}
        assert all(each["median"]["p99"] >= each["median"]["p50"] > 0 for each in found.values())
        assert found["sqlite-full"]["median"]["wal_bytes"] > 0
    text = as_text(report)
    rate = figures["4"]["sqlite-full"]["median"]["requests_per_second"]
    assert f"| {SQLITE_FULL.title} | {rate:,.0f} (" in text
    ratio = figures["4"]["sqlite-full"]["ratios"]["floor"]
    reached = "reached" if ratio >= 0.12 else "**missed**"
    aim = f"| {SQLITE_FULL.title}: times as many requests a second as {FLOOR.title} | at least 0.12 |"
    assert f"{aim} {ratio:.2f} | {reached} |" in text
    assert text.endswith("Left out: another tool: it cannot be had")


def test_what_is_wrong_ends_the_run(tmp_path: Path, cores: Cores) -> None:
    with running(PLAIN_ON_SQLITE, tmp_path, None, cores) as server:
        same_answers([server])
        load(server, cores, connections=2, count=30)
        all_found([server])

        # An acknowledgement without a row.
        server.acknowledged["failure"] += 1
        with pytest.raises(Failed, match=r"plain-sqlite acknowledged \{.*\}, its tables have"):
            all_found([server])

        # An answer about something else, and another status.
        for changed in ({"holds": '"resourceName":"another"'}, {"status": 200}):
            payloads = Payloads(replace(WEBHOOKS.failure, **changed), WEBHOOKS.success)
            server.contestant = replace(PLAIN_ON_SQLITE, payloads=payloads)
            with pytest.raises(Failed, match="plain-sqlite: not the answer to failure"):
                load(server, cores, connections=2, count=30)

        # An answer that another one does not give.
        with running(replace(FLOOR, is_same_work=True), tmp_path, None, cores, "{}") as other:
            server.contestant = PLAIN_ON_SQLITE
            with pytest.raises(Failed, match="floor answers"):
                same_answers([server, other])


@pytest.mark.skipif(not ALERTA.is_here, reason=ALERTA.if_missing)
def test_alerta_takes_the_same(servers: Servers, tmp_path: Path, cores: Cores) -> None:
    with running(ALERTA, tmp_path, Postgres(servers.postgres()), cores) as server:
        found = load(server, cores, connections=1, count=30)
        assert found.cpu > 0
        # One alert for each pipeline, and the successes closed theirs.
        assert server.number("SELECT count(*) FROM alerts") == server.newest
        assert server.number("SELECT count(*) FROM alerts WHERE status = 'closed'") == server.oldest
