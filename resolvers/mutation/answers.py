"""A command that comes again with its key is not done again, but answered as the first time."""

from dataclasses import replace
from hashlib import blake2b

import orjson

from resolvers.caller import Caller
from resolvers.errors import UserError
from resolvers.mutation.command import Command, failure
from resolvers.mutation.keys import Keys
from resolvers.mutation.outcome import Outcome
from resolvers.mutation.working_set import WorkingSet

DIGEST_BYTES = 16
MISMATCH = "IDEMPOTENCY_MISMATCH"


def name_answer(keys: Keys, command: Command, caller: Caller) -> None:
    """Asks for what the command was answered before, if it has a key."""
    key = _key(command, caller)
    if key is not None:
        keys.answers.add(key)


def answer(found: WorkingSet, command: Command, caller: Caller, *, untold: str | None = None) -> Outcome:
    """What the command does, or what it was answered the first time. Raises what its `decide` raises.

    `untold` is the time that stands in it for one that nobody told: with another one it is the same command.
    """
    key = _key(command, caller)
    if key is None:
        return command.decide(found, caller)
    digest = _digest(command if untold is None else _without_time(command, untold))
    if key in found.answers:
        first_digest, outcome = found.answers[key]
        if digest == first_digest:
            return outcome
        message = "this key came with another command"
        return failure(found, UserError(code=MISMATCH, field=("idempotencyKey",), message=message))
    outcome = command.decide(found, caller)
    found.answers[key] = (digest, outcome)
    found.new_answers.append(key)
    return outcome


def _key(command: Command, caller: Caller) -> tuple[str, str] | None:
    key: str | None = getattr(command, "idempotency_key", None)
    return None if key is None else (f"{caller.actor.kind}:{caller.actor.id}", key)


def _without_time(command: Command, untold: str) -> Command:
    names = [name for name in ("detected_at", "at") if getattr(command, name, None) == untold]
    return replace(command, **dict.fromkeys(names))  # type: ignore[type-var]


def _digest(command: Command) -> str:
    told = orjson.dumps([type(command).__name__, command], default=str)
    return blake2b(told, digest_size=DIGEST_BYTES).hexdigest()
