"""Who may read some namespaces sees nothing of the others: by no field, edge, count, id or line."""

import asyncio
import random

import orjson
import pytest

from models.values import new_id
from resolvers.mutation import RelateIssues, ResolveIssue, UpdateIssue
from tests.resolvers.mutation.house import caller, report, success
from tests.resolvers.query.random_issues import moment, populate, rows

STRANGER = caller()
REPORTER = caller(team=["REPORT", "RESPOND", "MANAGE", "ADMIN"])
TEAM = caller(team=["READ"])
PREFIX = caller(**{"team-*": ["READ"], "x": ["READ"]})
ISSUE = "id namespace title"
WITH_ENDS = f"id source {{ {ISSUE} }} target {{ {ISSUE} }}"


@pytest.fixture
async def world(house):
    """Twelve issues of four namespaces with relations all over, and ids by namespace."""
    dice = random.Random(1)
    by_namespace = {}
    for namespace in ("team", "team-a", "Team-a", "secret"):
        made = await populate(house, dice, 5, namespace=namespace, title=f"{namespace} title", resource_namespace="all")
        by_namespace[namespace] = made
    everything = [id for made in by_namespace.values() for id in made]
    pairs = [dice.sample(everything, 2) for _ in range(60)]
    commands = (RelateIssues(source_id=a, target_id=b, kind=dice.choice(("RELATED", "CAUSED_BY"))) for a, b in pairs)
    await asyncio.gather(*map(house.do, commands))
    return by_namespace


ALL = f"""{{
    issues(first: 100) {{
        totalCount
        nodes {{
            {ISSUE} previous {{ {ISSUE} }}
            scope {{ issues(first: 100) {{ totalCount nodes {{ {ISSUE} }} }} stats {{ total }} }}
            related(first: 100) {{ totalCount nodes {{ {ISSUE} }} edges {{ relation {{ {WITH_ENDS} }} }} }}
            relatedFrom(first: 100) {{ totalCount nodes {{ {WITH_ENDS} }} }}
            relatedTo(first: 100) {{ totalCount nodes {{ {WITH_ENDS} }} }}
            timeline(first: 100) {{
                totalCount nodes {{ namespace title issue {{ {ISSUE} }}
                relation {{ sourceId targetId relation {{ {WITH_ENDS} }} }} }}
            }}
            graph(depth: 3, sameScope: true) {{
                nodes {{ issue {{ {ISSUE} }} hiddenCount }} edges {{ sourceId targetId relation {{ {WITH_ENDS} }} }}
            }}
        }}
    }}
    scopes(first: 100) {{ totalCount nodes {{ id issues(first: 100) {{ totalCount nodes {{ {ISSUE} }} }} }} }}
    issueEvents(first: 100) {{
        totalCount nodes {{ namespace title issueId issue {{ {ISSUE} }} relation {{ sourceId targetId }} }}
    }}
    issueStats {{
        total byState {{ count }} byNamespace {{ namespace count }} byScope {{ count scope {{ stats {{ total }} }} }}
        bySource {{ count }} byLabel(name: "team") {{ count }} timeToResolve {{ count }}
        series(from: "{moment(0)}", to: "{moment(9)}", bucket: DAY) {{ opened resolved activeAtEnd occurrences }}
    }}
}}"""


async def test_nothing_in_any_answer_tells_of_other_namespaces(house, world):
    for who, namespaces in ((TEAM, ("team",)), (PREFIX, ("team-a",)), (REPORTER, ()), (STRANGER, ())):
        answer = await house.ask(ALL, who=who)
        text = orjson.dumps(answer).decode()
        for namespace, ids in world.items():
            for id in ids:
                assert (id in text) is (namespace in namespaces), namespace
            assert (f'"{namespace} title"' in text) is (namespace in namespaces)
        count = 5 * len(namespaces)
        assert answer["issues"]["totalCount"] == answer["issueStats"]["total"] == count
        for node in answer["issues"]["nodes"]:
            assert node["scope"]["stats"]["total"] == node["scope"]["issues"]["totalCount"]
            for name in ("related", "relatedFrom", "relatedTo", "timeline"):
                assert node[name]["totalCount"] == len(node[name]["nodes"])
        assert sum(scope["issues"]["totalCount"] for scope in answer["scopes"]["nodes"]) == count
        assert answer["issueEvents"]["totalCount"] >= len(answer["issueEvents"]["nodes"])


