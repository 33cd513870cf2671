"""Webhooks as their owners handle them: made, changed, deleted, listed; each change together with its audit."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from typing import Any, TypeVar

import orjson
from sqlalchemy import and_, bindparam, delete, exists, func, not_, select, update

from models import Access, Webhook, WebhookNamespace, WebhookVersion
from models.base import Id, Position, Word
from models.database import Database, Fetch, Row, Steps, Work, Write
from models.dialect import ListOf, any_of
from models.values import new_id, now
from resolvers.access.audit import AuditLog, whose
from resolvers.access.pages import Page, PageArguments, Pages, covered
from resolvers.access.storage import insert_row, read, tell, unavailable_unless
from resolvers.caller import Actor, Caller, Grant, Permission
from resolvers.errors import Forbidden, Invalid, UserError
from resolvers.mutation.checks import Checks
from resolvers.query import Size
from resolvers.webhooks.engine import DefinitionProblem, Engine
from resolvers.webhooks.rows import COLUMNS, VERSION_COLUMNS, VersionRow, WebhookRow, values_of, version_of, webhook_of
from resolvers.webhooks.secrets import NoKey, Secrets, Unreadable
from resolvers.webhooks.wanted import MAX_SECRETS, Wanted, checks_of

T = TypeVar("T")

MAX_TITLE_LENGTH = 200
VERSIONS_KEPT = 50

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}", re.ASCII)


class BadDefinition(Exception):
    """A definition that cannot be used, with all that is wrong with it."""

    def __init__(self, problems: Sequence[DefinitionProblem]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = tuple(problems)


class Webhooks:
    """The webhooks of one database. Every method raises Unavailable when it cannot be reached or written.

    `on_change` is awaited after each change, before it is answered.
    """

    def __init__(
        self,
        database: Database,
        audit: AuditLog,
        engine: Engine,
        secrets: Secrets,
        *,
        most: int,
        on_change: Callable[[], Awaitable[None]],
    ) -> None:
        compile = database.compile
        self._database = database
        self._audit = audit
        self._engine = engine
        self._secrets = secrets
        self._most = most
        self._on_change = on_change
        self._add = compile(insert_row(Webhook))
        self._add_namespace = compile(insert_row(WebhookNamespace))
        self._add_version = compile(insert_row(WebhookVersion))
        name = Webhook.name == bindparam("name", type_=Word())
        self._one = compile(select(*COLUMNS).where(name))
        self._count = compile(select(func.count()).select_from(Webhook))
        # A version has them in the order in which they were given.
        is_of_it = and_(WebhookVersion.webhook_id == Webhook.id, WebhookVersion.version == Webhook.version)
        self._namespaces = compile(
            select(Webhook.id, WebhookVersion.namespaces)
            .join_from(Webhook, WebhookVersion, is_of_it)
            .where(any_of(Webhook.id, bindparam("ids", type_=ListOf(Id()))))
        )
        key = bindparam("id_key", type_=Id())
        written = {c.name: bindparam(c.name, type_=c.type) for c in COLUMNS if c.name not in ("id", "name")}
        self._update = compile(update(Webhook).where(Webhook.id == key).values(written))
        self._delete = compile(delete(Webhook).where(Webhook.id == key))
        self._clear_namespaces = compile(delete(WebhookNamespace).where(WebhookNamespace.webhook_id == key))
        self._clear_versions = compile(delete(WebhookVersion).where(WebhookVersion.webhook_id == key))
        oldest = bindparam("oldest", type_=Position)
        self._forget_versions = compile(
            delete(WebhookVersion).where(WebhookVersion.webhook_id == key, WebhookVersion.version < oldest)
        )
        self._versions = compile(
            select(*VERSION_COLUMNS).where(WebhookVersion.webhook_id == key).order_by(WebhookVersion.version.desc())
        )
        changes = func.coalesce(Access.webhook_changes, 0) + 1
        self._changed = compile(update(Access).values(version=Access.version + 1, webhook_changes=changes))
        outside = exists().where(WebhookNamespace.webhook_id == Webhook.id, not_(covered(WebhookNamespace.namespace)))
        self._pages = Pages(database, Webhook, COLUMNS, not_(outside))

    async def create(self, name: str, wanted: Wanted, caller: Caller) -> WebhookRow:
        """Makes a webhook.

        Raises Invalid, BadDefinition, and Forbidden beyond the caller's MANAGE.
        """
        checks = checks_of(wanted)
        if not _NAME.fullmatch(name):
            message = "name has 1 to 100 of a-z, 0-9, `.`, `_` and `-`, and begins with a letter or a digit"
            checks.error("INVALID", ("name",), message)
        elif self._engine.is_reserved(name):
            checks.error("CONFLICT", ("name",), "this name is taken by the server")
        if not wanted.namespaces:
            checks.error("REQUIRED", ("namespaces",), "a webhook needs namespaces to report in")
        checks.done()
        _check_may_manage(caller, wanted.namespaces or ())
        definition = wanted.definition or ""
        title = await self._title(name, definition)
        await self._check_secrets(definition, wanted, wanted.secrets or ())
        at, actor = now(), caller.actor
        row = WebhookRow(
            id=new_id(),
            name=name,
            title=title,
            definition=definition,
            version=1,
            enabled=wanted.enabled is not False,
            keep_bodies=wanted.keep_bodies is not False,
            secrets=self._encrypted(wanted.secrets or ()),
            created_at=at,
            updated_at=at,
            updated_by=actor,
            namespaces=_once(wanted.namespaces or ()),
        )

        def work() -> Steps[WebhookRow]:
            if (yield Fetch(self._one, {"name": name})):
                raise _refusal("CONFLICT", "name", "there is a webhook of this name")
            ((count,),) = yield Fetch(self._count)
            if count >= self._most:
                raise _refusal("TOO_MANY", "name", f"there are {self._most} webhooks, which is the limit")
            yield Write(self._add, [{"id": row.id, "name": name, **values_of(row)}])
            yield from self._kept(row)
            yield self._audited("WEBHOOK_CREATED", row, actor)
            return row

        return await self._transact(work)

    async def update(self, name: str, expected_version: int, wanted: Wanted, caller: Caller) -> WebhookRow:
        """Changes a webhook that is as its owner believes.

        Raises Invalid with NOT_FOUND for one that is not there or not the caller's, and with CONFLICT for one that was
        changed meanwhile; BadDefinition; Forbidden beyond the caller's MANAGE.
        """
        checks = checks_of(wanted)
        if wanted.namespaces is not None and not wanted.namespaces:
            checks.error("REQUIRED", ("namespaces",), "a webhook needs namespaces to report in")
        checks.done()
        _check_may_manage(caller, wanted.namespaces or ())
        before = await self._read(lambda: self._found(name, caller))
        definition = before.definition if wanted.definition is None else wanted.definition
        title = before.title if wanted.definition is None else await self._title(name, definition)
        if before.version == expected_version and (wanted.definition, wanted.secrets, wanted.new_secret) != (None,) * 3:
            await self._check_secrets(definition, wanted, self._secrets_after(before, wanted))

        def work() -> Steps[WebhookRow]:
            row = yield from self._found(name, caller)
            _check_version(row, expected_version)
            after = WebhookRow(
                id=row.id,
                name=row.name,
                title=title,
                definition=definition,
                version=row.version + 1,
                enabled=row.enabled if wanted.enabled is None else wanted.enabled,
                keep_bodies=row.keep_bodies if wanted.keep_bodies is None else wanted.keep_bodies,
                secrets=self._new_secrets(row, wanted),
                created_at=row.created_at,
                updated_at=now(),
                updated_by=caller.actor,
                namespaces=row.namespaces if wanted.namespaces is None else _once(wanted.namespaces),
            )
            yield Write(self._update, [{"id_key": row.id, **values_of(after)}])
            yield Write(self._clear_namespaces, [{"id_key": row.id}])
            yield from self._kept(after)
            yield Write(self._forget_versions, [{"id_key": row.id, "oldest": after.version - VERSIONS_KEPT + 1}])
            yield self._audited("WEBHOOK_CHANGED", after, caller.actor)
            return after

        return await self._transact(work)

    async def delete(self, name: str, caller: Caller, expected_version: int | None = None) -> WebhookRow:
        """Removes a webhook with its history; its deliveries stay for their time. Raises Invalid as `update` does.

        Without an `expected_version`, whatever version there is.
        """

        def work() -> Steps[WebhookRow]:
            row = yield from self._found(name, caller)
            if expected_version is not None:
                _check_version(row, expected_version)
            for statement in (self._clear_namespaces, self._clear_versions, self._delete):
                yield Write(statement, [{"id_key": row.id}])
            yield Write(self._changed, [{}])
            yield self._audited("WEBHOOK_DELETED", row, caller.actor)
            return row

        return await self._transact(work)

    async def one(self, name: str, caller: Caller) -> WebhookRow | None:
        """The webhook, if the caller has MANAGE in all its namespaces."""
        try:
            return await self._read(lambda: self._found(name, caller))
        except Invalid:
            return None

    async def page(self, caller: Caller, arguments: PageArguments, size: Size | None = None) -> Page[WebhookRow]:
        """Webhooks, the newest first, in all of whose namespaces the caller has MANAGE.

        Raises BadRequest; TooLarge and Overloaded by `size`.
        """
        tell_size = None if size is None else size.count

        def work() -> Steps[Page[WebhookRow]]:
            page = yield from self._pages.page(caller.namespaces(Permission.MANAGE), arguments, tell=tell_size)
            return page.of((yield from self._with_namespaces(page.rows)))

        return await self._read(work, size)

    async def note_replay(
        self, caller: Caller, webhook: str, namespaces: Sequence[str], details: Mapping[str, Any]
    ) -> None:
        """Tells the audit that somebody has deliveries done again."""
        namespace = namespaces[0] if len(namespaces) == 1 else "*"
        subject = webhook if _NAME.fullmatch(webhook) else ""
        noted = self._audit.add(
            "DELIVERIES_REPLAYED", caller.actor, namespace=namespace, subject=subject, details=details
        )

        def work() -> Steps[None]:
            yield noted

        with unavailable_unless("written"):
            await self._database.transact(work)

    async def versions(self, id: str, size: Size | None = None) -> list[VersionRow]:
        """What a webhook was, the newest first: of the last VERSIONS_KEPT changes.

        Raises TooLarge and Overloaded by `size`.
        """

        def work() -> Steps[list[VersionRow]]:
            rows = yield Fetch(self._versions, {"id_key": id}, None if size is None else size.count)
            return [version_of(row) for row in rows]

        return await self._read(work, size, statements=1)

    async def _title(self, name: str, definition: str) -> str:
        """Raises BadDefinition."""
        # A large one takes a second, and its title alone thirty milliseconds, in which others have their turns.
        problems = await asyncio.to_thread(self._engine.problems, name, definition)
        if problems:
            raise BadDefinition(problems)
        title = await asyncio.to_thread(self._engine.title, name, definition)
        return title[:MAX_TITLE_LENGTH]

    async def _check_secrets(self, definition: str, wanted: Wanted, secrets: Sequence[str]) -> None:
        """Raises Invalid for secrets that no sender could show: new ones are named, of kept ones the definition is; and
        for new ones that are too weak."""
        checks = Checks()
        if secrets:
            new = sum(wanted.place_of(index) != ("definition",) for index in range(len(secrets)))
            for index, message in await asyncio.to_thread(self._engine.unfit_secrets, definition, secrets, new):
                field = wanted.place_of(index)
                checks.error("INVALID", field, message if field != ("definition",) else f"of a kept secret: {message}")
        checks.done()

    def _secrets_after(self, row: WebhookRow, wanted: Wanted) -> Sequence[str]:
        """All that there will be, the newest first; what cannot be read any more is left out."""
        if wanted.secrets is not None:
            return wanted.secrets
        try:
            known = self._secrets.decrypted(row.secrets)
        except Unreadable:
            known = ()
        return known if wanted.new_secret is None else (wanted.new_secret, *known)[:MAX_SECRETS]

    def _new_secrets(self, row: WebhookRow, wanted: Wanted) -> str | None:
        if wanted.secrets is None and wanted.new_secret is None:
            return row.secrets
        return self._encrypted(self._secrets_after(row, wanted))

    def _encrypted(self, secrets: Sequence[str]) -> str | None:
        try:
            return self._secrets.encrypted(secrets)
        except OSError as error:
            message = f"the key that secrets are encrypted with cannot be made: {error}"
            raise _refusal("INVALID", "secrets", message) from error
        except Unreadable:
            message = "the key that secrets are encrypted with cannot be read"
            raise _refusal("INVALID", "secrets", message) from None
        except NoKey:
            message = "secrets are kept encrypted: set ISSUEGRAPH_SECRET_KEY on every server first"
            raise _refusal("INVALID", "secrets", message) from None

    def _kept(self, row: WebhookRow) -> Steps[None]:
        yield Write(self._add_namespace, [{"webhook_id": row.id, "namespace": each} for each in row.namespaces])
        version = {
            "webhook_id": row.id,
            "version": row.version,
            "definition": row.definition,
            "namespaces": orjson.dumps(row.namespaces).decode(),
            "enabled": row.enabled,
            "keep_bodies": row.keep_bodies,
            "at": row.updated_at,
            "by_kind": str(row.updated_by.kind),
            "by_id": row.updated_by.id,
            "by_name": row.updated_by.name,
        }
        yield Write(self._add_version, [version])
        yield Write(self._changed, [{}])

    def _audited(self, kind: str, row: WebhookRow, actor: Actor) -> Write:
        details = {"version": row.version, "namespaces": list(row.namespaces), "enabled": row.enabled}
        namespace = whose(Grant(Permission.MANAGE, namespace) for namespace in row.namespaces)
        return self._audit.add(kind, actor, namespace=namespace, subject=row.name, details=details)

    def _found(self, name: str, caller: Caller) -> Steps[WebhookRow]:
        """Raises Invalid with NOT_FOUND for one that is not there or not for the caller."""
        rows = (yield Fetch(self._one, {"name": name})) if _NAME.fullmatch(name) else []
        managed = caller.namespaces(Permission.MANAGE)
        for row in (yield from self._with_namespaces(rows)):
            if all(namespace in managed for namespace in row.namespaces):
                return row
        raise _refusal("NOT_FOUND", "name", "there is no such webhook")

    def _with_namespaces(self, rows: Sequence[Row]) -> Generator[Fetch | Write, list[Row], list[WebhookRow]]:
        # Also for none: what runs does not tell whether there is a webhook of a name.
        found = yield Fetch(self._namespaces, {"ids": [row[0] for row in rows]})
        where = {id: tuple(orjson.loads(namespaces)) for id, namespaces in found}
        return [webhook_of(row, where[row[0]]) for row in rows]

    async def _read(self, work: Work[T], size: Size | None = None, statements: int = 2) -> T:
        return await read(self._database, work, size, statements=statements)

    async def _transact(self, work: Work[T]) -> T:
        with unavailable_unless("written"):
            done = await self._database.transact(work)
        await tell(self._on_change, "webhooks")
        return done


def _check_may_manage(caller: Caller, namespaces: Sequence[str]) -> None:
    for namespace in namespaces:
        if namespace not in caller.namespaces(Permission.MANAGE):
            raise Forbidden(f"no permission to manage in namespace {namespace}")


def _once(namespaces: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(namespaces))


def _check_version(row: WebhookRow, expected: int) -> None:
    if row.version != expected:
        message = f"the webhook was changed meanwhile: its version is {row.version}"
        raise _refusal("CONFLICT", "expectedVersion", message)


def _refusal(code: str, field: str, message: str) -> Invalid:
    return Invalid([UserError(code=code, field=(field,), message=message)])
