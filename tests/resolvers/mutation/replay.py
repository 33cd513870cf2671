"""The tables as the log alone tells them: replays lines from the first one in plain Python."""

import json
from collections import Counter

from models import Issue, Label, Link, Occurrence, Relation, Run, Scope
from models.values import fold
from resolvers.mutation.fingerprint import run_digest

TABLES = (Issue, Scope, Link, Label, Occurrence, Relation, Run)

# Of an image, what is not a column of the issue.
SCOPE_MEMBERS = (
    *("resource_type", "resource_type_folded", "resource_name", "resource_name_folded"),
    *("resource_namespace", "resource_namespace_folded"),
)
# Fields of the schema that are one column of the same meaning.
PLAIN = {
    "namespace": "namespace",
    "title": "title",
    "description": "description",
    "source": "source",
    "detectedAt": "detected_at",
    "lastDetectedAt": "last_detected_at",
    "occurrenceCount": "occurrence_count",
    "resolvedAt": "resolved_at",
    "acknowledgedAt": "acknowledged_at",
    "createdAt": "created_at",
}
# Enums: the column, and whether its words are in lower case.
WORDS = {"severity": ("severity", True), "issueType": ("issue_type", True), "state": ("state", False)}
ACTORS = {"resolvedBy": "resolved_by", "acknowledgedBy": "acknowledged_by", "createdBy": "created_by"}


class Replay:
    """Each table as {primary key: row}; `take` applies a line. Asserts that a line's old values are those there."""

    def __init__(self):
        self.issue = {}
        self.scope = {}
        self.link = {}
        self.label = {}
        self.occurrence = {}
        self.relation = {}
        self.run = {}
        # Issues between the two lines of a move.
        self._moving = set()
        self._relations_told = set()

    def take(self, line):
        """One line, its JSON read."""
        if line["kind"] in ("RELATED", "UNRELATED"):
            self._relate(line)
        elif line["after"] is None:
            self._leave(line)
        else:
            self._change(line)

    def image_of(self, id):
        """What a line's `after` says of the issue, from the rows."""
        issue = self.issue[id]
        no_members = ("fingerprint", "fingerprint_parts", "edited_fields")
        image = {
            name: value for name, value in issue.items() if name not in no_members and not name.endswith(_ACTOR_ENDS)
        }
        scope = self.scope[issue["scope_id"]]
        labels = sorted((key[1:], row) for key, row in self.label.items() if key[0] == id)
        return (
            image
            | {name: scope[name] for name in SCOPE_MEMBERS}
            | {"labels": [{name: row[name] for name in ("name", "value", "value_folded")} for _, row in labels]}
        )

    def _change(self, line):
        id = line["issue_id"]
        is_new = line["before"] is None
        if is_new:
            assert id not in self.issue
            assert (line["kind"] == "CREATED") != (id in self._moving)
            self._moving.discard(id)
            row = _empty(id)
        else:
            assert line["before"].items() <= self.image_of(id).items()
            row = self.issue[id]
        self.issue[id] = row = dict(row)
        for change in line["changes"]:
            self._set(row, line, change)
        row["updated_at"] = line["at"]
        for name in ("namespace", "title", "description", "source"):
            row[f"{name}_folded"] = None if row[name] is None else fold(row[name])
        row["severity_rank"] = ("info", "minor", "major", "critical").index(row["severity"])
        assert self.image_of(id) == line["after"]
        assert (row["title"], row["namespace"]) == (line["title"], line["namespace"])

    def _set(self, row, line, change):
        name, old, new = change["field"], change["old"], change["new"]
        if name in PLAIN:
            assert row.get(PLAIN[name]) == old
            row[PLAIN[name]] = new
        elif name in WORDS:
            column, is_lower = WORDS[name]
            row[column] = new.lower() if is_lower else new
        elif name in ACTORS:
            row |= _actor(ACTORS[name], new)
        elif name == "scope":
            row["scope_id"] = new["id"]
            self._add_scope(new)
        elif name == "fingerprint":
            row["fingerprint"] = new["key"]
            row["fingerprint_parts"] = new["parts"]
        elif name == "editedFields":
            row["edited_fields"] = new or []
        elif name == "links":
            self._replace_links(row["id"], new)
        elif name == "labels":
            self._replace_labels(row["id"], new)
        elif name == "occurrences":
            self._occur(row, line, new)
        else:
            assert name == "reason"

    def _leave(self, line):
        id = line["issue_id"]
        assert self.image_of(id) == line["before"]
        self._replace_links(id, [])
        self._replace_labels(id, [])
        del self.issue[id]
        if line["kind"] == "UPDATED":
            self._moving.add(id)
            return
        assert line["kind"] == "DELETED"
        assert not [1 for relation in self.relation.values() if id in (relation["source_id"], relation["target_id"])]
        self.occurrence = {key: row for key, row in self.occurrence.items() if row["issue_id"] != id}

    def _relate(self, line):
        ends = (line["source_id"], line["target_id"])
        assert line["issue_id"] in ends
        other = ends[1] if line["issue_id"] == ends[0] else ends[0]
        assert line["other_namespace"] == self.issue[other]["namespace"]
        assert (line["before"], line["after"]) == ({}, self.image_of(line["issue_id"]))
        drawn = line["kind"] == "RELATED"
        told = {change["field"]: change["new" if drawn else "old"] for change in line["changes"]}
        row = {
            "id": line["relation_id"],
            "kind": line["relation_kind"],
            "source_id": ends[0],
            "target_id": ends[1],
            "reason": told.get("reason"),
            **_actor("created_by", told.get("createdBy")),
        }
        # Each end has its line: the second one says the same.
        is_second = (line["kind"], line["relation_id"]) in self._relations_told
        self._relations_told.add((line["kind"], line["relation_id"]))
        if drawn:
            assert is_second == (line["relation_id"] in self.relation)
            self.relation[line["relation_id"]] = row | {"created_at": line["at"]}
        elif not is_second:
            known = self.relation.pop(line["relation_id"])
            assert row == {name: value for name, value in known.items() if name != "created_at"}

    def _add_scope(self, told):
        row = {
            "id": told["id"],
            "resource_type": told["resourceType"],
            "resource_name": told["resourceName"],
            "resource_namespace": told["resourceNamespace"],
        }
        row |= {f"{name}_folded": fold(value) for name, value in row.items() if name != "id"}
        assert self.scope.setdefault(told["id"], row) == row

    def _replace_links(self, issue_id, links):
        self.link = {key: row for key, row in self.link.items() if row["issue_id"] != issue_id}
        for ordinal, link in enumerate(links):
            self.link[link["id"]] = {"issue_id": issue_id, "ordinal": ordinal, **link}

    def _replace_labels(self, issue_id, labels):
        self.label = {key: row for key, row in self.label.items() if row["issue_id"] != issue_id}
        for label in labels:
            key = (issue_id, label["name"], label["value"])
            self.label[key] = {"issue_id": issue_id, **label, "value_folded": fold(label["value"])}

    def _occur(self, issue, line, told):
        self.occurrence[told["id"]] = {
            "id": told["id"],
            "issue_id": issue["id"],
            "at": told["at"],
            "received_at": told["receivedAt"],
            "run_id": told["runId"],
            "title": told["title"],
            "description": told["description"],
            "severity": told["severity"].lower(),
            "links": told["links"],
            **_actor("actor", told["actor"]),
        }
        if told["runId"] is not None:
            key = (issue["fingerprint"], run_digest(told["runId"]))
            self.run.setdefault(key, {"fingerprint": key[0], "run_digest": key[1], "at": line["at"]})


