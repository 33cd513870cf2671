"""Samples tried: whether what comes of each is what its definition says."""

from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

from models.values import parse_time
from resolvers.caller import Actor, ActorKind, Caller, everywhere
from resolvers.mutation import CreateIssue, Outcome, ResolveScope
from resolvers.mutation.command import Command
from resolvers.webhooks.plan import Plan
from webhooks.definition import PREFIX, Definition, SingleDefinition, Webhook
from webhooks.definition.samples import Expected, Sample
from webhooks.evaluate import Evaluation, Places, Sent
from webhooks.outline import fields_of, kind_of
from webhooks.payload import Unreadable, read_payload
from webhooks.receive import DEFAULT_LOGS_URL, Receiver
from webhooks.translate import Unfit

T = TypeVar("T")
# Where samples are without a namespace of their own.
NAMESPACE = "team"
_TIMES = ("detectedAt", "at")
_WORDS = {"ignored": "ignore", "failed": "fail", "unmatched": "nothing"}
_CALLER = everywhere(Actor(ActorKind.SYSTEM, "samples", "samples"))


@dataclass(frozen=True, slots=True)
class SampleRun:
    """What came of a sample, and in how far that is not what was expected."""

    sample: Sample
    plans: tuple[Plan, ...]
    differences: tuple[str, ...]


def run_sample(definition: SingleDefinition, sample: Sample) -> SampleRun:
    """Tries one."""
    try:
        body = read_payload(sample.content_type, sample.body)
    except Unreadable as error:
        return SampleRun(sample, (), (str(error),))
    sent = Sent(
        headers={name: value for name, value in sample.headers.items() if name not in definition.secret_headers},
        query={name: value for name, value in sample.query.items() if name not in definition.secret_parameters},
        body=body,
        path=PREFIX + definition.name,
        settings={"logsUrl": DEFAULT_LOGS_URL},
    )
    evaluation = Evaluation(definition, sent, Places(_CALLER, sample.query, fallback=NAMESPACE))
    try:
        plans = tuple(evaluation.plan(index, item) for index, item in enumerate(evaluation.items()))
    except Unfit as error:
        plans = (Plan(index=0, action="failed", message=str(error)),)
    return SampleRun(sample, plans, tuple(_differences(sample.expect, plans)))


def run_listed_sample(definition: Definition, webhook: Webhook, sample: Sample) -> SampleRun:
    """The same of a path: what is answered 400 has failed."""
    writer = _Remembering()
    receiver = Receiver([definition], writer, _shown)
    query = dict(sample.query)
    if b'"namespace"' not in sample.body:
        query.setdefault("namespace", NAMESPACE)
    scope = {
        "type": "http",
        "caller": _CALLER,
        "query_string": urlencode(query).encode(),
        "headers": [(name.encode(), value.encode()) for name, value in sample.headers.items()],
    }
    answer = _now(receiver.deliver(scope, sample.body, receiver.routes[webhook.path]))
    told = answer.body.get("details") or answer.body.get("error") or answer.body.get("info")
    action = None if writer.command else "failed" if answer.status >= 400 else "ignored"
    notices = tuple(answer.body.get("notices", ()))
    plan = Plan(index=0, command=writer.command, action=action, message=told, notices=notices)
    return SampleRun(sample, (plan,), tuple(_differences(sample.expect, (plan,))))


class _Remembering:
    """A writer that does nothing."""

    def __init__(self) -> None:
        self.command: Command | None = None

    async def submit(
        self, command: CreateIssue | ResolveScope, caller: Caller, *, body_bytes: int | None = None
    ) -> Outcome:
        self.command = command
        return Outcome(position=1, issue_ids=("sample",), action="CREATED", count=1)


async def _shown(id: str, caller: Caller, left: object) -> Mapping[str, Any]:
    return {"id": id}


def _now(work: Coroutine[Any, Any, T]) -> T:
    """What comes of work that never waits."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
    work.close()
    raise RuntimeError("a sample waits for nothing")


def action_of(plan: Plan) -> str:
    """The word for it in samples."""
    if plan.command is not None:
        return kind_of(plan.command)
    return _WORDS[plan.action or "failed"]


def _differences(expected: tuple[Expected, ...], plans: tuple[Plan, ...]) -> list[str]:
    if len(expected) != len(plans):
        return [f"has {len(plans)} items, not {len(expected)}"]
    found: list[str] = []
    for one, plan in zip(expected, plans, strict=True):
        at = f"item {plan.index}: " if len(plans) > 1 else ""
        found += [at + each for each in _of_one(one, plan)]
    return found


def _of_one(expected: Expected, plan: Plan) -> list[str]:
    action = action_of(plan)
    if action != expected.action:
        why = f" ({plan.message})" if plan.message else "".join(f" ({notice})" for notice in plan.notices)
        return [f"is {action}{why}, not {expected.action}"]
    found = []
    if expected.rule is not None and plan.rule != expected.rule:
        found.append(f"matched {plan.rule!r}, not {expected.rule!r}")
    if expected.text and expected.text not in (plan.message or ""):
        found.append(f"says {plan.message!r}, not {expected.text!r}")
    if plan.command is not None:
        fields = fields_of(plan.command)
        for name, value in expected.fields.items():
            if not _is_same(name, value, fields.get(name)):
                found.append(f"{name} is {fields.get(name)!r}, not {value!r}")
    return found


def _is_same(name: str, expected: Any, found: Any) -> bool:
    if name == "scope" and isinstance(expected, Mapping) and isinstance(found, Mapping):
        return all(found.get(key) == str(value) for key, value in expected.items())
    if name == "labels" and isinstance(expected, Mapping) and isinstance(found, list):
        return _gathered(found) == {key: _texts(value) for key, value in expected.items()}
    if name == "links" and isinstance(expected, Mapping) and isinstance(found, list):
        return bool({link["title"]: link["url"] for link in found} == expected)
    if name == "fingerprint" and isinstance(expected, Mapping):
        return bool({key: str(value) for key, value in expected.items()} == found)
    if name in _TIMES and isinstance(expected, str):
        try:
            expected = parse_time(expected)
        except ValueError:
            return False
    if isinstance(expected, int | float) and not isinstance(expected, bool) and isinstance(found, str):
        return str(expected) == found
    return bool(expected == found)


def _gathered(labels: list[dict[str, str]]) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for label in labels:
        values.setdefault(label["name"], []).append(label["value"])
    return values


def _texts(value: Any) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]
