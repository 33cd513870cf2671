"""The paths below /plugins/webhook, in all their spellings: one ASGI callable."""

import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from resolvers.access.connections import ConnectionRow, Connections
from resolvers.access.tokens import Changed
from resolvers.caller import ActorKind, Caller, Permission
from resolvers.errors import Forbidden, Invalid, Overloaded, Unavailable
from resolvers.mutation.track_issue import NO_SUCH_ISSUE
from webhooks.answer import answer_of
from webhooks.client import received_of
from webhooks.deliver import Deliveries
from webhooks.devlake.answers import NOT_FOUND, Refusal, Told, failure, success
from webhooks.devlake.plans import Place, plans
from webhooks.devlake.reading import Field, Values, read_object
from webhooks.http import RETRY_AFTER, AsgiScope, Receive, Send, body_of, query_of, respond

log = logging.getLogger(__name__)

# The name of its deliveries, and what its tokens are tied to.
WEBHOOK = "devlake"
# Where clients find it: behind DevLake's page, with a key, and both.
PREFIXES = ("/plugins/webhook", "/rest/plugins/webhook", "/api/plugins/webhook", "/api/rest/plugins/webhook")
MAX_NAME_LENGTH = 100
# Of what follows the prefix: names and keys are shorter.
MAX_PATH_LENGTH = 2_000

_ID = r"(?:connections/)?(?P<id>[^/]+)"
_NAME = r"connections/by-name/(?P<name>.+)"
_PROJECT = r"projects/(?P<project>.+)"


@dataclass(frozen=True, slots=True)
class Request:
    """What a route reads."""

    scope: AsgiScope
    caller: Caller
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes


Route = Callable[[Request], Awaitable[Told]]


class DevLake:
    """`scope["caller"]` says who comes, `scope["path_params"]["path"]` what follows the prefix.

    `public_url` is what the addresses of issues begin with.
    """

    def __init__(self, connections: Connections, deliveries: Deliveries, *, public_url: str) -> None:
        self._connections = connections
        self._deliveries = deliveries
        self._public_url = public_url
        one: dict[str, Route] = {"GET": self._show, "PATCH": self._rename, "DELETE": self._delete}
        reports: dict[str, Route] = {
            "deployments": self._deploy,
            "issues": self._report,
            "issue/(?P<key>.+)/close": self._close,
            "pull_requests": self._merge,
        }
        routes: dict[str, dict[str, Route]] = {
            "connections": {"GET": self._list, "POST": self._create},
            f"{_PROJECT}/deployments": {"POST": self._deploy},
            **{f"{_NAME}/{what}": {"POST": deliver} for what, deliver in reports.items()},
            **{f"{_ID}/{what}": {"POST": deliver} for what, deliver in reports.items()},
            _NAME: one,
            "connections/(?P<id>[^/]+)": one,
        }
        self._routes = [(re.compile(pattern), methods) for pattern, methods in routes.items()]

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        path = scope["path_params"]["path"].strip("/")
        routes = self._routes if len(path) <= MAX_PATH_LENGTH else ()
        found = ((pattern.fullmatch(path), methods) for pattern, methods in routes)
        nothing: dict[str, Route] = {}
        match, methods = next(((match, methods) for match, methods in found if match), (None, nothing))
        route = methods.get(scope["method"])
        if match is None:
            await _send(send, failure(404, "no such path"))
        elif route is None:
            allow = ((b"allow", ", ".join(methods).encode()),)
            await respond(send, 405, orjson.dumps(failure(405, "Method not allowed").body), headers=allow)
        else:
            try:
                body = await body_of(receive)
            except ConnectionResetError:
                return
            await _send(
                send,
                await self._answer(route, Request(scope, scope["caller"], match.groupdict(), query_of(scope), body)),
            )

    async def _answer(self, route: Route, request: Request) -> Told:
        try:
            return await route(request)
        except Refusal as refusal:
            return refusal.answer
        except Forbidden as forbidden:
            return failure(403, forbidden.message)
        except Invalid as invalid:
            return failure(400, invalid.message)
        except (Overloaded, Unavailable) as problem:
            return failure(503, problem.message)
        except Exception:
            log.exception("a delivery of a client of DevLake's webhook")
            return failure(500, "internal error")

    # What tools report.

    async def _deploy(self, request: Request) -> Told:
        return await self._deliver("deployments", request)

    async def _report(self, request: Request) -> Told:
        return await self._deliver("issues", request)

    async def _close(self, request: Request) -> Told:
        return await self._deliver("close", request, issueKey=request.path["key"])

    async def _merge(self, request: Request) -> Told:
        return await self._deliver("pull_requests", request)

    async def _deliver(self, event: str, request: Request, **further: str) -> Told:
        place = await self._place(request)
        query = {**place.kept, **further}
        received = received_of(request.scope, request.body, webhook=WEBHOOK, event=event, query=query)
        try:
            items = plans(event, query, received.body or b"")
        except (Refusal, Invalid) as refusal:
            await self._deliveries.carry_out(replace(received, refused=refusal.message), (), request.caller)
            raise
        results = await self._deliveries.carry_out(received, items, request.caller)
        failed = next((result.message for result in results if result.action == "failed"), None)
        if failed == NO_SUCH_ISSUE:
            return failure(404, "issue not found")
        if failed is not None:
            return failure(500, failed)
        return success(dict(answer_of(received.id, results, (), self._public_url).body))

    async def _place(self, request: Request) -> Place:
        """Where the connection of a path reports to. Raises Refusal, also for one that the caller may not know."""
        caller, project = request.caller, request.path.get("project")
        if project is not None:
            return await self._project(project, caller)
        row = await self._connection(request, Permission.REPORT)
        await self._check_key(caller, row)
        return Place(row.namespace, str(row.id), row.name)

    async def _check_key(self, caller: Caller, row: ConnectionRow | None) -> None:
        """Raises Refusal for the key of another connection than that of this row."""
        is_its = row is not None and caller.actor.id == row.token_id
        if caller.actor.kind is ActorKind.TOKEN and not is_its and await self._connections.of_token(caller.actor.id):
            raise Refusal(403, "path doesn't match api key's scope")

    async def _project(self, project: str, caller: Caller) -> Place:
        """The connection of a project, or the project itself where it is a namespace of the caller's."""
        name = f"{project}_deployments"
        for each in (name, project):
            rows = _reportable(await self._connections.named(each), caller)
            if len(rows) == 1:
                await self._check_key(caller, rows[0])
                return Place(rows[0].namespace, str(rows[0].id), rows[0].name)
        if not caller.may(Permission.REPORT, project):
            raise Refusal(404, NOT_FOUND)
        await self._check_key(caller, None)
        return Place(project, name, project)

    # Connections.

    async def _create(self, request: Request) -> Told:
        members = read_object(request.body)
        values = Values(members, (Field("name", required=True), Field("namespace")), "WebhookConnection")
        if values.problems:
            raise Refusal(400, "input json error", values.problems)
        namespace = request.query.get("namespace") or values.text("namespace") or _only_namespace(request.caller)
        row, changed = await self._connections.create(values.text("name"), namespace, request.caller)
        return Told(200, {**_shown(row), "apiKey": _key(row, changed)})

    async def _list(self, request: Request) -> Told:
        return Told(200, [_shown(row) for row in await self._connections.managed(request.caller)])

    async def _show(self, request: Request) -> Told:
        return Told(200, _shown(await self._connection(request, Permission.MANAGE)))

    async def _rename(self, request: Request) -> Told:
        row = await self._connection(request, Permission.MANAGE)
        values = Values(read_object(request.body), (Field("name"),), "WebhookConnection")
        name = values.text("name")
        return Told(200, _shown(await self._connections.rename(row, name, request.caller) if name else row))

    async def _delete(self, request: Request) -> Told:
        row = await self._connection(request, Permission.MANAGE)
        await self._connections.delete(row, request.caller)
        return Told(200, _shown(row))

    async def _connection(self, request: Request, permission: Permission) -> ConnectionRow:
        """The one that a path names. Raises Refusal where the caller has not this permission."""
        name, caller = request.path.get("name"), request.caller
        if name is not None:
            if len(name) > MAX_NAME_LENGTH:
                raise Refusal(400, "invalid connectionName")
            rows = [row for row in await self._connections.named(name) if caller.may(permission, row.namespace)]
            if len(rows) > 1:
                raise Refusal(400, f"{len(rows)} namespaces have a connection of this name: use its id")
        else:
            id = request.path["id"]
            if not id.isascii() or not id.isdigit() or not int(id[:20]):
                raise Refusal(400, "invalid connectionId")
            row = await self._connections.find(int(id[:20]))
            rows = [row] if row and caller.may(permission, row.namespace) else []
        if not rows:
            raise Refusal(404, NOT_FOUND)
        return rows[0]


