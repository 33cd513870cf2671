"""Secrets that a body repeats in another writing: escaped as in JSON or addresses, in part, and within one another."""

import re
from collections.abc import Callable
from functools import lru_cache
from string import ascii_letters, digits

# What escapes in JSON; within JSON or a form it is escaped itself.
_BACKSLASH = rb"(?:\\|%(?:25)*+5[cC])"
_PERCENT = rb"%(?:25)*+"
_OURS, _OURS_LENGTH = "igt_", 49
_OURS_HEX = rb"(?:3[0-9]|[46][1-9a-fA-F]|[57][0-9aA])"
_OURS_CHARACTERS = _OURS + ascii_letters + digits
_HEX_IN_JSON = re.compile(rb"(?:\\|5[cC])u([0-9a-fA-F]{4})")
_HEX_IN_ADDRESS = re.compile(rb"%(?:25)*+([0-9a-fA-F]{2})")
# A run of backslashes is looked at from its begin alone: from each of them it would take hours.
_NEEDLESS = re.compile(
    rb"%%(?:25)*+(%b)|(?<!\\)(?<!%%5[cC])(?<!255[cC])((?:\\|%%(?:25)*+5[cC])++)u00(%b|5[cC])" % (_OURS_HEX, _OURS_HEX)
)
_LEVELS = 4
MAX_ESCAPES = 100_000
# A secret that begins again within itself after more characters is looked for as it is: each place would take as long.
MOST_REPEATED = 8
_BACKSLASHES = (b"\\", b"%5c", b"%5C", b"%255c", b"%255C")


class Writings:
    """All of one secret: it is made of some of the `characters`, and `whole` makes a pattern for it."""

    def __init__(self, characters: str, whole: Callable[[], bytes]) -> None:
        looked_for = characters if _repeats(characters) <= MOST_REPEATED else ""
        self._escapes = frozenset(unit for each in looked_for for unit in (*_units(each), *each.encode()))
        self._make = whole
        self._whole: re.Pattern[bytes] | None = None

    def replaced(self, body: bytes, escaped: frozenset[int], by: bytes) -> bytes:
        """The body with this in place of each; `escaped` is what escapes_in tells of it."""
        # In most bodies there is none of them, and looking for the whole takes much longer.
        if self._escapes.isdisjoint(escaped):
            return body
        self._whole = self._whole or re.compile(self._make())
        parts: list[bytes] = []
        shown = 0
        for match in self._whole.finditer(body):
            parts += (body[shown : _before_backslashes(body, shown, match.start())], by)
            shown = match.end()
        return b"".join(parts) + body[shown:] if parts else body


def may_be_escaped(body: bytes) -> bool:
    """Whether anything in it is written in another way than as it is, as far as a quick look tells."""
    return any(each in body for each in (b"%", b"u00", b"\\/"))


def without_needless_escapes(body: bytes) -> bytes:
    """The same, with letters, digits and backslashes as they are, in what is within something else too."""
    in_address, in_json = body.count(b"%"), body.count(b"u00")
    if not (in_address or in_json) or max(in_address, in_json) > MAX_ESCAPES:
        return body
    for _ in range(_LEVELS):
        before, body = body, _NEEDLESS.sub(_as_it_is, body)
        if before == body:
            break
    return body


def _as_it_is(match: re.Match[bytes]) -> bytes:
    in_address, run, in_json = match.groups()
    if in_address is not None:
        return bytes([int(in_address, 16)])
    many = run.count(b"\\") + run.lower().count(b"5c")
    # So many are one, within JSON within JSON; what is before them are backslashes that were meant.
    one = many & -many
    meant = b"\\" * (many - one)
    return meant + (b"\\" * 2 * one if in_json.lower() == b"5c" else bytes([int(in_json, 16)]))


def escapes_in(body: bytes) -> frozenset[int]:
    """What is written in another way than as it is: bytes, and units of UTF-16. May be more than there is."""
    found: set[int] = set()
    if b"\\u" in body or b"5cu" in body or b"5Cu" in body:
        found.update(int(each, 16) for each in set(_HEX_IN_JSON.findall(body)))
    if b"%" in body:
        found.update(int(each, 16) for each in set(_HEX_IN_ADDRESS.findall(body)))
    if b"+" in body:
        found.add(ord(" "))
    # What JSON may have a backslash before.
    found.update(ord(each) for each in '"/\\' if b"\\" + each.encode() in body)
    return frozenset(found)


@lru_cache(maxsize=1_000)
def writings_of(secret: str) -> Writings:
    """Those of a secret, in which backslashes count for nothing."""
    characters = secret.replace("\\", "")
    return Writings(secret, lambda: _in_a_row(characters))


def writings_of_ours() -> Writings:
    """Those of any token of ours."""
    in_json, in_address = _BACKSLASH + rb"++u00" + _OURS_HEX, _PERCENT + _OURS_HEX
    one = _any(in_json, _BACKSLASH + b"*+" + _any(b"[0-9A-Za-z]", in_address))
    whole = _in_a_row(_OURS) + one + b"{%d}" % _OURS_LENGTH
    return Writings(_OURS_CHARACTERS, lambda: whole)


def _repeats(characters: str) -> int:
    """The most characters after which it begins again within itself."""
    lengths = [0]
    for character in characters[1:]:
        length = lengths[-1]
        while length and characters[length] != character:
            length = lengths[length - 1]
        lengths.append(length + (characters[length] == character))
    return max(lengths)


def _in_a_row(characters: str) -> bytes:
    first = _any(_plain(characters[0]), _in_json(characters[0]), _in_address(characters[0]))
    return first + b"".join(map(_next, characters[1:]))


def _next(character: str) -> bytes:
    in_json = _BACKSLASH + b"++" + _in_json(character)
    return _any(in_json, _BACKSLASH + b"*+" + _any(_plain(character), _in_address(character)))


def _any(*forms: bytes) -> bytes:
    return rb"(?>%b)" % b"|".join(forms)


def _plain(character: str) -> bytes:
    return rb"[ +]" if character == " " else re.escape(character.encode())


def _in_json(character: str) -> bytes:
    return (_BACKSLASH + b"++").join(b"u" + _hex(unit.to_bytes(2, "big")) for unit in _units(character))


def _units(character: str) -> list[int]:
    """Of UTF-16."""
    pairs = character.encode("utf-16-be")
    return [pairs[at] << 8 | pairs[at + 1] for at in range(0, len(pairs), 2)]


def _in_address(character: str) -> bytes:
    return b"".join(_PERCENT + _hex(bytes([each])) for each in character.encode())


def _hex(written: bytes) -> bytes:
    """In upper or lower case."""
    return b"".join(
        b"[%c%c]" % (digit, ord(chr(digit).upper())) if digit >= ord("a") else b"%c" % digit
        for digit in written.hex().encode()
    )


def _before_backslashes(body: bytes, start: int, end: int) -> int:
    """Where those begin that stand before `end`: the last of them would escape what is put there."""
    while True:
        length = next((len(each) for each in _BACKSLASHES if body.endswith(each, start, end)), 0)
        if not length:
            return end
        end -= length
