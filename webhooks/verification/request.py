"""What is verified of a delivery, and how what was shown is compared with what should have been."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hmac import compare_digest
from typing import Protocol

# A signature header may be a list; nobody rotates through more keys than that.
MAX_SHOWN = 10


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A delivery as it came: names of headers in lower case, values as Latin-1 text; the body's raw bytes.

    `source`: the network that it came from, as far as that is known.
    """

    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    source: str = ""


class NotVerified(Exception):
    """The sender has not shown who it is; the message says what was wrong and holds nothing secret."""


class Verification(Protocol):
    """One way in which a sender shows who it is."""

    @property
    def headers(self) -> frozenset[str]:
        """The headers that prove something; nobody else may see them."""
        ...

    @property
    def parameters(self) -> frozenset[str]:
        """The same, of the query."""
        ...

    def applies(self, request: SignedRequest) -> bool:
        """Whether the sender shows something of this kind."""
        ...

    def check(self, request: SignedRequest, secrets: Sequence[str], now: float) -> None:
        """Raises NotVerified, unless one of the secrets was used. `now`: seconds since 1970."""
        ...


def raw(text: str) -> bytes:
    """The bytes of a header or a parameter."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode(errors="replace")


def any_equal(expected: Iterable[bytes], shown: Sequence[bytes]) -> bool:
    """Whether any of these is one of those; takes the same time wherever they differ."""
    found = False
    for one in expected:
        for other in shown[:MAX_SHOWN]:
            found |= compare_digest(one, other)
    return found


def check_time(text: str, now: float, tolerance: float) -> None:
    """Raises NotVerified for a time (whole seconds since 1970) that is further from now than `tolerance` seconds."""
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise NotVerified("the timestamp of the signature is not in seconds since 1970")
    if abs(now - int(text)) > tolerance:
        raise NotVerified(f"the signature is older than {tolerance:g} seconds, or from the future")
