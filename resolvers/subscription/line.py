"""A line of the log as subscriptions match it, and the statement that reads lines."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson
from sqlalchemy import Select, bindparam, select

from models import EventLog, IssueEvent
from models.base import Position
from models.database import Row
from resolvers.caller import Namespaces

Image = dict[str, Any]  # the members are those of models.image


@dataclass(frozen=True, slots=True)
class Line:
    """One line, with the issue as it was just before and just after it; None is an issue that is not there."""

    position: int
    kind: str
    at: str
    issue_id: str
    namespace: str
    other_namespace: str | None
    actor_kind: str | None
    actor_id: str | None
    actor_name: str | None
    actor_name_folded: str | None
    before: Image | None
    after: Image | None

    def visible_in(self, namespaces: Namespaces) -> bool:
        """Whether who may read `namespaces` sees the line: every issue that it names must be visible."""
        if self.namespace not in namespaces:
            return False
        return self.other_namespace is None or self.other_namespace in namespaces


class Match(StrEnum):
    """What a line means for a list of what matches: its issue came in, was and is in, or went out."""

    ENTERED = "ENTERED"
    STAYED = "STAYED"
    LEFT = "LEFT"


Item = tuple[Match, int]  # what the line at a position means


def line_of(row: Row) -> Line:
    """The line in a row of `select_lines`."""
    before_text, after_text = row[-2:]
    before = None if before_text is None else orjson.loads(before_text)
    after = None if after_text is None else orjson.loads(after_text)
    if before is not None and after is not None:
        before = {**after, **before}  # the row holds only what changed
    return Line(*(*row[:-2], before, after))


def select_lines() -> Select[Any]:
    """Lines after `:after` up to `:upto`, in the order of the log, at most `:count`; columns as in `Line`."""
    columns = [getattr(IssueEvent, name) for name in Line.__dataclass_fields__]
    after, upto = (bindparam(name, type_=Position) for name in ("after", "upto"))
    return (
        select(*columns)
        .where(IssueEvent.position > after, IssueEvent.position <= upto)
        .order_by(IssueEvent.position)
        .limit(bindparam("count", type_=Position))
    )


def select_line_before() -> Select[int, str]:
    """Position and time of the last line after `:after` up to `:upto`."""
    after, upto = (bindparam(name, type_=Position) for name in ("after", "upto"))
    return (
        select(IssueEvent.position, IssueEvent.at)
        .where(IssueEvent.position > after, IssueEvent.position <= upto)
        .order_by(IssueEvent.position.desc())
        .limit(1)
    )


def select_log() -> Select[str, int, int]:
    """Which log this is, the position of its newest line, and up to where lines were removed."""
    return select(EventLog.identity, EventLog.end, EventLog.pruned_to)
