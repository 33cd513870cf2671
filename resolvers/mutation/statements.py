"""The writer's statements, compiled once: what a batch reads and what it writes."""

from collections.abc import Callable
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    bindparam,
    column,
    delete,
    insert,
    literal_column,
    select,
    union_all,
    update,
)
from sqlalchemy.orm import InstrumentedAttribute, aliased

from models import (
    Base,
    Batch,
    EventLog,
    IdempotencyKey,
    Issue,
    IssueEvent,
    Label,
    Link,
    Occurrence,
    Relation,
    Run,
    Scope,
)
from models.base import Id, JsonText, Word
from models.database import Database, Statement
from models.dialect import ListOf, any_of, any_row_of, json_items
from resolvers.mutation.rows import ISSUE_COLUMNS, RELATION_COLUMNS, SCOPE_COLUMNS, IssueRow, Record

# Literals: a partial index is not used for a condition whose value is bound.
ACTIVE: ColumnElement[str] = literal_column("'ACTIVE'")
RESOLVED: ColumnElement[str] = literal_column("'RESOLVED'")

# Updates write the columns of the first group that has all that changed: SQLite renews every index of a column that
# is written, changed or not.
REPORTED_COLUMNS = (
    *("title", "title_folded", "description", "description_folded"),
    *("last_detected_at", "occurrence_count", "updated_at"),
)
STATE_COLUMNS = (
    *("state", "resolved_at", "resolved_by_kind", "resolved_by_id", "resolved_by_name"),
    *("acknowledged_at", "acknowledged_by_kind", "acknowledged_by_id", "acknowledged_by_name", "updated_at"),
)
ALL_COLUMNS = tuple(c.name for c in Issue.__table__.columns if c.name != "id" and c.computed is None)
COLUMN_GROUPS = (REPORTED_COLUMNS, STATE_COLUMNS, ALL_COLUMNS)


class IssueUpdate(NamedTuple):
    """An UPDATE of some columns of `issue`: the fields that it can write, and its parameters from `IssueRow.record`."""

    statement: Statement
    fields: frozenset[str]
    parameters: Callable[[Record], Record]


class Statements:
    """All of them for one database.

    Parameters of writes are named as their columns, a row's key `<column>_key`; those of an INSERT, `add_...`, are in
    the order of the table's columns.
    """

    def __init__(self, database: Database) -> None:
        compile = database.compile
        self.log_end = compile(select(EventLog.end))
        self.scopes = compile(
            select(*SCOPE_COLUMNS).where(
                any_row_of(_rows("keys"), Scope.resource_type, Scope.resource_name, Scope.resource_namespace)
            )
        )
        self.issues = compile(_select_issues())
        self.links = compile(
            select(Link.issue_id, Link.id, Link.title, Link.url)
            .where(any_of(Link.issue_id, _list("ids", Id())))
            .order_by(Link.issue_id, Link.ordinal)
        )
        self.labels = compile(
            select(Label.issue_id, Label.name, Label.value)
            .where(any_of(Label.issue_id, _list("ids", Id())))
            .order_by(Label.issue_id, Label.name, Label.value)
        )
        self.runs = compile(
            select(Run.fingerprint, Run.run_digest).where(any_row_of(_rows("keys"), Run.fingerprint, Run.run_digest))
        )
        self.relations = compile(_select_relations())
        self.answers = compile(
            select(
                IdempotencyKey.caller_id,
                IdempotencyKey.key,
                IdempotencyKey.command_digest,
                IdempotencyKey.outcome,
                IdempotencyKey.at,
            ).where(any_row_of(_rows("keys"), IdempotencyKey.caller_id, IdempotencyKey.key))
        )
        self.batch = compile(select(Batch.id).where(Batch.id == bindparam("id", type_=Id())))

        self.add_scope = compile(_insert(Scope))
        self.add_issue = compile(_insert(Issue))
        self.add_link = compile(_insert(Link))
        self.add_label = compile(_insert(Label))
        self.add_occurrence = compile(_insert(Occurrence))
        self.add_run = compile(_insert(Run))
        self.add_relation = compile(_insert(Relation))
        self.add_answer = compile(_insert(IdempotencyKey))
        self.add_event = compile(_insert(IssueEvent))
        self.add_batch = compile(_insert(Batch))

        self.update_issue = [
            _issue_update(compile(update(Issue).where(_is_key(Issue.id)).values(_bound(Issue, group))), group)
            for group in COLUMN_GROUPS
        ]
        # An active issue whose fingerprint changes lets go of the old one before anybody takes it.
        self.release_fingerprint = compile(
            update(Issue).where(_is_key(Issue.id)).values(fingerprint=bindparam("id_text", type_=Word()))
        )
        self.update_link = compile(update(Link).where(_is_key(Link.id)).values(_bound(Link, ("title", "url"))))
        self.move_log_end = compile(update(EventLog).values(_bound(EventLog, ("end",))))

        self.delete_issue = compile(delete(Issue).where(_is_key(Issue.id)))
        self.delete_link = compile(delete(Link).where(_is_key(Link.id)))
        self.delete_label = compile(
            delete(Label).where(_is_key(Label.issue_id), _is_key(Label.name), _is_key(Label.value))
        )
        self.delete_relation = compile(delete(Relation).where(_is_key(Relation.id)))
        self.delete_answer = compile(
            delete(IdempotencyKey).where(_is_key(IdempotencyKey.caller_id), _is_key(IdempotencyKey.key))
        )
        self.prune_occurrences = compile(_prune_occurrences())


