"""Plans of operations: made once for variables of the same skeleton, and kept."""

# Annotations of inner functions would be made anew in every run.
from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError
from graphql import Node as AstNode
from graphql.execution.values import VariableValues

from models.places import Places
from resolvers.caller import Caller
from resolvers.charge import Meter
from resolvers.errors import Problem, Unplannable
from resolvers.query.document import BYTES_A_CHARACTER_READ, Operation
from resolvers.query.fields import SPECIAL
from resolvers.query.kept import Kept
from resolvers.query.keys import acts_everywhere, operation_key, reads_everywhere, search_shape
from resolvers.query.plan import Asked, BoundValues, Build, First, Setting
from resolvers.query.roots import QUERY_ROOTS, Root
from resolvers.query.selection import Field

# Of all plans, and of the documents whose nodes they hold.
MAX_BYTES_KEPT = 48_000_000
# While an operation is planned, others have their turns as often.
UNBROKEN_SECONDS = 0.005


@dataclass(frozen=True, slots=True)
class FieldError:
    """Why a root field is null."""

    field: Field
    error: Exception


@dataclass(frozen=True, slots=True)
class Plan:
    """How one field is answered: `first` is asked before all else, `statements` is how many there are in all.

    They take about so many `bytes` of memory.
    """

    field: Field
    root: Any
    constants: Mapping[str, Any]
    binders: Sequence[BoundValues]
    first: First | None
    end_of_log: Asked | None
    statements: int
    bytes: int
    # How often a value of a row may stand in the answer, but where one row stands for many.
    copies: int
    shares: bool

    def values(self, variables: VariableValues) -> dict[str, Any]:
        """What a run with these variables binds. Raises GraphQLError and BadRequest."""
        values = dict(self.constants)
        for bound in self.binders:
            values.update(bound(variables))
        return values


@dataclass(frozen=True, slots=True)
class Plans:
    """The plans of one operation's planned fields, and the keys of the others.

    `holds` are the nodes whose identities are in the key under which they are kept.
    """

    planned: Sequence[Plan]
    others: Sequence[str]
    holds: Sequence[AstNode]
    # Of the document: the keys of an object have no more.
    characters: int


class KeptPlans:
    """At most `most` of them. What takes long to plan is charged by `meter`."""

    def __init__(self, setting: Setting, most: int, meter: Meter) -> None:
        self.kept: Kept[Plans] = Kept(most, MAX_BYTES_KEPT)
        # How many fields could not be planned, since the start.
        self.unplannable = 0
        self._setting = setting
        self._meter = meter
        self._turn = Places(1)

    async def of(self, operation: Operation, caller: Caller) -> tuple[Plans, list[FieldError]]:
        """The plans of an operation's root fields, and why some have none."""
        key = operation_key(operation, caller)
        if operation.source.may_search:
            # The words of a search decide how a statement is shaped.
            try:
                key = (*key, *map(search_shape, operation.root_fields.values()))
            except (Problem, GraphQLError):
                # One of the plans will not be made for the same reason.
                key = None
        plans = None if key is None else self.kept.get(key)
        if plans is not None:
            return plans, []
        await self._turn.take(caller.line)
        try:
            return await self._make(operation, caller, key)
        finally:
            # However many wait, everything else has its turn between them.
            asyncio.get_running_loop().call_soon(self._turn.give_back, caller.line)

    async def _make(self, operation: Operation, caller: Caller, key: Any) -> tuple[Plans, list[FieldError]]:
        if key is not None and key in self.kept and (plans := self.kept.get(key)):
            # Somebody else wanted the same.
            return plans, []
        planned, errors, others = [], [], []
        taken = unbroken = 0.0
        try:
            for field in operation.root_fields.values():
                if field.name not in QUERY_ROOTS:
                    others.append(field.key)
                    continue
                if unbroken > UNBROKEN_SECONDS:
                    unbroken = 0.0
                    await asyncio.sleep(0)
                begun = time.monotonic()
                try:
                    planned.append(self._make_plan(field, caller, _root_of(field)))
                except (Problem, GraphQLError) as error:
                    errors.append(FieldError(field, error))
                seconds = time.monotonic() - begun
                taken += seconds
                unbroken += seconds
        finally:
            # Also where the client went away meanwhile.
            self._meter.took(caller.line, taken)
        plans = Plans(planned, others, (operation.document,), characters_of(operation.document))
        if not errors:
            self._keep(key, plans)
        return plans, errors

    def one(
        self, key: Any, holds: Sequence[AstNode], caller: Caller, field: Field, make: Callable[[Build], Any]
    ) -> Plan:
        """The plan that `make` makes of a field, kept under `key`. Raises Problem and GraphQLError.

        `holds` are the nodes whose identities are in the key.
        """
        plans = self.kept.get(key)
        if plans is None:
            plans = Plans((self._make_plan(field, caller, make),), (), holds, characters_of(holds[0]))
            self._keep(key, plans)
        return plans.planned[0]

    def _make_plan(self, field: Field, caller: Caller, make: Callable[[Build], Any]) -> Plan:
        build = Build(self._setting, SPECIAL, reads_everywhere(caller), acts_everywhere(caller))
        try:
            root = make(build)
        except Unplannable:
            self.unplannable += 1
            raise
        first = build.first_statement()
        return Plan(
            field,
            root,
            build.constants,
            tuple(build.binders),
            first,
            build.end_of_log,
            build.statements,
            build.bytes,
            field.copies(),
            build.shares,
        )

    def _keep(self, key: Any, plans: Plans) -> None:
        statements = sum(plan.bytes for plan in plans.planned)
        self.kept.put(key, plans, plans.characters * BYTES_A_CHARACTER_READ + statements)


def characters_of(node: AstNode) -> int:
    """Of the text that a node was read from, all of which it keeps in memory."""
    return len(node.loc.source.body) if node.loc else 0


def _root_of(field: Field) -> Callable[[Build], Root]:
    return lambda build: QUERY_ROOTS[field.name](build, field)
