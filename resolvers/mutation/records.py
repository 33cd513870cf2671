"""What tools tell beside issues (deployments, changes, issues of other trackers): by key, as read and as left."""

from collections.abc import Iterable
from dataclasses import fields
from hashlib import blake2b
from typing import Any, NamedTuple

import orjson

from models import Base, Change, Deployment, DeploymentChange, TrackedIssue
from models.values import new_id
from resolvers.mutation.rows import Record

DIGEST_BYTES = 16


class Recorded(NamedTuple):
    """What is to be known of a row before it is written again."""

    key: str
    id: str
    digest: str
    created_at: str


class TrackedRow(NamedTuple):
    """A row of `tracked_issue`, in the order of its columns."""

    id: str
    key: str
    namespace: str
    source: str
    system: str
    external_id: str
    kind: str
    state: str
    changed_at: str | None
    issue_id: str | None
    digest: str
    created_at: str
    updated_at: str


class Records:
    """Each `put` writes a whole row, in the place of the one with its key."""

    def __init__(self) -> None:
        self.deployments: dict[str, Recorded] = {}
        self.changes: dict[str, Recorded] = {}
        self.tracked: dict[str, TrackedRow] = {}
        # By key, as they are to be written; the ids of what they replace.
        self.new_deployments: dict[str, tuple[Record, list[Record]]] = {}
        self.new_changes: dict[str, Record] = {}
        self.new_tracked: dict[str, TrackedRow] = {}
        self.replaced: dict[type[Base], set[str]] = {Deployment: set(), Change: set(), TrackedIssue: set()}

    @property
    def changed(self) -> bool:
        """Whether there is something to write."""
        return bool(self.new_deployments or self.new_changes or self.new_tracked)

    def put_deployment(self, values: dict[str, Any], changes: Iterable[dict[str, Any]], at: str) -> str:
        """CREATED, UPDATED or UNCHANGED; `values` are those of the columns that a command tells."""
        changes = list(changes)
        action, row = self._row(Deployment, self.deployments, values, digest_of([values, changes]), at)
        if row is not None:
            owned = [{**change, "deployment_id": row.id, "ordinal": ordinal} for ordinal, change in enumerate(changes)]
            record = _record(Deployment, {**values, **row._asdict(), "updated_at": at})
            self.new_deployments[row.key] = (record, [_record(DeploymentChange, each) for each in owned])
        return action

    def put_change(self, values: dict[str, Any], at: str) -> str:
        """CREATED, UPDATED or UNCHANGED."""
        action, row = self._row(Change, self.changes, values, digest_of(values), at)
        if row is not None:
            self.new_changes[row.key] = _record(Change, {**values, **row._asdict(), "updated_at": at})
        return action

    def put_tracked(self, row: TrackedRow) -> None:
        """An issue of another tracker."""
        if row.key in self.tracked:
            self.replaced[TrackedIssue].add(row.id)
        self.tracked[row.key] = self.new_tracked[row.key] = row

    def _row(
        self, model: type[Base], known: dict[str, Recorded], values: dict[str, Any], digest: str, at: str
    ) -> tuple[str, Recorded | None]:
        key = values["key"]
        before = known.get(key)
        if before is not None and before.digest == digest:
            return "UNCHANGED", None
        if before is not None:
            self.replaced[model].add(before.id)
        row = Recorded(key, before.id if before else new_id(), digest, before.created_at if before else at)
        known[key] = row
        return "UPDATED" if before else "CREATED", row


def key_of(*whose: str) -> str:
    """What one record is found by: a digest of namespace, source, system, (kind) and the tool's own id."""
    return digest_of(whose)


def digest_of(value: Any) -> str:
    """Of anything that JSON can show."""
    return blake2b(orjson.dumps(value), digest_size=DIGEST_BYTES).hexdigest()


def told(command: Any, *but: str) -> dict[str, Any]:
    """The members of a command or one of its values, by the names of columns."""
    return {field.name: getattr(command, field.name) for field in fields(command) if field.name not in but}


def _record(model: type[Base], values: dict[str, Any]) -> Record:
    return tuple(values[column.name] for column in model.__table__.columns)
