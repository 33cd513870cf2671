"""Subscriptions: each finds the group of those that want the same, or makes it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from graphql import Node as AstNode
from graphql import VariableNode, Visitor, visit

from resolvers.caller import Caller, Namespaces, Permission
from resolvers.errors import PositionExpired, Unplannable
from resolvers.query import Operation, Planner
from resolvers.query.plan import whole_number
from resolvers.query.search import search_where
from resolvers.query.where import both, issue_where
from resolvers.subscription.group import EventGroup
from resolvers.subscription.line import Item, Line, Match
from resolvers.subscription.log import Log
from resolvers.subscription.outlet import Frame, Outlet
from resolvers.subscription.predicate import image_matcher, matcher
from resolvers.subscription.stats_group import StatsGroup
from resolvers.subscription.tailer import Tailer

MAX_BATCH_EVENTS = 1_000


@dataclass(frozen=True, slots=True)
class Stream:
    """One subscription: `frames` in order; `outlet.sink` may take them directly while the reader waits."""

    outlet: Outlet
    frames: AsyncIterator[Frame]


@dataclass(slots=True)
class _Shared:
    """A group at work, and for how many."""

    group: Any
    task: asyncio.Task[None]
    members: int = field(default=0)


class Streams:
    """Opens subscriptions. At most `buffer_frames` wait for a slow reader, at most `replays` read old lines at once."""

    def __init__(
        self, planner: Planner, tailer: Tailer, log: Log, *, buffer_frames: int = 100, replays: int = 4
    ) -> None:
        self._planner = planner
        self._tailer = tailer
        self._log = log
        self._buffer_frames = buffer_frames
        self._replays = asyncio.Semaphore(replays)
        self._shared: dict[Any, _Shared] = {}

    @property
    def groups(self) -> int:
        """How many different subscriptions there are."""
        return len(self._shared)

    @asynccontextmanager
    async def open(self, operation: Operation, caller: Caller, *, after: int | None = None) -> AsyncIterator[Stream]:
        """`async with streams.open(operation, caller) as stream`; it ends with the block.

        `after` wins over the operation's own argument of that name.

        Raises BadRequest, PositionExpired, Unavailable, and GraphQLError for its arguments; so do the frames.
        """
        (root,) = operation.root_fields.values()
        arguments = root.arguments()
        if root.name == "issueStats":
            opened = self._open_stats(operation, caller, arguments)
        elif root.name == "issueEvents":
            opened = self._open_events(operation, caller, arguments, after)
        else:
            raise Unplannable(f"{root.name} cannot be subscribed to")
        async with opened as stream:
            yield stream

    @asynccontextmanager
    async def _open_events(
        self, operation: Operation, caller: Caller, arguments: Any, after: int | None
    ) -> AsyncIterator[Stream]:
        max_batch = whole_number("maxBatch", arguments["maxBatch"], 1, MAX_BATCH_EVENTS)
        if after is None and arguments.get("after") is not None:
            after = self._log.number(arguments["after"])
        namespaces = caller.namespaces(Permission.READ)
        in_where = matcher(arguments.get("where"))
        await self._tailer.catch_up()
        if after is None:
            after = self._tailer.position
        elif after > self._tailer.position:
            raise PositionExpired("This position is ahead of the log: read the list again and follow from there")

        def matches(line: Line) -> Match | None:
            return in_where(line) if line.visible_in(namespaces) else None

        async def render(items: Sequence[Item], position: int, caught_up: bool) -> str:
            return _text(await self._planner.event_batch(operation, caller, items, position, caught_up=caught_up))

        def make() -> EventGroup:
            return EventGroup(self._tailer, matches, render, buffer_frames=self._buffer_frames, replays=self._replays)

        with _Membership(self._shared, _group_key(operation, namespaces), make) as group:
            member = group.join(after, max_batch)
            try:
                yield Stream(member.outlet, group.frames(member))
            finally:
                group.leave(member)

    @asynccontextmanager
    async def _open_stats(self, operation: Operation, caller: Caller, arguments: Any) -> AsyncIterator[Stream]:
        namespaces = caller.namespaces(Permission.READ)
        in_list = image_matcher(both(issue_where(arguments.get("where")), search_where(arguments.get("search"))))
        await self._tailer.catch_up()

        def matters(line: Line) -> bool:
            return line.visible_in(namespaces) and in_list(line) is not None

        async def count() -> str:
            return _text(await self._planner.live_stats(operation, caller))

        with _Membership(
            self._shared, _group_key(operation, namespaces), lambda: StatsGroup(self._tailer, matters, count)
        ) as group:
            outlet = group.join()
            try:
                yield Stream(outlet, group.frames(outlet))
            finally:
                group.leave(outlet)


class _Membership:
    """While it is entered, the group of this key is there and runs; the last one to leave ends it."""

    def __init__(self, shared: dict[Any, _Shared], key: Any, make: Any) -> None:
        self._all, self._key, self._make = shared, key, make

    def __enter__(self) -> Any:
        shared = self._all.get(self._key)
        if shared is None or shared.task.done():
            group = self._make()
            shared = self._all[self._key] = _Shared(group, asyncio.create_task(group.run(), name="subscriptions"))
        self._joined = shared
        shared.members += 1
        return shared.group

    def __exit__(self, *_: object) -> None:
        shared = self._joined
        shared.members -= 1
        if shared.members == 0:
            shared.task.cancel()
            if self._all.get(self._key) is shared:
                del self._all[self._key]


def _text(data: dict[str, Any]) -> str:
    return orjson.dumps({"data": data}).decode()


def _group_key(operation: Operation, namespaces: Namespaces) -> Any:
    """What makes subscriptions the same: document, variables but for `after` and `maxBatch`, and what is visible."""
    own = _own_variables(operation)
    variables = {name: value for name, value in operation.variables.items() if name not in own}
    text = orjson.dumps(variables, option=orjson.OPT_SORT_KEYS)
    return operation.source, operation.name, text, namespaces


def _own_variables(operation: Operation) -> set[str]:
    """The variables that a subscription has to itself: used once, for where it begins or how much it takes."""
    (root,) = operation.root_fields.values()
    (node, *_) = (details.node for details in root.details)
    own = {
        argument.value.name.value
        for argument in node.arguments or ()
        if argument.name.value in ("after", "maxBatch") and isinstance(argument.value, VariableNode)
    }
    used = _Uses()
    for part in (operation.definition, *operation.source.fragments.values()):
        visit(part, used)
    # Twice: where it is declared, and where it is used.
    return {name for name in own if used.counted[name] == 2}


class _Uses(Visitor):
    """Counts how often each variable stands in a document."""

    def __init__(self) -> None:
        super().__init__()
        self.counted: Counter[str] = Counter()

    def enter_variable(self, node: AstNode, *_: Any) -> None:
        """One more."""
        if isinstance(node, VariableNode):
            self.counted[node.name.value] += 1
