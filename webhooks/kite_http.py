"""What the routes of Kite's issues share: words of answers, namespaces, and an ASGI callable for each path."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

import orjson

from resolvers.caller import Caller, Permission
from resolvers.errors import BadRequest, Forbidden, Invalid, Overloaded, TimedOut, TooLarge, Unavailable, UserError
from resolvers.query import Answers, Size
from webhooks.http import Answer, AsgiScope, Receive, Refused, Send, body_of, query_of, send_answer, send_json
from webhooks.idempotency import key_of

log = logging.getLogger(__name__)

NO_ACCESS = "Access denied to this namespace"
NOT_FOUND = "Issue not found"


class Request(NamedTuple):
    """What a route reads: `path` are the parameters in the path, `query` the first value of every name.

    `key` is the Idempotency-Key, `size` counts what the answer takes of memory until it is sent.
    """

    caller: Caller
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    key: str | None
    size: Size

    @property
    def namespace(self) -> str:
        """The one in the query, or ""."""
        return self.query.get("namespace", "")


Route = Callable[[Request], Awaitable[Answer | None]]


class Endpoint:
    """The ASGI callable of one path. `methods`: the route of each, and Kite's words for a failure of ours.

    Answers are counted by `answers`.
    A route that answers None is answered as 204.
    """

    def __init__(self, answers: Answers, **methods: tuple[Route, str]) -> None:
        self._answers = answers
        self._methods = methods

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        method = scope["method"]
        if method not in self._methods:
            allow = ", ".join(self._methods).encode()
            await send_answer(send, Answer(405, {"error": "Method not allowed"}), ((b"allow", allow),))
            return
        route, failed = self._methods[method]
        try:
            body = await body_of(receive)
        except ConnectionResetError:
            return
        with self._answers.begin(scope["caller"].line) as size:
            answer = await _answer(route, scope, body, failed, size)
            status, text = (204, b"") if answer is None else (answer.status, orjson.dumps(answer.body))
        # What it was made of would stay as long as the client takes to read.
        del answer
        if status == 204:
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body", "body": b""})
        else:
            await send_json(send, status, text)


def check_namespace(request: Request, permission: Permission) -> None:
    """Raises Forbidden when the namespace in the query is none that the caller may read or use like this."""
    namespace, caller = request.namespace, request.caller
    if namespace and not (caller.may(Permission.READ, namespace) or caller.may(permission, namespace)):
        raise Forbidden(f"no permission in namespace {namespace}")


async def _answer(route: Route, scope: AsgiScope, body: bytes, failed: str, size: Size) -> Answer | None:
    try:
        key = None if scope["method"] == "GET" else key_of(scope)
        return await route(Request(scope["caller"], scope.get("path_params", {}), query_of(scope), body, key, size))
    except Refused as refused:
        return refused.answer
    except Forbidden:
        return Answer(403, {"error": NO_ACCESS})
    except TooLarge as problem:
        return Answer(400, {"error": problem.message})
    except (Overloaded, TimedOut, Unavailable) as problem:
        return Answer(503, {"error": problem.message})
    except Invalid as invalid:
        return invalid_answer("; ".join(map(_named, invalid.errors)))
    except BadRequest as problem:
        return invalid_answer(problem.message)
    except Exception:
        log.exception("%s", failed)
        return Answer(500, {"error": failed})


def invalid_answer(details: str) -> Answer:
    """Kite's 400 for values that cannot be."""
    return Answer(400, {"details": details, "error": "Validation failed"})


def _named(error: UserError) -> str:
    """The message of a broken rule with the whole path of its field: `links[0].url must be ...`."""
    path = ""
    for name in error.field:
        path += f"[{name}]" if name.isdecimal() else f".{name}" if path else name
    last = error.field[-1] if error.field else ""
    if last and error.message.startswith(last + " "):
        return path + error.message.removeprefix(last)
    return f"{path}: {error.message}" if path else error.message
