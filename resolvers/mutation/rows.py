"""Rows as the writer holds them while it decides: immutable, replaced when they change."""

from typing import Any, NamedTuple

import orjson
from sqlalchemy.orm import InstrumentedAttribute

from models import Issue, Relation, Scope
from models.values import fold, new_id
from resolvers.mutation.values import LabelValue, LinkValue

# A row takes as much memory as a text of so many, its own texts aside.
ROW_CHARACTERS = 1_000
# The positional parameters of an INSERT, in the order of the table's columns.
Record = tuple[Any, ...]


class ScopeKey(NamedTuple):
    """What tells one scope from another."""

    resource_type: str
    resource_name: str
    resource_namespace: str


class ScopeRow(NamedTuple):
    """A row of `scope` without its folded columns."""

    id: str
    resource_type: str
    resource_name: str
    resource_namespace: str

    @property
    def key(self) -> ScopeKey:
        """Its type, name and namespace."""
        return ScopeKey(*self[1:])

    @property
    def record(self) -> Record:
        """The whole row."""
        id, *key = self
        return (id, *(value for each in key for value in (each, fold(each))))


class LinkRow(NamedTuple):
    """A row of `link`; its place in the tuple that holds it is its ordinal."""

    id: str
    title: str
    url: str


class LabelRow(NamedTuple):
    """A row of `label`; tuples of them are in order of name and value."""

    name: str
    value: str


class IssueRow(NamedTuple):
    """A row of `issue` without computed and folded columns, and what belongs to it."""

    id: str
    namespace: str
    title: str
    description: str
    severity: str
    issue_type: str
    state: str
    source: str | None
    fingerprint: str
    fingerprint_parts: str
    edited_fields: str
    detected_at: str
    last_detected_at: str
    occurrence_count: int
    resolved_at: str | None
    resolved_by_kind: str | None
    resolved_by_id: str | None
    resolved_by_name: str | None
    acknowledged_at: str | None
    acknowledged_by_kind: str | None
    acknowledged_by_id: str | None
    acknowledged_by_name: str | None
    created_at: str
    updated_at: str
    scope: ScopeRow
    links: tuple[LinkRow, ...] = ()
    labels: tuple[LabelRow, ...] = ()

    @property
    def is_active(self) -> bool:
        """Whether it is not resolved."""
        return self.state == "ACTIVE"

    @property
    def characters(self) -> int:
        """Of its texts, with its links and labels as rows."""
        links = sum(ROW_CHARACTERS + len(link.title) + len(link.url) for link in self.links)
        labels = sum(ROW_CHARACTERS + len(label.name) + len(label.value) for label in self.labels)
        return len(self.title) + len(self.description) + len(self.fingerprint_parts) + links + labels

    @property
    def record(self) -> Record:
        """The row of `issue`, with its folded columns and without the computed one."""
        id, namespace, title, description, severity, issue_type, state, source, *others = self
        source_folded = None if source is None else fold(source)
        told = (title, fold(title), description, fold(description), severity, issue_type, state, source, source_folded)
        return (id, namespace, fold(namespace), self.scope.id, *told, *others[:-3])

    def changed_since(self, before: "IssueRow") -> list[str]:
        """The names of the fields that differ."""
        return [
            name
            for name, old, new in zip(self._fields, before, self, strict=True)
            if old is not new and old != new  # most are the very same
        ]


class OccurrenceRow(NamedTuple):
    """A row of `occurrence`, in the order of its columns; `links` is JSON."""

    id: str
    issue_id: str
    at: str
    received_at: str
    run_id: str | None
    title: str
    description: str
    severity: str
    links: str
    actor_kind: str
    actor_id: str
    actor_name: str


class DeliveryRow(NamedTuple):
    """A row of `delivery`, in the order of its columns; its position is given when it is written."""

    id: str
    position: int
    webhook: str
    version: int | None
    outcome: str
    received_at: str
    replayed_at: str | None
    delivery_key: str | None
    event: str | None
    error: str | None
    namespace: str | None
    sender: str
    items: str
    request: str | None
    body: bytes | None
    body_bytes: int


class DeliveryChange(NamedTuple):
    """What a replay writes of a delivery; its position is given when it is written."""

    position: int
    outcome: str
    replayed_at: str
    error: str | None
    namespace: str | None
    items: str
    id_key: str


class RelationRow(NamedTuple):
    """A row of `relation`, in the order of its columns."""

    id: str
    kind: str
    source_id: str
    target_id: str
    reason: str | None
    created_by_kind: str | None
    created_by_id: str | None
    created_by_name: str | None
    created_at: str


class EventRow(NamedTuple):
    """A row of `issue_event`, in the order of its columns."""

    position: int
    kind: str
    at: str
    issue_id: str
    namespace: str
    title: str
    actor_kind: str
    actor_id: str
    actor_name: str
    actor_name_folded: str
    relation_id: str | None
    relation_kind: str | None
    source_id: str | None
    target_id: str | None
    other_namespace: str | None
    changes: str
    before: str | None
    after: str | None


# What is selected to make these rows, in the order of their fields.
SCOPE_COLUMNS: list[InstrumentedAttribute[str]] = [getattr(Scope, name) for name in ScopeRow._fields]
ISSUE_COLUMN_NAMES = IssueRow._fields[: IssueRow._fields.index("scope")]
ISSUE_COLUMNS = [getattr(Issue, name) for name in ISSUE_COLUMN_NAMES]
RELATION_COLUMNS = [getattr(Relation, name) for name in RelationRow._fields]


def replaced_links(old: tuple[LinkRow, ...], new: tuple[LinkValue, ...]) -> tuple[LinkRow, ...]:
    """`new` in the rows that are there already, place by place, and in new rows after them."""
    ids = [link.id for link in old[: len(new)]]
    ids += [new_id() for _ in new[len(old) :]]
    return tuple(LinkRow(id, value.title, value.url) for id, value in zip(ids, new, strict=True))


def links_of(links: tuple[LinkRow, ...]) -> list[dict[str, str]]:
    """As JSON shows them."""
    return [{"id": link.id, "title": link.title, "url": link.url} for link in links]


def scope_json(scope: ScopeRow) -> dict[str, str]:
    """As JSON shows it."""
    return {
        "id": scope.id,
        "resourceType": scope.resource_type,
        "resourceName": scope.resource_name,
        "resourceNamespace": scope.resource_namespace,
    }


def new_links(links: tuple[LinkValue, ...]) -> str:
    """Links of an occurrence, as its row holds them."""
    return orjson.dumps([{"id": new_id(), "title": link.title, "url": link.url} for link in links]).decode()


def label_rows(values: tuple[LabelValue, ...]) -> tuple[LabelRow, ...]:
    """Each name and value once, in order."""
    return tuple(sorted({LabelRow(value.name, value.value) for value in values}))
