"""`where`: rows, images in Python and images in the log decide alike, and as the contract says."""

import random
import re

import pytest

from resolvers.errors import RequestError
from resolvers.mutation import DeleteIssue, LabelValue, UpdateIssue
from resolvers.query.where import MAX_WHERE_DEPTH, MAX_WHERE_TESTS, issue_where
from resolvers.subscription.predicate import image_matcher, predicate
from tests.resolvers.mutation.house import report
from tests.resolvers.query.random_issues import images, lines, moment, populate
from tests.resolvers.query.random_where import FIELDS, RandomWhere, holds

ISSUES = "query ($where: IssueWhere) { issues(where: $where, first: 100) { nodes { id } totalCount } }"
EVENTS = "query ($where: IssueWhere) { issueEvents(where: {issue: $where}, first: 100) { nodes { id } totalCount } }"


async def found(house, where):
    """The ids of the issues in a filter."""
    page = (await house.ask(ISSUES, where=where))["issues"]
    ids = {node["id"] for node in page["nodes"]}
    assert page["totalCount"] == len(ids) == len(page["nodes"])
    return ids


async def random_house(house, dice):
    """Issues of which some changed, moved and went."""
    made = await populate(house, dice, 14)
    await house.do(UpdateIssue(id=made[0], title="Öffnen", labels=(LabelValue("team", "Ä"),), severity="info"))
    await house.do(UpdateIssue(id=made[1], namespace="other%", resource_name="moved"))
    await house.do(UpdateIssue(id=made[2], labels=(), issue_type="incident"))
    await house.do(DeleteIssue(id=made[3]))
    return made


@pytest.mark.parametrize("seed", range(3))
async def test_rows_images_and_the_log_decide_as_the_contract_says(house, seed):
    dice = random.Random(seed)
    made = await random_house(house, dice)
    issues = (await house.ask(f"{{ issues(first: 100) {{ nodes {{ {FIELDS} }} }} }}"))["issues"]["nodes"]
    image_of, log = await images(house), await lines(house)
    assert image_of.keys() == {issue["id"] for issue in issues}
    wheres = RandomWhere(dice, made, [issue["scope"]["id"] for issue in issues])
    sizes = set()
    for _ in range(120):
        where = wheres.issues()
        expected = {issue["id"] for issue in issues if holds(where, issue)}
        assert await found(house, where) == expected, where
        node = issue_where(house.planner.documents.operation(ISSUES, None, {"where": where}).variables["where"])
        test = predicate(node)
        assert {id for id, image in image_of.items() if test(image)} == expected, where
        match = image_matcher(node)
        told = [house.log.text(line.position) for line in log if match(line)][::-1]
        page = (await house.ask(EVENTS, where=where))["issueEvents"]
        assert ([line["id"] for line in page["nodes"]], page["totalCount"]) == (told, len(told)), where
        sizes.add(len(expected))
    assert len(sizes) > 5


async def test_null_members_are_as_absent_ones(house):
    await populate(house, random.Random(1), 6)
    everything = await found(house, None)
    assert len(everything) == 6
    for where in (
        {},
        {"and": None, "or": None, "not": None, "title": None, "scope": None, "label": None, "severity": None},
        {"title": {"eq": None, "in": None, "contains": None, "startsWith": None, "ne": None}},
        {"resolvedAt": {"isNull": None, "gt": None}, "severity": {"gte": None, "in": None}, "id": {"eq": None}},
        {"and": []},
        {"and": [{}]},
        {"or": [{}]},
        {"not": {"or": []}},
        {"scope": {"id": None, "resourceName": {}}},
    ):
        assert await found(house, where) == everything, where


async def test_empty_lists_match_nothing(house):
    await populate(house, random.Random(2), 6)
    for where in (
        {"or": []},
        {"not": {}},
        {"not": {"and": []}},
        {"id": {"in": []}},
        {"title": {"in": []}},
        {"source": {"in": []}},
        {"severity": {"in": []}},
        {"scope": {"id": {"in": []}}},
        {"scope": {"resourceName": {"in": []}}},
        {"label": {"name": "team", "value": {"in": []}}},
        {"and": [{"or": []}, {}]},
    ):
        assert await found(house, where) == set(), where