_ACTOR_ENDS = ("_by_kind", "_by_id", "_by_name")


def _actor(prefix, told):
    return {f"{prefix}_{part}": told and told[part] for part in ("kind", "id", "name")}


def _empty(id):
    """An issue of which only the id is known."""
    nothing = ("source", "resolved_at", "acknowledged_at")
    return (
        {"id": id, "edited_fields": []}
        | dict.fromkeys(nothing)
        | _actor("resolved_by", None)
        | _actor("acknowledged_by", None)
    )


def read_row(row):
    """A row of a table as a replay holds it: JSON read."""
    lists = {name: json.loads(row[name]) for name in ("fingerprint_parts", "edited_fields", "links") if name in row}
    return row | lists


async def tables(house):
    """Every table as a replay holds it."""
    found = {}
    for model in TABLES:
        keys = [column.name for column in model.__table__.primary_key]
        rows = [read_row(row) for row in await house.rows(model)]
        found[model.__tablename__] = {
            row[keys[0]] if len(keys) == 1 else tuple(row[key] for key in keys): row for row in rows
        }
    return found


async def replayed(house):
    """Every table as the log tells it, with the lines."""
    lines = await house.log()
    return rebuilt(lines), lines


def rebuilt(lines):
    """Every table as these lines tell it. Asserts that no moment has two active issues of one fingerprint."""
    replay = Replay()
    for line in lines:
        replay.take(line)
        active = Counter(row["fingerprint"] for row in replay.issue.values() if row["state"] == "ACTIVE")
        assert max(active.values(), default=0) <= 1
    return {model.__tablename__: getattr(replay, model.__tablename__) for model in TABLES}
