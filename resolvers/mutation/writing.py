"""Writes what a batch changed: a write a table and kind, together as far as no constraint stands in the way."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from models import Change, Deployment, TrackedIssue
from models.database import Statement, Together, Write
from models.values import fold
from resolvers.mutation.rows import IssueRow, LabelRow, LinkRow, Record
from resolvers.mutation.statements import Statements
from resolvers.mutation.successes import SuccessRow
from resolvers.mutation.working_set import WorkingSet

Values = dict[str, Any]
Rows = Sequence[Values] | Sequence[Record]

# Fields of an issue that have tables of their own.
LISTS = frozenset({"links", "labels"})


def writes(statements: Statements, changed: WorkingSet, batch_id: str, occurrences_kept: int) -> Iterator[Together]:
    """The steps that bring the database to where the working set is: first what makes room, then what takes it."""
    read, issues = changed.read_issues, changed.issues
    new = [issue for id, issue in issues.items() if id not in read]
    kept = [(before, issues[id]) for id, before in read.items() if id in issues and issues[id] is not before]
    links = _link_writes([(before.links, after) for before, after in kept] + [((), issue) for issue in new])
    records = changed.records
    labels = _label_writes([(before.labels, after) for before, after in kept] + [((), issue) for issue in new])

    yield from _together(
        (statements.delete_relation, [{"id_key": id} for id in changed.read_relations if id not in changed.relations]),
        (statements.delete_issue, [{"id_key": id} for id in read if id not in issues]),
        (statements.delete_deployment, _ids(records.replaced[Deployment])),
        (statements.delete_change, _ids(records.replaced[Change])),
        (statements.delete_tracked, _ids(records.replaced[TrackedIssue])),
        (statements.delete_link, links.gone),
        (statements.delete_label, labels.gone),
        (
            statements.delete_answer,
            [{"caller_id_key": caller_id, "key_key": key} for caller_id, key in changed.expired_answers],
        ),
        (statements.add_scope, [scope.record for scope in changed.new_scopes]),
        (statements.release_fingerprint, [{"id_key": id, "id_text": id} for id in _moving(kept)]),
        *_updates(statements, kept, active=False),
    )
    yield from _together(
        *_updates(statements, kept, active=True),
        (statements.add_issue, [issue.record for issue in new]),
        (statements.update_link, links.changed),
        (statements.add_link, links.new),
        (statements.add_label, labels.new),
        (statements.add_occurrence, changed.new_occurrences),
        (statements.add_run, [(*run, changed.at) for run in changed.new_runs]),
        (
            statements.add_relation,
            [row for id, row in changed.relations.items() if id not in changed.read_relations],
        ),
        (statements.add_deployment, [row for row, _ in records.new_deployments.values()]),
        (statements.add_deployment_change, [row for _, rows in records.new_deployments.values() for row in rows]),
        (statements.add_change, [*records.new_changes.values()]),
        (statements.add_tracked, [*records.new_tracked.values()]),
        (statements.add_success, changed.successes.new),
        (statements.update_success, [_renewed(row) for row in changed.successes.later]),
        (statements.add_answer, [_answer(changed, key) for key in changed.new_answers]),
        (statements.add_event, changed.lines),
        (statements.add_delivery, changed.new_deliveries),
        (statements.replay_delivery, [change._asdict() for change in changed.replayed_deliveries]),
        (statements.add_delivery_namespace, changed.new_delivery_namespaces),
        (statements.move_log_end, [(changed.end,)]),
        (statements.add_batch, [(batch_id, changed.at)]),
    )
    yield from _together(
        (
            statements.prune_occurrences,
            [
                {"issue_id_key": id}
                for id in dict.fromkeys(row.issue_id for row in changed.new_occurrences)
                if id in issues and issues[id].occurrence_count > occurrences_kept
            ],
        )
    )


def _renewed(row: SuccessRow) -> Values:
    return {"key_key": row.key, "at": row.at, "told_at": row.told_at}


def _ids(ids: Iterable[str]) -> list[Values]:
    return [{"id_key": id} for id in ids]


def _together(*writes: tuple[Statement, Rows]) -> Iterator[Together]:
    with_rows = [Write(statement, rows) for statement, rows in writes if rows]
    if with_rows:
        yield Together(with_rows)


def _moving(kept: list[tuple[IssueRow, IssueRow]]) -> Iterator[str]:
    """The issues that stay active and take another fingerprint: they let go of theirs before anybody takes it."""
    for before, after in kept:
        if before.is_active and after.is_active and after.fingerprint != before.fingerprint:
            yield after.id


def _updates(
    statements: Statements, kept: list[tuple[IssueRow, IssueRow]], *, active: bool
) -> Iterator[tuple[Statement, Rows]]:
    """Those that are active afterwards, or those that are not."""
    rows: list[list[Record]] = [[] for _ in statements.update_issue]
    for before, after in kept:
        if after.is_active is active:
            changed = frozenset(after.changed_since(before)) - LISTS
            place = next(i for i, each in enumerate(statements.update_issue) if changed <= each.fields)
            rows[place].append(statements.update_issue[place].parameters(after.record))
    return zip((each.statement for each in statements.update_issue), rows, strict=True)


class _ListWrites(NamedTuple):
    """What becomes of the rows of a table that are lists of issues."""

    gone: list[Values]
    changed: list[Values]
    new: list[Record]


def _link_writes(pairs: list[tuple[tuple[LinkRow, ...], IssueRow]]) -> _ListWrites:
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
    return _ListWrites(gone, changed, new)


def _label_writes(pairs: list[tuple[tuple[LabelRow, ...], IssueRow]]) -> _ListWrites:
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
    return _ListWrites(gone, [], new)


def _answer(changed: WorkingSet, key: tuple[str, str]) -> Record:
    digest, outcome = changed.answers[key]
    return (*key, digest, outcome.to_json(), changed.at)