async def titles(house, where):
    """The titles in a filter, in order."""
    text = "query ($where: IssueWhere) { issues(where: $where) { nodes { title } } }"
    return sorted(node["title"] for node in (await house.ask(text, where=where))["issues"]["nodes"])


async def reported(house, **kinds):
    """One issue a title."""
    for number, title in enumerate(kinds.pop("titles")):
        await house.do(report(title=title, resource_name=f"{number}", **kinds))


async def test_contains_and_starts_with_fold_every_script_and_eq_does_not(house):
    await reported(house, titles=("Öl", "öl", "Straße", "STRASSE", "İzmir", "i\u0307zmir", "ΣΊΣΥΦΟΣ", "Ǆ", "plain"))
    cases = {
        "öl": ["Öl", "öl"],
        "ÖL": ["Öl", "öl"],
        "strasse": ["STRASSE", "Straße"],
        "straß": ["STRASSE", "Straße"],
        "i\u0307z": ["i\u0307zmir", "İzmir"],
        "İ": ["i\u0307zmir", "İzmir"],
        "σίσυφος": ["ΣΊΣΥΦΟΣ"],
        "ǆ": ["Ǆ"],
        "PLAIN": ["plain"],
    }
    for text, expected in cases.items():
        for op in ("contains", "startsWith"):
            assert await titles(house, {"title": {op: text}}) == sorted(expected), (op, text)
    assert await titles(house, {"title": {"eq": "öl"}}) == ["öl"]
    assert await titles(house, {"title": {"in": ["ÖL", "Straße"]}}) == ["Straße"]
    assert "öl" not in await titles(house, {"title": {"ne": "öl"}})
    assert await titles(house, {"title": {"contains": "l"}}) == ["plain", "Öl", "öl"]


async def test_percent_underscore_and_backslash_are_plain_text(house):
    await reported(house, titles=("100%", "100 percent", "a_b", "aXb", "back\\slash", "it's", '"quoted"', "[a-z]*"))
    cases = {"%": ["100%"], "_": ["a_b"], "\\": ["back\\slash"], "'": ["it's"], '"': ['"quoted"'], "[a": ["[a-z]*"]}
    for text, expected in cases.items():
        assert await titles(house, {"title": {"contains": text}}) == expected
    assert await titles(house, {"title": {"startsWith": "100%"}}) == ["100%"]
    assert len(await titles(house, {"title": {"contains": ""}})) == 8


async def test_null_fulfils_no_comparison_but_ne_and_is_null(house):
    await reported(house, titles=("none",))
    await reported(house, titles=("some",), source="ci", resource_type="pipelinerun")
    assert await titles(house, {"source": {"ne": "ci"}}) == ["none"]
    assert await titles(house, {"source": {"contains": ""}}) == ["some"]
    assert await titles(house, {"not": {"source": {"eq": "ci"}}}) == ["none"]
    assert await titles(house, {"not": {"source": {"startsWith": "x"}}}) == ["none", "some"]
    assert await titles(house, {"not": {"resolvedAt": {"gt": moment(0)}}}) == ["none", "some"]
    assert await titles(house, {"resolvedAt": {"isNull": True}}) == ["none", "some"]
    assert await titles(house, {"resolvedAt": {"isNull": False}}) == []


async def test_a_label_filter_is_about_one_label_of_that_very_name(house):
    await reported(house, titles=("two",), labels=(LabelValue("team", "a"), LabelValue("team", "B")))
    await reported(house, titles=("other",), resource_type="x", labels=(LabelValue("Team", "a"), LabelValue("x", "B")))
    assert await titles(house, {"label": {"name": "team"}}) == ["two"]
    assert await titles(house, {"label": {"name": "team", "value": {"eq": "a"}}}) == ["two"]
    assert await titles(house, {"label": {"name": "team", "value": {"contains": "b", "ne": "a"}}}) == ["two"]
    assert await titles(house, {"label": {"name": "team", "value": {"eq": "a", "ne": "a"}}}) == []
    assert await titles(house, {"not": {"label": {"name": "team", "value": {"eq": "z"}}}}) == ["other", "two"]
    both = [{"label": {"name": "x"}}, {"label": {"name": "Team", "value": {"startsWith": "A"}}}]
    assert await titles(house, {"and": both}) == ["other"]


