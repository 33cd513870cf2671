"""All of a namespace as lines of JSON, from one moment of the database, in the words of the schema."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import IO, Any

import orjson
from sqlalchemy import ColumnElement, Select, bindparam, select, tuple_
from sqlalchemy.orm import aliased

from models import Issue, IssueEvent, Label, Link, Occurrence, Relation
from models.base import Id, Position, Time, Word
from models.database import Database, DatabaseError, Fetch, Row, Steps
from models.dialect import ListOf, any_of
from models.values import now
from resolvers.access import AuditLog
from resolvers.caller import Actor
from resolvers.errors import Unavailable
from resolvers.mutation.rows import (
    ISSUE_COLUMN_NAMES,
    ISSUE_COLUMNS,
    RELATION_COLUMNS,
    SCOPE_COLUMNS,
    RelationRow,
    ScopeRow,
    scope_json,
)
from resolvers.subscription.line import select_log
from resolvers.subscription.log import Log
from resolvers.tenant.records import Records

ISSUES_AT_ONCE = 100
# An issue has a hundred reports, and each may be long.
ISSUES_WITH_OCCURRENCES_AT_ONCE = 10
LINES_AT_ONCE = 200

# Before every issue in the order of an export.
FIRST = {"detected_at": "0001-01-01T00:00:00.000000Z", "id": "00000000-0000-0000-0000-000000000000"}

_EVENT_COLUMNS = ("position", "kind", "at", "issue_id", "title", "actor_kind", "actor_id", "actor_name")
_REF_COLUMNS = ("relation_id", "relation_kind", "source_id", "target_id")
_OCCURRENCE_COLUMNS = [c.name for c in Occurrence.__table__.columns]

Object = dict[str, Any]


@dataclass(slots=True)
class Exported:
    """How much an export has."""

    issues: int = 0
    relations: int = 0
    events: int = 0
    deployments: int = 0
    changes: int = 0
    tracked: int = 0


class NothingThere(Exception):
    """There is nothing of a namespace."""


class Export:
    """Writes what a namespace has; the audit tells who had it."""

    def __init__(self, database: Database, audit: AuditLog) -> None:
        compile = database.compile
        self._database = database
        self._audit = audit
        self._records = Records(database)
        self._log = compile(select_log())
        self._issues = compile(select_issues(*ISSUE_COLUMNS, *SCOPE_COLUMNS).join(Issue.scope).limit(ISSUES_AT_ONCE))
        ids = bindparam("ids", type_=ListOf(Id()))
        self._links = compile(
            select(Link.issue_id, Link.id, Link.title, Link.url)
            .where(any_of(Link.issue_id, ids))
            .order_by(Link.issue_id, Link.ordinal)
        )
        self._labels = compile(
            select(Label.issue_id, Label.name, Label.value)
            .where(any_of(Label.issue_id, ids))
            .order_by(Label.issue_id, Label.name, Label.value)
        )
        self._occurrences = compile(
            select(*Occurrence.__table__.columns)
            .where(any_of(Occurrence.issue_id, ids))
            .order_by(Occurrence.issue_id, Occurrence.id.desc())
        )
        source = aliased(Issue)
        self._relations_from = compile(
            select(*RELATION_COLUMNS).where(any_of(Relation.source_id, ids)).order_by(Relation.id)
        )
        # Those from within come with their sources.
        self._relations_from_outside = compile(
            select(*RELATION_COLUMNS)
            .join(source, source.id == Relation.source_id)
            .where(any_of(Relation.target_id, ids), source.namespace != bindparam("namespace", type_=Word()))
            .order_by(Relation.id)
        )
        self._events = compile(
            select(*(getattr(IssueEvent, name) for name in (*_EVENT_COLUMNS, *_REF_COLUMNS, "changes")))
            .where(
                IssueEvent.namespace == bindparam("namespace", type_=Word()),
                IssueEvent.position > bindparam("after", type_=Position),
            )
            .order_by(IssueEvent.position)
            .limit(LINES_AT_ONCE)
        )

    async def write(self, namespace: str, file: IO[bytes], actor: Actor) -> Exported:
        """Writes everything of exactly this namespace to `file`, which is empty and can be begun anew.

        It is of one moment, and held in memory by the page. When this returns, the audit tells of it. Raises
        NothingThere and Unavailable.
        """
        try:
            exported = await self._database.read(lambda: self._writing(namespace, file))
            if not any(asdict(exported).values()):
                raise NothingThere(namespace)
            entry = self._audit.add(
                "ISSUES_EXPORTED", actor, namespace=namespace, subject=namespace, details=asdict(exported)
            )

            def tell() -> Steps[None]:
                yield entry

            await self._database.transact(tell)
        except DatabaseError as error:
            raise Unavailable(f"the export was not made: {error}") from error
        return exported

    def _writing(self, namespace: str, file: IO[bytes]) -> Steps[Exported]:
        # The database may have to begin anew.
        file.seek(0)
        file.truncate()
        exported = Exported()

        def write(typename: str, **members: Any) -> None:
            file.write(orjson.dumps({"__typename": typename, **members}, option=orjson.OPT_APPEND_NEWLINE))

        ((identity, end, _),) = yield Fetch(self._log)
        log = Log(identity)
        write("Export", namespace=namespace, at=now(), position=log.text(end))
        after: Mapping[str, str] = FIRST
        while rows := (yield Fetch(self._issues, {"namespace": namespace, **after})):
            ids = [row[0] for row in rows]
            of_each = yield from self._belongings(ids)
            for row in rows:
                write("Issue", **_issue(row), **of_each[row[0]])
            exported.issues += len(rows)
            relations = yield Fetch(self._relations_from, {"ids": ids})
            relations += yield Fetch(self._relations_from_outside, {"ids": ids, "namespace": namespace})
            for row in relations:
                write("Relation", **_relation(RelationRow(*row)))
            exported.relations += len(relations)
            last = dict(zip(ISSUE_COLUMN_NAMES, rows[-1], strict=False))
            after = {name: last[name] for name in FIRST}
        position = 0
        while rows := (yield Fetch(self._events, {"namespace": namespace, "after": position})):
            for row in rows:
                write("IssueEvent", **_event(namespace, log, *row))
            exported.events += len(rows)
            position = rows[-1][0]
        exported.deployments = yield from self._records.deployments(namespace, partial(write, "Deployment"))
        exported.changes = yield from self._records.changes(namespace, partial(write, "Change"))
        exported.tracked = yield from self._records.tracked(namespace, partial(write, "TrackedIssue"))
        write("ExportEnd", **asdict(exported))
        return exported

    def _belongings(self, ids: Sequence[str]) -> Generator[Fetch, list[Row], Mapping[str, Object]]:
        """Links, labels and occurrences of issues, by their ids."""
        found: dict[str, Object] = {id: {"labels": [], "links": [], "occurrences": []} for id in ids}
        for issue_id, name, value in (yield Fetch(self._labels, {"ids": ids})):
            found[issue_id]["labels"].append({"name": name, "value": value})
        for issue_id, id, title, url in (yield Fetch(self._links, {"ids": ids})):
            found[issue_id]["links"].append({"id": id, "title": title, "url": url})
        for begin in range(0, len(ids), ISSUES_WITH_OCCURRENCES_AT_ONCE):
            some = ids[begin : begin + ISSUES_WITH_OCCURRENCES_AT_ONCE]
            for row in (yield Fetch(self._occurrences, {"ids": some})):
                occurrence = dict(zip(_OCCURRENCE_COLUMNS, row, strict=True))
                found[occurrence["issue_id"]]["occurrences"].append(_occurrence(occurrence))
        return found


def select_issues(*columns: Any) -> Select[Any]:
    """Issues of `:namespace` that come after `:detected_at` and `:id`, in this order; an index has it."""
    place = tuple_(bindparam("detected_at", type_=Time()), bindparam("id", type_=Id()))
    in_namespace: ColumnElement[bool] = Issue.namespace == bindparam("namespace", type_=Word())
    return (
        select(*columns)
        .where(in_namespace, tuple_(Issue.detected_at, Issue.id) > place)
        .order_by(Issue.detected_at, Issue.id)
    )


def _issue(row: Row) -> Object:
    issue = dict(zip(ISSUE_COLUMN_NAMES, row, strict=False))
    return {
        "id": issue["id"],
        "namespace": issue["namespace"],
        "title": issue["title"],
        "description": issue["description"],
        "severity": issue["severity"].upper(),
        "issueType": issue["issue_type"].upper(),
        "state": issue["state"],
        "detectedAt": issue["detected_at"],
        "lastDetectedAt": issue["last_detected_at"],
        "occurrenceCount": issue["occurrence_count"],
        "resolvedAt": issue["resolved_at"],
        "resolvedBy": _actor(*(issue[f"resolved_by_{part}"] for part in ("kind", "id", "name"))),
        "acknowledgedAt": issue["acknowledged_at"],
        "acknowledgedBy": _actor(*(issue[f"acknowledged_by_{part}"] for part in ("kind", "id", "name"))),
        "createdAt": issue["created_at"],
        "updatedAt": issue["updated_at"],
        "editedFields": orjson.Fragment(issue["edited_fields"]),
        "source": issue["source"],
        "fingerprint": {"key": issue["fingerprint"], "parts": orjson.Fragment(issue["fingerprint_parts"])},
        "scope": scope_json(ScopeRow(*row[len(ISSUE_COLUMN_NAMES) :])),
    }


def _occurrence(row: Mapping[str, Any]) -> Object:
    return {
        "id": row["id"],
        "at": row["at"],
        "receivedAt": row["received_at"],
        "runId": row["run_id"],
        "title": row["title"],
        "description": row["description"],
        "severity": row["severity"].upper(),
        "links": orjson.Fragment(row["links"]),
        "actor": _actor(row["actor_kind"], row["actor_id"], row["actor_name"]),
    }


def _relation(row: RelationRow) -> Object:
    return {
        "id": row.id,
        "kind": row.kind,
        "source": {"id": row.source_id},
        "target": {"id": row.target_id},
        "createdBy": _actor(row.created_by_kind, row.created_by_id, row.created_by_name),
        "reason": row.reason,
        "createdAt": row.created_at,
    }


def _event(
    namespace: str,
    log: Log,
    position: int,
    kind: str,
    at: str,
    issue_id: str,
    title: str,
    actor_kind: str | None,
    actor_id: str | None,
    actor_name: str | None,
    relation_id: str | None,
    relation_kind: str | None,
    source_id: str | None,
    target_id: str | None,
    changes: str,
) -> Object:
    relation = {"id": relation_id, "kind": relation_kind, "sourceId": source_id, "targetId": target_id}
    return {
        "position": log.text(position),
        "kind": kind,
        "at": at,
        "actor": _actor(actor_kind, actor_id, actor_name),
        "issueId": issue_id,
        "namespace": namespace,
        "title": title,
        "relation": relation if relation_id else None,
        "changes": orjson.Fragment(changes),
    }


def _actor(kind: str | None, id: str | None, name: str | None) -> Object | None:
    return None if kind is None else {"kind": kind, "id": id, "name": name}
