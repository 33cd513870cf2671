"""A report is not refused for a detail: what cannot be kept as it came is cut or dropped, and that is said."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from resolvers.mutation import LinkValue, limits
from resolvers.mutation.checks import is_web_address

_Value = TypeVar("_Value")

CUT = "… (cut)"
MAX_NOTICES = 100
MAX_NOTICE_LENGTH = 300


class Fitting:
    """Makes values fit; `notices` tells of each that was changed, in texts from which `hide` takes what is masked."""

    def __init__(self, hide: Callable[[str], str] = str) -> None:
        self.notices: list[str] = []
        self._hide = hide

    def notice(self, notice: str) -> None:
        """Says it once; of very many the first."""
        notice = self._hide(notice)[:MAX_NOTICE_LENGTH]
        if len(self.notices) < MAX_NOTICES and notice not in self.notices:
            self.notices.append(notice)

    def text(self, name: str, text: str, most: int) -> str:
        """At most so many characters, the last of them saying that there were more."""
        text = self._storable(name, text)
        if len(text) <= most:
            return text
        self._notice_cut(name, text, most)
        return text[: most - len(CUT)] + CUT

    def key(self, name: str, text: str, most: int) -> str:
        """Like `text`, of one by which reports are told apart: what was cut still tells them apart."""
        text = self._storable(name, text)
        if len(text) <= most:
            return text
        self._notice_cut(name, text, most)
        digest = hashlib.sha256(text.encode()).hexdigest()
        return text[: most - len(CUT) - len(digest) - 1] + CUT + " " + digest

    def first(self, name: str, values: Sequence[_Value], most: int) -> tuple[_Value, ...]:
        """At most so many values."""
        if len(values) > most:
            self.notice(f"{name} past the first {most} were dropped")
        return tuple(values[:most])

    def links(self, links: Iterable[tuple[str, str]]) -> tuple[LinkValue, ...]:
        """Those of these titles and addresses that a page can show; one without an address is none."""
        values: list[LinkValue] = []
        for title, url in links:
            if not url:
                continue
            if len(url) > limits.MAX_LINK_URL_LENGTH:
                most = limits.MAX_LINK_URL_LENGTH
                self.notice(f"link {title!r} was dropped: its address has more than {most:,} characters")
            elif not is_web_address(url):
                self.notice(f"link {title!r} was dropped: its address is no http or https URL")
            else:
                values.append(LinkValue(self.text("a link's title", title, limits.MAX_LINK_TITLE_LENGTH), url))
        return self.first("links", values, limits.MAX_LINKS)

    def _storable(self, name: str, text: str) -> str:
        if "\0" not in text:
            return text
        self.notice(f"{name} had NUL characters, which were replaced")
        return text.replace("\0", "\ufffd")

    def _notice_cut(self, name: str, text: str, most: int) -> None:
        self.notice(f"{name} was cut: it had {len(text):,} characters, {most:,} are kept")
