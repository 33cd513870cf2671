"""API filters of SQIBS as a definition of ours: six fields for what triggers, three for what resolves."""

from collections.abc import Sequence
from typing import Any

import orjson
import yaml

from resolvers.webhooks.filters import HIGH, LOW, Condition, Filter

# Of the urgency of a filter.
URGENCIES = {HIGH: "major", LOW: "minor"}
# Of the payload, beside our own; what says none of them is as bad as the filter's urgency.
SEVERITIES = {
    "p1": "critical",
    "p2": "major",
    "p3": "major",
    "p4": "minor",
    "p5": "info",
    "urgent": "critical",
    "fatal": "critical",
    "error": "major",
    "warning": "minor",
    "normal": "minor",
}


def definition_of_filters(
    triggers: Sequence[Filter], resolves: Sequence[Filter] = (), *, title: str = "SQIBS filters"
) -> str:
    """The text of a definition, a rule a filter: what resolves is looked at after what triggers; the first counts.

    `?from=` names the source. Raises ValueError for an urgency that there is not.
    """
    for each in triggers:
        if each.urgency not in URGENCIES:
            raise ValueError(f"urgency must be one of {', '.join(URGENCIES)}")
    rules = [_trigger(number, each) for number, each in enumerate(triggers, 1)]
    rules += [_resolve(number, each) for number, each in enumerate(resolves, 1)]
    definition = {
        "title": title,
        "severities": SEVERITIES,
        "severityDefault": "major",
        "rules": rules,
    }
    return yaml.safe_dump(definition, sort_keys=False, allow_unicode=True, width=1_000)


def _trigger(number: int, given: Filter) -> dict[str, Any]:
    named = f"text(find(body, {_text(given.title_from)}))" if given.title_from else '""'
    source = 'get(query, "from")'
    begins = f'({source} == null || {source} == "" ? "" : text({source}) + " - ")'
    unnamed = f'"Incident from " + text(default({source}, "unknown source"))'
    described = f"find(body, {_text(given.description_from)})" if given.description_from else "null"
    severity = f'default(find(body, "severity"), default(find(body, "priority"), "{URGENCIES[given.urgency]}"))'
    return {
        "name": f"trigger {number}",
        "when": _all_hold(given),
        "report": {
            "title": f'${{{named} == "" ? {unnamed} : {begins} + {named}}}',
            "description": f"${{text(default({described}, body))}}",
            "severity": f"${{{severity}}}",
            "issueType": "incident",
            **_about(given),
        },
    }


def _resolve(number: int, given: Filter) -> dict[str, Any]:
    return {
        "name": f"resolve {number}",
        "when": _all_hold(given),
        "resolve": {"issueType": "incident", **_about(given)},
    }


def _about(given: Filter) -> dict[str, Any]:
    scope = {"resourceType": "application", "resourceName": '${default(get(query, "from"), "unknown source")}'}
    mapped = {"incident": f"${{find(body, {_text(given.map_with)})}}"} if given.map_with else {}
    return {"scope": scope, "fingerprint": {"tool": "sqibs", **mapped}}


def _all_hold(given: Filter) -> str:
    return " && ".join(map(_holds, given.conditions))


def _holds(given: Condition) -> str:
    found = f"find(body, {_text(given.key)})"
    return f"matchesAny({found}, {_list(given.contains)})" if given.contains else f"{found} != null"


def _text(text: str) -> str:
    return orjson.dumps(text).decode()


def _list(texts: Sequence[str]) -> str:
    return f"[{', '.join(map(_text, texts))}]"


# What is done where nobody has said anything: as the guides of SQIBS set it up.
# A word counts wherever it stands in a value, and what triggers is looked at first.
FAILING = ("failed", "failing", "failure", "error", "firing", "triggered", "alarm", "unresolved", "unsuccess", "broken")
PASSING = ("passed", "fixed", "resolved", "success", "recovered")
DEFAULT_FILTERS = definition_of_filters(
    [
        Filter(
            conditions=[Condition(key=key, contains=FAILING)],
            map_with=mapped,
            title_from="title",
            description_from="description",
        )
        for key, mapped in (("event.status", "event.id"), ("status", "id"))
    ],
    [
        Filter(conditions=[Condition(key=key, contains=PASSING)], map_with=mapped)
        for key, mapped in (("event.status", "event.id"), ("status", "id"))
    ],
)
