"""The audit of administration: what was done to tokens, sessions, settings and whole namespaces, and by whom."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import literal_column, select

from models import AuditEvent
from models.database import Database, Fetch, Row, Steps, Write
from models.values import new_id, now
from resolvers.access.pages import Page, PageArguments, Pages, covered
from resolvers.access.storage import Counting, insert_row, read, unavailable_unless
from resolvers.caller import Actor, ActorKind, Caller, Grant, Permission

SERVER = Actor(ActorKind.SYSTEM, "server", "issuegraph")
SUBJECT_LENGTH = 253
SETTINGS_CHANGED = "SETTINGS_CHANGED"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing done, as it is told: `details` is JSON text."""

    id: str
    at: str
    kind: str
    actor: Actor
    namespace: str
    subject: str
    details: str


class AuditLog:
    """Adds entries within the transaction of what they tell of, and pages through them, the newest first."""

    def __init__(self, database: Database) -> None:
        self._database = database
        columns = AuditEvent.__table__.columns
        self._add = database.compile(insert_row(AuditEvent))
        self._settings = database.compile(
            select(AuditEvent.details)
            .where(AuditEvent.kind == literal_column(f"'{SETTINGS_CHANGED}'"))
            .order_by(AuditEvent.id.desc())
            .limit(literal_column("1"))
        )
        self._pages = Pages(database, AuditEvent, columns, covered(AuditEvent.namespace))

    def add(
        self, kind: str, actor: Actor, *, namespace: str = "*", subject: str = "", details: Mapping[str, Any]
    ) -> Write:
        """The step that adds an entry. `namespace`: whose business it is."""
        entry = {
            "id": new_id(),
            "at": now(),
            "kind": kind,
            "actor_kind": str(actor.kind),
            "actor_id": actor.id,
            "actor_name": actor.name,
            "namespace": namespace,
            "subject": subject[:SUBJECT_LENGTH],
            "details": orjson.dumps(dict(details)).decode(),
        }
        return Write(self._add, [entry])

    async def note_settings(self, settings: dict[str, str]) -> None:
        """Tells which settings a server has, unless they are those that were told last. Raises Unavailable."""

        def last() -> Steps[dict[str, str] | None]:
            rows = yield Fetch(self._settings)
            return orjson.loads(rows[0][0])["settings"] if rows else None

        def work() -> Steps[None]:
            before = yield from last()
            if before != settings:
                known: dict[str, str] = before or {}
                changed = sorted(name for name in known | settings if known.get(name) != settings.get(name))
                details = {"changed": changed, "settings": settings}
                yield self.add(SETTINGS_CHANGED, SERVER, details=details)

        with unavailable_unless("read"):
            if await self._database.read(last) == settings:
                return
        with unavailable_unless("written"):
            await self._database.transact(work)

    async def page(self, caller: Caller, arguments: PageArguments, size: Counting | None = None) -> Page[AuditEntry]:
        """What concerns only namespaces in which the caller has ADMIN.

        Raises BadRequest and Unavailable; TooLarge and Overloaded by `size`.
        """
        count = None if size is None else size.count

        def work() -> Steps[Page[Row]]:
            return self._pages.page(caller.namespaces(Permission.ADMIN), arguments, tell=count)

        page = await read(self._database, work, size)
        return page.of([_entry(row) for row in page.rows])


def whose(grants: Iterable[Grant]) -> str:
    """The namespace or pattern that grants concern, `*` for more than one."""
    different = {grant.namespace for grant in grants}
    return different.pop() if len(different) == 1 else "*"


def _entry(row: Row) -> AuditEntry:
    id, at, kind, actor_kind, actor_id, actor_name, namespace, subject, details = row
    return AuditEntry(id, at, kind, Actor(ActorKind(actor_kind), actor_id, actor_name), namespace, subject, details)
