"""Removes all of a namespace, in pieces between the commands of a server; who watches hears of it first."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import TypeVar

import orjson

from models.database import Database, DatabaseError, Fetch, Row, Steps, Work, Write
from resolvers.access import AuditLog
from resolvers.caller import Caller
from resolvers.errors import Forbidden, Unavailable
from resolvers.mutation import DeleteIssue, Writer
from resolvers.subscription.tailer import POLL_SECONDS
from resolvers.tenant.erasing import RANGE_LINES, RECORDS_AT_ONCE, Statements
from resolvers.tenant.export import FIRST

T = TypeVar("T")

# Between two pieces, for the commands of others.
PAUSE_SECONDS = 0.05
# A server looks at the log every second, and then tells its subscribers.
SECONDS_TO_HEAR = 3 * POLL_SECONDS
KIND = "NAMESPACE_ERASED"


@dataclass(frozen=True, slots=True)
class Counted:
    """What a namespace has: issues, and lines of the log."""

    issues: int
    events: int


@dataclass(slots=True)
class Erased:
    """How much was removed.

    `events` are the namespace's own lines of the log, `relation_events` those of other namespaces that named an issue
    of it; `records` are deployments, changes, successes, what was known of other trackers, and deliveries; `answers`
    those that were kept for an idempotency key. `left` issues came while it was at work.
    """

    issues: int = 0
    events: int = 0
    relation_events: int = 0
    runs: int = 0
    scopes: int = 0
    records: int = 0
    answers: int = 0
    left: int = 0


async def count(database: Database, namespace: str) -> Counted:
    """What there is of exactly this namespace. Raises Unavailable."""
    statements = Statements(database)

    def work() -> Steps[Counted]:
        ((issues,),) = yield Fetch(statements.count_issues, {"namespace": namespace})
        ((events,),) = yield Fetch(statements.count_lines, {"namespace": namespace})
        return Counted(issues, events)

    try:
        return await database.read(work)
    except DatabaseError as error:
        raise Unavailable(f"the database cannot be read: {error}") from error


class Erase:
    """Erases a namespace. Can be ended at any moment, and begun again.

    `writer` is one of this process, and started.
    """

    def __init__(self, database: Database, writer: Writer, audit: AuditLog) -> None:
        self._database = database
        self._writer = writer
        self._audit = audit
        self._statements = Statements(database)

    async def run(self, namespace: str, caller: Caller) -> Erased:
        """Removes everything of exactly this namespace; the audit tells of the begin and of the end.

        What is reported there meanwhile stays. Raises Unavailable.
        """
        counted = await count(self._database, namespace)
        begun = self._audit.add(
            KIND, caller.actor, namespace=namespace, subject=namespace, details={"phase": "BEGUN", **asdict(counted)}
        )
        await self._transact(lambda: _write(begun))
        erased = Erased()
        await self._delete_issues(namespace, caller, erased)
        await self._delete_records(namespace, erased)
        # Their deletion is in the log; it must have been read before it goes.
        await asyncio.sleep(SECONDS_TO_HEAR)
        await self._delete_answers(namespace, erased)
        await self._delete_lines(namespace, erased)
        await self._delete_relation_lines(namespace, erased)
        try:
            # They hold the most frequent values.
            await self._database.analyze()
        except DatabaseError as error:
            raise Unavailable(f"the database does not answer: {error}") from error
        await self._transact(lambda: self._ending(namespace, caller, erased))
        return erased

    async def _delete_issues(self, namespace: str, caller: Caller, erased: Erased) -> None:
        """By the commands that everybody uses: subscribers hear of each."""
        after: Mapping[str, str] = FIRST
        while rows := await self._fetch("issues", {"namespace": namespace, **after}):
            ids = [id for _, id in rows]
            erased.issues += sum(await asyncio.gather(*(self._delete_issue(namespace, id, caller) for id in ids)))
            after = dict(zip(FIRST, rows[-1], strict=True))
            await asyncio.sleep(PAUSE_SECONDS)

    async def _delete_issue(self, namespace: str, id: str, caller: Caller) -> bool:
        """Whether it was there."""
        try:
            outcome = await self._writer.submit(DeleteIssue(id=id, only_in=namespace), caller)
        except Forbidden:
            # It has moved to another namespace.
            return False
        return not outcome.errors

    async def _delete_records(self, namespace: str, erased: Erased) -> None:
        for statement in self._statements.delete_records:
            while True:
                deleted = await self._transact(partial(_fetch_all, Fetch(statement, {"namespace": namespace})))
                erased.records += len(deleted)
                if len(deleted) < RECORDS_AT_ONCE:
                    break
                await asyncio.sleep(PAUSE_SECONDS)

    async def _delete_answers(self, namespace: str, erased: Erased) -> None:
        """Those that name an issue that is gone, while the log still knows whose it was."""
        after = {"caller_id": "", "key": ""}
        while rows := await self._fetch("answers", after):
            of_each = {(caller_id, key): _ids_in(outcome) for caller_id, key, outcome in rows}
            ids = sorted(set().union(*of_each.values()))
            gone = {id for (id,) in await self._fetch("gone", {"namespace": namespace, "ids": ids})}
            named = [{"caller_id": c, "key": k} for (c, k), named in of_each.items() if named & gone]
            if named:
                erased.answers += await self._transact(partial(self._deleting_answers, named))
            after = {"caller_id": rows[-1][0], "key": rows[-1][1]}

    def _deleting_answers(self, keys: Iterable[Mapping[str, str]]) -> Steps[int]:
        count = 0
        for key in keys:
            count += len((yield Fetch(self._statements.delete_answer, key)))
        return count

    async def _delete_lines(self, namespace: str, erased: Erased) -> None:
        """With the runs and the scopes that only they still tell of: whoever is ended here finds the rest again."""
        last: int | None = 0
        while last is not None:
            last = await self._transact(partial(self._deleting_lines, namespace, last, erased))
            await asyncio.sleep(PAUSE_SECONDS)

    def _deleting_lines(self, namespace: str, after: int, erased: Erased) -> Steps[int | None]:
        """The last position that was removed."""
        rows = yield Fetch(self._statements.lines, {"namespace": namespace, "after": after})
        if not rows:
            return None
        positions = [row[0] for row in rows]
        scope_ids = sorted({id for *_, before, after in rows for id in (before, after) if id})
        fingerprints = sorted({key for row in rows for key in _fingerprints_in(row[1])})
        events = yield Fetch(self._statements.delete_lines, {"positions": positions})
        runs = yield Fetch(self._statements.delete_runs, {"fingerprints": fingerprints})
        scopes = yield Fetch(self._statements.delete_scopes, {"ids": scope_ids})
        yield Write(self._statements.prune_to, [{"position": positions[-1]}])
        yield from self._forget(scopes)
        # A transaction that is not committed is the end of the command.
        erased.events += len(events)
        erased.runs += len(runs)
        erased.scopes += len(scopes)
        return int(positions[-1])

    async def _delete_relation_lines(self, namespace: str, erased: Erased) -> None:
        """The other halves. No index has them: all of the log is looked through, a stretch at a time."""
        ((end,),) = await self._fetch("end", {})
        for after in range(0, end, RANGE_LINES):
            stretch = {"namespace": namespace, "after": after, "upto": min(end, after + RANGE_LINES)}
            rows = await self._fetch("relation_lines", stretch)
            if rows:
                positions = [position for (position,) in rows]
                erased.relation_events += await self._transact(partial(self._deleting_positions, positions))
                await asyncio.sleep(PAUSE_SECONDS)

    def _deleting_positions(self, positions: list[int]) -> Steps[int]:
        deleted = yield Fetch(self._statements.delete_lines, {"positions": positions})
        yield Write(self._statements.prune_to, [{"position": positions[-1]}])
        return len(deleted)

    def _ending(self, namespace: str, caller: Caller, erased: Erased) -> Steps[None]:
        yield Fetch(self._statements.delete_connections, {"namespace": namespace})
        scopes = yield Fetch(self._statements.delete_own_scopes, {"namespace": namespace})
        yield from self._forget(scopes)
        erased.scopes += len(scopes)
        ((erased.left,),) = yield Fetch(self._statements.count_issues, {"namespace": namespace})
        details = {"phase": "DONE", **asdict(erased)}
        yield self._audit.add(KIND, caller.actor, namespace=namespace, subject=namespace, details=details)

    def _forget(self, scopes: list[Row]) -> Steps[None]:
        """Writers know scopes by heart, as long as the log is no longer than they left it."""
        if scopes:
            yield Write(self._statements.lengthen, [{}])

    async def _fetch(self, statement: str, values: Mapping[str, object]) -> list[Row]:
        def work() -> Steps[list[Row]]:
            return (yield Fetch(getattr(self._statements, statement), values))

        try:
            return await self._database.read(work)
        except DatabaseError as error:
            raise Unavailable(f"the database cannot be read: {error}") from error

    async def _transact(self, work: Work[T]) -> T:
        try:
            return await self._database.transact(work)
        except DatabaseError as error:
            raise Unavailable(f"the database cannot be written: {error}") from error


def _fetch_all(step: Fetch) -> Steps[list[Row]]:
    return (yield step)


def _write(step: Write) -> Steps[None]:
    yield step


def _ids_in(outcome: str) -> set[str]:
    """The issues that a kept answer names."""
    answer = orjson.loads(outcome)
    return {*answer["issue_ids"], *(error["issue_id"] for error in answer["errors"] if error["issue_id"])}


def _fingerprints_in(changes: str) -> Iterable[str]:
    for change in orjson.loads(changes):
        if change["field"] == "fingerprint":
            yield from (value["key"] for value in (change["old"], change["new"]) if value)
