"""The writer's statements, compiled once: what a batch reads and what it writes."""

from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Delete,
    Insert,
    bindparam,
    column,
    delete,
    exists,
    insert,
    literal_column,
    null,
    select,
    true,
    union_all,
    update,
)
from sqlalchemy.orm import InstrumentedAttribute, aliased
from sqlalchemy.types import TypeEngine

from models import (
    Base,
    Batch,
    Change,
    Delivery,
    DeliveryNamespace,
    Deployment,
    DeploymentChange,
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
    Success,
    TrackedIssue,
)
from models.base import Id, JsonText, Position, Time, Word
from models.database import Database, Statement
from models.dialect import ListOf, any_of, any_row_of, json_items
from models.given import Given
from resolvers.mutation.records import Recorded, TrackedRow
from resolvers.mutation.rows import ISSUE_COLUMNS, RELATION_COLUMNS, SCOPE_COLUMNS, IssueRow, Record
from resolvers.mutation.successes import SuccessRow

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
REPLAYED_COLUMNS = ("position", "outcome", "replayed_at", "error", "namespace", "items")
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

    def __init__(self, database: Database, *, occurrences_kept: int) -> None:
        compile = database.compile
        self.log_end = compile(_select_log_end())
        self.scopes = compile(
            select(*SCOPE_COLUMNS).where(
                any_row_of(_rows("keys"), Scope.resource_type, Scope.resource_name, Scope.resource_namespace)
            )
        )
        self.issues = compile(_select_issues())
        self.lists = compile(_select_lists())
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
        self.deliveries = compile(select(Delivery.id, Delivery.position).where(any_of(Delivery.id, _list("ids", Id()))))
        self.batch = compile(select(Batch.id).where(Batch.id == bindparam("id", type_=Id())))

        self.successes = compile(_select_successes())

        self.deployments = compile(_select_recorded(Deployment, Recorded._fields))
        self.changes = compile(_select_recorded(Change, Recorded._fields))
        self.tracked = compile(_select_recorded(TrackedIssue, TrackedRow._fields))

        self.add_scope = _insert(database, Scope)
        self.add_issue = _insert(database, Issue)
        self.add_link = _insert(database, Link)
        self.add_label = _insert(database, Label)
        self.add_occurrence = _insert(database, Occurrence)
        self.add_run = _insert(database, Run)
        self.add_relation = _insert(database, Relation)
        self.add_answer = _insert(database, IdempotencyKey)
        self.add_event = _insert(database, IssueEvent)
        self.add_batch = _insert(database, Batch)
        self.add_delivery = _insert(database, Delivery)
        self.add_delivery_namespace = _insert(database, DeliveryNamespace)
        self.add_deployment = _insert(database, Deployment)
        self.add_deployment_change = _insert(database, DeploymentChange)
        self.add_change = _insert(database, Change)
        self.add_tracked = _insert(database, TrackedIssue)
        self.add_success = _insert(database, Success)

        self.update_issue = [_issue_update(database, group) for group in COLUMN_GROUPS]
        # An active issue whose fingerprint changes lets go of the old one before anybody takes it.
        self.release_fingerprint = database.compile_write(
            lambda given: update(Issue).where(Issue.id == given["id_key"]).values(fingerprint=given["id_text"]),
            {"id_text": Word(), "id_key": Id()},
        )
        self.update_link = database.compile_write(
            lambda given: update(Link).where(Link.id == given["id_key"]).values(title=given["title"], url=given["url"]),
            {"title": Word(), "url": Word(), "id_key": Id()},
        )
        self.replay_delivery = database.compile_write(
            lambda given: (
                update(Delivery)
                .where(Delivery.id == given["id_key"])
                .values({Delivery.__table__.columns[name]: given[name] for name in REPLAYED_COLUMNS})
            ),
            {**_types(Delivery, REPLAYED_COLUMNS), "id_key": Id()},
        )
        self.update_success = database.compile_write(
            lambda given: (
                update(Success).where(Success.key == given["key_key"]).values(at=given["at"], told_at=given["told_at"])
            ),
            {"at": Time(), "told_at": Time(), "key_key": Word()},
        )
        self.move_log_end = database.compile_write(
            lambda given: update(EventLog).values(end=given["end"]), {"end": Position}
        )

        self.delete_issue = _delete(database, Issue.id)
        self.delete_link = _delete(database, Link.id)
        self.delete_label = _delete(database, Label.issue_id, Label.name, Label.value)
        self.delete_relation = _delete(database, Relation.id)
        self.delete_answer = _delete(database, IdempotencyKey.caller_id, IdempotencyKey.key)
        self.delete_deployment = _delete(database, Deployment.id)
        self.delete_change = _delete(database, Change.id)
        self.delete_tracked = _delete(database, TrackedIssue.id)
        self.prune_occurrences = database.compile_write(
            lambda given: _prune_occurrences(given, occurrences_kept), {"issue_id_key": Id()}
        )


