"""The benchmarks of watching, very small: everybody hears of everything, and what is refused ends the run."""

import json
import os
import sys
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.bench.servers import Cores, Failed
from tests.bench.watch.__main__ import rest, run
from tests.bench.watch.contestants import FLOOR, ON_SQLITE, PLAIN, documents
from tests.bench.watch.crowd import watching
from tests.bench.watch.databases import Databases, databases
from tests.bench.watch.mixed import Load
from tests.bench.watch.mixed import as_text as mixed_as_text
from tests.bench.watch.mixed import run as run_mixed
from tests.bench.watch.report import Cell, as_json, as_text

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets the benchmark choose the cores")


@pytest.fixture
def cores() -> Cores:
    """All of them for everybody: other tests run at the same time."""
    all_of_them = frozenset(os.sched_getaffinity(0))
    return Cores(all_of_them, all_of_them)


@pytest.fixture
def places(cores: Cores) -> Iterator[Databases]:
    """Where servers get their databases."""
    with databases(cores) as places:
        yield places


def test_all_sockets_of_all_contestants_hear_of_each_event_and_it_is_reported(cores: Cores) -> None:
    given = Namespace(sockets=[12], documents=[3], rounds=2, seconds=0.1, rest=0)
    report = run((ON_SQLITE, FLOOR, PLAIN), cores, given)
    cells = [Cell(each.name, 12, 3) for each in (ON_SQLITE, FLOOR, PLAIN)]
    assert list(report.measured) == cells
    ours, floor, plain = (report.measured[cell] for cell in cells)
    # As many bytes for the floor as for us, a few digits aside.
    assert round(ours[-1].bytes) - 4 <= floor[-1].bytes <= ours[-1].bytes + 4
    for rounds in (ours, floor, plain):
        assert len(rounds) == 2
        assert all(0 < each.p50 <= each.p99 <= each.last_p99 and each.messages_per_second > 0 for each in rounds)
    found = json.loads(json.dumps(as_json(report)))["fan_out"]
    assert [each["contestant"] for each in found] == [cell.contestant for cell in cells]
    assert f"| {ON_SQLITE.contestant.title} | 3 | {ours[0].bytes:.0f} |" in as_text(report)


def test_an_event_that_is_refused_ends_the_run(cores: Cores, places: Databases) -> None:
    broken = replace(ON_SQLITE, body="{}")
    with (
        places.started(broken) as server,
        watching(broken, server, documents(1), 1, cores) as crowd,
        pytest.raises(Failed, match=r"issuegraph-sqlite: a request was refused.* 400 "),
    ):
        crowd.load(0.1)


def test_replicas_hear_of_each_other(cores: Cores, places: Databases) -> None:
    found = rest(places, 3, cores)
    assert len(found) == 4
    assert all(0 < each.p50 <= each.p99 for each in found)


def test_a_mixed_run_counts_what_was_answered_and_heard(cores: Cores) -> None:
    load = Load(watchers=20, webhooks=40, queries=10, seconds=2)
    found = run_mixed(load, "sqlite", cores)
    assert found.kinds.keys() == {"failures", "successes", "queries"}
    assert all(each["p99"] >= each["p50"] > 0 for each in found.kinds.values())
    assert sum(each["per_second"] for each in found.kinds.values()) > 25
    # A watcher each namespace, and each webhook is a failure of one.
    assert found.messages_per_second > 10
    assert found.memory
    assert "| queries | 10 |" in mixed_as_text("issuegraph", load, found)
