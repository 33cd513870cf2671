"""The benchmark of the page, very small: each part does what it says, whatever time it takes."""

import sys
from pathlib import Path

import pytest

from tests.bench.page.__main__ import as_text, run
from tests.bench.page.parts import ALL
from tests.bench.page.scene import Asked

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets the benchmark choose the cores"),
    pytest.mark.timeout(240),
]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    """A little of everything."""
    directory: Path = tmp_path_factory.mktemp("page")
    return Asked(issues=250, rounds=1, seconds=1, rate=40, dashboards=5, dashboard_rate=20, directory=directory)


def test_a_list_is_scrolled_to_its_end_and_nothing_moves(asked: Asked) -> None:
    found = run(asked, ["scroll", "first"])
    issues, rows, jumps, heap, *_ = found["scroll"]
    assert (issues.found, jumps.found) == (250, 0)
    assert rows.found > 20
    assert rows.is_reached
    assert heap.is_reached
    assert all(each.found > 0 for each in found["first"])
    assert "| issues in the list, scrolled to its end | 250 | 250 | reached |" in as_text(found)


def test_pages_draw_while_events_come_and_all_dashboards_hear_of_them(asked: Asked) -> None:
    found = run(asked, ["soak", "dashboards"])
    figures = {each.title: each for part in found.values() for each in part}
    assert figures["events a second that the machine carried"].found > 0
    assert {title.partition(":")[0] for title in figures} >= {"list", "overview"}
    assert figures["events that each dashboard heard"].is_reached
    assert figures["messages to all of them"].found > 0
    assert found.keys() < ALL.keys()
