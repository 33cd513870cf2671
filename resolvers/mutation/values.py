"""The small values that commands carry in lists."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LinkValue:
    """A web address with a title."""

    title: str
    url: str


@dataclass(frozen=True, slots=True)
class LabelValue:
    """A name with a value; the same name may come again with another value."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class PartValue:
    """An extra part of a fingerprint."""

    name: str
    value: str
