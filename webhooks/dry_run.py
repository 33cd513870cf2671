"""What a definition would make of a delivery, with every reason: nothing is done, and nothing is kept."""

from typing import Any

import orjson

from resolvers.caller import Caller
from resolvers.webhooks.engine import DryItem, DryRun, Evaluated, TriedRule
from resolvers.webhooks.plan import Plan
from webhooks.definition import SingleDefinition
from webhooks.evaluate import Evaluation, Places, Sent
from webhooks.expressions import Traced
from webhooks.functions import text_of
from webhooks.outline import fields_of, fingerprint_of_report
from webhooks.translate import Unfit

# Of one answer: of more items it is said how many there are.
MAX_ITEMS = 100
MAX_VALUE = 1_000


def dry_run(definition: SingleDefinition, sent: Sent, caller: Caller) -> DryRun:
    """Raises nothing."""
    trace: list[Traced] = []
    evaluation = Evaluation(definition, sent, Places(caller, sent.query), trace=trace)
    event, key = evaluation.event or None, evaluation.delivery_key
    notices = list(evaluation.notices)
    try:
        items = evaluation.items()
    except Unfit as error:
        failed = DryItem(plan=Plan(index=0, action="failed", message=str(error)), values=_values(trace))
        return DryRun(items=(failed,), notices=tuple(notices), event=event, delivery_key=key)
    if len(items) > MAX_ITEMS:
        notices.append(f"of {len(items):,} items, the first {MAX_ITEMS} are tried")
    tried = []
    for index, item in enumerate(items[:MAX_ITEMS]):
        trace.clear()
        tried.append(_item(definition, evaluation.plan(index, item), trace))
    return DryRun(items=tuple(tried), notices=tuple(notices), event=event, delivery_key=key)


def _item(definition: SingleDefinition, plan: Plan, trace: list[Traced]) -> DryItem:
    fingerprint = fingerprint_of_report(plan.command) if plan.command else None
    return DryItem(
        plan=plan,
        rules=_rules(definition, plan, trace),
        values=_values(traced for traced in trace if not _rule_of(traced)),
        fields=fields_of(plan.command) if plan.command else {},
        fingerprint=tuple((part["name"], part["value"]) for part in orjson.loads(fingerprint.parts))
        if fingerprint
        else (),
        fingerprint_key=fingerprint.key if fingerprint else None,
    )


def _rules(definition: SingleDefinition, plan: Plan, trace: list[Traced]) -> tuple[TriedRule, ...]:
    """Those that were looked at, up to the one that matched."""
    tried: list[TriedRule] = []
    for number, rule in enumerate(definition.rules):
        values = [traced for traced in trace if _rule_of(traced) == f"rules[{number}]"]
        matched = rule.name == plan.rule and all(
            traced.failure is None and traced.value is True for traced in values if traced.expression is rule.when
        )
        message = None if matched else _why_not(values)
        tried.append(TriedRule(name=rule.name, matched=matched, message=message, values=_values(values)))
        if matched:
            break
    return tuple(tried)


def _why_not(values: list[Traced]) -> str:
    if not values:
        return "was not looked at"
    last = values[-1]
    if last.failure is not None:
        return f"`when` cannot be told: {last.failure}"
    return f"`when` gives {_short(last.value)}"


def _rule_of(traced: Traced) -> str | None:
    place = traced.expression.place
    return place[: place.index("]") + 1] if place.startswith("rules[") else None


def _values(trace: Any) -> tuple[Evaluated, ...]:
    """Each once."""
    found: dict[tuple[str, str], Evaluated] = {}
    for traced in trace:
        expression = traced.expression
        path = expression.place.replace("[", ".").replace("]", "")
        found[path, expression.source] = Evaluated(
            path=path,
            expression=expression.source,
            value=None if traced.failure is not None else _shown(traced.value),
            error=traced.failure,
        )
    return tuple(found.values())


def _shown(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return value if len(value) <= MAX_VALUE else value[:MAX_VALUE] + "…"
    text = text_of(value)
    return value if 0 < len(text) <= MAX_VALUE else text[:MAX_VALUE] + "…"


def _short(value: Any) -> str:
    text = text_of(value) if value is not None else "null"
    return text if len(text) <= 100 else text[:100] + "…"
