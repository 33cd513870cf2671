"""Pages: walking them in any order and direction gives the whole list, once, whatever happens in between."""

import base64
import json
import random
from itertools import pairwise

import pytest

from models import Issue, IssueEvent, Occurrence
from resolvers.mutation import RelateIssues, ResolveIssue
from tests.resolvers.mutation.house import report
from tests.resolvers.query.random_issues import populate, random_report, rows

COLUMNS = {
    "DETECTED_AT": "detected_at",
    "LAST_DETECTED_AT": "last_detected_at",
    "CREATED_AT": "created_at",
    "UPDATED_AT": "updated_at",
    "RESOLVED_AT": "resolved_at",
    "SEVERITY": "severity_rank",
    "OCCURRENCE_COUNT": "occurrence_count",
    "TITLE": "title_folded",
}
INFO = "pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"
PAGE = f"{{ edges {{ cursor node {{ id }} }} nodes {{ id }} {INFO} totalCount }}"
PAGING = "$first: Int, $after: String, $last: Int, $before: String"
PASSED = "first: $first, after: $after, last: $last, before: $before"
ISSUES = f"query ($orderBy: [IssueOrder!], {PAGING}) {{ list: issues(orderBy: $orderBy, {PASSED}) {PAGE} }}"


def ordered(issues, steps):
    """Rows of issues as an `orderBy` has them: null last both ways, ties by id."""
    steps = steps or [("DETECTED_AT", "DESC")]
    found = sorted(issues, key=lambda row: row["id"], reverse=steps[0][1] == "DESC")
    for name, direction in reversed(steps):
        column = COLUMNS[name]
        nulls = [row for row in found if row[column] is None]
        found = [row for row in found if row[column] is not None]
        found = sorted(found, key=lambda row: row[column], reverse=direction == "DESC") + nulls
    return [row["id"] for row in found]


def order_by(steps):
    """The argument."""
    return [{"field": name, "direction": direction} for name, direction in steps]


def find_list(data):
    """The list in an answer, at the root or below `of`."""
    return data["list"] if "list" in data else data["of"]["list"]


async def walk(house, text, size, *, backward=False, between=None, **variables):
    """The ids of all pages, forwards; what each page says of itself is checked on the way."""
    found, cursor, pages = [], None, 0
    while True:
        way = {"last": size, "before": cursor} if backward else {"first": size, "after": cursor}
        page = find_list(await house.ask(text, **variables, **way))
        ids, info = [edge["node"]["id"] for edge in page["edges"]], page["pageInfo"]
        assert ids == [node["id"] for node in page["nodes"]]
        assert info["startCursor"] == (page["edges"][0]["cursor"] if ids else None)
        assert info["endCursor"] == (page["edges"][-1]["cursor"] if ids else None)
        found = ids + found if backward else found + ids
        more = info["hasPreviousPage" if backward else "hasNextPage"]
        assert info["hasNextPage" if backward else "hasPreviousPage"] is (pages > 0)
        if not more:
            return found
        assert len(ids) == size
        cursor, pages = info["startCursor" if backward else "endCursor"], pages + 1
        if between:
            await between()


async def check_walks(house, text, expected, sizes=(1, 3, 50), **variables):
    """Both ways, in pages of these sizes, and the count."""
    for size in sizes:
        for backward in (False, True):
            assert await walk(house, text, size, backward=backward, **variables) == expected, (size, backward)
    page = find_list(await house.ask(text, **variables))
    assert page["totalCount"] == len(expected)


async def test_pages_in_every_order_make_the_whole_list(house):
    await populate(house, random.Random(1), 23)
    issues = await rows(house)
    for field in COLUMNS:
        for direction in ("ASC", "DESC"):
            steps = [(field, direction)]
            await check_walks(house, ISSUES, ordered(issues, steps), (2, 7, 50), orderBy=order_by(steps))
    await check_walks(house, ISSUES, ordered(issues, []), orderBy=None)
    await check_walks(house, ISSUES, ordered(issues, []), orderBy=[])