async def test_an_answer_is_that_of_a_house_with_nothing_else_in_it(house, world):
    """Counts, too: what is hidden neither shifts a page nor adds to a number."""
    whole = await house.ask(ALL)
    seen = await house.ask(ALL, who=TEAM)
    mine = set(world["team"])
    by_id = {node["id"]: node for node in whole["issues"]["nodes"]}
    for node in seen["issues"]["nodes"]:
        everything = by_id[node["id"]]
        assert node["related"]["nodes"] == [one for one in everything["related"]["nodes"] if one["id"] in mine]
        for name in ("relatedFrom", "relatedTo"):
            visible = [one for one in everything[name]["nodes"] if {one["source"]["id"], one["target"]["id"]} <= mine]
            assert node[name] == {"totalCount": len(visible), "nodes": visible}
        lines = [
            line
            for line in everything["timeline"]["nodes"]
            if not line["relation"] or {line["relation"]["sourceId"], line["relation"]["targetId"]} <= mine
        ]
        assert node["timeline"]["nodes"] == lines
        # All issues that are seen are on one graph at depth 3, or hidden counts say how many more there are.
        for each in node["graph"]["nodes"]:
            assert each["hiddenCount"] <= len(mine) - len(node["graph"]["nodes"])


async def test_every_id_of_what_is_hidden_is_null_as_an_unknown_one(house, world):
    await house.do(report(namespace="secret", resource_name="hidden", resource_type="only"))
    answer = await house.ask("{ scopes(first: 100) { nodes { id resourceType } } }")
    (hidden_scope,) = (node["id"] for node in answer["scopes"]["nodes"] if node["resourceType"] == "only")
    relations = (
        await house.ask(f"{{ issues {{ nodes {{ relatedFrom(first: 100) {{ nodes {{ {WITH_ENDS} }} }} }} }} }}")
    )["issues"]
    nodes = [node for issue in relations["nodes"] for node in issue["relatedFrom"]["nodes"]]
    ends = {node["id"]: {node["source"]["namespace"], node["target"]["namespace"]} for node in nodes}
    visible = [id for id, namespaces in ends.items() if namespaces == {"team"}]
    hidden = [id for id, namespaces in ends.items() if namespaces != {"team"}]
    assert hidden
    assert visible
    malformed = (
        "",
        "x",
        new_id(),
        world["team"][0][:-1],
        world["team"][0] + "0",
        "\0",
        "Ä",
        "\ud800",
        "{" + new_id()[1:],
    )
    text = """query ($id: ID!, $ids: [ID!]!) { node(id: $id) { id } nodes(ids: $ids) { id } issue(id: $id) { id }
        scope(id: $id) { id } issueGraph(ids: $ids) { nodes { issue { id } } truncated } }"""
    nothing = {"node": None, "issue": None, "scope": None, "issueGraph": {"nodes": [], "truncated": False}}
    for id in (hidden_scope, *hidden, *world["secret"], *world["Team-a"], *malformed):
        assert await house.ask(text, who=TEAM, id=id, ids=[id, id]) == {**nothing, "nodes": [None, None]}
    wanted = [visible[0], hidden[0], world["team"][0].upper(), "x", world["team"][0], hidden_scope]
    found = (await house.ask("query ($ids: [ID!]!) { nodes(ids: $ids) { id __typename } }", who=TEAM, ids=wanted))[
        "nodes"
    ]
    assert [node and (node["id"], node["__typename"]) for node in found] == [
        (visible[0], "Relation"),
        None,
        (world["team"][0], "Issue"),
        None,
        (world["team"][0], "Issue"),
        None,
    ]


async def test_a_scope_is_there_for_who_may_read_an_issue_about_it(house):
    await house.do(report(namespace="secret", resource_namespace="shared"))
    key = '{resourceType: "component", resourceName: "api", resourceNamespace: "shared"}'
    text = f"{{ scope(key: {key}) {{ issues {{ totalCount }} stats {{ total }} }} scopes {{ totalCount }} }}"
    assert await house.ask(text, who=TEAM) == {"scope": None, "scopes": {"totalCount": 0}}
    await house.do(report(resource_namespace="shared"))
    one = {"issues": {"totalCount": 1}, "stats": {"total": 1}}
    assert await house.ask(text, who=TEAM) == {"scope": one, "scopes": {"totalCount": 1}}


