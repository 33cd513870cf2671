"""The read planner: operations in, answers out, by plans that are made once and kept."""

# Annotations of inner functions would be made anew in every run.
from __future__ import annotations

import logging
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from graphql import GraphQLError, GraphQLNonNull, GraphQLSchema, extend_schema, parse
from graphql.execution.collect_fields import FieldDetails
from sqlalchemy import select

from models import EventLog, Issue, Relation
from models import database as storage
from models.database import Database, Steps, Work
from models.lines import OWN
from resolvers.caller import Caller
from resolvers.charge import Free, Meter
from resolvers.errors import TOO_SLOW, Overloaded, Problem, TimedOut, TooLarge, Unavailable
from resolvers.query.batch import batch
from resolvers.query.document import Documents, Operation
from resolvers.query.fields import entities
from resolvers.query.keys import acts_everywhere, operation_key, reads_everywhere, skeleton
from resolvers.query.plan import (
    Build,
    QueryLimits,
    Run,
    Setting,
    visible_values,
)
from resolvers.query.plans import FieldError, KeptPlans, Plan, characters_of
from resolvers.query.rules import DocumentLimits
from resolvers.query.selection import Field, Selection
from resolvers.query.size import Answers, Size
from resolvers.subscription.log import Log

T = TypeVar("T")

logger = logging.getLogger(__name__)

# What REST asks for and the published schema has not.
_PRIVATE = """
    extend type Query { issuePage(where: IssueWhere, search: String, limit: Int!, offset: Int!): IssuePage }
    type IssuePage { nodes: [Issue!]! totalCount: Int! }
    extend type Issue { allRelatedFrom: [Relation!]! allRelatedTo: [Relation!]! scopeId: ID! }
"""
# The parameter of `entities`.
GIVEN = "given"
_NOT_BEGUN = "the fields before it took too long: ask for it alone"

_MODELS: Mapping[str, Any] = {"Issue": Issue, "Relation": Relation}