async def test_pages_in_orders_of_several_steps_make_the_whole_list(house):
    dice = random.Random(2)
    await populate(house, dice, 23)
    issues = await rows(house)
    for _ in range(12):
        fields = dice.choices(list(COLUMNS), k=dice.randrange(2, 5))
        steps = [(field, dice.choice(("ASC", "DESC"))) for field in fields]
        first_of = list(dict.fromkeys(fields))
        decisive = [next(step for step in steps if step[0] == field) for field in first_of]
        await check_walks(house, ISSUES, ordered(issues, decisive), (4,), orderBy=order_by(steps))


async def test_first_last_after_and_before_cut_the_list_at_its_rows(house):
    dice = random.Random(3)
    await populate(house, dice, 12)
    steps = order_by([("RESOLVED_AT", "DESC"), ("SEVERITY", "ASC")])
    whole = find_list(await house.ask(ISSUES, orderBy=steps))["edges"]
    ids, cursors = [edge["node"]["id"] for edge in whole], [edge["cursor"] for edge in whole]
    for _ in range(40):
        low, high = dice.choice((None, *range(12))), dice.choice((None, *range(12)))
        size, backward = dice.randrange(1, 9), dice.random() < 0.5
        between = ids[0 if low is None else low + 1 : high]
        expected = between[-size:] if backward else between[:size]
        cut = len(between) > size
        page = find_list(
            await house.ask(
                ISSUES,
                orderBy=steps,
                after=None if low is None else cursors[low],
                before=None if high is None else cursors[high],
                **{"last" if backward else "first": size},
            )
        )
        assert [node["id"] for node in page["nodes"]] == expected
        assert page["totalCount"] == 12
        # A cursor is of a row: that row lies beyond the page.
        assert page["pageInfo"]["hasNextPage"] is (high is not None or (cut and not backward))
        assert page["pageInfo"]["hasPreviousPage"] is (low is not None or (cut and backward))


async def test_rows_that_come_in_between_neither_hide_nor_repeat_others(house):
    dice = random.Random(4)
    await populate(house, dice, 20)
    before = await rows(house)

    async def insert():
        await house.do(random_report(dice, dice.randrange(10**9)))

    for steps in ([], [("TITLE", "ASC")], [("SEVERITY", "DESC"), ("RESOLVED_AT", "ASC")]):
        found = await walk(house, ISSUES, 3, between=insert, orderBy=order_by(steps))
        assert len(found) == len(set(found))
        known = {row["id"] for row in before}
        assert [id for id in found if id in known] == ordered(before, steps)


async def test_the_page_goes_on_where_the_row_of_the_cursor_is_gone_from_the_list(house):
    made = [(await house.do(report(resource_name=str(number)))).issue_ids[0] for number in range(5)]
    text = f"query ({PAGING}) {{ list: issues(where: {{state: {{eq: ACTIVE}}}}, {PASSED}) {PAGE} }}"
    page = find_list(await house.ask(text, first=2))
    await house.do(ResolveIssue(id=made[3]))
    rest = find_list(await house.ask(text, after=page["pageInfo"]["endCursor"]))
    assert [node["id"] for node in rest["nodes"]] == made[2::-1]
    assert rest["pageInfo"]["hasPreviousPage"] is True