async def test_times_compare_as_moments_in_any_offset(house):
    await reported(house, titles=("one",), detected_at="2026-01-01T00:00:00.000001Z")
    for text in ("2026-01-01T01:00:00.000001+01:00", "2025-12-31t19:00:00.0000019-05:00"):
        assert await titles(house, {"detectedAt": {"eq": text}}) == ["one"]
        assert await titles(house, {"detectedAt": {"gt": text}}) == []
    assert await titles(house, {"detectedAt": {"gt": "2026-01-01T00:00:00Z", "lt": "2026-01-01T00:00:00.000002Z"}}) == [
        "one"
    ]
    assert await titles(house, {"detectedAt": {"gt": "0001-01-01T00:00:00Z", "lt": "9999-12-31T23:59:59Z"}}) == ["one"]


@pytest.mark.parametrize(
    "where",
    [
        "{title: {eq: $t, ne: $absent}}",
        "{title: {eq: $t}, id: {in: $ids}}",
        "{title: {in: [$t]}, not: {title: {eq: $absent, ne: $t}}, or: [{title: {in: [$t, $t]}, id: {in: $ids}}]}",
        "{title: {eq: $t}, and: $wheres}",
        "{title: {eq: $t}, scope: {resourceName: {eq: $absent, startsWith: $none}}}",
        "{and: [{title: {startsWith: $t}}], label: $label}",
        "{or: {title: {eq: $t}}}",
    ],
)
async def test_variables_that_are_absent_leave_the_others_what_they_are_in_each_run(house, where):
    await reported(house, titles=("one", "two", "three"))
    types = {"t": "String!", "ids": "[ID!]", "wheres": "[IssueWhere!]", "label": "LabelWhere"}
    names = dict.fromkeys(re.findall(r"\$(\w+)", where))
    declared = ", ".join(f"${name}: {types.get(name, 'String')}" for name in names)
    text = f"query ($first: Int, {declared}) {{ issues(first: $first, where: {where}) {{ nodes {{ title }} }} }}"
    for title in ("one", "two", "three", "one"):
        answer = await house.ask(text, t=title, **({"none": None} if "none" in names else {}))
        assert [node["title"] for node in answer["issues"]["nodes"]] == [title]
    assert house.planner.plans.kept.misses == 1


async def test_where_and_search_are_each_what_they_are_in_each_run(house):
    await reported(house, titles=("one", "two", "three"))
    text = "query ($w: IssueWhere, $s: String) { issues(where: $w, search: $s) { nodes { title } } }"

    async def shown(**variables):
        answer = await house.ask(text, **variables)
        return {node["title"] for node in answer["issues"]["nodes"]}

    for title in ("one", "two", "three"):
        assert await shown(s=title) == {title}
        assert await shown(w={"title": {"eq": title}}) == {title}
        assert await shown(w={"title": {"eq": title}}, s="thr") == {title} & {"three"}
        assert await shown(w=None, s=title) == {title}
        assert await shown(w={"or": {"title": {"in": title}}}) == {title}


async def test_more_labels_than_are_joined(house):
    await reported(house, titles=("many",), labels=tuple(LabelValue(f"n{number}", "x") for number in range(12)))
    await reported(house, titles=("few",), labels=(LabelValue("n0", "x"),), resource_type="other")
    wanted = [{"label": {"name": f"n{number}", "value": {"eq": "x"}}} for number in range(12)]
    assert await titles(house, {"and": wanted}) == ["many"]
    assert await titles(house, {"and": [*wanted, {"label": {"name": "n11", "value": {"eq": "y"}}}]}) == []
    assert await titles(house, {"and": [{"not": {"or": wanted[1:]}}, wanted[0]]}) == ["few"]


