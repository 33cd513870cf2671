"""What failed, or met no rule, is done again by today's definition; what was done stays as it is."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from resolvers.access.pages import PageArguments, check_cursor, cursor_of
from resolvers.caller import Caller, Permission
from resolvers.errors import BadRequest, Invalid, UserError
from resolvers.mutation.record_delivery import Replay
from resolvers.turns import mapped
from resolvers.webhooks.deliveries import Deliveries, ReplayedMeanwhile
from resolvers.webhooks.engine import Engine, NoSuchWebhook, UnreadableBody
from resolvers.webhooks.history import DeliveryWhere, History, KeptDelivery, results_of
from resolvers.webhooks.plan import HANDLED_ACTIONS, DeliveryOutcome, Plan
from resolvers.webhooks.registry import Registry
from resolvers.webhooks.store import Webhooks

MAX_AT_ONCE = 1_000
DEFAULT_AT_ONCE = 100
_PAGE = 50
_TRIES = 3
# What there is to do again, where nobody says what.
OPEN_OUTCOMES = (DeliveryOutcome.UNMATCHED.value, DeliveryOutcome.PARTLY_FAILED.value, DeliveryOutcome.FAILED.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """How many deliveries were done again, and how many of them are wholly handled now; `skipped` have nothing left to
    be done by. What another replay did meanwhile is that one's; what stays open, each may have done. `end` is the
    cursor of the last that was looked at, or where it began; `has_more`: there are newer ones.
    """

    replayed: int
    handled: int
    skipped: int
    end: str | None
    has_more: bool


class Replays:
    """Does deliveries again. Every method raises Overloaded and Unavailable; what was done until then is done.

    `outcomes` counts by webhook and what a delivery was then.
    """

    def __init__(
        self, deliveries: Deliveries, history: History, registry: Registry, engine: Engine, webhooks: Webhooks
    ) -> None:
        self._deliveries = deliveries
        self._history = history
        self._registry = registry
        self._engine = engine
        self._webhooks = webhooks
        self.outcomes: Counter[tuple[str, str]] = Counter()

    async def one(self, id: str, caller: Caller) -> KeptDelivery:
        """The delivery as it is then.

        Raises Invalid for one that is not there or not for the caller, or whose body is not kept or cannot be read.
        """
        delivery = await self._history.one(id, caller)
        if delivery is None:
            raise _refusal("NOT_FOUND", "there is no such delivery")
        await self._webhooks.note_replay(caller, delivery.webhook, delivery.namespaces, {"delivery": delivery.id})
        return (await self._again(delivery, caller))[0]

    async def all_of(
        self, where: DeliveryWhere, caller: Caller, *, first: int = DEFAULT_AT_ONCE, after: str | None = None
    ) -> Replayed:
        """Those that `where` lets through, by default all that is open, the oldest first, from a cursor on.

        `first` of them are done again at most, and MAX_AT_ONCE are looked at. Raises BadRequest.
        """
        if not 1 <= first <= MAX_AT_ONCE:
            raise BadRequest(f"first must be between 1 and {MAX_AT_ONCE:,}")
        if after is not None:
            check_cursor("after", after)
        if where.outcomes is None:
            where = replace(where, outcomes=OPEN_OUTCOMES)
        await self._webhooks.note_replay(caller, where.webhook or "", ("*",), {"first": first, **where.values})
        replayed = handled = skipped = looked_at = 0
        end, has_more = after, True
        while has_more and (size := min(_PAGE, first - replayed, MAX_AT_ONCE - looked_at)):
            # What is before in a list of the newest first came after.
            page = await self._history.page(caller, where, PageArguments(last=size, before=end))
            for delivery in reversed(page.rows):
                looked_at += 1
                try:
                    done, is_ours = await self._again(delivery, caller)
                except Invalid:
                    skipped += 1
                else:
                    replayed += is_ours
                    handled += is_ours and done.outcome is DeliveryOutcome.HANDLED
                end = cursor_of(delivery.id)
            has_more = page.has_previous
        return Replayed(replayed=replayed, handled=handled, skipped=skipped, end=end, has_more=has_more)

    async def _again(self, delivery: KeptDelivery, caller: Caller) -> tuple[KeptDelivery, bool]:
        """The delivery as it is then, and whether it was done here: others may have left nothing. Raises Invalid."""
        is_ours = False
        for _ in range(_TRIES):
            try:
                is_ours = await self._try(delivery, caller)
            except ReplayedMeanwhile:
                pass
            else:
                break
            found = await self._history.one(delivery.id, caller)
            if found is None:
                break
            delivery = found
        found = await self._history.one(delivery.id, caller)
        if found is None:
            raise _refusal("NOT_FOUND", "the delivery is no longer kept")
        if is_ours:
            self.outcomes[found.webhook, found.outcome.value] += 1
        return found, is_ours

    async def _try(self, delivery: KeptDelivery, caller: Caller) -> bool:
        """Whether there was anything to do. Raises Invalid and ReplayedMeanwhile."""
        received = await self._history.received(delivery)
        if received is None or received.body is None:
            raise _refusal("INVALID", "the body of the delivery is not kept, or no longer")
        try:
            plans = await self._engine.plans(replace(received, refused=None), delivery.sender)
        except NoSuchWebhook:
            raise _refusal("INVALID", f"there is no webhook {delivery.webhook}, or no longer") from None
        except UnreadableBody as error:
            raise _refusal("INVALID", str(error)) from None
        results = await results_of(await self._history.items(delivery.id))
        done = {result.index for result in results if result.action in HANDLED_ACTIONS}
        left = [plan for plan in plans if plan.index not in done]
        todo = await mapped(lambda plan: self._allowed(plan, delivery, caller), left)
        # What was not done, and is no item by now, is no failure either.
        known = [result for result in results if result.index in done or result.index < len(plans)]
        if not todo and len(known) == len(results):
            return False
        replay = Replay(delivery.id, delivery.position, delivery.namespaces)
        await self._deliveries.carry_out_again(replay, todo, delivery.sender, known)
        return True

    def _allowed(self, plan: Plan, delivery: KeptDelivery, caller: Caller) -> Plan:
        """The plan, or a failed one where it leads out of what its owner or the caller has a say in."""
        if plan.command is None:
            return plan
        stored = self._registry.find(delivery.webhook)
        for namespace in _namespaces_of(plan):
            if stored is not None and not stored.sender.may(Permission.REPORT, namespace):
                message = f"{namespace} is no namespace of the webhook"
                return replace(plan, command=None, action="failed", message=message)
            if not caller.may(Permission.MANAGE, namespace):
                message = f"no permission to manage in namespace {namespace}"
                return replace(plan, command=None, action="failed", message=message)
        return plan


def _namespaces_of(plan: Plan) -> Sequence[str]:
    named = (
        plan.namespace,
        getattr(plan.command, "namespace", None),
        getattr(plan.command, "resource_namespace", None),
    )
    return [namespace for namespace in named if namespace]


def _refusal(code: str, message: str) -> Invalid:
    return Invalid([UserError(code=code, field=("id",), message=message)])
