"""The benchmark itself, on very little data: the contestants answer alike, and a wrong answer ends the run."""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from models import Base
from tests.bench import data
from tests.bench.answers import checked_requests
from tests.bench.contestants import Asked, plain
from tests.bench.contestants.floor import FLOOR
from tests.bench.contestants.issuegraph import ON_POSTGRESQL, ON_SQLITE
from tests.bench.questions import DOCUMENTS, questions
from tests.bench.report import Report, as_json, as_text
from tests.bench.servers import Cores, Failed, Running, load, running
from tests.servers import in_thread, sqlite_url

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets the benchmark choose the cores")

SIZES = data.Sizes(issues=600, in_namespace=200)
# Those that need nothing from npm.
CONTESTANTS = (ON_POSTGRESQL, ON_SQLITE, FLOOR, plain.CONTESTANT)


@pytest.fixture
def cores() -> Cores:
    """All of them for everybody: other tests run at the same time."""
    all_of_them = frozenset(os.sched_getaffinity(0))
    return Cores(all_of_them, all_of_them)


@pytest.fixture
def contestants(postgresql_url: str, tmp_path: Path, cores: Cores) -> Iterator[list[Running]]:
    """All of them, on the same rows."""
    file = tmp_path / "bench.db"
    in_thread(lambda: data.fill_sqlite(file, SIZES))
    in_thread(lambda: data.fill_postgres(postgresql_url, SIZES))
    urls = {"sqlite": sqlite_url(file), "postgresql": postgresql_url}
    with ExitStack() as stack:
        yield [stack.enter_context(running(each, urls[each.database], cores)) for each in CONTESTANTS]


def without_the_first_link(page: Mapping[str, Any]) -> Any:
    """The same answer but for one thing."""
    first, *others = page["issues"]["nodes"]
    return {"issues": {"nodes": [{**first, "links": first["links"][1:]}, *others]}}


# One test: to start the servers takes longest.
def test_all_answer_alike_and_are_measured_and_a_wrong_answer_fails(contestants: list[Running], cores: Cores) -> None:
    asked = {each.name: replace(each, asked=each.asked[:20]) for each in questions(SIZES)}
    assert asked.keys() == DOCUMENTS.keys()

    # Everybody is asked everything and says the same, and not nothing.
    requests = {name: checked_requests(question, contestants) for name, question in asked.items()}
    for by_server in requests.values():
        assert list(by_server) == contestants
        for made in by_server.values():
            bodies, answers = ({each[key] for each in made} for key in ("body", "expected"))
            assert len(answers) == len(bodies) > 1

    # Who says something else is found out, and where it differs is told.
    ours, floor = contestants[0], contestants[2]
    wrong = replace(FLOOR, questions={"page": Asked("page", without_the_first_link)})
    with pytest.raises(Failed, match=r'"team-000".* differ at /issues/nodes/0/links:'):
        checked_requests(asked["page"], [ours, replace(floor, contestant=wrong)])
    # So is who changes its answer later.
    changed = [{**each, "expected": each["expected"] + " "} for each in requests["page"][floor]]
    with pytest.raises(Failed, match="another answer than before"):
        load(floor, changed, 0.1, 2, cores)

    # What is measured is reported.
    measured = {
        (server.contestant.name, "page"): [load(server, requests["page"][server], 0.3, 2, cores)]
        for server in (ours, floor)
    }
    report = Report(datetime.now(UTC), "a machine", "make bench", SIZES, CONTESTANTS, ["page"], measured)
    figures = json.loads(json.dumps(as_json(report)))["questions"]["page"]
    assert figures.keys() == {ours.contestant.name, floor.contestant.name}
    assert all(each["median"]["p99"] > 0 for each in figures.values())
    rate = figures[ours.contestant.name]["median"]["requests_per_second"]
    assert f"| {ours.contestant.title} | {rate:,.0f} (" in as_text(report)


def test_making_rows_leaves_the_tables_what_they_are() -> None:
    dialect = postgresql.dialect()
    before = str(CreateTable(Base.metadata.tables["relation"]).compile(dialect=dialect))
    drop, make = data._left_for_the_end(dialect)
    assert len(drop) == len(make) > 10
    assert str(CreateTable(Base.metadata.tables["relation"]).compile(dialect=dialect)) == before
    assert before.count("FOREIGN KEY") == 2
