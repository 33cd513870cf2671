"""What reports would meet, if they were made: which issues of theirs there are, and what would come of each."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import orjson
from sqlalchemy import ColumnElement, bindparam, column, literal_column, select, union_all
from sqlalchemy.orm import aliased

from models import Issue, Run
from models.base import JsonText, Word
from models.database import Database, Fetch, Row, Steps
from models.dialect import any_row_of, json_items
from models.values import now
from resolvers.access.pages import covered, namespace_values
from resolvers.access.storage import timely
from resolvers.caller import Caller, Permission
from resolvers.mutation import CreateIssue
from resolvers.mutation.fingerprint import run_digest
from resolvers.mutation.statements import ACTIVE, RESOLVED
from resolvers.mutation.times import told_time


class Report(NamedTuple):
    """A report with its fingerprint's key."""

    fingerprint: str
    command: CreateIssue

    @property
    def run(self) -> tuple[str, str] | None:
        """Its run as the table has it; None for one without an id."""
        return None if self.command.run_id is None else (self.fingerprint, run_digest(self.command.run_id))


class Met(NamedTuple):
    """The issue that a report would come to, and what would come of it: UPDATED, REOPENED or UNCHANGED."""

    issue_id: str
    action: str
    is_counted: bool


class Meeting:
    """Looks at one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._issues = {
            everywhere: database.compile(_select_issues(everywhere=everywhere)) for everywhere in (True, False)
        }
        self._runs = database.compile(_select_runs())

    async def of(self, reports: Sequence[Report | None], caller: Caller) -> list[Met | None]:
        """What each would meet; None: a new issue, or one that the caller may not read.

        Raises TimedOut and Unavailable.
        """
        given = [report for report in reports if report is not None]
        if not given:
            return [None] * len(reports)
        readable = caller.namespaces(Permission.READ)
        fingerprints = list({report.fingerprint for report in given})
        runs = [run for report in given if (run := report.run) is not None]

        def work() -> Steps[tuple[list[Row], list[Row]]]:
            values = {**namespace_values(readable), "fingerprints": orjson.dumps(fingerprints).decode()}
            issues = yield Fetch(self._issues[readable.everywhere], values)
            known = yield Fetch(self._runs, {"runs": orjson.dumps(runs).decode()})
            return issues, known

        with timely():
            issues, known = await self._database.read(work, statements=2, line=caller.line)
        there: defaultdict[str, list[Row]] = defaultdict(list)
        for issue in issues:
            there[issue[0]].append(issue)
        counted = {(fingerprint, digest) for fingerprint, digest in known}
        return [
            report and _met(report.command, there[report.fingerprint], is_counted=report.run in counted)
            for report in reports
        ]


def _met(command: CreateIssue, rows: Sequence[Row], *, is_counted: bool) -> Met | None:
    """By the active and the last resolved one of its fingerprint, those that there are."""
    active = next((id for _, id, state, _ in rows if state == "ACTIVE"), None)
    last, resolved_at = next(((id, at) for _, id, state, at in rows if state != "ACTIVE"), (None, None))
    at = now()
    command = replace(command, detected_at=told_time(command.detected_at, now=at))
    action = command.becomes(is_active=active is not None, resolved_at=resolved_at, is_counted=is_counted, now=at)
    id = active or last
    return None if id is None or action == "CREATED" else Met(id, action, is_counted)


def _select_issues(*, everywhere: bool) -> Any:
    """Of each fingerprint the active issue and the one resolved last, of those that can be read."""
    given = json_items(bindparam("fingerprints", type_=JsonText()))

    def newest(name: str, state: ColumnElement[str]) -> Any:
        wanted, issue = given.table_valued(column("value", Word())).alias(f"{name}_wanted"), aliased(Issue, name=name)
        readable = [] if everywhere else [covered(issue.namespace)]
        one = select(issue.id).where(issue.fingerprint == wanted.c.value, issue.state == state, *readable)
        # By subquery: SQLite would begin with all issues that are active, not with those that are wanted.
        one = one.order_by(issue.resolved_at.desc(), issue.id.desc()).limit(literal_column("1"))
        return select(one.scalar_subquery()).select_from(wanted)

    ids = union_all(newest("active", ACTIVE), newest("resolved", RESOLVED))
    return select(Issue.fingerprint, Issue.id, Issue.state, Issue.resolved_at).where(Issue.id.in_(ids))


def _select_runs() -> Any:
    """Those of some runs that are known."""
    known = any_row_of(bindparam("runs", type_=JsonText()), Run.fingerprint, Run.run_digest)
    return select(Run.fingerprint, Run.run_digest).where(known)
