"""The read planner: operations in, answers out, by plans that are made once and kept."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

from graphql import GraphQLError, GraphQLNonNull, GraphQLSchema, extend_schema, parse
from graphql import Node as AstNode
from graphql.execution.collect_fields import FieldDetails
from sqlalchemy import select

from models import EventLog, Issue, Relation
from models import database as storage
from models.database import Database, Steps, Work
from resolvers.caller import Caller, Permission
from resolvers.errors import Problem, Unavailable
from resolvers.query.document import Documents, Operation
from resolvers.query.fields import SPECIAL, entities
from resolvers.query.kept import Kept
from resolvers.query.plan import Binder, Build, QueryLimits, Run, Setting, bound_values, visible_values
from resolvers.query.roots import QUERY_ROOTS, lines_by_position
from resolvers.query.rules import DocumentLimits
from resolvers.query.search import search_where
from resolvers.query.selection import Field, Selection
from resolvers.query.where import shape
from resolvers.subscription.log import Log

T = TypeVar("T")

logger = logging.getLogger(__name__)

# What REST asks for and the published schema has not.
_PRIVATE = """
    extend type Query { issuePage(where: IssueWhere, search: String, limit: Int!, offset: Int!): IssuePage }
    type IssuePage { nodes: [Issue!]! totalCount: Int! }
    extend type Issue { allRelatedFrom: [Relation!]! allRelatedTo: [Relation!]! scopeId: ID! }
"""
# Of the documents whose nodes plans hold. A statement of a plan takes as much memory as so much text at most.
MAX_CHARACTERS_HELD = 4_000_000
CHARACTERS_A_STATEMENT = 2_000

_MODELS: Mapping[str, Any] = {"Issue": Issue, "Relation": Relation}


@dataclass(frozen=True, slots=True)
class FieldError:
    """Why a root field is null."""

    field: Field
    error: Exception


@dataclass(frozen=True, slots=True)
class Answer:
    """The planned root fields, by response key. `data` is None when one failed that may not be null."""

    data: dict[str, Any] | None
    errors: Sequence[FieldError]


@dataclass(frozen=True, slots=True)
class Plan:
    """How one selection is answered. `holds` are the nodes whose identities are in the plan's key."""

    root: Any
    binders: Sequence[Binder]
    needs_position: bool
    holds: Sequence[AstNode]


