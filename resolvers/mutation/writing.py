"""Writes what a batch changed: one statement a table and kind, in an order in which no constraint stands in the way."""

from collections.abc import Iterator
from typing import Any

import orjson

from models.database import Statement, Write
from models.values import fold
from resolvers.mutation.log_lines import links_of
from resolvers.mutation.rows import (
    ISSUE_COLUMN_NAMES,
    IssueRow,
    LabelRow,
    LinkRow,
    OccurrenceRow,
    ScopeRow,
)
from resolvers.mutation.statements import COLUMN_GROUPS, Statements
from resolvers.mutation.working_set import WorkingSet

Values = dict[str, Any]


def writes(statements: Statements, changed: WorkingSet, occurrences_kept: int) -> Iterator[Write]:
    """The steps that bring the database to where the working set is."""
    for statement, rows in _writes(statements, changed, occurrences_kept):
        if rows:
            yield Write(statement, rows)


def _writes(
    statements: Statements, changed: WorkingSet, occurrences_kept: int
) -> Iterator[tuple[Statement, list[Values]]]:
    read, issues = changed.read_issues, changed.issues
    new = [issue for id, issue in issues.items() if id not in read]
    kept = [(before, issues[id]) for id, before in read.items() if id in issues and issues[id] is not before]

    yield statements.delete_relation, [{"id_key": id} for id in changed.read_relations if id not in changed.relations]
    yield statements.delete_issue, [{"id_key": id} for id in read if id not in issues]
    yield statements.add_scope, [_scope_values(scope) for scope in changed.new_scopes]
    yield from _updates(statements, kept)
    yield statements.add_issue, [_issue_values(issue) for issue in new]
    yield from _link_writes(statements, [(before.links, after) for before, after in kept] + [((), i) for i in new])
    yield from _label_writes(statements, [(before.labels, after) for before, after in kept] + [((), i) for i in new])
    yield statements.add_occurrence, [_occurrence_values(row) for row in changed.new_occurrences]
    yield (
        statements.prune_occurrences,
        [
            {"issue_id_key": id, "kept": occurrences_kept}
            for id in dict.fromkeys(row.issue_id for row in changed.new_occurrences)
            if id in issues and issues[id].occurrence_count > occurrences_kept
        ],
    )
    yield (
        statements.add_run,
        [{"fingerprint": key, "run_digest": digest, "at": changed.at} for key, digest in changed.new_runs],
    )
    yield (
        statements.add_relation,
        [row._asdict() for id, row in changed.relations.items() if id not in changed.read_relations],
    )
    yield (
        statements.delete_answer,
        [{"caller_id_key": caller_id, "key_key": key} for caller_id, key in changed.expired_answers],
    )
    yield statements.add_answer, [_answer_values(changed, key) for key in changed.new_answers]
    yield statements.add_event, changed.lines
    yield statements.move_log_end, [{"end": changed.end}]


def _updates(statements: Statements, kept: list[tuple[IssueRow, IssueRow]]) -> Iterator[tuple[Statement, list[Values]]]:
    # A fingerprint is let go of before another issue takes it.
    moving = [after for before, after in kept if before.is_active and after.fingerprint != before.fingerprint]
    yield statements.release_fingerprint, [{"id_key": issue.id, "id_text": issue.id} for issue in moving]
    for active in (False, True):
        by_group: dict[tuple[str, ...], list[Values]] = {group: [] for group in COLUMN_GROUPS}
        for before, after in kept:
            if after.is_active is not active:
                continue
            old, values = _issue_values(before), _issue_values(after)
            columns = {name for name, value in values.items() if value != old[name]}
            group = next(group for group in COLUMN_GROUPS if columns.issubset(group))
            by_group[group].append(values | {"id_key": after.id})
        for group, rows in by_group.items():
            yield statements.update_issue[group], rows


def _link_writes(
    statements: Statements, pairs: list[tuple[tuple[LinkRow, ...], IssueRow]]
) -> Iterator[tuple[Statement, list[Values]]]:
    gone: list[Values] = []
    changed: list[Values] = []
    new: list[Values] = []
    for before, issue in pairs:
        if issue.links == before:
            continue
        old = {link.id: link for link in before}
        for ordinal, link in enumerate(issue.links):
            known = old.pop(link.id, None)
            if known is None:
                new.append({"issue_id": issue.id, "ordinal": ordinal, **link._asdict()})
            elif known != link:
                changed.append({"id_key": link.id, "title": link.title, "url": link.url})
        gone += ({"id_key": id} for id in old)
    yield statements.delete_link, gone
    yield statements.update_link, changed
    yield statements.add_link, new


def _label_writes(
    statements: Statements, pairs: list[tuple[tuple[LabelRow, ...], IssueRow]]
) -> Iterator[tuple[Statement, list[Values]]]:
    gone: list[Values] = []
    new: list[Values] = []
    for before, issue in pairs:
        if issue.labels == before:
            continue
        gone += (
            {"issue_id_key": issue.id, "name_key": label.name, "value_key": label.value}
            for label in before
            if label not in issue.labels
        )
        new += (
            {"issue_id": issue.id, **label._asdict(), "value_folded": fold(label.value)}
            for label in issue.labels
            if label not in before
        )
    yield statements.delete_label, gone
    yield statements.add_label, new


def _scope_values(scope: ScopeRow) -> Values:
    values = scope._asdict()
    return values | {f"{name}_folded": fold(value) for name, value in values.items() if name != "id"}


def _issue_values(issue: IssueRow) -> Values:
    return {
        **dict(zip(ISSUE_COLUMN_NAMES, issue, strict=False)),
        "scope_id": issue.scope.id,
        "namespace_folded": fold(issue.namespace),
        "title_folded": fold(issue.title),
        "description_folded": fold(issue.description),
        "source_folded": None if issue.source is None else fold(issue.source),
    }


def _occurrence_values(row: OccurrenceRow) -> Values:
    values = row._asdict()
    values["links"] = orjson.dumps(links_of(row.links)).decode()
    return values | {"actor_kind": row.actor.kind, "actor_id": row.actor.id, "actor_name": row.actor.name}


def _answer_values(changed: WorkingSet, key: tuple[str, str]) -> Values:
    digest, outcome = changed.answers[key]
    caller_id, text = key
    return {
        "caller_id": caller_id,
        "key": text,
        "command_digest": digest,
        "outcome": outcome.to_json(),
        "at": changed.at,
    }
