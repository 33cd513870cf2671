"""The statements that erase a namespace, compiled once."""

from typing import Any

from sqlalchemy import ColumnElement, bindparam, case, delete, exists, func, literal_column, select, tuple_, update

from models import (
    Change,
    Delivery,
    DeliveryNamespace,
    Deployment,
    DevlakeConnection,
    EventLog,
    IdempotencyKey,
    Issue,
    IssueEvent,
    Run,
    Scope,
    Success,
    TrackedIssue,
)
from models.base import Id, Position, Word
from models.database import Database
from models.dialect import ListOf, any_of, json_member
from resolvers.mutation.retention import prune_to
from resolvers.tenant.export import select_issues

ISSUES_AT_ONCE = 200
ANSWERS_AT_ONCE = 500
LINES_AT_ONCE = 200
RECORDS_AT_ONCE = 500
# Looked through by one statement.
RANGE_LINES = 20_000


class Statements:
    """All of them for one database; what deletes gives back a row for each that it deleted."""

    def __init__(self, database: Database) -> None:
        compile = database.compile
        namespace = bindparam("namespace", type_=Word())
        after, upto = (bindparam(name, type_=Position) for name in ("after", "upto"))
        own_lines = IssueEvent.namespace == namespace

        self.count_issues = compile(select(func.count()).select_from(Issue).where(Issue.namespace == namespace))
        self.count_lines = compile(select(func.count()).select_from(IssueEvent).where(own_lines))
        self.issues = compile(select_issues(Issue.detected_at, Issue.id).limit(ISSUES_AT_ONCE))

        place = tuple_(bindparam("caller_id", type_=Word()), bindparam("key", type_=Word()))
        self.answers = compile(
            select(IdempotencyKey.caller_id, IdempotencyKey.key, IdempotencyKey.outcome)
            .where(tuple_(IdempotencyKey.caller_id, IdempotencyKey.key) > place)
            .order_by(IdempotencyKey.caller_id, IdempotencyKey.key)
            .limit(ANSWERS_AT_ONCE)
        )
        self.gone = compile(
            select(IssueEvent.issue_id)
            .where(
                any_of(IssueEvent.issue_id, _list("ids", Id())),
                own_lines,
                ~exists().where(Issue.id == IssueEvent.issue_id),
            )
            .distinct()
        )
        self.delete_answer = compile(
            delete(IdempotencyKey)
            .where(
                IdempotencyKey.caller_id == bindparam("caller_id", type_=Word()),
                IdempotencyKey.key == bindparam("key", type_=Word()),
            )
            .returning(IdempotencyKey.key)
        )

        scope_id: ColumnElement[str] = literal_column("'scope_id'")
        # An issue that was reported while this is at work keeps its lines.
        is_there = exists().where(Issue.id == IssueEvent.issue_id, Issue.namespace == namespace)
        self.lines = compile(
            select(
                IssueEvent.position,
                IssueEvent.changes,
                json_member(IssueEvent.before, scope_id),
                json_member(IssueEvent.after, scope_id),
            )
            .where(own_lines, IssueEvent.position > after, ~is_there)
            .order_by(IssueEvent.position)
            .limit(LINES_AT_ONCE)
        )
        other_id = case((IssueEvent.issue_id == IssueEvent.source_id, IssueEvent.target_id), else_=IssueEvent.source_id)
        self.relation_lines = compile(
            select(IssueEvent.position)
            .where(
                IssueEvent.position > after,
                IssueEvent.position <= upto,
                IssueEvent.other_namespace == namespace,
                ~exists().where(Issue.id == other_id, Issue.namespace == namespace),
            )
            .order_by(IssueEvent.position)
        )
        self.delete_lines = compile(
            delete(IssueEvent)
            .where(any_of(IssueEvent.position, _list("positions", Position)))
            .returning(IssueEvent.position)
        )
        self.delete_runs = compile(
            delete(Run)
            .where(
                any_of(Run.fingerprint, _list("fingerprints", Word())),
                ~exists().where(Issue.fingerprint == Run.fingerprint),
            )
            .returning(Run.run_digest)
        )
        unused = ~exists().where(Issue.scope_id == Scope.id)
        self.delete_scopes = compile(
            delete(Scope).where(any_of(Scope.id, _list("ids", Id())), unused).returning(Scope.id)
        )
        self.delete_own_scopes = compile(
            delete(Scope).where(Scope.resource_namespace == namespace, unused).returning(Scope.id)
        )
        self.delete_records = [
            *(compile(_delete_records(model, namespace)) for model in (Deployment, Change, TrackedIssue, Success)),
            *(compile(each) for each in _delete_deliveries(namespace)),
        ]
        self.delete_connections = compile(
            delete(DevlakeConnection).where(DevlakeConnection.namespace == namespace).returning(DevlakeConnection.id)
        )
        self.end = compile(select(EventLog.end))
        self.lengthen = compile(update(EventLog).values(end=EventLog.end + 1))
        self.prune_to = compile(prune_to())


def _delete_records(model: type[Deployment | Change | TrackedIssue | Success], namespace: Any) -> Any:
    (key,) = model.__table__.primary_key
    some = select(key).where(model.namespace == namespace).limit(RECORDS_AT_ONCE)
    return delete(model).where(key.in_(some)).returning(key)


def _delete_deliveries(namespace: Any) -> list[Any]:
    """Those of the namespace alone, and those of several that it is among: what they brought cannot be told apart."""
    among = select(DeliveryNamespace.delivery_id).where(DeliveryNamespace.namespace == namespace)
    alone = select(Delivery.id).where(Delivery.namespace == namespace)
    return [
        delete(Delivery).where(Delivery.id.in_(some.limit(RECORDS_AT_ONCE))).returning(Delivery.id)
        for some in (alone, among)
    ]


def _list(name: str, item: Any) -> Any:
    return bindparam(name, type_=ListOf(item))
