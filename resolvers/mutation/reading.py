"""Reads what a batch needs: two rounds, at most one statement a table in each, however many commands there are."""

from collections import defaultdict
from collections.abc import Generator, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from models.database import Fetch, Row, Write
from models.values import now, time_of
from resolvers.mutation.keys import Keys
from resolvers.mutation.limits import IDEMPOTENCY_WINDOW
from resolvers.mutation.memory import Memory
from resolvers.mutation.outcome import Outcome
from resolvers.mutation.records import Recorded, TrackedRow
from resolvers.mutation.rows import ISSUE_COLUMN_NAMES, IssueRow, LabelRow, LinkRow, RelationRow, ScopeRow
from resolvers.mutation.statements import Statements
from resolvers.mutation.successes import SuccessRow
from resolvers.mutation.working_set import WorkingSet

Steps = Generator[Fetch | Write, list[Row], Any]
# A failure that is told at once, or nearly.
RECENT = timedelta(hours=1)
ISSUE_WIDTH = len(ISSUE_COLUMN_NAMES)
# Where an id that is none leads to: to as many statements as one of an issue.
NO_ISSUE = IssueRow._make(("",) * ISSUE_WIDTH + (ScopeRow("", "", "", ""), (), ()))._replace(fingerprint_parts="[]")


def read(statements: Statements, keys: Keys, memory: Memory) -> Generator[Fetch | Write, list[Row], WorkingSet]:
    """The working set of a batch, with all that `keys` name and what they lead to."""
    rows = yield Fetch(statements.log_end, {"batch_id": memory.batch_id, "runs": _json(keys.runs)})
    identity, end, batch_is_there, *_ = rows[0]
    memory.believe(identity, end, batch_is_there=bool(batch_is_there))
    found = WorkingSet(at=now(), end=end)
    found.runs.update((fingerprint, digest) for *_, fingerprint, digest in rows if fingerprint)
    if keys.answers:
        rows = yield Fetch(statements.answers, {"keys": _json(keys.answers)})
        _take_answers(found, rows)
    if keys.deliveries:
        rows = yield Fetch(statements.deliveries, {"ids": list(keys.deliveries)})
        found.deliveries.update((id, position) for id, position in rows)
    # Who tells of old failures reads much of his places, and nothing of those of others.
    recent = time_of(datetime.now(UTC) - RECENT)
    old = {place: at for place, at in keys.well_since.items() if at < recent}
    for asked, places in ((keys.successes, keys.well_since.keys() - old.keys()), (set[str](), old.keys())):
        if not asked and not places:
            continue
        since = min((keys.well_since[place] for place in places), default=found.at)
        values = {"keys": list(asked), "places": _json(places), "since": since}
        rows = yield Fetch(statements.successes, values)
        found.successes.take(asked, (SuccessRow(*row) for row in rows))
    yield from _read_records(statements, keys, found)
    known = memory.pairs(keys.fingerprints)
    remembered = {issue.id: issue for pair in known.values() for issue in pair if issue}
    scopes = memory.scopes(keys.scopes)
    found.take_scopes(scopes, scopes.values())
    wanted = replace(keys, fingerprints=keys.fingerprints - known.keys(), scopes=keys.scopes - scopes.keys())
    issues = yield from _read_round(statements, wanted, found)
    second = Keys()
    for id, lead in keys.second_round:
        lead(issues.get(id) or remembered.get(id) or NO_ISSUE, second)

    there = remembered | issues
    shown = [issue.id for issue in there.values() if issue.is_active and issue.fingerprint in keys.shown]
    related = memory.relations(shown)
    for id, relations in related.items():
        found.take_relations(relations, [id])
    ids = [*keys.related_ids, *(id for id in shown if id not in related)]
    if ids or keys.pairs:
        rows = yield Fetch(statements.relations, {"source_ids": ids, "target_ids": ids, "pairs": _json(keys.pairs)})
        found.take_relations((RelationRow(*row) for row in rows), ids)
    ends = {
        id for relation in found.relations.values() for id in (relation.source_id, relation.target_id)
    } - there.keys()
    known_ends = memory.issues(ends)
    second.issue_ids |= ends - known_ends.keys()
    issues |= yield from _read_round(statements, second, found, always=bool(keys.related_ids))

    # What is read must not tell whether there is an issue of an id: its namespace is looked at only later.
    if issues or keys.issue_ids:
        yield from _read_lists(statements, issues)
    found.take_issues((remembered | known_ends | issues).values(), (*keys.fingerprints, *second.fingerprints))
    return found