async def test_the_issue_before_is_null_where_it_has_moved_out_of_sight(house):
    earlier = (await house.do(report(run_id="1"))).issue_ids[0]
    await house.do(success())
    later = (await house.do(report(run_id="2"))).issue_ids[0]
    text = f'{{ issue(id: "{later}") {{ previous {{ id scope {{ id }} previous {{ id }} }} }} }}'
    assert (await house.ask(text, who=TEAM))["issue"]["previous"]["id"] == earlier
    await house.do(UpdateIssue(id=earlier, namespace="secret"))
    assert (await house.ask(text, who=TEAM))["issue"] == {"previous": None}
    assert (await house.ask(text))["issue"]["previous"]["id"] == earlier


async def test_a_moved_issue_leaves_only_the_old_lines_behind(house):
    id = (await house.do(report())).issue_ids[0]
    await house.do(UpdateIssue(id=id, namespace="secret", title="secret title"))
    await house.do(ResolveIssue(id=id))
    for who, namespaces in ((TEAM, {"team"}), (caller(secret=["READ"]), {"secret"})):
        text = "{ issueEvents { totalCount nodes { namespace title issue { id } changes { old new } } } }"
        page = (await house.ask(text, who=who))["issueEvents"]
        assert {line["namespace"] for line in page["nodes"]} == namespaces
        assert page["totalCount"] == len(page["nodes"])
        assert all((line["issue"] is None) is (who is TEAM) for line in page["nodes"])
        assert ("secret" in orjson.dumps(page).decode()) is (who is not TEAM)
    where = '{ issueEvents(where: {issue: {namespace: {eq: "secret"}}}) { totalCount } }'
    assert (await house.ask(where, who=TEAM))["issueEvents"]["totalCount"] == 0


async def test_paths_through_what_is_hidden_are_no_paths(house):
    here, there = [(await house.do(report(resource_name=name))).issue_ids[0] for name in "ab"]
    between = (await house.do(report(namespace="secret"))).issue_ids[0]
    await house.do(RelateIssues(source_id=here, target_id=between, kind="CAUSED_BY"))
    await house.do(RelateIssues(source_id=between, target_id=there, kind="CAUSED_BY"))
    below = "roots { id } nodes { hiddenCount } edges { sourceId }"
    text = f'{{ issueGraph(ids: ["{here}", "{between}"], depth: 5) {{ {below} }} }}'
    graph = (await house.ask(text, who=TEAM))["issueGraph"]
    assert graph == {"roots": [{"id": here}], "nodes": [{"hiddenCount": 0}], "edges": []}
    assert len((await house.ask(text))["issueGraph"]["nodes"]) == 3


async def test_names_and_prefixes_are_compared_as_they_are(house):
    for namespace in ("a%", "ab", "a_b", "A_b", "a_bc", "Ä"):
        await house.do(report(namespace=namespace))
    for grants, expected in (
        ({"a%": ["READ"]}, ["a%"]),
        ({"a_*": ["READ"]}, ["a_b", "a_bc"]),
        ({"A*": ["READ"]}, ["A_b"]),
        ({"a": ["READ"]}, []),
        ({"ä*": ["READ"]}, []),
        ({"*": ["READ"]}, ["A_b", "a%", "a_b", "a_bc", "ab", "Ä"]),
    ):
        nodes = (await house.ask("{ issues { nodes { namespace } } }", who=caller(**grants)))["issues"]["nodes"]
        assert sorted(node["namespace"] for node in nodes) == expected, grants


async def test_a_plan_for_one_caller_does_not_answer_another(house, world):
    text = "{ issues { totalCount } }"
    for _ in range(2):
        assert (await house.ask(text))["issues"]["totalCount"] == len(await rows(house)) == 20
        for who, count in ((TEAM, 5), (PREFIX, 5), (STRANGER, 0), (caller(team=["READ"], secret=["READ"]), 10)):
            assert (await house.ask(text, who=who))["issues"]["totalCount"] == count