class Planner:
    """Answers root fields of Query, entities of mutations and events of subscriptions, each by a plan.

    A plan serves every run of its document with variables of the same skeleton; at most `max_plans` are kept.
    `public_url` is what `Issue.url` begins with.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        database: Database,
        log: Log,
        *,
        public_url: str,
        document_limits: DocumentLimits | None = None,
        query_limits: QueryLimits | None = None,
        max_plans: int = 2_000,
    ) -> None:
        document_limits = document_limits or DocumentLimits()
        self.documents = Documents(schema, document_limits)
        # Of documents that this program asks for itself.
        self.private_documents = Documents(extend_schema(schema, parse(_PRIVATE)), DocumentLimits())
        self._schema = schema
        self._database = database
        self._log = log
        self._setting = Setting(database, public_url.rstrip("/"), query_limits or QueryLimits())
        self.kept_plans: Kept[Plan] = Kept(max_plans, MAX_CHARACTERS_HELD)
        self._end = database.compile(select(EventLog.end))

    def plans(self, operation: Operation) -> tuple[list[str], list[str]]:
        """The response keys at the root that this planner answers, and those that are somebody else's."""
        planned: list[str] = []
        others: list[str] = []
        for key, field in operation.root_fields.items():
            mine = operation.kind == "query" and field.name in QUERY_ROOTS
            (planned if mine else others).append(key)
        return planned, others

    async def execute(self, operation: Operation, caller: Caller) -> Answer:
        """The planned root fields of a query, all of one moment. A field that fails leaves its neighbours alone."""
        fields = {key: operation.root_fields[key] for key in self.plans(operation)[0]}
        errors: list[FieldError] = []
        plans: dict[str, Plan] = {}
        values: dict[str, dict[str, Any]] = {}
        for key, field in fields.items():
            try:
                plans[key] = plan = self._root_plan(operation, field, caller)
                values[key] = bound_values(plan.binders, operation.variable_values)
            except (Problem, GraphQLError) as error:
                errors.append(FieldError(field, error))
        data: dict[str, Any] = dict.fromkeys(fields)

        def work() -> Steps[None]:
            position = yield from self._position(any(plans[key].needs_position for key in values))
            for key, bound in values.items():
                try:
                    data[key] = yield from plans[key].root(self._run(caller, bound, position))
                except (Problem, GraphQLError) as error:
                    errors.append(FieldError(fields[key], error))

        try:
            await self._read(work)
        except Unavailable as gone:
            errors = [FieldError(field, gone) for field in fields.values()]
            data = dict.fromkeys(fields)
        return _answer(data, errors)

    async def event_batch(
        self, operation: Operation, caller: Caller, items: Sequence[tuple[str, int]], position: int, *, caught_up: bool
    ) -> dict[str, Any]:
        """The value of Subscription.issueEvents for lines of the log (match and position), by response key.

        Raises Unavailable.
        """
        (field,) = operation.root_fields.values()
        plan = self._plan(
            (*_operation_key(operation, field, caller), "batch"),
            (operation.document,),
            caller,
            lambda build: _batch(build, field),
        )
        values = bound_values(plan.binders, operation.variable_values)
        positions = [number for _, number in items]
        lines: list[Mapping[Any, Any]] = []

        def work() -> Steps[None]:
            run = self._run(caller, values, "")
            for keyed in plan.root.lines:
                lines.append((yield from keyed.single(run, positions)))

        if items and plan.root.lines:
            await self._read(work)
        text = self._log.text(position)
        return {field.key: plan.root.make(items, lines, text, caught_up)}

    async def live_stats(self, operation: Operation, caller: Caller) -> dict[str, Any]:
        """The value of Subscription.issueStats, by response key. Raises Unavailable, BadRequest and GraphQLError."""
        (field,) = operation.root_fields.values()
        plan = self._root_plan(operation, field, caller)
        values = bound_values(plan.binders, operation.variable_values)

        def work() -> Steps[Any]:
            position = yield from self._position(plan.needs_position)
            return (yield from plan.root(self._run(caller, values, position)))

        return {field.key: await self._read(work)}

    async def entities(self, type_name: str, ids: Sequence[str], info: Any, caller: Caller) -> list[Any]:
        """Issues or relations as the field of a resolver's `info` selects them, in the order of `ids`.

        None for one that is gone or that the caller may not read. Raises Unavailable and BadRequest.
        """
        selection = Selection(self._schema, info.operation, info.fragments, info.variable_values)
        details = tuple(FieldDetails(node, None) for node in info.field_nodes)
        definition = info.parent_type.fields[info.field_name]
        field = Field(selection, info.field_name, info.field_name, info.parent_type.name, definition, details)
        nodes = tuple(info.field_nodes)
        plan = self._plan(
            (*map(id, nodes), type_name, _everywhere(caller), _skeleton(info.variable_values.coerced)),
            nodes,
            caller,
            lambda build: entities(build, _MODELS[type_name], type_name, field),
        )
        values = bound_values(plan.binders, info.variable_values)

        def work() -> Steps[Mapping[Any, Any]]:
            position = yield from self._position(plan.needs_position)
            found: Mapping[Any, Any] = yield from plan.root.single(
                self._run(caller, values, position), list(dict.fromkeys(ids))
            )
            return found

        found = await self._read(work)
        return [found[id] for id in ids]

    async def end_of_log(self) -> int:
        """The position of the newest line. Raises Unavailable."""
        return await self._read(self._find_end)

    async def _read(self, work: Work[T]) -> T:
        try:
            return await self._database.read(work)
        except storage.Unavailable as error:
            raise _unavailable(error) from error

    def _run(self, caller: Caller, values: dict[str, Any], position: str) -> Run:
        visible = visible_values(caller.namespaces(Permission.READ))
        return Run(values | visible, position, self._log.text)

    def _position(self, wanted: bool) -> Steps[str]:
        """The end of the log in this snapshot, as clients know it; empty when nobody wants it."""
        if not wanted:
            return ""
        return self._log.text((yield from self._find_end()))

    def _find_end(self) -> Steps[int]:
        ((end,),) = yield storage.Fetch(self._end)
        return int(end)

    def _root_plan(self, operation: Operation, field: Field, caller: Caller) -> Plan:
        key = (*_operation_key(operation, field, caller), _search_shape(field))
        return self._plan(key, (operation.document,), caller, lambda build: QUERY_ROOTS[field.name](build, field))

    def _plan(self, key: Any, holds: Sequence[AstNode], caller: Caller, make: Callable[[Build], Any]) -> Plan:
        plan = self.kept_plans.get(key)
        if plan is None:
            build = Build(self._setting, SPECIAL, _everywhere(caller))
            plan = Plan(make(build), tuple(build.binders), build.needs_position, holds)
            self.kept_plans.put(key, plan, _characters(holds[0]) + build.statements * CHARACTERS_A_STATEMENT)
        return plan


