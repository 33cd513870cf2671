"""How much the expressions of one delivery may cost: a unit is about a microsecond of one processor."""

import threading

# Of one item of a delivery: what is more would keep everybody else waiting.
UNITS_OF_AN_ITEM = 5_000.0
UNITS_OF_A_DELIVERY = 5_000_000.0
CHARACTERS_OF_A_UNIT = 250
# Of all texts that are put together for one delivery: its items are held until the last is looked at.
CHARACTERS_OF_A_DELIVERY = 20_000_000

_here = threading.local()


class Work:
    """What is left to spend, of an item and of the whole delivery."""

    __slots__ = ("_characters", "_left", "_left_of_all")

    def __init__(self, units: float = UNITS_OF_AN_ITEM, units_of_all: float = UNITS_OF_A_DELIVERY) -> None:
        self._left = units
        self._left_of_all = units_of_all
        self._characters = CHARACTERS_OF_A_DELIVERY

    def next_item(self) -> None:
        """Another item has its own."""
        self._left = min(UNITS_OF_AN_ITEM, self._left_of_all)

    def spend(self, units: float) -> bool:
        """Whether there was so much."""
        self._left -= units
        self._left_of_all -= units
        return self._left >= 0

    def build(self, characters: int) -> bool:
        """Whether a text of this length may be put together beside all others."""
        self._characters -= characters
        return self._characters >= 0

    @property
    def is_spent(self) -> bool:
        """Whether more was asked for than there was."""
        return self._left < 0


def begin(work: Work | None) -> None:
    """From here on, functions of this thread spend of this; None: as much as they like."""
    _here.work = work


def affordable(characters: int) -> bool:
    """Whether a function may go on to handle a text of this length, or things worth as much."""
    if characters < CHARACTERS_OF_A_UNIT:
        return True
    work: Work | None = getattr(_here, "work", None)
    return work is None or work.spend(characters / CHARACTERS_OF_A_UNIT)
