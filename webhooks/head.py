"""What a definition says of itself and of its senders, read without its expressions: little work for a large one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from webhooks.verification import Way, parse
from webhooks.verification.fitness import misfit, weakness
from webhooks.yaml_reader import DefinitionError, Reader, read_text

NOT_LOOKED_AT = "`verify` is not looked at while the webhook has no secrets: its senders show a token"
# One that a user copies may be tried and shown many times; few are longer than this.
_KEPT = 300
_MAX_KEPT_LENGTH = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """`lines`: where in the definition each way begins, from 1."""

    title: str | None = None
    ways: tuple[Way, ...] = ()
    lines: tuple[int, ...] = ()
    has_namespace: bool = False
    keep_bodies: bool = True


def head_of(definition: str) -> Head:
    """Of the text of a definition; where that is wrong, only what it says of bodies, if that can be read."""
    return _kept(definition) if len(definition) <= _MAX_KEPT_LENGTH else _read(definition)


def _read(definition: str) -> Head:
    keep_bodies = True
    try:
        members = read_text(definition, Path("definition")).any_members()
        keep_bodies = keeps_bodies(members)
        verify = members.get("verify")
        return Head(
            title=members["title"].text() if "title" in members else None,
            ways=parse(verify) if verify else (),
            lines=tuple(item.line for item in verify.items()) if verify else (),
            has_namespace="namespace" in members,
            keep_bodies=keep_bodies,
        )
    except DefinitionError:
        return Head(keep_bodies=keep_bodies)


def keeps_bodies(members: Mapping[str, Reader]) -> bool:
    """What a definition says of that. Raises DefinitionError."""
    return "keepBodies" not in members or members["keepBodies"].word("true", "false") == "true"


_kept = lru_cache(maxsize=_KEPT)(_read)


def unfit_secrets(head: Head, secrets: Sequence[str], new: int) -> Iterator[tuple[int, str]]:
    """Those of these secrets that no sender could ever show, by their places, and why.

    Of the first `new`, which are not kept yet, also those that could not be hidden where a delivery repeats them.
    """
    for index, secret in enumerate(secrets):
        if not head.ways:
            yield index, "the definition has no `verify`, so no sender could show it: add the key, or give no secrets"
            continue
        wanted = [misfit(way, secret) for way in head.ways]
        if None not in wanted:
            asked = "; ".join(f"line {line} wants {each}" for line, each in zip(head.lines, wanted, strict=True))
            yield index, f"no sender could show it as `verify` says: {asked}"
            continue
        weak = (way for way, asked in zip(head.ways, wanted, strict=True) if asked is None)
        if index < new and (why := next(filter(None, (weakness(way, secret) for way in weak)), None)):
            yield index, f"it could not be hidden where a delivery repeats it: `verify` wants {why}"