async def test_ids_match_in_any_case_and_malformed_ones_nothing(house):
    id = (await house.do(report())).issue_ids[0]
    for text in (id, id.upper()):
        assert await found(house, {"id": {"eq": text}}) == {id}
        assert await found(house, {"id": {"in": ["x", text]}}) == {id}
    for text in ("", "x", id + " ", id.replace("-", ""), "{" + id[1:], "0" * 36):
        assert await found(house, {"id": {"eq": text}}) == set()
        assert await found(house, {"not": {"id": {"eq": text}}}) == {id}


async def test_other_values_of_one_shape_find_the_plan_again_and_get_their_own_answers(house):
    await reported(house, titles=("one", "two", "three"), labels=(LabelValue("n", "x"),))
    text = """query ($t: String, $s: Severity!, $n: [String!], $l: String!) { issues(where: {
        title: {contains: $t}, severity: {gte: $s}, or: [{title: {in: $n}}, {label: {name: $l}}]}) {
        nodes { title } } }"""
    expected = {
        ("o", "MAJOR", ("one", "two"), "z"): {"one", "two"},
        ("E", "MAJOR", (), "n"): {"one", "three"},
        ("e", "MAJOR", ("three",), "z"): {"three"},
        ("", "MAJOR", ("one", "two", "three"), "z"): {"one", "two", "three"},
    }
    made = None
    for (part, severity, names, label), titles_ in expected.items():
        answer = await house.ask(text, t=part, s=severity, n=list(names), l=label)
        assert {node["title"] for node in answer["issues"]["nodes"]} == titles_
        assert made in (None, house.planner.plans.kept.misses)
        made = house.planner.plans.kept.misses
    for t in (None, "w"):
        answer = await house.ask(text, t=t, s="INFO", n=None, l="n")
        assert len(answer["issues"]["nodes"]) == (3 if t is None else 1)


async def test_a_text_that_no_database_holds_is_an_error_of_its_field_alone(house):
    await house.do(report())
    text = (
        "query ($t: String!) { bad: issues(where: {title: {contains: $t}}) { totalCount } good: issues { totalCount } }"
    )
    for t in ("\0", "a\0b", "\ud800", "x\udfff"):
        answer = await house.answer(text, {"t": t})
        assert answer["data"] == {"bad": None, "good": {"totalCount": 1}}
        assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


def many(tests):
    """A filter of so many conditions, all of which hold for nothing."""
    return {"or": [{"label": {"name": str(number), "value": {"eq": "x"}}} for number in range(tests)]}


def deep(levels):
    where = {}
    for _ in range(levels - 1):
        where = {"not": where}
    return where


ROOTS = [
    "query ($where: IssueWhere) { found: issues(where: $where) { totalCount } }",
    "query ($where: IssueWhere) { found: issueEvents(where: {issue: $where}) { totalCount } }",
    "query ($where: IssueWhere) { found: issueStats(where: $where) { totalCount: total } }",
    "query ($where: IssueWhere) { found: issueStats(where: $where) { timeToResolve { count } } }",
    "query ($where: IssueWhere) { found: issueGraph(ids: [], where: $where) { nodes { issue { id } } } }",
]


@pytest.mark.parametrize("root", ROOTS)
async def test_the_largest_filter_is_answered_and_a_larger_one_refused(house, root):
    await house.do(report())
    for where in (many(MAX_WHERE_TESTS), deep(MAX_WHERE_DEPTH), {"and": [deep(MAX_WHERE_DEPTH - 1)]}):
        assert (await house.ask(root, where=where))["found"], where
    label = {"label": {"name": "a", "value": {"eq": "x", "contains": "x"}}}
    for where in (many(MAX_WHERE_TESTS + 1), {"and": [{}, many(MAX_WHERE_TESTS)]}, {"or": [label] * 151}):
        assert await house.refusal(root, where=where) == ("BAD_USER_INPUT", "where may have 300 conditions at most")
    for levels in (MAX_WHERE_DEPTH + 1, 150):
        code, message = await house.refusal(root, where=deep(levels))
        assert (code, message) == ("BAD_USER_INPUT", "where may be nested 20 levels deep at most")


async def test_variables_nested_past_reason_are_refused(house):
    with pytest.raises(RequestError) as error:
        await house.ask(ISSUES, where=deep(5_000))
    assert [each.message for each in error.value.errors] == ["Variable values are nested too deeply."]