class Answer(NamedTuple):
    """The planned root fields, by response key. `data` is None when one failed that may not be null.

    `others` are the keys of root fields that are somebody else's.
    """

    data: dict[str, Any] | None
    errors: Sequence[FieldError]
    others: Sequence[str] = ()


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
        meter: Meter | None = None,
        answers: Answers | None = None,
    ) -> None:
        document_limits = document_limits or DocumentLimits()
        self.documents = Documents(schema, document_limits)
        # Of documents that this program asks for itself.
        self.private_documents = Documents(extend_schema(schema, parse(_PRIVATE)), DocumentLimits())
        self._schema = schema
        self._database = database
        self._log = log
        # What `Issue.url` begins with, without a slash at the end.
        self.public_url = public_url.rstrip("/")
        self._end = database.compile(select(EventLog.end))
        self._meter = meter or Free()
        setting = Setting(database, self.public_url, query_limits or QueryLimits())
        self.plans = KeptPlans(setting, max_plans, self._meter)
        self.answers = answers or Answers()
        # How many fields ended so, since the start.
        self.timeouts = 0

    def execute(self, operation: Operation, caller: Caller, size: Size | None = None) -> Coroutine[Any, Any, Answer]:
        """The planned root fields of a query, all of one moment. A field that fails leaves its neighbours alone.

        Those that come when twice the time of one statement is over are not begun. Where the operation has a `size`, a
        field that is large is JSON already; else `size` counts the rows alone. Raises TooLarge and Overloaded.
        """
        counted = operation.size or size
        return self._execute(operation, caller, counted) if counted else self._execute_alone(operation, caller)

    async def _execute_alone(self, operation: Operation, caller: Caller) -> Answer:
        with self.answers.begin(caller.line) as size:
            return await self._execute(operation, caller, size)

    async def _execute(self, operation: Operation, caller: Caller, size: Size) -> Answer:
        plans, errors = await self.plans.of(operation, caller)
        ready: list[tuple[Plan, dict[str, Any]]] = []
        for plan in plans.planned:
            try:
                ready.append((plan, plan.values(operation.variable_values)))
            except (Problem, GraphQLError) as error:
                errors.append(FieldError(plan.field, error))

        around = operation.cost * plans.characters

        def work() -> Steps[tuple[dict[str, Any], list[FieldError]]]:
            data: dict[str, Any] = {}
            failed: list[FieldError] = []
            size.begin()
            # One that is slow takes all of the time by itself; as much again is for its neighbours.
            end = time.monotonic() + 2 * self._database.timeout_seconds
            for plan, values in ready:
                try:
                    if time.monotonic() > end:
                        raise self._timed_out(_NOT_BEGUN)
                    value = yield from self._answer(plan, values, caller, size)
                    copies = plan.copies * (operation.cost if plan.shares else 1)
                    if operation.size is not None and not size.is_small(copies, around):
                        # Here, as this may be a thread.
                        value = size.json(value)
                    data[plan.field.key] = value
                except (TooLarge, Overloaded):
                    raise
                except (Problem, GraphQLError) as error:
                    failed.append(FieldError(plan.field, error))
                except storage.TimedOut:
                    failed.append(FieldError(plan.field, self._timed_out(TOO_SLOW)))
            return data, failed

        if not ready:
            return _answer({}, errors, plans.others)
        try:
            data, failed = await self._read(work, sum(plan.statements for plan, _ in ready), caller)
        except (TimedOut, Unavailable) as gone:
            return _answer({}, [FieldError(plan.field, gone) for plan in plans.planned], plans.others)
        finally:
            size.end()
        return _answer(data, [*errors, *failed], plans.others)

    async def event_batch(
        self, operation: Operation, caller: Caller, items: Sequence[tuple[str, int]], position: int, *, caught_up: bool
    ) -> dict[str, Any]:
        """The value of Subscription.issueEvents for lines of the log (match and position), by response key.

        Raises TimedOut, Unavailable, TooLarge and Overloaded.
        """
        (field,) = operation.root_fields.values()
        plan = self.plans.one(
            (*operation_key(operation, caller), "batch"),
            (operation.document,),
            caller,
            field,
            lambda build: batch(build, field),
        )
        values = plan.values(operation.variable_values)
        positions = [number for _, number in items]

        def work() -> Steps[list[Mapping[Any, Any]]]:
            size.begin()
            run = self._run(caller, values, size)
            lines = []
            for keyed in plan.root.lines:
                lines.append((yield from keyed.single(run, positions)))
            return lines

        text = self._log.text(position)
        with self.answers.begin(caller.line) as size:
            lines = await self._read(work, plan.statements, caller) if items and plan.root.lines else []
            made = plan.root.make(items, lines, text, caught_up)
            if not size.is_small(plan.copies * len(items), len(items) * characters_of(operation.document)):
                size.check(made)
            return {field.key: made}

    async def live_stats(self, operation: Operation, caller: Caller) -> dict[str, Any]:
        """The value of Subscription.issueStats, by response key.

        Raises TimedOut, Unavailable, TooLarge, Overloaded, BadRequest and GraphQLError.
        """
        plans, errors = await self.plans.of(operation, caller)
        for failed in errors:
            raise failed.error
        (plan,) = plans.planned
        values = plan.values(operation.variable_values)
        with self.answers.begin(caller.line) as size:
            counted = await self._read(lambda: self._answer(plan, values, caller, size), plan.statements, caller)
            return {plan.field.key: counted}

    async def entities(self, type_name: str, ids: Sequence[str], info: Any, caller: Caller, size: Size) -> list[Any]:
        """Issues or relations as the field of a resolver's `info` selects them, in the order of `ids`.

        They are what the caller has acted on: None for one that is gone, or where it may neither read nor do anything.
        What is around them is what the caller may read. Their rows are counted by `size`, by which nothing else is read
        meanwhile. Raises TimedOut, Unavailable, TooLarge, Overloaded and BadRequest.
        """
        selection = Selection(self._schema, info.operation, info.fragments, info.variable_values)
        details = tuple(FieldDetails(node, None) for node in info.field_nodes)
        definition = info.parent_type.fields[info.field_name]
        field = Field(selection, info.field_name, info.field_name, info.parent_type.name, definition, details)
        nodes = tuple(info.field_nodes)
        plan = self.plans.one(
            (
                *map(id, nodes),
                type_name,
                reads_everywhere(caller),
                acts_everywhere(caller),
                skeleton(info.variable_values.coerced),
            ),
            nodes,
            caller,
            field,
            lambda build: _given_entities(build, type_name, field),
        )
        values = {
            **plan.values(info.variable_values),
            **visible_values(caller.acting, "acting"),
            GIVEN: list(dict.fromkeys(ids)),
        }
        work = size.counted(lambda: self._answer(plan, values, caller, size))
        found = await self._read(work, plan.statements, caller)
        return [found[id] for id in ids]

    async def end_of_log(self) -> int:
        """The position of the newest line. Raises TimedOut and Unavailable."""

        def work() -> Steps[int]:
            ((end,),) = yield storage.Fetch(self._end)
            return int(end)

        return await self._read(work, 1)

    async def _read(self, work: Work[T], statements: int, caller: Caller | None = None) -> T:
        # In a thread, and maybe twice.
        begun: list[float] = []

        def timed() -> Steps[T]:
            begun.append(time.monotonic())
            return (yield from work())

        line = OWN if caller is None else caller.line
        try:
            return await self._database.read(timed, statements=statements, line=line)
        except storage.TimedOut as error:
            raise self._timed_out(TOO_SLOW) from error
        except storage.Unavailable as error:
            raise _unavailable(error) from error
        finally:
            if begun and caller is not None:
                self._meter.took(line, time.monotonic() - begun[-1])

    def _timed_out(self, message: str) -> TimedOut:
        self.timeouts += 1
        return TimedOut(message)

    def _run(self, caller: Caller, values: dict[str, Any], size: Size) -> Run:
        if not caller.readable.everywhere:
            values |= visible_values(caller.readable)
        return Run(values, self._log.text, size.count)

    def _answer(self, plan: Plan, values: dict[str, Any], caller: Caller, size: Size) -> Steps[Any]:
        """The value of a plan's field."""
        run = self._run(caller, values, size)
        if plan.first is not None:
            run.started = plan.first.started((yield storage.Fetch(plan.first.statement, run.values, size.count)))
        if plan.end_of_log is not None:
            ((end,),) = yield from run.fetch(plan.end_of_log)
            run.position = self._log.text(end)
        return (yield from plan.root(run))


def _given_entities(build: Build, type_name: str, field: Field) -> Callable[[Run], Steps[Any]]:
    keyed = entities(build, _MODELS[type_name], type_name, field, GIVEN, build.acted_on)
    return lambda run: keyed.single(run, run.values[GIVEN])


def _unavailable(error: storage.Unavailable) -> Unavailable:
    # Why is for who runs the server, not for who asks it.
    logger.warning("the database cannot be read: %s", error)
    return Unavailable("the database cannot be read now")


def _answer(data: dict[str, Any], errors: Sequence[FieldError], others: Sequence[str]) -> Answer:
    for each in errors:
        data[each.field.key] = None
    failed = any(each.field.definition and isinstance(each.field.definition.type, GraphQLNonNull) for each in errors)
    return Answer(None if failed else data, errors, others)
