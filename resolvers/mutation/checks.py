"""What commands check on the way in: all problems at once, each with its path in the words of the schema."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

from models.values import time_of
from models.words import ISSUE_STATES, ISSUE_TYPES, SEVERITIES
from resolvers.errors import Invalid, UserError
from resolvers.mutation import limits
from resolvers.mutation.values import LabelValue, LinkValue, PartValue

# The parts that every fingerprint has; an extra part may not pretend to be one.
OWN_PARTS = ("namespace", "issueType", "resourceType", "resourceName", "resourceNamespace")

# What nearly all addresses are; the others are taken apart.
_PLAIN_ADDRESS = re.compile(r"https?://[A-Za-z0-9.-]+(?::[0-9]*)?(?:[/?#][!-~]*)?")


class Checks:
    """Collects what is wrong; `done` raises Invalid with all of it."""

    def __init__(self) -> None:
        self._errors: list[UserError] = []

    def done(self) -> None:
        """Raises Invalid when something was wrong."""
        if self._errors:
            raise Invalid(self._errors)

    def error(self, code: str, field: tuple[str, ...], message: str) -> None:
        """Notes a problem."""
        self._errors.append(UserError(code=code, field=field, message=message))

    def text(self, field: tuple[str, ...], text: str | None, max_length: int) -> None:
        """An optional text that both databases can hold."""
        if text is None:
            return
        if len(text) > max_length:
            self.error("TOO_LONG", field, f"{field[-1]} may have {max_length:,} characters at most")
        elif "\0" in text:
            self.error("INVALID", field, f"{field[-1]} contains a NUL character")
        elif not text.isascii() and not _is_unicode(text):
            self.error("INVALID", field, f"{field[-1]} contains half a surrogate pair")

    def filled(self, field: tuple[str, ...], text: str | None, max_length: int) -> None:
        """Like `text`, of one that may be absent but not empty."""
        if text is None or (0 < len(text) <= max_length and text.isascii() and "\0" not in text):
            return
        if text == "":
            self.error("REQUIRED", field, f"{field[-1]} must not be empty")
        else:
            self.text(field, text, max_length)

    def word(self, field: tuple[str, ...], word: str | None, words: Sequence[str]) -> None:
        """One of `words`, as the database spells them."""
        if word is not None and word not in words:
            self.error("INVALID", field, f"{field[-1]} must be one of {', '.join(words)}")

    def severity(self, severity: str | None) -> None:
        """One of models.words.SEVERITIES."""
        self.word(("severity",), severity, SEVERITIES)

    def issue_type(self, issue_type: str | None) -> None:
        """One of models.words.ISSUE_TYPES."""
        self.word(("issueType",), issue_type, ISSUE_TYPES)

    def state(self, state: str | None) -> None:
        """One of models.words.ISSUE_STATES."""
        self.word(("state",), state, ISSUE_STATES)

    def place(
        self,
        namespace: str | None,
        resource_type: str | None,
        resource_name: str | None,
        resource_namespace: str | None,
    ) -> None:
        """The namespace of an issue and the three parts of its scope."""
        self.filled(("namespace",), namespace, limits.MAX_NAMESPACE_LENGTH)
        self.filled(("scope", "resourceType"), resource_type, limits.MAX_RESOURCE_TYPE_LENGTH)
        self.filled(("scope", "resourceName"), resource_name, limits.MAX_RESOURCE_NAME_LENGTH)
        self.filled(("scope", "resourceNamespace"), resource_namespace, limits.MAX_NAMESPACE_LENGTH)

    def recorded(self, namespace: str, source: str, system: str, external_id: str) -> None:
        """Whose a record is, and the tool's own id of it."""
        self.filled(("namespace",), namespace, limits.MAX_NAMESPACE_LENGTH)
        self.filled(("source",), source, limits.MAX_SOURCE_LENGTH)
        self.text(("system",), system, limits.MAX_SYSTEM_LENGTH)
        self.filled(("externalId",), external_id, limits.MAX_EXTERNAL_ID_LENGTH)

    def links(self, links: Sequence[LinkValue] | None) -> None:
        """Each a http or https address with a host; titles may be empty."""
        if not self._countable(("links",), links, limits.MAX_LINKS):
            return
        for index, link in enumerate(links or ()):
            field = ("links", str(index))
            self.text((*field, "title"), link.title, limits.MAX_LINK_TITLE_LENGTH)
            self.filled((*field, "url"), link.url, limits.MAX_LINK_URL_LENGTH)
            if 0 < len(link.url) <= limits.MAX_LINK_URL_LENGTH and not is_web_address(link.url):
                self.error("INVALID", (*field, "url"), "url must be an http or https address")

    def labels(self, labels: Sequence[LabelValue] | None) -> None:
        """Names are not empty; values may be."""
        if not self._countable(("labels",), labels, limits.MAX_LABELS):
            return
        for index, label in enumerate(labels or ()):
            field = ("labels", str(index))
            self.filled((*field, "name"), label.name, limits.MAX_LABEL_NAME_LENGTH)
            self.text((*field, "value"), label.value, limits.MAX_LABEL_VALUE_LENGTH)

    def parts(self, parts: Sequence[PartValue] | None) -> None:
        """Extra parts of a fingerprint: each name once, none of OWN_PARTS."""
        if not self._countable(("fingerprint",), parts, limits.MAX_FINGERPRINT_PARTS):
            return
        seen = set(OWN_PARTS)
        for index, part in enumerate(parts or ()):
            field = ("fingerprint", str(index))
            self.filled((*field, "name"), part.name, limits.MAX_PART_NAME_LENGTH)
            self.text((*field, "value"), part.value, limits.MAX_PART_VALUE_LENGTH)
            if part.name in seen:
                self.error("INVALID", (*field, "name"), f"{part.name} is a part of this fingerprint already")
            seen.add(part.name)

    def moment(self, field: tuple[str, ...], at: str | None) -> None:
        """An optional time, not far in the future."""
        if at is not None and is_far_ahead(at):
            self.error("INVALID", field, f"{field[-1]} is more than a day in the future")

    def ids(self, ids: Sequence[str]) -> None:
        """How many; whether they are known is seen later."""
        self._countable(("ids",), ids, limits.MAX_IDS)

    def idempotency_key(self, key: str | None) -> None:
        """Optional, but not empty."""
        self.filled(("idempotencyKey",), key, limits.MAX_IDEMPOTENCY_KEY_LENGTH)

    def reason(self, reason: str | None) -> None:
        """Why somebody does what they do."""
        self.text(("reason",), reason, limits.MAX_REASON_LENGTH)

    def _countable(self, field: tuple[str, ...], items: Sequence[object] | None, most: int) -> bool:
        if items is None or len(items) <= most:
            return True
        self.error("TOO_MANY", field, f"{field[-1]} may have {most} items at most")
        return False


def is_far_ahead(at: str) -> bool:
    """Whether a time lies further in the future than clocks differ."""
    return at > time_of(datetime.now(UTC) + limits.MAX_AHEAD)


def is_web_address(url: str) -> bool:
    """Whether `url` is an http or https address with a host, without spaces or control characters.

    Look at its length first: urlsplit keeps the last 128 that it has seen.
    """
    if _PLAIN_ADDRESS.fullmatch(url):
        return True
    if not url.isprintable() or " " in url:
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
