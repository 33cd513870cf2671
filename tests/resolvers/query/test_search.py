"""The query bar: what docs/search.md promises, for lists, counts and lines of the log alike."""

import random
import re
from pathlib import Path

from resolvers.mutation import AcknowledgeIssue, LabelValue
from resolvers.query.search import search_where
from resolvers.query.where import ALWAYS
from resolvers.subscription.predicate import matcher, predicate
from tests.resolvers.mutation.house import report, success
from tests.resolvers.query.random_issues import images, lines, populate
from tests.resolvers.query.random_search import TOKENS, WORDS

DOCS = Path(__file__).parents[3] / "docs" / "search.md"
TEXT = """query ($search: String) {
    issues(search: $search) { nodes { title } totalCount }
    issueStats(search: $search) { total }
}"""


async def found(house, search):
    """The titles, in order; the counts must say the same."""
    answer = await house.ask(TEXT, search=search)
    titles = sorted(node["title"] for node in answer["issues"]["nodes"])
    assert answer["issues"]["totalCount"] == answer["issueStats"]["total"] == len(titles)
    return "".join(titles)


async def some_issues(house):
    """A to E."""
    await house.do(report(title="A", description="Disk FULL", severity="critical", labels=(LabelValue("team", "Ä b"),)))
    await house.do(report(title="B", description="full disk 50%", issue_type="test", source="Tekton"))
    c = await house.do(report(title="C", description="-v https://ci/42", namespace="team-a", resource_name="Web"))
    await house.do(report(title="D", description="Straße at 12:30", resource_type="pipelinerun", resource_name="api-7"))
    await house.do(report(title="D", description="Straße at 12:30", resource_type="pipelinerun", resource_name="api-7"))
    await house.do(AcknowledgeIssue(id=c.issue_ids[0]))
    await house.do(report(title="E", description='severity:odd say "hi"', resource_name="x/y", severity="info"))
    await house.do(success(resource_name="x/y"))


async def test_each_way_to_write_a_search_finds_what_the_page_says(house):
    await some_issues(house)
    expected = {
        None: "ABCDE",
        "": "ABCDE",
        "  \t ": "ABCDE",
        "disk": "AB",
        "DISK full": "AB",
        "full d": "AB",
        '"disk full"': "A",
        '"full disk"': "B",
        "a disk": "A",
        "%": "B",
        "50_": "",
        "STRASSE": "D",
        "12:30": "D",
        "https://ci/42": "C",
        "-v": "C",
        "-disk": "",
        "severity:critical": "A",
        "severity:Critical,INFO": "AE",
        "severity:odd": "E",
        "severity:critical,odd": "",
        "-severity:critical": "BCDE",
        "type:test": "B",
        "-type:test,build": "",
        "state:resolved": "E",
        "state:active,resolved": "ABCDE",
        "namespace:TEAM-A": "C",
        "namespace:team,team-a": "ABCDE",
        "namespace:tea": "",
        "source:tekton": "B",
        "-source:tekton": "ACDE",
        "scope:WE": "C",
        "scope:pipelinerun/API-7": "D",
        "scope:pipelinerun/api": "",
        "scope:component/x/y": "E",
        "label:team": "A",
        "label:Team": "",
        'label:"team=ä B"': "A",
        "label:team=ä": "",
        "-label:team": "BCDE",
        "is:active": "ABCD",
        "is:resolved": "E",
        "is:acknowledged": "C",
        "is:recurring": "D",
        "-is:recurring -is:resolved -is:acknowledged": "AB",
        "is:what": "",
        "disk severity:critical -is:resolved": "A",
        "Severity:": "E",
        'say "hi"': "E",
        '"': "E",
    }
    for search, titles in expected.items():
        assert await found(house, search) == titles, search


async def test_search_and_where_must_both_hold(house):
    await some_issues(house)
    text = '{ issues(search: "disk", where: {severity: {eq: CRITICAL}}) { nodes { title } } }'
    assert (await house.ask(text))["issues"]["nodes"] == [{"title": "A"}]


async def test_rows_images_and_lines_agree_on_any_search(house):
    dice = random.Random(3)
    await populate(house, dice, 16)
    image_of, log = await images(house), await lines(house)
    text = """query ($search: String) { issues(search: $search, first: 100) { nodes { id } }
        issueEvents(where: {search: $search}, first: 100) { nodes { id } } }"""
    for search in (*TOKENS, *WORDS, *(" ".join(dice.sample((*TOKENS, *WORDS), 2)) for _ in range(40))):
        answer = await house.ask(text, search=search)
        holds, match = predicate(search_where(search)), matcher({"search": search})
        expected = {id for id, image in image_of.items() if holds(image)}
        assert {node["id"] for node in answer["issues"]["nodes"]} == expected, search
        told = [house.log.text(line.position) for line in log if match(line)][::-1]
        assert [node["id"] for node in answer["issueEvents"]["nodes"]] == told, search


async def test_searches_of_one_shape_share_a_plan_and_other_shapes_do_not(house):
    await some_issues(house)
    assert await found(house, "severity:critical disk") == "A"
    made = house.planner.plans.kept.misses
    assert await found(house, "severity:info,major full") == "B"
    assert house.planner.plans.kept.misses == made
    assert await found(house, "-severity:info,major full") == "A"
    assert await found(house, "disk") == "AB"
    assert await found(house, "severity:minor full") == ""


async def test_a_bad_argument_beside_a_search_is_an_error_of_its_field_alone(house):
    text = (
        """query ($d: Int = 1) { issueGraph(ids: ["x"], depth: $d) { truncated } issues(search: "a") { totalCount } }"""
    )
    for _ in range(2):
        answer = await house.answer(text, {"d": None})
        assert answer["data"] is None or answer["data"]["issues"] == {"totalCount": 0}
        (error,) = answer["errors"]
        assert error["path"] == ["issueGraph"]
        assert error["extensions"]["code"] == "BAD_USER_INPUT"


async def test_too_much_is_an_error_of_its_field_alone(house):
    for search in ("x" * 1001, " ".join("x" * 31), "\0", "a\ud800"):
        answer = await house.answer(
            "query ($s: String) { bad: issues(search: $s) { totalCount } position }", {"s": search}
        )
        assert answer["data"]["bad"] is None
        assert answer["data"]["position"]
        assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert await found(house, "x" * 1000) == await found(house, " ".join("x" * 30)) == ""


def test_the_page_shows_only_tokens_that_are_some():
    shown = re.findall(r"`(-?[a-z]+:[^`\s]+)`", DOCS.read_text())
    none = {"severity:unheard-of"}
    assert len(shown) > 15
    for text in shown:
        node = search_where(text)
        assert node != ALWAYS
        looks_for_text = "title_folded" in repr(node)
        assert looks_for_text is (text in none or "//" in text), text
