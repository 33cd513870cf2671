"""One transaction's worth of commands: what they need is read at once, decided in their order, written at once."""

from collections.abc import Generator, Sequence
from hashlib import blake2b

import orjson

from models.database import Fetch, Row, Write
from models.values import new_id
from resolvers.caller import Caller
from resolvers.errors import Problem, UserError
from resolvers.mutation.command import Command, failure
from resolvers.mutation.keys import Keys
from resolvers.mutation.memory import Memory
from resolvers.mutation.outcome import Outcome
from resolvers.mutation.reading import read
from resolvers.mutation.statements import Statements
from resolvers.mutation.working_set import NotRead, WorkingSet
from resolvers.mutation.writing import writes

DIGEST_BYTES = 16


class Batch:
    """Commands with their callers, in order; `work` is for Database.transact.

    After `work` has committed, `answers` holds the outcome or the Problem of each command, in order. There may be
    fewer answers than commands: the rest depends on rows that only now are known to matter, and needs another batch.
    """

    def __init__(
        self,
        statements: Statements,
        memory: Memory,
        commands: Sequence[tuple[Command, Caller]],
        *,
        occurrences_kept: int,
    ) -> None:
        self.id = new_id()
        # A commit of this batch was sent and its answer lost: `work` looks first whether it happened.
        self.in_doubt = False
        self.answers: list[Outcome | Problem] = []
        # The end of the log before and after.
        self.start = self.end = 0
        self._statements = statements
        self._memory = memory
        self._found: WorkingSet | None = None
        self._commands = commands
        self._occurrences_kept = occurrences_kept

    def work(self) -> Generator[Fetch | Write, list[Row], None]:
        """The steps of the transaction; may be run again when the one before was not committed."""
        if self.in_doubt and (yield Fetch(self._statements.batch, {"id": self.id})):
            return
        keys = Keys()
        for command, caller in self._commands:
            command.name_keys(keys)
            key = _answer_key(command, caller)
            if key:
                keys.answers.add(key)
        self._found = found = yield from read(self._statements, keys, self._memory)
        self.start = found.end
        self.answers = _decide(found, self._commands)
        self.end = found.end
        if self._writes(found):
            yield from writes(self._statements, found, self._occurrences_kept)
            yield Write(self._statements.add_batch, [{"id": self.id, "at": found.at}])

    def remember(self) -> None:
        """To be called when `work` has committed and before any other: its rows need not be read again."""
        if self._found and self._writes(self._found):
            self._memory.keep(self._found, self.id)

    @staticmethod
    def _writes(found: WorkingSet) -> bool:
        return bool(found.lines or found.new_answers)


def _decide(found: WorkingSet, commands: Sequence[tuple[Command, Caller]]) -> list[Outcome | Problem]:
    answers: list[Outcome | Problem] = []
    for command, caller in commands:
        try:
            answers.append(_answer(found, command, caller))
        except Problem as problem:
            answers.append(problem)
        except NotRead:
            if not answers:
                raise
            break
    return answers


def _answer(found: WorkingSet, command: Command, caller: Caller) -> Outcome:
    """What the command does, or what it was answered the first time."""
    key = _answer_key(command, caller)
    if key is None:
        return command.decide(found, caller)
    digest = blake2b(orjson.dumps([type(command).__name__, command], default=str), digest_size=DIGEST_BYTES).hexdigest()
    if key in found.answers:
        first_digest, outcome = found.answers[key]
        if digest == first_digest:
            return outcome
        message = "this key came with another command"
        return failure(found, UserError(code="IDEMPOTENCY_MISMATCH", field=("idempotencyKey",), message=message))
    outcome = command.decide(found, caller)
    found.answers[key] = (digest, outcome)
    found.new_answers.append(key)
    return outcome


def _answer_key(command: Command, caller: Caller) -> tuple[str, str] | None:
    key: str | None = getattr(command, "idempotency_key", None)
    return None if key is None else (f"{caller.actor.kind}:{caller.actor.id}", key)
