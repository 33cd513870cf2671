"""One random data set: issues with all that happened to them, read back as objects with the members of the schema."""

import json
import re
from dataclasses import dataclass, field, replace

from models import EventLog, Issue, IssueEvent, Label, Link, Occurrence, Relation, Scope
from resolvers.mutation import (
    DeleteIssue,
    LinkValue,
    RelateIssues,
    ReopenIssue,
    ResolveIssue,
    UnacknowledgeIssue,
    UnrelateIssues,
    UpdateIssue,
)
from tests.resolvers.mutation.house import ADA, BOB, TEKTON
from tests.resolvers.query.random_issues import LABELS, NAMESPACES, moment, populate, random_report, rows

KINDS = ("RELATED", "CAUSED_BY", "DUPLICATE_OF")
LINKS = (LinkValue("log", "https://ci/1"), LinkValue("Ä log", "https://ci/2"))


async def happenings(house, dice, issues=14, relations=22):
    """Issues, some with links, recurrences and a past in other namespaces, some gone; relations among them."""
    made = await populate(house, dice, issues - 6)
    made += await populate(house, dice, 2, links=LINKS)
    for number in range(2):
        again = random_report(dice, number)
        for run in range(dice.choice((2, 3))):
            outcome = await house.do(replace(again, detected_at=moment(2 * run)), TEKTON)
            made.append(outcome.issue_ids[0])
            await house.do(ResolveIssue(id=made[-1], at=moment(2 * run + 1)), BOB)
    for _ in range(relations):
        source, target = dice.choices(made, weights=range(1, len(made) + 1), k=2)
        if source != target:
            ends = {"source_id": source, "target_id": target}
            drawn = RelateIssues(**ends, kind=dice.choice(KINDS), reason=dice.choice((None, "same host")))
            await house.do(drawn, dice.choice((ADA, BOB)))
            if dice.random() < 0.15:
                await house.do(UnrelateIssues(**ends))
    for id in made:
        if dice.random() < 0.2:
            await house.do(UpdateIssue(id=id, namespace=dice.choice(NAMESPACES)))
        if dice.random() < 0.2:
            await house.do(UpdateIssue(id=id, severity="minor", title="one", labels=LABELS[:2], links=LINKS[:1]), BOB)
        if dice.random() < 0.2:
            await house.do(dice.choice((ReopenIssue, UnacknowledgeIssue))(id=id))
    await house.do(DeleteIssue(id=dice.choice(made)))


@dataclass
class World:
    """What is in the tables: lists of dicts with the members that the fields of the schema have."""

    issues: list[dict]
    scopes: list[dict]
    relations: list[dict]
    occurrences: list[dict]
    lines: list[dict]
    position: str
    # What the planner gave: a cursor's kind of list, and the id of what it stands at.
    cursors: dict[str, tuple[str, str]] = field(default_factory=dict)
    # All issues in each order that was asked for.
    orders: dict[tuple, list[dict]] = field(default_factory=dict)


async def world_of(house):
    """All rows."""
    scopes = {row["id"]: {"__typename": "Scope", **shaped(row)} for row in await rows(house, Scope)}
    links, labels = await rows(house, Link), await rows(house, Label)
    issues = [issue_of(row, scopes, links, labels) for row in await rows(house, Issue)]
    relations = [{"__typename": "Relation", **shaped(row, "created_by")} for row in await rows(house, Relation)]
    occurrences = [shaped(row, "actor", texts=("links",)) for row in await rows(house, Occurrence)]
    lines = [line_of(row, house.log) for row in await rows(house, IssueEvent)]
    (log,) = await rows(house, EventLog)
    return World(issues, list(scopes.values()), relations, occurrences, lines, house.log.text(log["end"]))


def shaped(row, *actors, texts=()):
    """A row with the names and words of the schema; `texts` are columns that hold JSON."""
    found = {re.sub(r"_(\w)", lambda match: match[1].upper(), name): value for name, value in row.items()}
    for name in ("severity", "issueType"):
        if name in found:
            found[name] = found[name].upper()
    for name in actors:
        members = {member: row[f"{name}_{member}"] for member in ("kind", "id", "name")}
        found[re.sub(r"_b", "B", name)] = members if members["kind"] else None
    return found | {name: json.loads(row[name]) for name in texts}


