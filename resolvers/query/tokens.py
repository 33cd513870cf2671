"""How many tokens a document has, told before it is read: most of what reading it costs."""

import re
from itertools import islice

# What stands between tokens, in one piece; then the tokens, of which a comment is one for the parser. A character that
# begins none ends a document for who reads it; here it is one more.
_PIECE = re.compile(
    r"""
    [\s,\ufeff]++
    | ( \#[^\n\r]*+
      | [A-Za-z_][A-Za-z0-9_]*+
      | [.]{3}
      | -?[0-9][0-9A-Za-z_.+-]*+
      | "{3} (?:[^"\\]++ | \\"{3} | \\ | "(?!""))*+ (?:"{3})?
      | " (?:[^"\\\n\r]++ | \\.)*+ "?
      | .
      )
    """,
    re.VERBOSE,
)
# Of a longer text only so much is looked at.
_MOST_CHARACTERS = 50_000


def tokens_in(text: str, most: int) -> int:
    """How many tokens a text has, and `most` where it has more; of one that is no document, or very long, about."""
    found = (piece for piece in _PIECE.finditer(text, 0, _MOST_CHARACTERS) if piece.lastindex)
    return sum(1 for _ in islice(found, most))
