"""RecordDelivery: items of a delivery, each with what came of it, and with the last of them the delivery's row."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson

from resolvers.caller import Caller, Permission
from resolvers.errors import Problem, UserError
from resolvers.mutation.acknowledge_scope import AcknowledgeScope
from resolvers.mutation.answers import MISMATCH, answer, name_answer
from resolvers.mutation.command import Command
from resolvers.mutation.create_issue import CreateIssue
from resolvers.mutation.fingerprint import all_parts
from resolvers.mutation.keys import Keys
from resolvers.mutation.outcome import Outcome
from resolvers.mutation.resolve_scope import ResolveScope
from resolvers.mutation.rows import DeliveryChange, DeliveryRow
from resolvers.mutation.track_issue import CloseTrackedIssue, TrackIssue
from resolvers.mutation.working_set import NotRead, WorkingSet
from resolvers.webhooks.plan import FAILED_ACTION, ItemResult, Plan, Received, outcome_of

log = logging.getLogger(__name__)

MAX_MESSAGE_LENGTH = 1_000
MAX_WORD_LENGTH = 255
MAX_NAMESPACE_LENGTH = 253
MAX_NOTICES = 20

_ACTIONS: dict[type[Command], str] = {ResolveScope: "resolved", AcknowledgeScope: "acknowledged"}


@dataclass(frozen=True, slots=True)
class Replay:
    """Which delivery is done again, where it stood when its items were looked at, and what it concerned until then."""

    id: str
    position: int
    concerned: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered(Outcome):
    """`results` of the first items, in their order: all, or as far as rows were read for. `done`: kind of command and
    what came of it, of each that was run."""

    results: tuple[ItemResult, ...] = ()
    done: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordDelivery:
    """Runs the commands of some items, one of which that fails costs no other anything.

    `results` are those of the delivery's other items, `concerns` the namespaces that it is about. With the last item of
    a delivery the row of `received` is written; a `replay` is written each time, and is refused with CONFLICT when the
    delivery was replayed meanwhile.
    """

    plans: tuple[Plan, ...]
    sender: Caller
    concerns: tuple[str, ...]
    results: tuple[ItemResult, ...] = ()
    received: Received | None = None
    replay: Replay | None = None

    @property
    def weight(self) -> int:
        """How many commands it is."""
        return max(1, len(self.plans))

    def check(self, caller: Caller) -> None:
        """Each command was checked, as an item of its own."""

    def name_keys(self, keys: Keys) -> None:
        """Those of all items."""
        for plan in self.plans:
            if plan.command is not None:
                plan.command.name_keys(keys)
                name_answer(keys, plan.command, self.sender)
                if isinstance(plan.command, ResolveScope):
                    plan.command.name_success(keys)
        if self.replay is not None:
            keys.deliveries.add(self.replay.id)

    def decide(self, found: WorkingSet, caller: Caller) -> Delivered:
        """Item after item, as far as rows were read for."""
        replay = self.replay
        if replay is not None and found.deliveries.get(replay.id) != replay.position:
            error = UserError(code="CONFLICT", field=("id",), message="the delivery was replayed meanwhile")
            return Delivered(position=found.end, errors=(error,))
        results: list[ItemResult] = []
        done: list[tuple[str, str]] = []
        for plan in self.plans:
            try:
                results.append(_carried_out(found, plan, self.sender, done))
            except NotRead:
                if not results:
                    raise
                break
        merged = _merged(self.results, results)
        if replay is not None:
            self._record_replay(found, replay, merged)
        elif self.received is not None and len(results) == len(self.plans):
            self._record(found, self.received, merged)
        return Delivered(position=found.end, results=tuple(results), done=tuple(done))

    def _record(self, found: WorkingSet, received: Received, results: Sequence[ItemResult]) -> None:
        found.record_delivery(
            DeliveryRow(
                id=received.id,
                position=0,
                webhook=received.webhook,
                version=received.version,
                outcome=outcome_of(results, refused=received.refused).value,
                received_at=received.at,
                replayed_at=None,
                delivery_key=_word(received.delivery_key),
                event=_word(received.event),
                error=_error(results, received.refused),
                namespace=_only(self.concerns),
                sender=_sender_json(self.sender),
                items=_json(results),
                request=_json(
                    [_clean_mapping(received.headers), _clean_mapping(received.query), _word(received.content_type)]
                ),
                body=received.body,
                body_bytes=received.body_bytes,
            ),
            self.concerns if len(self.concerns) > 1 else (),
        )

    def _record_replay(self, found: WorkingSet, replay: Replay, results: Sequence[ItemResult]) -> None:
        there = replay.concerned if len(replay.concerned) > 1 else ()
        new = [namespace for namespace in self.concerns if namespace not in there] if len(self.concerns) > 1 else []
        change = DeliveryChange(
            position=0,
            outcome=outcome_of(results).value,
            replayed_at=found.at,
            error=_error(results, None),
            namespace=_only(self.concerns),
            items=_json(results),
            id_key=replay.id,
        )
        found.replay_delivery(change, new)


def failed(plan: Plan, message: str) -> ItemResult:
    """An item that could not be done."""
    return result_of(plan, FAILED_ACTION, message=message)


def result_of(
    plan: Plan,
    action: str,
    *,
    message: str | None = None,
    issue_ids: tuple[str, ...] = (),
    fingerprint: tuple[tuple[str, str], ...] = (),
) -> ItemResult:
    """What came of a plan, in texts that both databases can hold."""
    return ItemResult(
        index=plan.index,
        action=action,
        rule=_word(plan.rule),
        message=None if message is None else _clean(message[:MAX_MESSAGE_LENGTH]),
        notices=tuple(_clean(notice[:MAX_MESSAGE_LENGTH]) for notice in plan.notices[:MAX_NOTICES]),
        namespace=_namespace_of(plan),
        issue_ids=issue_ids,
        fingerprint=fingerprint,
    )


def _carried_out(found: WorkingSet, plan: Plan, sender: Caller, done: list[tuple[str, str]]) -> ItemResult:
    """Raises NotRead."""
    command = plan.command
    if command is None:
        return result_of(plan, plan.action or FAILED_ACTION, message=plan.message)
    kind = type(command).__name__
    try:
        outcome = answer(found, command, sender, untold=plan.untold)
        if any(error.code == MISMATCH for error in outcome.errors):
            # The definition says something else of it by now.
            outcome = command.decide(found, sender)
    except Problem as problem:
        done.append((kind, problem.code))
        return failed(plan, problem.message)
    if outcome.errors:
        done.append((kind, "REFUSED"))
        return failed(plan, "; ".join(error.message for error in outcome.errors))
    done.append((kind, outcome.action or "DONE"))
    action = outcome.action.lower() if outcome.action else _ACTIONS.get(type(command), "recorded")
    return result_of(
        plan,
        action,
        message=outcome.message or plan.message,
        issue_ids=outcome.issue_ids,
        fingerprint=_fingerprint_of(found, command, outcome),
    )


def _fingerprint_of(found: WorkingSet, command: Command | None, outcome: Outcome) -> tuple[tuple[str, str], ...]:
    if isinstance(command, CloseTrackedIssue) or (isinstance(command, TrackIssue) and command.report is None):
        # What was answered before may name one that is gone.
        issues = [found.issues[id] for id in outcome.issue_ids if id in found.issues]
        return tuple((part["name"], part["value"]) for each in issues for part in orjson.loads(each.fingerprint_parts))
    if isinstance(command, TrackIssue):
        command = command.report
    if isinstance(command, CreateIssue):
        return tuple((part.name, part.value) for part in all_parts(command.fingerprint_parts))
    return tuple((part.name, part.value) for part in getattr(command, "fingerprint", None) or ())


def _namespace_of(plan: Plan) -> str | None:
    namespace = plan.namespace or getattr(plan.command, "namespace", None)
    return None if namespace is None else _clean(str(namespace)[:MAX_NAMESPACE_LENGTH])


def concerned(plans: Sequence[Plan], sender: Caller, *others: str) -> tuple[str, ...]:
    """The namespaces that a delivery is about: of its issues and of their scopes.

    Where an item tells of none, or of one in which its sender cannot report, that may be any in which the sender can.
    """
    named, is_open = set(others), not plans
    for plan in plans:
        namespace = _namespace_of(plan)
        of_scope = getattr(plan.command, "resource_namespace", None) or namespace
        for each in {namespace, of_scope}:
            if each is not None and sender.may(Permission.REPORT, each):
                named.add(each)
            else:
                is_open = True
    if is_open:
        named.update(reporting(sender))
    return ("*",) if "*" in named or not named else tuple(sorted(named))


def reporting(sender: Caller) -> list[str]:
    """The names and patterns where somebody may report."""
    return sorted({grant.namespace for grant in sender.grants if grant.permission is Permission.REPORT})


def _sender_json(sender: Caller) -> str:
    actor = sender.actor
    return _json([str(actor.kind), actor.id, actor.name, sender.tool, reporting(sender)])


def _merged(known: Sequence[ItemResult], new: Sequence[ItemResult]) -> list[ItemResult]:
    if not known:
        return list(new)
    by_index = {result.index: result for result in (*known, *new)}
    return [by_index[index] for index in sorted(by_index)]


def _error(results: Sequence[ItemResult], refused: str | None) -> str | None:
    if refused is not None:
        return _clean(refused[:MAX_MESSAGE_LENGTH])
    return next((result.message for result in results if result.action == FAILED_ACTION), None)


def _only(namespaces: Sequence[str]) -> str | None:
    return namespaces[0] if len(namespaces) == 1 else None


def _word(text: str | None) -> str | None:
    return None if text is None else _clean(text[:MAX_WORD_LENGTH])


def _clean_mapping(texts: Mapping[str, str]) -> dict[str, str]:
    return {_clean(name): _clean(value) for name, value in texts.items()}


def _clean(text: str) -> str:
    """Without what a database has no place for."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
