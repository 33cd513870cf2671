"""How large answers may be: one, and all together that are being made or sent; counted while they are made."""

import sys
from collections import Counter
from collections.abc import Callable
from functools import partial
from threading import Lock
from typing import Any, Self, TypeVar

import orjson

from models.database import Steps, Work
from resolvers.errors import Overloaded, TooLarge

T = TypeVar("T")

# An answer that is no larger waits in the buffers of its connection anyway.
FREE_BYTES = 65_536
# In such steps is taken from what all answers have together.
STEP_BYTES = 262_144
# An answer that cannot be larger is not measured.
SMALL_BYTES = 4_000_000
# JSON writes a control character with six bytes, and what was counted of short columns is an estimate.
MARGIN = 8
# A text from this length on is measured as JSON, once however often it stands in an answer.
LONG = 500
# Brackets, quotes, a comma; a number or a word without quotes.
_AROUND, _PLAIN = 4, 6


class Answers:
    """All that are under way: one may have `most` bytes, together they may hold `most_of_all`, one caller's half of it.

    What an answer holds are the rows it is made of and its JSON, so twice `most` at most.
    """

    def __init__(self, most: int = 20_000_000, most_of_all: int = 100_000_000) -> None:
        self.most = most
        self._most_of_all = most_of_all
        self._held: Counter[str] = Counter()
        # What reads SQLite counts in threads.
        self._lock = Lock()

    @property
    def held(self) -> int:
        """Bytes of answers that are being made or sent."""
        return self._held.total()

    def begin(self, line: str) -> "Size":
        """One more, of a caller (see Caller.line): `with answers.begin(line) as size`, until it is sent."""
        return Size(self, line)

    def take(self, size: "Size", count: int) -> None:
        """So much more for an answer, which has so much from then on. Raises Overloaded, also when it is over."""
        line = size.line
        with self._lock:
            if size.is_over:
                raise Overloaded("nobody waits for the answer any more")
            most_of_one = max(self._most_of_all // 2, 2 * self.most)
            if self._held[line] + count > most_of_one or self._held.total() + count > self._most_of_all:
                raise Overloaded("too much is being answered now: try again later, or ask for less at once")
            self._held[line] += count
            size.taken += count

    def give_back(self, size: "Size", count: int, *, is_over: bool = False) -> None:
        """So much of what an answer has, or all where it `is_over`: what still reads for it gets no more."""
        line = size.line
        with self._lock:
            count = size.taken if is_over else min(count, size.taken)
            size.is_over = size.is_over or is_over
            if not count:
                return
            size.taken -= count
            self._held[line] -= count
            if self._held[line] <= 0:
                del self._held[line]


class Size:
    """Of one answer: the bytes of rows that were read for it, of texts that were made of them, and of its JSON."""

    __slots__ = ("_answers", "_kept", "_made", "_refusal", "is_over", "line", "read", "taken")

    def __init__(self, answers: Answers, line: str) -> None:
        self._answers = answers
        self.line = line
        # What it has of that which all answers may hold together.
        self.taken = 0
        self.is_over = False
        # Makes what was raised of it: there will be no answer then.
        self._refusal: Callable[[], TooLarge | Overloaded] | None = None
        self.read = 0
        self._kept = 0
        self._made = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._answers.give_back(self, 0, is_over=True)

    def begin(self) -> None:
        """The rows are read, for the first time or once more."""
        self.read = self._made = 0

    def counted(self, work: Work[T]) -> Work[T]:
        """Work that counts rows beside those that were read before, and each once, though it may be begun twice."""
        before = self.read

        def begun() -> Steps[T]:
            self.read = before
            return (yield from work())

        return begun

    def look(self) -> None:
        """Raises once more what was raised of it, if anything was: more would be read for nothing."""
        if self._refusal is not None:
            raise self._refusal()

    def end(self) -> None:
        """The rows are let go, what was made of them stays."""
        if not self.taken:
            return
        keeps = max(self.read, self._made)
        self._answers.give_back(self, self.taken if keeps <= FREE_BYTES else max(0, self.taken - keeps))

    def count(self, count: int) -> None:
        """So many bytes of rows more. Raises TooLarge and Overloaded."""
        self.read += count
        if self.read > FREE_BYTES:
            self._hold(self.read + self._kept)

    def keep(self, text: str) -> None:
        """A text that was made of rows, and stays until the answer is sent. Raises TooLarge and Overloaded."""
        self._kept += sys.getsizeof(text)
        if self.read + self._kept > 2 * self._answers.most:
            raise self._too_large()
        self._hold(self.read + self._kept)

    def is_small(self, copies: int, around: int) -> bool:
        """Whether what is made of all that was read is small for sure: each value of a row stands in it `copies` times
        at most, and the keys have `around` bytes."""
        return MARGIN * self.read * copies + around <= min(SMALL_BYTES, self._answers.most)

    def json(self, value: Any) -> orjson.Fragment:
        """A part of the answer as JSON, which the answer may have in its place. Raises TooLarge and Overloaded."""
        self.check(value)
        text = orjson.dumps(value)
        if len(text) > self._answers.most:
            raise self._too_large()
        return orjson.Fragment(text)

    def whole(self, answer: Any) -> bytes:
        """The whole answer as JSON, which is held until it is sent. Raises TooLarge and Overloaded."""
        text = orjson.dumps(answer)
        if len(text) > self._answers.most:
            raise self._too_large()
        self._hold(len(text))
        return text

    def check(self, value: Any) -> None:
        """Counts a part of the answer as JSON before it is made. Raises TooLarge and Overloaded."""
        self._add(value, {})
        self._hold(self.read + self._kept + self._made)

    def _add(self, value: Any, long: dict[int, int]) -> None:
        kind = type(value)
        if kind is str:
            length = len(value)
            if length >= LONG:
                known = long.get(id(value))
                # All that is measured is held by what it is in: none takes another's place.
                length = long[id(value)] = len(orjson.dumps(value)) if known is None else known
            self._made += length + _AROUND
        elif kind is dict:
            for key, item in value.items():
                self._made += len(key) + _AROUND
                self._add(item, long)
            self._check()
        elif kind is list or kind is tuple:
            for item in value:
                self._add(item, long)
            self._check()
        else:
            self._made += _PLAIN

    def _check(self) -> None:
        if self._made > self._answers.most:
            raise self._too_large()

    def _hold(self, count: int) -> None:
        if self.read > self._answers.most:
            raise self._too_large()
        if count <= self.taken or count <= FREE_BYTES:
            return
        try:
            self._answers.take(self, min(max(count - self.taken, STEP_BYTES), 2 * self._answers.most - self.taken))
        except Overloaded as error:
            self._refusal = partial(Overloaded, error.message)
            raise

    def _too_large(self) -> TooLarge:
        self._refusal = refusal = partial(TooLarge, self._answers.most)
        return refusal()