def _reportable(rows: list[ConnectionRow], caller: Caller) -> list[ConnectionRow]:
    return [row for row in rows if caller.may(Permission.REPORT, row.namespace)]


def _only_namespace(caller: Caller) -> str:
    """The one that needs not be named. Raises Refusal."""
    managed = caller.namespaces(Permission.MANAGE)
    if managed.everywhere or managed.prefixes or len(managed.names) != 1:
        raise Refusal(400, "say which namespace the connection reports to: ?namespace=, or `namespace` beside `name`")
    return managed.names[0]


def _shown(row: ConnectionRow) -> dict[str, Any]:
    below = f"/rest/plugins/webhook/connections/{row.id}"
    return {
        "name": row.name,
        "id": row.id,
        "namespace": row.namespace,
        "createdAt": row.created_at,
        "updatedAt": row.updated_at,
        "postIssuesEndpoint": f"{below}/issues",
        "closeIssuesEndpoint": f"{below}/issue/:issueKey/close",
        "postPullRequestsEndpoint": f"{below}/pull_requests",
        "postPipelineTaskEndpoint": f"{below}/cicd_tasks",
        "postPipelineDeployTaskEndpoint": f"{below}/deployments",
        "closePipelineEndpoint": f"{below}/cicd_pipeline/:pipelineName/finish",
        "apiKey": None,
    }


def _key(row: ConnectionRow, changed: Changed) -> dict[str, Any]:
    token = changed.token
    return {
        "id": token.id,
        "createdAt": token.created_at,
        "updatedAt": token.created_at,
        "creator": token.created_by.name,
        "creatorEmail": "",
        "updater": token.created_by.name,
        "updaterEmail": "",
        "name": token.name,
        "apiKey": changed.secret,
        "expiredAt": token.expires_at,
        "allowedPath": f"/plugins/webhook/connections/{row.id}/.*",
        "type": "plugin:webhook",
        "extra": f"connectionId:{row.id}",
    }


async def _send(send: Send, answer: Told) -> None:
    headers = RETRY_AFTER if answer.status == 503 else ()
    await respond(send, answer.status, orjson.dumps(answer.body), headers=headers)