async def test_nested_lists_page_each_for_itself(house):
    dice = random.Random(5)
    made = await populate(house, dice, 12, namespace="team", resource_namespace="team")
    kinds = ("RELATED", "CAUSED_BY", "DUPLICATE_OF")
    edges = set()
    while len(edges) < 25:
        source, target = dice.sample(made, 2)
        edges.add((source, target, dice.choice(kinds)))
    drawn = {}
    for source, target, kind in sorted(edges):
        outcome = await house.do(RelateIssues(source_id=source, target_id=target, kind=kind))
        drawn[outcome.relation_id] = (source, target)
    newest = sorted(drawn, reverse=True)
    issues = await rows(house)
    for scope in {row["scope_id"] for row in issues}:
        issues_of = f'scope(id: "{scope}") {{ list: issues(orderBy: $orderBy, {PASSED}) {PAGE} }}'
        text = f"query ($orderBy: [IssueOrder!], {PAGING}) {{ of: {issues_of} }}"
        here = [row for row in issues if row["scope_id"] == scope]
        for steps in ([], [("RESOLVED_AT", "ASC"), ("TITLE", "DESC")]):
            await check_walks(house, text, ordered(here, steps), (2,), orderBy=order_by(steps))
    for id in made[:2]:
        lists = {
            "related": [drawn[edge][drawn[edge][0] == id] for edge in newest if id in drawn[edge]],
            "relatedFrom": [edge for edge in newest if drawn[edge][0] == id],
            "relatedTo": [edge for edge in newest if drawn[edge][1] == id],
            "occurrences": [row["id"] for row in await rows(house, Occurrence, Occurrence.issue_id == id)][::-1],
            "timeline": [
                house.log.text(row["position"]) for row in await rows(house, IssueEvent, IssueEvent.issue_id == id)
            ][::-1],
        }
        for name, expected in lists.items():
            text = f'query ({PAGING}) {{ of: issue(id: "{id}") {{ list: {name}({PASSED}) {PAGE} }} }}'
            await check_walks(house, text, expected, (1, 4))


async def test_nested_lists_of_many_parents_have_the_pages_of_one_parent(house):
    dice = random.Random(6)
    made = await populate(house, dice, 10)
    for source, target in pairwise(made):
        await house.do(RelateIssues(source_id=source, target_id=target, kind="RELATED"))
    below = "".join(f"{name}(last: 1) {PAGE} " for name in ("related", "relatedTo", "occurrences", "timeline"))
    together = (await house.ask(f"{{ issues {{ nodes {{ id {below} scope {{ issues(first: 1) {PAGE} }} }} }} }}"))[
        "issues"
    ]
    for node in together["nodes"]:
        alone = await house.ask(f'{{ issue(id: "{node["id"]}") {{ id {below} scope {{ issues(first: 1) {PAGE} }} }} }}')
        assert alone["issue"] == node


async def test_scopes_and_lines_of_the_log_page_like_issues(house):
    await populate(house, random.Random(7), 20)
    text = "{ list: scopes(first: 100) { nodes { id resourceType resourceNamespace resourceName } } }"
    scopes = find_list(await house.ask(text))["nodes"]
    by_key = sorted(scopes, key=lambda scope: (*(v for k, v in scope.items() if k != "id"), scope["id"]))
    assert scopes == by_key
    await check_walks(
        house, f"query ({PAGING}) {{ list: scopes({PASSED}) {PAGE} }}", [one["id"] for one in scopes], (3,)
    )
    lines = [house.log.text(row["position"]) for row in await rows(house, IssueEvent)][::-1]
    assert await walk(house, f"query ({PAGING}) {{ list: issueEvents({PASSED}) {PAGE} }}", 20) == lines
    assert await walk(house, f"query ({PAGING}) {{ list: issueEvents({PASSED}) {PAGE} }}", 20, backward=True) == lines


async def test_a_cursor_holds_the_longest_title_there_can_be(house):
    for number in range(3):
        await house.do(report(title="\u0390" * 500, resource_name=str(number)))
    steps = [("TITLE", "ASC"), ("TITLE", "DESC"), ("DETECTED_AT", "ASC")]
    assert await walk(house, ISSUES, 1, orderBy=order_by(steps)) == ordered(await rows(house, Issue), steps)


BAD_PAGING = {
    "first: 0": "first",
    "first: -1": "first",
    "first: 101": "first",
    "last: 0": "last",
    "last: 101": "last",
    "first: 1, last: 1": "first and last",
    'after: ""': "after",
    'after: "nonsense!"': "after",
    'before: "Ä"': "before",
    'before: "WyJpc3N1ZXM6Il0"': "before",
    **{
        f'after: "{base64.urlsafe_b64encode(text).decode()}"': "after"
        for text in (b"[" * 2000, b"1", b"{}", b"[" * 9000)
    },
}