def _list(name: str, item: Any) -> Any:
    return bindparam(name, type_=ListOf(item))


def _rows(name: str) -> Any:
    return bindparam(name, type_=JsonText())


def _types(model: type[Base], names: Iterable[str]) -> dict[str, TypeEngine[Any]]:
    return {name: model.__table__.columns[name].type for name in names}


def _written(model: type[Base]) -> tuple[str, ...]:
    return tuple(c.name for c in model.__table__.columns if c.computed is None)


def _insert(database: Database, model: type[Base]) -> Statement:
    names = _written(model)

    def build(given: Given) -> Insert:
        values = [given[name] for name in names]
        if given.rows is None:
            return insert(model).values(dict(zip(names, values, strict=True)))
        return insert(model).from_select(names, select(*values))

    return database.compile_write(build, _types(model, names))


def _delete(database: Database, *key: InstrumentedAttribute[str]) -> Statement:
    """Of the rows with a key: each parameter is named as its column and `_key`."""
    return database.compile_write(
        lambda given: delete(key[0].class_).where(*(part == given[f"{part.key}_key"] for part in key)),
        {f"{part.key}_key": part.type for part in key},
    )


def _issue_update(database: Database, columns: tuple[str, ...]) -> IssueUpdate:
    statement = database.compile_write(
        lambda given: (
            update(Issue)
            .where(Issue.id == given["id_key"])
            .values({Issue.__table__.columns[name]: given[name] for name in columns})
        ),
        {**_types(Issue, columns), "id_key": Id()},
    )
    fields = {"scope" if name == "scope_id" else name for name in columns}
    places = [_written(Issue).index(name.removesuffix("_key")) for name in statement.names]
    return IssueUpdate(statement, frozenset(fields.intersection(IssueRow._fields)), itemgetter(*places))


def _select_log_end() -> Any:
    """Identity and end of the log, whether a batch is there; with each of some runs that is known, or with none."""
    batch_is_there = exists().where(Batch.id == bindparam("batch_id", type_=Id()))
    keys = any_row_of(_rows("runs"), Run.fingerprint, Run.run_digest)
    known = select(Run.fingerprint, Run.run_digest).where(keys).subquery()
    return select(EventLog.identity, EventLog.end, batch_is_there, *known.c).outerjoin_from(EventLog, known, true())


def _select_lists() -> Any:
    """The links of issues (id, title, address), then their labels (no id, name, value), in the order of an issue's."""
    ids = _list("ids", Id())
    links = select(Link.issue_id, Link.ordinal, Link.id, Link.title.label("first"), Link.url.label("second"))
    labels = select(Label.issue_id, null(), null(), Label.name, Label.value)
    both = union_all(links.where(any_of(Link.issue_id, ids)), labels.where(any_of(Label.issue_id, ids))).subquery()
    in_order = both.c.ordinal, both.c.first, both.c.second
    return select(both.c.issue_id, both.c.id, both.c.first, both.c.second).order_by(*in_order)


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


def _select_successes() -> Any:
    """By key, and those of some places after a moment."""
    place = any_row_of(_rows("places"), Success.namespace, Success.place)
    keys = union_all(
        select(Success.key).where(any_of(Success.key, _list("keys", Word()))),
        select(Success.key).where(place, Success.at > bindparam("since", type_=Time())),
    )
    columns = [Success.__table__.columns[name] for name in SuccessRow._fields]
    return select(*columns).where(Success.key.in_(keys))


def _select_recorded(model: type[Deployment | Change | TrackedIssue], names: tuple[str, ...]) -> Any:
    columns = [model.__table__.columns[name] for name in names]
    return select(*columns).where(any_of(model.key, _list("keys", Word())))


def _prune_occurrences(given: Given, kept: int) -> Delete:
    """The occurrences of an issue older than the newest `kept`."""
    newer, issue_id = aliased(Occurrence), given["issue_id_key"]
    newest_to_go = (
        select(newer.id)
        .where(newer.issue_id == issue_id)
        .order_by(newer.id.desc())
        .limit(literal_column("1"))
        .offset(literal_column(str(kept)))
    )
    if given.rows is not None:
        newest_to_go = newest_to_go.correlate(given.rows)
    return delete(Occurrence).where(Occurrence.issue_id == issue_id, Occurrence.id <= newest_to_go.scalar_subquery())
