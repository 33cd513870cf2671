"""The pages among each other and beside the code: links lead somewhere, and what is named is there."""

import re
from pathlib import Path

import pytest

from web.cli import COMMANDS
from web.settings import PREFIX, Settings

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXTS = {path: path.read_text() for path in PAGES}
# Prometheus names a histogram by what it counts; the others are as the table of the page has them.
METRICS = set(
    re.findall(r"`(issuegraph_\w+)`", (ROOT / "docs" / "operating.md").read_text().partition("| metric |")[2])
)


def anchors(path):
    """As a forge makes them of headings."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", path.read_text(), flags=re.S | re.M), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_links_lead_to_pages_and_headings_that_are_there(page):
    for target in re.findall(r"\]\((?!https?://|mailto:)([^)\s]+)\)", TEXTS[page]):
        name, _, anchor = target.partition("#")
        path = (page.parent / name).resolve() if name else page
        assert path.exists(), target
        assert not anchor or anchor in anchors(path), target


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_settings_metrics_and_commands_that_are_named_are_there(page):
    settings = {PREFIX + name.upper() for name in Settings.model_fields}
    # What the tests, Kubernetes and the ready curl lines read, or what is only the beginning of a name.
    of_scripts = {f"ISSUEGRAPH_{name}" for name in ("TOKEN", "SECRET", "NAMESPACE")}
    others = {"ISSUEGRAPH_DIFFERENTIAL"} | of_scripts
    assert set(re.findall(r"\bISSUEGRAPH_[A-Z_]*[A-Z]\b", TEXTS[page])) <= settings | others
    assert set(re.findall(r"`(issuegraph_\w+)`", TEXTS[page])) <= METRICS
    commands = {command.__name__.rpartition(".")[2] for command in COMMANDS}
    assert set(re.findall(r"(?:`|^    )issuegraph ([a-z]+)", TEXTS[page], re.MULTILINE)) <= commands
