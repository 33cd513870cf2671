"""What a writer has counted since its start, for who watches the server."""

from collections import Counter

from resolvers.errors import Problem
from resolvers.mutation.command import Command
from resolvers.mutation.outcome import Outcome
from resolvers.mutation.record_delivery import Delivered


class Counts:
    """`commands` by (kind, outcome); `batches` by the power of two that their size does not exceed."""

    def __init__(self) -> None:
        self.commands: Counter[tuple[str, str]] = Counter()
        self.batches: Counter[int] = Counter()
        self.batched = 0  # commands in them
        self.events = 0  # lines of the log

    def answered(self, command: Command, answer: Outcome | BaseException) -> None:
        """A command was answered; of a delivery's, each counts."""
        if isinstance(answer, Delivered):
            self.commands.update(answer.done)
            return
        self.commands[type(command).__name__, _outcome(answer)] += 1

    def committed(self, commands: int, events: int) -> None:
        """A batch was committed."""
        self.batches[(commands - 1).bit_length()] += 1
        self.batched += commands
        self.events += events


def _outcome(answer: Outcome | BaseException) -> str:
    if isinstance(answer, Outcome):
        if answer.errors:
            return "REFUSED"
        return answer.action or "DONE"
    return answer.code if isinstance(answer, Problem) else "FAILED"
