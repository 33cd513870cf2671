"""One transaction's worth of commands: what they need is read at once, decided in their order, written at once."""

from collections.abc import Sequence

from models.database import Fetch, Steps
from models.values import new_id
from resolvers.caller import Caller
from resolvers.errors import Problem
from resolvers.mutation.answers import answer, name_answer
from resolvers.mutation.command import Command
from resolvers.mutation.keys import Keys
from resolvers.mutation.memory import Memory
from resolvers.mutation.outcome import Outcome
from resolvers.mutation.reading import read
from resolvers.mutation.statements import Statements
from resolvers.mutation.working_set import NotRead, WorkingSet
from resolvers.mutation.writing import writes


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
        # Lines of the log.
        self.events = 0
        self._statements = statements
        self._memory = memory
        self._found: WorkingSet | None = None
        self._commands = commands
        self._occurrences_kept = occurrences_kept

    def work(self) -> Steps[None]:
        """The steps of the transaction; may be run again when the one before was not committed."""
        if self.in_doubt:
            if (yield Fetch(self._statements.batch, {"id": self.id})):
                return
            # We have the write lock, so that transaction is over, and nothing of it happened.
            self.in_doubt = False
        keys = Keys()
        for command, caller in self._commands:
            command.name_keys(keys)
            name_answer(keys, command, caller)
        self._found = found = yield from read(self._statements, keys, self._memory)
        self.start = found.end
        self.answers = _decide(found, self._commands)
        self.end = found.end
        self.events = len(found.lines)
        if self._writes(found):
            yield from writes(self._statements, found, self.id, self._occurrences_kept)

    def remember(self) -> None:
        """To be called when `work` has committed and before any other: its rows need not be read again."""
        if self._found and self._writes(self._found):
            self._memory.keep(self._found, self.id)

    @staticmethod
    def _writes(found: WorkingSet) -> bool:
        return bool(
            found.lines
            or found.new_answers
            or found.new_deliveries
            or found.replayed_deliveries
            or found.records.changed
            or found.successes.changed
        )


def _decide(found: WorkingSet, commands: Sequence[tuple[Command, Caller]]) -> list[Outcome | Problem]:
    answers: list[Outcome | Problem] = []
    for command, caller in commands:
        try:
            answers.append(answer(found, command, caller))
        except Problem as problem:
            answers.append(problem)
        except NotRead:
            if not answers:
                raise
            break
    return answers