def _read_records(statements: Statements, keys: Keys, found: WorkingSet) -> Generator[Fetch | Write, list[Row], None]:
    """What was told beside issues. Ours of those of other trackers are among the keys from then on."""
    records = found.records
    if keys.deployments:
        for row in (yield Fetch(statements.deployments, {"keys": list(keys.deployments)})):
            records.deployments[row[0]] = Recorded(*row)
    if keys.changes:
        for row in (yield Fetch(statements.changes, {"keys": list(keys.changes)})):
            records.changes[row[0]] = Recorded(*row)
    if keys.tracked:
        for row in (yield Fetch(statements.tracked, {"keys": list(keys.tracked)})):
            tracked = TrackedRow(*row)
            records.tracked[tracked.key] = tracked
            if tracked.issue_id:
                keys.issue_ids.add(tracked.issue_id)
                keys.second_round.append((tracked.issue_id, _lead_to_rivals))
    for pair in keys.tracked_pairs:
        child, parent = (records.tracked[key].issue_id if key in records.tracked else None for key in pair)
        if child and parent:
            keys.pairs |= {(child, parent), (parent, child)}


def _lead_to_rivals(issue: IssueRow, keys: Keys) -> None:
    """Who else has its fingerprint."""
    keys.fingerprints.add(issue.fingerprint)


def _read_round(
    statements: Statements, keys: Keys, found: WorkingSet, *, always: bool = False
) -> Generator[Fetch | Write, list[Row], dict[str, IssueRow]]:
    if keys.scopes:
        rows = yield Fetch(statements.scopes, {"keys": _json(keys.scopes)})
        found.take_scopes(keys.scopes, (ScopeRow(*row) for row in rows))
    if not (always or keys.issue_ids or keys.fingerprints or keys.places):
        return {}
    fingerprints = list(keys.fingerprints)
    rows = yield Fetch(
        statements.issues,
        {
            "ids": list(keys.issue_ids),
            "active_fingerprints": fingerprints,
            "fingerprints": orjson.dumps(fingerprints).decode(),
            "places": _json((namespace, *scope) for namespace, scope in keys.places),
        },
    )
    return {row[0]: _issue(row) for row in rows}


def _read_lists(statements: Statements, issues: dict[str, IssueRow]) -> Generator[Fetch | Write, list[Row], None]:
    links: defaultdict[str, list[LinkRow]] = defaultdict(list)
    labels: defaultdict[str, list[LabelRow]] = defaultdict(list)
    for issue_id, link_id, first, second in (yield Fetch(statements.lists, {"ids": list(issues)})):
        if link_id:
            links[issue_id].append(LinkRow(link_id, first, second))
        else:
            labels[issue_id].append(LabelRow(first, second))
    for id in links.keys() | labels.keys():
        issues[id] = issues[id]._replace(links=tuple(links[id]), labels=tuple(labels[id]))


def _issue(row: Row) -> IssueRow:
    return IssueRow._make((*row[:ISSUE_WIDTH], ScopeRow(*row[ISSUE_WIDTH:]), (), ()))


def _take_answers(found: WorkingSet, rows: Iterable[Row]) -> None:
    oldest = time_of(datetime.now(UTC) - IDEMPOTENCY_WINDOW)
    for caller_id, key, digest, outcome, at in rows:
        if at < oldest:
            found.expired_answers.append((caller_id, key))
        else:
            found.answers[caller_id, key] = (digest, Outcome.from_json(outcome))


def _json(rows: Iterable[tuple[str, ...]]) -> str:
    return orjson.dumps([tuple(row) for row in rows]).decode()