async def test_bad_paging_is_an_error_of_its_field_alone(house):
    id = (await house.do(report())).issue_ids[0]
    for arguments, named in BAD_PAGING.items():
        fields = (
            f"bad: issues({arguments}) {{ totalCount }}",
            f"bad: scopes({arguments}) {{ totalCount }}",
            f"bad: issueEvents({arguments}) {{ totalCount }}",
            f'bad: issue(id: "{id}") {{ timeline({arguments}) {{ totalCount }} }}',
        )
        for text in fields:
            answer = await house.answer(f"{{ {text} good: issues {{ totalCount }} }}")
            assert answer["data"] == {"bad": None, "good": {"totalCount": 1}}
            (error,) = answer["errors"]
            assert error["path"] == ["bad"]
            assert error["extensions"]["code"] == "BAD_USER_INPUT"
            assert error["message"].startswith(named)


async def test_a_cursor_of_another_list_or_order_is_refused(house):
    await house.do(report())
    text = (
        "{ issues { pageInfo { endCursor } } scopes { pageInfo { endCursor } } issueEvents { pageInfo { endCursor } } }"
    )
    cursors = {name: page["pageInfo"]["endCursor"] for name, page in (await house.ask(text)).items()}
    for name, cursor in cursors.items():
        for other in cursors:
            answer = await house.answer(f'{{ {other}(after: "{cursor}") {{ totalCount }} }}')
            assert ("errors" in answer) is (name != other), (name, other)
    for order in ("DETECTED_AT, direction: ASC", "TITLE", "CREATED_AT"):
        answer = await house.answer(
            f'{{ issues(orderBy: {{field: {order}}}, after: "{cursors["issues"]}") {{ totalCount }} }}'
        )
        assert answer["errors"][0]["message"].startswith("after"), order


async def test_a_forged_cursor_is_refused_or_harmless(house):
    await house.do(report())
    cursor = (await house.ask("{ issues { pageInfo { endCursor } } }"))["issues"]["pageInfo"]["endCursor"]
    tag = base64.urlsafe_b64decode(cursor + "==").split(b",")[0]
    for values in (b"null,null", b'"x","y"', b'1,"y"', b'"2026-01-01T00:00:00Z",1', b'"9999-12-31T23:59:59-01:00","x"'):
        forged = base64.urlsafe_b64encode(tag + b"," + values + b"]").decode().rstrip("=")
        answer = await house.answer(f'{{ issues(after: "{forged}") {{ totalCount }} }}')
        assert answer["errors"][0]["message"].startswith("after")


@pytest.mark.parametrize("order", ["SEVERITY", "OCCURRENCE_COUNT", "RESOLVED_AT"])
async def test_a_number_in_a_forged_cursor_may_be_as_large_as_its_column(house, order):
    await house.do(report())
    page = f"issues(orderBy: {{field: {order}}}"
    cursor = (await house.ask(f"{{ {page}) {{ pageInfo {{ endCursor }} }} }}"))["issues"]["pageInfo"]["endCursor"]
    tag, _, *rest = json.loads(base64.urlsafe_b64decode(cursor + "=="))
    for number in (2**15, 2**31, 2**40, 2**63, -(2**63)):
        forged = base64.urlsafe_b64encode(json.dumps([tag, number, *rest]).encode()).decode().rstrip("=")
        answer = await house.answer(f'{{ {page}, after: "{forged}") {{ totalCount nodes {{ id }} }} }}')
        codes = [error["extensions"]["code"] for error in answer.get("errors", ())]
        assert codes in ([], ["BAD_USER_INPUT"]), number


async def test_more_steps_of_an_order_than_there_can_be_are_refused(house):
    steps = ", ".join("{field: TITLE}" for _ in range(9))
    answer = await house.answer(f"{{ issues(orderBy: [{steps}]) {{ totalCount }} }}")
    assert answer["data"] == {"issues": None}
    assert answer["errors"][0]["message"].startswith("orderBy")
