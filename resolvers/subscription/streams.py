"""Subscriptions: each finds the group of those that want the same, or makes it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import Node as AstNode
from graphql import VariableNode, Visitor, visit

from resolvers.caller import Caller, Namespaces, Permission
from resolvers.charge import Free, Meter
from resolvers.errors import BadRequest, Forbidden, Overloaded, PositionExpired, Unavailable, Unplannable
from resolvers.query import Operation, Planner
from resolvers.query.plan import whole_number
from resolvers.query.search import search_where
from resolvers.query.where import both, issue_where
from resolvers.subscription.delivery_feed import DeliveryFeed
from resolvers.subscription.group import LIVE_BATCH_EVENTS, EventGroup, Matcher, Render, Source
from resolvers.subscription.line import Item, Line, Match
from resolvers.subscription.log import Log
from resolvers.subscription.matching import Matching, Payers
from resolvers.subscription.outlet import Frame, Frames, Outlet
from resolvers.subscription.predicate import image_matcher, matcher
from resolvers.subscription.stats_group import StatsGroup
from resolvers.subscription.tailer import Tailer
from resolvers.webhooks.history import KeptDelivery

MAX_BATCH_EVENTS = 1_000
MAX_PAUSE_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Stream:
    """One subscription: `frames` in order; `outlet.sink` may take them directly while the reader waits."""

    outlet: Outlet
    frames: AsyncIterator[Frame]


@dataclass(slots=True)
class _Shared:
    """A group at work, and for how many."""

    key: Any
    group: Any
    task: asyncio.Task[None]
    payers: Payers
    members: int = 0


@dataclass(slots=True)
class _Joined:
    """A member of a group, or its outlet, and the group."""

    stream: Stream
    shared: _Shared
    member: Any
    line: str


class Streams:
    """Opens subscriptions. At most `buffer_frames` wait for a slow reader, and `most_buffered` bytes for all of them;
    at most `replays` read old lines at once.

    One caller has at most `most_of_one_caller` different ones, and pays by `meter` for each batch and count of its own.
    """

    def __init__(
        self,
        planner: Planner,
        tailer: Tailer,
        log: Log,
        deliveries: DeliveryFeed,
        *,
        buffer_frames: int = 100,
        most_buffered: int = 64_000_000,
        replays: int = 4,
        most_of_one_caller: int = 200,
        meter: Meter | None = None,
    ) -> None:
        self._planner = planner
        self._tailer = tailer
        self._log = log
        self._deliveries = deliveries
        self._buffer_frames = buffer_frames
        self._replays = asyncio.Semaphore(replays)
        self._shared: dict[Any, _Shared] = {}
        self._matching = Matching()
        self.frames = Frames(most_buffered)
        self._most_of_one_caller = most_of_one_caller
        self._meter = meter or Free()
        # How many groups each line has members in.
        self._groups_of: Counter[str] = Counter()

    @property
    def groups(self) -> int:
        """How many different subscriptions there are."""
        return len(self._shared)

    @property
    def subscribers(self) -> int:
        """How many subscriptions are open."""
        return sum(shared.members for shared in self._shared.values())

    async def finish(self) -> None:
        """Ends every stream with Stopping, those of events once they have brought everything that there is by now."""
        with suppress(Unavailable):
            await self._tailer.catch_up()
        shared = [*self._shared.values()]
        for each in shared:
            each.task.cancel()
        await asyncio.gather(*(each.task for each in shared), return_exceptions=True)
        await asyncio.gather(*(each.group.finish() for each in shared), return_exceptions=True)

    def open(self, operation: Operation, caller: Caller, *, after: int | None = None) -> "Opened":
        """`async with streams.open(operation, caller) as stream`; it ends with the block.

        `after` wins over the operation's own argument of that name.

        Raises BadRequest, PositionExpired, Overloaded, Unavailable, and GraphQLError for its arguments; so do the
        frames.
        """
        (root,) = operation.root_fields.values()
        if root.name == "issueStats":
            return Opened(self, self._join_stats(operation, caller, root.arguments()))
        if root.name == "issueEvents":
            return Opened(self, self._join_events(operation, caller, root.arguments(), after))
        if root.name == "deliveryEvents":
            return Opened(self, self._join_deliveries(operation, caller, root.arguments(), after))
        raise Unplannable(f"{root.name} cannot be subscribed to")

    def leave(self, joined: _Joined) -> None:
        """One member less; a group ends with its last one."""
        shared = joined.shared
        shared.group.leave(joined.member)
        shared.members -= 1
        shared.payers.leave(joined.line)
        if joined.line not in shared.payers:
            self._groups_of[joined.line] -= 1
            if not self._groups_of[joined.line]:
                del self._groups_of[joined.line]
        if shared.members == 0:
            shared.task.cancel()
            if self._shared.get(shared.key) is shared:
                del self._shared[shared.key]

    async def _join_events(self, operation: Operation, caller: Caller, arguments: Any, after: int | None) -> _Joined:
        max_batch = whole_number("maxBatch", arguments["maxBatch"], 1, MAX_BATCH_EVENTS)
        pause: float = arguments["pause"]
        if not 0 <= pause <= MAX_PAUSE_SECONDS:
            raise BadRequest(f"pause must be between 0 and {MAX_PAUSE_SECONDS}")
        namespaces = caller.namespaces(Permission.READ)
        after = await self._begin(arguments, after)

        def make(payers: Payers) -> EventGroup:
            in_where = matcher(arguments.get("where"))

            def matches(line: Line) -> Match | None:
                return in_where(line) if line.visible_in(namespaces) else None

            async def render(items: Sequence[Item], position: int, caught_up: bool) -> bytes:
                who = payers.first
                batch = await self._planner.event_batch(operation, who, items, position, caught_up=caught_up)
                if items:
                    payers.owe(operation.cost)
                return _json(batch)

            return self._event_group(self._tailer, matches, render, payers, pause)

        shared = self._group(_group_key(operation, namespaces), caller, make)
        member = shared.group.join(after, max_batch)
        return _Joined(Stream(member.outlet, shared.group.frames(member)), shared, member, caller.line)

    async def _join_deliveries(
        self, operation: Operation, caller: Caller, arguments: Any, after: int | None
    ) -> _Joined:
        if not caller.may_somewhere(Permission.MANAGE):
            raise Forbidden("MANAGE is needed")
        after = await self._begin(arguments, after)

        def make(payers: Payers) -> EventGroup:
            async def render(items: Sequence[tuple[KeptDelivery, int]], position: int, caught_up: bool) -> bytes:
                found = [delivery for delivery, _ in items]
                batch = await self._deliveries.render(operation, payers.first, found, position)
                if items:
                    payers.owe(operation.cost)
                return orjson.dumps(batch)

            tail = self._deliveries.tail(self._tailer, lambda: payers.first, arguments)
            return self._event_group(tail, lambda found: found, render, payers)

        # What is below a delivery goes by all that the caller may do.
        key = (*_group_key(operation, caller.namespaces(Permission.MANAGE)), caller.grants)
        shared = self._group(key, caller, make)
        member = shared.group.join(after, LIVE_BATCH_EVENTS)
        return _Joined(Stream(member.outlet, shared.group.frames(member)), shared, member, caller.line)

    def _event_group(
        self, source: Source, matches: Matcher, render: Render, payers: Payers, pause: float = 0
    ) -> EventGroup:
        return EventGroup(
            source,
            matches,
            render,
            matching=self._matching,
            payers=payers,
            frames=self.frames,
            buffer_frames=self._buffer_frames,
            replays=self._replays,
            pause=pause,
        )

    async def _begin(self, arguments: Any, after: int | None) -> int:
        """Where a subscription begins. Raises BadRequest, PositionExpired and Unavailable."""
        if after is None and arguments.get("after") is not None:
            after = self._log.number(arguments["after"])
        await self._tailer.catch_up()
        if after is None:
            return self._tailer.position
        if after > self._tailer.position:
            raise PositionExpired("This position is ahead of the log: read the list again and follow from there")
        if after < self._tailer.resume_from:
            raise PositionExpired("This position is too old to go on from: read the list again and follow from there")
        return after

    async def _join_stats(self, operation: Operation, caller: Caller, arguments: Any) -> _Joined:
        namespaces = caller.namespaces(Permission.READ)
        await self._tailer.catch_up()

        def make(payers: Payers) -> StatsGroup:
            in_list = image_matcher(both(issue_where(arguments.get("where")), search_where(arguments.get("search"))))

            def matters(line: Line) -> bool:
                return line.visible_in(namespaces) and in_list(line) is not None

            async def count() -> bytes:
                counted = await self._planner.live_stats(operation, payers.first)
                payers.owe(operation.cost)
                return _json(counted)

            return StatsGroup(self._tailer, matters, count, matching=self._matching, payers=payers, frames=self.frames)

        shared = self._group(_group_key(operation, namespaces), caller, make)
        outlet = shared.group.join()
        return _Joined(Stream(outlet, shared.group.frames(outlet)), shared, outlet, caller.line)

    def _group(self, key: Any, caller: Caller, make: Callable[[Payers], Any]) -> _Shared:
        """The group of this key, with one member more; `make` is called when there is none that runs.

        Raises Overloaded.
        """
        shared = self._shared.get(key)
        if shared is not None and shared.task.done():
            shared = None
        is_new = shared is None or caller.line not in shared.payers
        if is_new and self._groups_of[caller.line] >= self._most_of_one_caller:
            raise Overloaded(
                f"At most {self._most_of_one_caller} different subscriptions of one caller are open at once"
            )
        if shared is None:
            payers = Payers(self._meter, caller)
            group = make(payers)
            task = asyncio.create_task(group.run(), name="subscriptions")
            shared = self._shared[key] = _Shared(key, group, task, payers)
        if is_new:
            self._groups_of[caller.line] += 1
        shared.payers.join(caller)
        shared.members += 1
        return shared


class Opened:
    """A subscription while it is entered. Of what it was opened with it keeps nothing."""

    __slots__ = ("_joined", "_joining", "_streams")

    def __init__(self, streams: Streams, joining: Coroutine[Any, Any, _Joined]) -> None:
        self._streams = streams
        self._joining = joining

    async def __aenter__(self) -> Stream:
        self._joined = await self._joining
        del self._joining
        return self._joined.stream

    async def __aexit__(self, *_: object) -> None:
        self._streams.leave(self._joined)


def _json(data: dict[str, Any]) -> bytes:
    return orjson.dumps({"data": data})


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
