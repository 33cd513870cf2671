"""What is known of an expression's text, whoever has it in a definition: found out once."""

import re
import time
from collections import Counter
from functools import cached_property
from weakref import WeakValueDictionary

from webhooks.compiling import give_way
from webhooks.fence import bad_pattern, pattern_units, patterns_of, program_of, without_texts
from webhooks.functions import FUNCTIONS
from webhooks.paths import paths_of
from webhooks.quick import quick

_MEMBER = re.compile(r"(?<![\w.])(body|settings)\b\s*(?:\.\s*(\w+))?")


class Compiled:
    """A text that is an expression. Raises BadExpression for one that is wrong or outside the fence."""

    def __init__(self, text: str, variables: frozenset[str]) -> None:
        begun = time.perf_counter()
        bare = without_texts(text)
        self.program = program_of(text, bare, variables)
        give_way(begun)
        begun = time.perf_counter()
        self.quick = quick(text, variables)
        self.paths = paths_of(text, bare, variables)
        self.named = Counter(path[0] for path in self.paths)
        self.variables = frozenset(self.program.variables())
        self.functions = frozenset(self.program.functions()) & FUNCTIONS.keys()
        members = set(_MEMBER.findall(bare))
        self.reads_whole_body = ("body", "") in members
        self.body_fields = frozenset(name for variable, name in members if variable == "body" and name)
        self.settings = frozenset(name for variable, name in members if variable == "settings")
        self.patterns = patterns_of(text, bare)
        give_way(begun)

    @cached_property
    def pattern_units(self) -> float:
        """What its regular expressions cost to compile. Raises BadExpression for one whose cost cannot be told."""
        return pattern_units(self.patterns)

    @cached_property
    def bad_pattern(self) -> str | None:
        """The first of its regular expressions that CEL takes for none; None: all are good."""
        return bad_pattern(self.patterns)


_all: WeakValueDictionary[tuple[str, frozenset[str]], Compiled] = WeakValueDictionary()


def compiled(text: str, variables: frozenset[str]) -> Compiled:
    """The same for the same text, as long as a definition has it: copies take no time, and no memory."""
    known = _all.get((text, variables))
    if known is None:
        known = _all[text, variables] = Compiled(text, variables)
    return known