def _unavailable(error: storage.Unavailable) -> Unavailable:
    # Why is for who runs the server, not for who asks it.
    logger.warning("the database cannot be read: %s", error)
    return Unavailable("the database cannot be read now")


@dataclass(frozen=True, slots=True)
class _Batch:
    """`lines` fetches what `make` needs: from items, what was fetched, the position's text and caughtUp."""

    lines: Sequence[Any]
    make: Callable[[Sequence[tuple[str, int]], Sequence[Mapping[Any, Any]], str, bool], Any]


def _batch(build: Build, field: Field) -> _Batch:
    fetched: list[Any] = []
    entries: list[tuple[str, Callable[[Sequence[tuple[str, int]], Sequence[Mapping[Any, Any]], str, bool], Any]]] = []
    for each in field.fields():
        match each.name:
            case "__typename":
                entries.append((each.key, lambda items, lines, position, caught_up: "IssueEventBatch"))
            case "position":
                entries.append((each.key, lambda items, lines, position, caught_up: position))
            case "caughtUp":
                entries.append((each.key, lambda items, lines, position, caught_up: caught_up))
            case "events":
                entries.append((each.key, _items(build, each, fetched)))
    return _Batch(fetched, lambda *given: {key: make(*given) for key, make in entries})


def _items(build: Build, field: Field, fetched: list[Any]) -> Any:
    places: list[tuple[str, Any]] = []
    for each in field.fields():
        if each.name == "event":
            places.append((each.key, len(fetched)))
            fetched.append(lines_by_position(build, each))
        else:
            places.append((each.key, each.name))
    wanted = [place for _, place in places if isinstance(place, int)]

    def item(match: str, number: int, lines: Sequence[Mapping[Any, Any]]) -> dict[str, Any]:
        fixed = {"match": str(match), "__typename": "IssueEventItem"}
        return {key: lines[place][number] if isinstance(place, int) else fixed[place] for key, place in places}

    def items_of(items: Sequence[tuple[str, int]], lines: Sequence[Mapping[Any, Any]], *_: Any) -> list[Any]:
        # A line that retention took since it was matched has nothing to show.
        kept = [(match, number) for match, number in items if all(lines[place][number] for place in wanted)]
        return [item(match, number, lines) for match, number in kept]

    return items_of


def _characters(node: AstNode) -> int:
    """Of the text that a node was read from, all of which it keeps in memory."""
    return len(node.loc.source.body) if node.loc else 0


def _operation_key(operation: Operation, field: Field, caller: Caller) -> tuple[Any, ...]:
    """What tells the plans of root fields apart, but for what is written in their arguments' texts."""
    return id(operation.document), operation.name, field.key, _everywhere(caller), _skeleton(operation.variables)


def _everywhere(caller: Caller) -> bool:
    return caller.namespaces(Permission.READ).everywhere


def _skeleton(value: Any) -> Any:
    """All of some variables that decides how a statement is shaped: what is there, and the words of enums."""
    if isinstance(value, Mapping):
        return tuple((key, _skeleton(value[key])) for key in sorted(value))
    if isinstance(value, list):
        return tuple(map(_skeleton, value)) if value and isinstance(value[0], Mapping) else ("list",)
    if value is None or isinstance(value, bool | Enum):
        return value
    return ""


def _search_shape(field: Field) -> Any:
    """What the words of a search decide about a statement. Raises BadRequest."""
    arguments = field.arguments()
    where = arguments.get("where")
    texts = [arguments.get("search"), where.get("search") if isinstance(where, Mapping) else None]
    return tuple(shape(search_where(text)) for text in texts)


def _answer(data: dict[str, Any], errors: Sequence[FieldError]) -> Answer:
    failed = any(each.field.definition and isinstance(each.field.definition.type, GraphQLNonNull) for each in errors)
    return Answer(None if failed else data, errors)
