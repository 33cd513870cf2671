"""Before the load: who says to do the same work answers the same. After it: what was acknowledged is in the tables."""

import json
import re
from collections.abc import Sequence
from typing import Any

from tests.bench.reports.serving import Running
from tests.bench.servers import Failed

# Never the same in two servers.
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")
# Of the load's, none has this number.
NUMBER = 9_999_999
# Of an answer with the issue in it.
ANSWER_BYTES = 1_300


def same_answers(servers: Sequence[Running]) -> str:
    """Tells each of a failure, of another run, of a success and of a failure after it; the answers must be alike.

    The answer to the second, or something as long when nobody does this work. Raises Failed.
    """
    same = [server for server in servers if server.contestant.is_same_work]
    if not same:
        return json.dumps("x" * ANSWER_BYTES)
    answered = [_answers(server) for server in same]
    for server, answers in zip(same, answered, strict=True):
        for mine, first in zip(answers, answered[0], strict=True):
            if _neutral(mine) != _neutral(first):
                name = server.contestant.name
                raise Failed(f"{name} answers\n{_neutral(mine)}\n{same[0].contestant.name}\n{_neutral(first)}")
    return json.dumps(answered[0][1], separators=(",", ":"))


def _answers(server: Running) -> list[Any]:
    payloads = server.contestant.payloads
    asked = (payloads.failure, payloads.failure, payloads.success, payloads.failure)
    found = [server.post(posted, NUMBER, f"{number:014d}") for number, posted in enumerate(asked)]
    # A run that comes again changes nothing.
    found.append(server.post(payloads.failure, NUMBER, f"{3:014d}"))
    server.acknowledged["failure"] += 3
    server.acknowledged["success"] += 1
    return found


def _neutral(answer: Any) -> str:
    text = json.dumps(answer, sort_keys=True)
    return _ADDRESS.sub("address", _TIME.sub("time", _ID.sub("id", text)))


def all_found(servers: Sequence[Running]) -> None:
    """Each report that was acknowledged is counted once, each success resolved one issue. Raises Failed."""
    for server in servers:
        if server.contestant.is_same_work or server.contestant.is_ours:
            counted = {
                "failure": server.number("SELECT sum(occurrence_count) FROM issue"),
                "success": server.number("SELECT count(*) FROM issue WHERE state = 'RESOLVED'"),
            }
            if counted != server.acknowledged:
                raise Failed(f"{server.contestant.name} acknowledged {server.acknowledged}, its tables have {counted}")
