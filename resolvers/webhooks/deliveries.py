"""What senders delivered: carried out and kept, an item at a time."""

import logging
import secrets
from collections.abc import Sequence
from typing import Protocol, cast

from models.database import Refused
from resolvers.caller import Caller
from resolvers.errors import Forbidden, Overloaded, Unavailable
from resolvers.mutation.command import Command
from resolvers.mutation.outcome import Outcome
from resolvers.mutation.record_delivery import Delivered, RecordDelivery, Replay, concerned, failed, result_of
from resolvers.webhooks.plan import ItemResult, Plan, Received

log = logging.getLogger(__name__)

# Of one commit: more would hold up the commands of others.
MAX_ITEMS_AT_ONCE = 128
# What an item holds in memory beside the body, about.
ITEM_BYTES = 500


class Submits(Protocol):
    """What of resolvers.mutation.Writer is needed here."""

    async def submit(self, command: Command, caller: Caller, *, body_bytes: int | None = None) -> Outcome:
        """See resolvers.mutation.Writer."""
        ...


class ReplayedMeanwhile(Exception):
    """The delivery is not as it was when its items were looked at."""


class Deliveries:
    """Carries out deliveries through the writer."""

    def __init__(self, writer: Submits) -> None:
        self._writer = writer

    async def carry_out(self, received: Received, plans: Sequence[Plan], caller: Caller) -> list[ItemResult]:
        """Does what each item is to become, and keeps the delivery: in one commit, where the items are few.

        An item that cannot be done has failed, and no other with it. Raises Overloaded and Unavailable; then the
        delivery is not kept, though items may be done. Sent again, those are told by their keys and runs.
        """
        return await self._run(plans, caller, concerned(plans, caller), received=received)

    async def carry_out_again(
        self, replay: Replay, plans: Sequence[Plan], caller: Caller, others: Sequence[ItemResult]
    ) -> list[ItemResult]:
        """Does what some items of a delivery that is kept are to become now; `others` are the results of all before.

        Raises ReplayedMeanwhile, Overloaded and Unavailable.
        """
        # What it once concerned it concerns for good: its body does. What is not done adds nothing.
        todo, _ = _checked(plans, caller)
        concerns = concerned(todo, caller, *replay.concerned) if todo else replay.concerned
        return await self._run(plans, caller, concerns, replay=replay, known=others)

    async def _run(
        self,
        plans: Sequence[Plan],
        caller: Caller,
        concerns: tuple[str, ...],
        *,
        received: Received | None = None,
        replay: Replay | None = None,
        known: Sequence[ItemResult] = (),
    ) -> list[ItemResult]:
        todo, results = _checked(plans, caller)
        by_index = {result.index: result for result in (*known, *results)}
        size = (received.body_bytes if received else 0) + ITEM_BYTES
        at_once = MAX_ITEMS_AT_ONCE
        is_kept = False
        while todo or not is_kept:
            piece = todo[:at_once]
            is_last = len(piece) == len(todo)
            command = RecordDelivery(
                plans=tuple(piece),
                sender=caller,
                concerns=concerns,
                results=tuple(by_index.values()) if is_last or replay else (),
                received=received if is_last else None,
                replay=replay,
            )
            try:
                outcome = await self._writer.submit(command, caller, body_bytes=size + ITEM_BYTES * len(piece))
            except (Overloaded, Unavailable):
                raise
            except Exception as error:
                if not piece:
                    raise
                if len(piece) > 1:
                    # One of them is refused.
                    at_once = len(piece) // 2
                    continue
                result = failed(piece[0], _why(error))
                by_index[result.index] = result
                todo = todo[1:]
                at_once = MAX_ITEMS_AT_ONCE
                continue
            delivered = cast(Delivered, outcome)
            if delivered.errors:
                raise ReplayedMeanwhile
            by_index.update((result.index, result) for result in delivered.results)
            todo = todo[len(delivered.results) :]
            is_kept = is_last and not todo
            if replay:
                replay = Replay(replay.id, delivered.position, concerns)
        return [by_index[index] for index in sorted(by_index)]


def _checked(plans: Sequence[Plan], caller: Caller) -> tuple[list[Plan], list[ItemResult]]:
    """Those that are left to do, and what came of the others."""
    todo: list[Plan] = []
    results: list[ItemResult] = []
    for plan in plans:
        if plan.command is None:
            results.append(result_of(plan, plan.action or "failed", message=plan.message))
            continue
        try:
            plan.command.check(caller)
        except Forbidden as refused:
            results.append(failed(plan, refused.message))
        else:
            todo.append(plan)
    return todo, results


def _why(error: Exception) -> str:
    if isinstance(error, Refused):
        return "the database has no place for it"
    id = secrets.token_hex(8)
    log.error("error %s", id, exc_info=error)
    return f"internal error {id}"
