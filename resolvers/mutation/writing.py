"""Writes what a batch changed: one statement a table and kind, in an order in which no constraint stands in the way."""

from collections.abc import Iterator, Sequence
from typing import Any

from models.database import Statement, Write
from models.values import fold
from resolvers.mutation.rows import IssueRow, LabelRow, LinkRow, Record
from resolvers.mutation.statements import Statements
from resolvers.mutation.working_set import WorkingSet

Values = dict[str, Any]
Rows = Sequence[Values] | Sequence[Record]

# Fields of an issue that have tables of their own.
LISTS = frozenset({"links", "labels"})


def writes(statements: Statements, changed: WorkingSet, occurrences_kept: int) -> Iterator[Write]:
    """The steps that bring the database to where the working set is."""
    for statement, rows in _writes(statements, changed, occurrences_kept):
        if rows:
            yield Write(statement, rows)


def _writes(statements: Statements, changed: WorkingSet, occurrences_kept: int) -> Iterator[tuple[Statement, Rows]]:
    read, issues = changed.read_issues, changed.issues
    new = [issue for id, issue in issues.items() if id not in read]
    kept = [(before, issues[id]) for id, before in read.items() if id in issues and issues[id] is not before]

    yield statements.delete_relation, [{"id_key": id} for id in changed.read_relations if id not in changed.relations]
    yield statements.delete_issue, [{"id_key": id} for id in read if id not in issues]
    yield statements.add_scope, [scope.record for scope in changed.new_scopes]
    yield from _updates(statements, kept)
    yield statements.add_issue, [issue.record for issue in new]
    yield from _link_writes(statements, [(before.links, after) for before, after in kept] + [((), i) for i in new])
    yield from _label_writes(statements, [(before.labels, after) for before, after in kept] + [((), i) for i in new])
    yield statements.add_occurrence, changed.new_occurrences
    yield (
        statements.prune_occurrences,
        [
            {"issue_id_key": id}
            for id in dict.fromkeys(row.issue_id for row in changed.new_occurrences)
            if id in issues and issues[id].occurrence_count > occurrences_kept
        ],
    )
    yield statements.add_run, [(*run, changed.at) for run in changed.new_runs]
    yield statements.add_relation, [row for id, row in changed.relations.items() if id not in changed.read_relations]
    yield (
        statements.delete_answer,
        [{"caller_id_key": caller_id, "key_key": key} for caller_id, key in changed.expired_answers],
    )
    yield statements.add_answer, [_answer(changed, key) for key in changed.new_answers]
    yield statements.add_event, changed.lines
    yield statements.move_log_end, [{"end": changed.end}]


def _updates(statements: Statements, kept: list[tuple[IssueRow, IssueRow]]) -> Iterator[tuple[Statement, Rows]]:
    # A fingerprint is let go of before another issue takes it.
    moving = [after for before, after in kept if before.is_active and after.fingerprint != before.fingerprint]
    yield statements.release_fingerprint, [{"id_key": issue.id, "id_text": issue.id} for issue in moving]
    for active in (False, True):
        rows: list[list[Record]] = [[] for _ in statements.update_issue]
        for before, after in kept:
            if after.is_active is active:
                changed = frozenset(after.changed_since(before)) - LISTS
                place = next(i for i, each in enumerate(statements.update_issue) if changed <= each.fields)
                rows[place].append(statements.update_issue[place].parameters(after.record))
        yield from zip((each.statement for each in statements.update_issue), rows, strict=True)


def _link_writes(
    statements: Statements, pairs: list[tuple[tuple[LinkRow, ...], IssueRow]]
) -> Iterator[tuple[Statement, Rows]]:
    gone: list[Values] = []
    changed: list[Values] = []
    new: list[Record] = []
    for before, issue in pairs:
        if issue.links == before:
            continue
        old = {link.id: link for link in before}
        for ordinal, link in enumerate(issue.links):
            known = old.pop(link.id, None)
            if known is None:
                new.append((link.id, issue.id, ordinal, link.title, link.url))
            elif known != link:
                changed.append({"id_key": link.id, "title": link.title, "url": link.url})
        gone += ({"id_key": id} for id in old)
    yield statements.delete_link, gone
    yield statements.update_link, changed
    yield statements.add_link, new


def _label_writes(
    statements: Statements, pairs: list[tuple[tuple[LabelRow, ...], IssueRow]]
) -> Iterator[tuple[Statement, Rows]]:
    gone: list[Values] = []
    new: list[Record] = []
    for before, issue in pairs:
        if issue.labels == before:
            continue
        gone += (
            {"issue_id_key": issue.id, "name_key": label.name, "value_key": label.value}
            for label in before
            if label not in issue.labels
        )
        new += ((issue.id, label.name, label.value, fold(label.value)) for label in issue.labels if label not in before)
    yield statements.delete_label, gone
    yield statements.add_label, new


def _answer(changed: WorkingSet, key: tuple[str, str]) -> Record:
    digest, outcome = changed.answers[key]
    return (*key, digest, outcome.to_json(), changed.at)
