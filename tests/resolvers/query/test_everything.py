"""One document that selects every field of the schema: all of it can be planned, on both databases."""

from graphql import GraphQLInterfaceType, GraphQLObjectType, get_named_type, is_leaf_type

import schema
from resolvers.mutation import LabelValue, LinkValue, PartValue, RelateIssues
from tests.resolvers.mutation.house import report, success

ARGUMENTS = {
    "byLabel": '(name: "team")',
    "series": '(from: "2026-01-01T00:00:00Z", to: "2026-01-03T00:00:00Z", bucket: DAY)',
}


def selection(type_, depth):
    """Everything below, objects down to `depth`."""
    parts = ["__typename"]
    for name, field in type_.fields.items():
        below = get_named_type(field.type)
        if is_leaf_type(below):
            parts.append(name)
        elif depth and isinstance(below, GraphQLObjectType | GraphQLInterfaceType):
            parts.append(f"{name}{ARGUMENTS.get(name, '')} {{ {selection(below, depth - 1)} }}")
    return " ".join(parts)


async def test_every_field_can_be_planned_two_levels_deep(house):
    first = await house.do(
        report(run_id="1", links=(LinkValue("log", "https://ci/1"),), labels=(LabelValue("team", "a"),))
    )
    other = await house.do(report(resource_name="web", fingerprint=(PartValue("kind", "x"),)))
    related = await house.do(
        RelateIssues(source_id=first.issue_ids[0], target_id=other.issue_ids[0], reason="same host")
    )
    await house.do(success())
    await house.do(report(run_id="2"))
    query = schema.schema._schema.query_type
    values = {
        "issue": f'(id: "{first.issue_ids[0]}")',
        "issueGraph": f'(ids: ["{first.issue_ids[0]}"], sameScope: true)',
        "node": f'(id: "{related.relation_id}")',
        "nodes": f'(ids: ["{first.issue_ids[0]}", "{related.relation_id}", "nothing"])',
        "webhook": '(name: "none")',
        "delivery": '(id: "none")',
        "scope": '(key: {resourceType: "component", resourceName: "api", resourceNamespace: "team"})',
    }
    # Nobody was charged for what did not come through a door.
    nothing = {"webhook", "delivery", "rateLimit"}
    for name, field in query.fields.items():
        below = get_named_type(field.type)
        text = (
            f"{{ {name}{values.get(name, '')} " + ("" if is_leaf_type(below) else f"{{ {selection(below, 3)} }}") + " }"
        )
        answer = await house.ask(text)
        assert (answer[name] is None) == (name in nothing), name
