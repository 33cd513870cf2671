"""Answers are compared before they are counted: a contestant that says something else is not fast but wrong."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tests.bench.questions import Question
from tests.bench.servers import Failed, Running

CURSORS = frozenset({"cursor", "startCursor", "endCursor"})
# Of one log, and with it of one database.
POSITIONS = frozenset({"position"})


def checked_requests(question: Question, servers: Sequence[Running]) -> dict[Running, list[dict[str, str]]]:
    """For each server that takes the question: each request's body and the answer that was found to be right.

    Raises Failed when two answers differ in what they say.
    """
    found: dict[Running, list[dict[str, str]]] = {}
    first: tuple[Running, list[Any]] | None = None
    for server in servers:
        asked = server.contestant.questions.get(question.name)
        if asked is None:
            continue
        found[server] = []
        said = []
        for variables in question.asked:
            body = json.dumps({"query": asked.document, "variables": asked.variables(variables)})
            answer = server.ask(body.encode())
            # What is left to spend differs each time.
            expected, _, _ = answer.decode().partition(',"extensions":')
            found[server].append({"body": body, "expected": expected})
            said.append(_read(server, question, variables, answer))
        if first is None:
            first = (server, said)
        for variables, one, other in zip(question.asked, first[1], said, strict=True):
            if one != other:
                raise Failed(_difference(question, variables, (first[0], one), (server, other)))
    return found


def _read(server: Running, question: Question, variables: Mapping[str, Any], answer: bytes) -> Any:
    """What an answer says, in issuegraph's shape. Raises Failed for one that says an error."""
    parsed = json.loads(answer)
    if parsed.get("errors") or not parsed.get("data"):
        raise Failed(f"{server.contestant.name} on {question.name} {variables}: {answer[:1000]!r}")
    return comparable(server.contestant.questions[question.name].read(parsed["data"]))


def comparable(value: Any) -> Any:
    """Cursors are every server's own: only that there is one is compared. Fractions may be rounded differently."""
    if isinstance(value, Mapping):
        return {
            key: (each is not None if key in CURSORS else comparable(each))
            for key, each in value.items()
            if key not in POSITIONS
        }
    if isinstance(value, list):
        return [comparable(each) for each in value]
    return round(value, 4) if isinstance(value, float) else value


def _difference(question: Question, variables: Mapping[str, Any], *answers: tuple[Running, Any]) -> str:
    (one, mine), (other, theirs) = answers
    path, here, there = _first_difference("", mine, theirs)
    return (
        f"answers to {question.name} with {json.dumps(variables)} differ at {path}:\n"
        f"{one.contestant.name}: {json.dumps(here)[:1000]}\n{other.contestant.name}: {json.dumps(there)[:1000]}"
    )


def _first_difference(path: str, one: Any, other: Any) -> tuple[str, Any, Any]:
    """Where two values that differ begin to."""
    pairs: list[tuple[Any, Any, Any]] = []
    if isinstance(one, Mapping) and isinstance(other, Mapping) and one.keys() == other.keys():
        pairs = [(key, one[key], other[key]) for key in one]
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = list(zip(range(len(one)), one, other, strict=True))
    for key, mine, theirs in pairs:
        if mine != theirs:
            return _first_difference(f"{path}/{key}", mine, theirs)
    return path, one, other
