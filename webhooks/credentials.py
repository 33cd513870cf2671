"""What of a delivery nobody may see: it is neither shown to expressions nor kept."""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import unquote, unquote_plus

from webhooks.escaped import escapes_in, without_needless_escapes, writings_of, writings_of_ours
from webhooks.payload import without_mark

HIDDEN = "[hidden]"
# Left out whole.
SECRET_HEADERS = frozenset({"authorization", "x-api-key", "cookie", "proxy-authorization"})
SECRET_PARAMETERS = frozenset({"token", "api_key"})
# Of a webhook's own secret; a shorter one may be part of anything.
SHORTEST = 6
SHORTEST_IN_BODY = 12
# A secret of ours, wherever it stands: a body, which has much else, must have one in full.
_OURS = re.compile(r"igt_[\w-]+", re.ASCII)
_OURS_WHOLE = re.compile(rb"igt_[0-9A-Za-z]{49}")
_OURS_WRITTEN = writings_of_ours()


def without_secrets(values: Mapping[str, str], *left_out: frozenset[str]) -> dict[str, str]:
    """Headers or parameters without those that are left out; in the others, and their names, no secret of ours."""
    return {
        without_tokens(name): without_tokens(value)
        for name, value in values.items()
        if not any(name in each for each in left_out)
    }


def without_words(values: Mapping[str, str], secrets: Iterable[str]) -> dict[str, str]:
    """Headers or parameters without these in their values: proxies repeat addresses, in which they may be written
    otherwise; such a value is hidden whole.

    The ARNs of topics are names, though they are kept as secrets.
    """
    words = [secret for secret in secrets if len(secret) >= SHORTEST and not secret.startswith("arn:")]
    hidden = dict(values)
    for name, value in values.items():
        for word in words:
            if word in value:
                hidden[name] = value = value.replace(word, HIDDEN)
        if any(word in read for read in (unquote(value), unquote_plus(value)) for word in words):
            hidden[name] = HIDDEN
    return hidden


def without_tokens(text: str) -> str:
    """A text without what looks like a secret of ours."""
    return _OURS.sub(HIDDEN, text) if "igt_" in text else text


def can_be_hidden(secret: str) -> bool:
    """Whether it is too long, backslashes aside, to be anything else in a body, and no number."""
    return len(secret.replace("\\", "")) >= SHORTEST_IN_BODY and not secret.isdecimal()


def body_without_tokens(body: bytes, secrets: Iterable[str] = ()) -> bytes:
    """The same of a body, and without those of these that can be hidden there, however they are written.

    Where there is one, it is UTF-8 that is given.
    """
    read = without_needless_escapes(without_mark(body))
    by = HIDDEN.encode()
    escaped = escapes_in(read)
    hidden = _OURS_WHOLE.sub(by, read) if b"igt_" in read else read
    hidden = _OURS_WRITTEN.replaced(hidden, escaped, by)
    for secret in secrets:
        if can_be_hidden(secret) and not secret.startswith("arn:"):
            # First with what escapes it: without, that would be left and escape what is put there.
            hidden = writings_of(secret).replaced(hidden, escaped, by)
            hidden = hidden.replace(secret.encode(), by)
    return body if hidden == read else hidden