def _list(name: str, item: Any) -> Any:
    return bindparam(name, type_=ListOf(item))


def _rows(name: str) -> Any:
    return bindparam(name, type_=JsonText())


def _is_key(attribute: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    # SQLAlchemy keeps the plain names for the new values.
    return attribute == bindparam(f"{attribute.key}_key", type_=attribute.type)


def _bound(model: type[Base], names: tuple[str, ...]) -> dict[str, Any]:
    columns = model.__table__.columns
    return {name: bindparam(name, type_=columns[name].type) for name in names}


def _written(model: type[Base]) -> tuple[str, ...]:
    return tuple(c.name for c in model.__table__.columns if c.computed is None)


def _insert(model: type[Base]) -> Any:
    return insert(model).values(_bound(model, _written(model)))


def _issue_update(statement: Statement, columns: tuple[str, ...]) -> IssueUpdate:
    fields = {"scope" if name == "scope_id" else name for name in columns}
    places = [_written(Issue).index(name.removesuffix("_key")) for name in statement.names]
    return IssueUpdate(statement, frozenset(fields.intersection(IssueRow._fields)), itemgetter(*places))


def _select_issues() -> Any:
    """By id, the active one and the last resolved one of each fingerprint, the active ones on a scope."""
    wanted = json_items(_rows("fingerprints")).table_valued(column("value", Word())).alias("wanted")
    earlier = aliased(Issue)
    last_resolved = (
        select(earlier.id)
        .where(earlier.fingerprint == wanted.c.value, earlier.state == RESOLVED)
        .order_by(earlier.resolved_at.desc(), earlier.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    ids = union_all(
        select(Issue.id).where(any_of(Issue.id, _list("ids", Id()))),
        select(Issue.id).where(any_of(Issue.fingerprint, _list("active_fingerprints", Word())), Issue.state == ACTIVE),
        select(last_resolved).select_from(wanted),
        select(Issue.id)
        .join(Issue.scope)
        .where(
            any_row_of(
                _rows("places"), Issue.namespace, Scope.resource_type, Scope.resource_name, Scope.resource_namespace
            ),
            Issue.state == ACTIVE,
        ),
    )
    return select(*ISSUE_COLUMNS, *SCOPE_COLUMNS).join(Issue.scope).where(Issue.id.in_(ids))


def _select_relations() -> Any:
    """All of some issues, and those between pairs."""
    ids = union_all(
        select(Relation.id).where(any_of(Relation.source_id, _list("source_ids", Id()))),
        select(Relation.id).where(any_of(Relation.target_id, _list("target_ids", Id()))),
        select(Relation.id).where(any_row_of(_rows("pairs"), Relation.source_id, Relation.target_id)),
    )
    return select(*RELATION_COLUMNS).where(Relation.id.in_(ids)).order_by(Relation.id)


def _prune_occurrences() -> Any:
    """The occurrences of an issue older than the newest `kept`."""
    newer = aliased(Occurrence)
    newest_to_go = (
        select(newer.id)
        .where(_is_key(newer.issue_id))
        .order_by(newer.id.desc())
        .limit(1)
        .offset(bindparam("kept", type_=BigInteger()))
        .scalar_subquery()
    )
    return delete(Occurrence).where(_is_key(Occurrence.issue_id), Occurrence.id <= newest_to_go)