def issue_of(row, scopes, links, labels):
    """An issue with what is its own."""
    id = row["id"]
    return {
        "__typename": "Issue",
        **shaped(row, "resolved_by", "acknowledged_by"),
        "scope": scopes[row["scope_id"]],
        "links": sorted((link for link in links if link["issue_id"] == id), key=lambda link: link["ordinal"]),
        "labels": sorted(
            (label for label in labels if label["issue_id"] == id), key=lambda label: (label["name"], label["value"])
        ),
        "url": f"http://issuegraph.test/issues/{id}",
        "editedFields": json.loads(row["edited_fields"]),
        "fingerprint": {"key": row["fingerprint"], "parts": json.loads(row["fingerprint_parts"])},
    }


def line_of(row, log):
    """A line of the log, `images` the issue just before and just after it."""
    position = log.text(row["position"])
    after, before = (row[name] and json.loads(row[name]) for name in ("after", "before"))
    if after and before:
        before = after | before  # the row holds only what changed
    relation = {"id": row["relation_id"], "kind": row["relation_kind"]}
    return {
        **shaped(row, "actor", texts=("changes",)),
        "id": position,
        "position": position,
        "relation": relation | {"sourceId": row["source_id"], "targetId": row["target_id"]} if relation["id"] else None,
        "images": [image_of(image) for image in (before, after) if image],
    }


def image_of(image):
    """An image as the issue that it shows."""
    issue = shaped(image)
    names = ("resourceType", "resourceName", "resourceNamespace")
    return issue | {"scope": {"id": image["scope_id"], **{name: issue[name] for name in names}}}


# The orders whose cursors are known.
ORDERS = (
    [],
    [("SEVERITY", "DESC")],
    [("TITLE", "ASC"), ("SEVERITY", "DESC")],
    [("RESOLVED_AT", "ASC")],
    [("RESOLVED_AT", "DESC"), ("OCCURRENCE_COUNT", "ASC"), ("TITLE", "DESC")],
    [("LAST_DETECTED_AT", "ASC"), ("UPDATED_AT", "DESC")],
)


def order_by(steps):
    """The argument."""
    return [{"field": name, "direction": direction} for name, direction in steps]


async def learn_cursors(house, world):
    """Walk every list once, so that documents can have `after` and `before`."""

    def learn(kind, page, of="node"):
        world.cursors.update({edge["cursor"]: (kind, edge[of]["id"]) for edge in page["edges"]})

    edges = "{ edges { cursor node { id } } }"
    for number, steps in enumerate(ORDERS):
        text = f"""query ($by: [IssueOrder!]) {{ issues(orderBy: $by, first: 100) {edges}
            scopes(first: 100) {{ nodes {{ issues(orderBy: $by, first: 100) {edges} }} }} }}"""
        answer = await house.ask(text, by=order_by(steps))
        learn(f"issues {number}", answer["issues"])
        for scope in answer["scopes"]["nodes"]:
            learn(f"issues of a scope {number}", scope["issues"])
    answer = await house.ask(f"{{ scopes(first: 100) {edges} issueEvents(first: 100) {edges} }}")
    learn("scopes", answer["scopes"])
    learn("issueEvents", answer["issueEvents"])
    names = ("relatedFrom", "relatedTo", "occurrences", "timeline")
    lists = " ".join(f"{name}(first: 100) {edges}" for name in names)
    related = "related(direction: {}, first: 100) {{ edges {{ cursor relation {{ id }} }} }}"
    ways = " ".join(f"{way}: {related.format(way)}" for way in ("OUT", "IN", "BOTH"))
    for issue in (await house.ask(f"{{ issues(first: 100) {{ nodes {{ {lists} {ways} }} }} }}"))["issues"]["nodes"]:
        for name in names:
            learn(name, issue[name])
        for way in ("OUT", "IN", "BOTH"):
            learn(f"related {way}", issue[way], "relation")
