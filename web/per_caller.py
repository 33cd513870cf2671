"""How many things of one kind each caller has at once."""

from resolvers.caller import Caller
from resolvers.errors import Overloaded


class PerCaller:
    """At most so many of `what`."""

    def __init__(self, most: int, what: str) -> None:
        self._most = most
        self._what = what
        self._counted: dict[str, int] = {}

    def take(self, caller: Caller) -> str:
        """One more; gives what to `give_back`. Raises Overloaded."""
        self.check(caller)
        self._counted[caller.line] = self._counted.get(caller.line, 0) + 1
        return caller.line

    def check(self, caller: Caller) -> None:
        """Raises Overloaded where there is no room for one more."""
        if self._counted.get(caller.line, 0) >= self._most:
            raise Overloaded(f"At most {self._most} {self._what} of one caller are open at once")

    def give_back(self, taken: str) -> None:
        """One less."""
        left = self._counted[taken] - 1
        if left:
            self._counted[taken] = left
        else:
            del self._counted[taken]
