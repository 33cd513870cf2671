"""GraphQL over HTTP: one endpoint for queries and mutations, streams and the page for people."""

from collections.abc import Awaitable, Callable, Mapping
from functools import cache

import orjson

from resolvers.caller import Caller
from resolvers.errors import Forbidden, Overloaded, Problem, RateLimited, RequestError
from resolvers.query import Operation
from schema.executor import Executor
from schema.problems import errors_of
from web.asgi import App, Headers, Receive, Scope, Send, body_of, header, respond
from web.doors import NO_LONGER_GOOD, NotAdmitted, admits_all
from web.graphql_request import (
    EVENT_STREAM,
    GRAPHQL_JSON,
    JSON,
    MULTIPART,
    Accept,
    BadRequest,
    is_for_page,
    of_body,
    of_url,
)
from web.operations import Operations
from web.result_stream import ResultStream
from web.wanted import Wanted

_STATUS = {Forbidden.code: 403, RateLimited.code: 429, Overloaded.code: 503}
ALLOWED: Headers = ((b"allow", b"GET, POST"),)


class GraphQLOverHttp:
    """The ASGI callable of `/graphql`; `streams` by media type, `page` answers a browser that comes to look.

    `admits`: whether one who was let in still would be, once it is his turn.
    """

    def __init__(
        self,
        operations: Operations,
        executor: Executor,
        streams: Mapping[str, ResultStream],
        page: App,
        *,
        admits: Callable[[Caller], bool] = admits_all,
    ) -> None:
        self._operations = operations
        self._executor = executor
        self._streams = streams
        self._page = page
        self._admits = admits
        self._wanted = Wanted()

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        accept = Accept.of(scope)
        method = scope["method"]
        media_type = accept.json
        if method not in ("GET", "POST"):
            return _refuse(send, BadRequest(405, "GraphQL takes GET and POST"), JSON, ALLOWED)
        if method == "GET" and is_for_page(scope, accept):
            return self._page(scope, receive, send)
        if media_type is None and accept.stream is None:
            message = f"The answer comes as {GRAPHQL_JSON}, {JSON}, {EVENT_STREAM} or {MULTIPART}: accept one of them"
            return _refuse(send, BadRequest(406, message), JSON)
        return self._answer(scope, receive, send, accept, media_type)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, accept: Accept, media_type: str | None) -> None:
        """`media_type` is None for a client that takes only streams. Raises NotAdmitted."""
        stream = None if accept.stream is None else self._streams[accept.stream]
        try:
            operation = await self._operation(scope, receive)
            if not self._admits(scope["caller"]):
                raise NotAdmitted(401, NO_LONGER_GOOD)
            taken = self._operations.running.take(scope["caller"])
        except BadRequest as error:
            await _refuse(send, error, media_type or JSON)
            return
        except ConnectionResetError:
            return
        except (RequestError, RateLimited, Overloaded) as error:
            if media_type is not None:
                await _send_errors(send, error, media_type)
            elif stream is not None:
                await stream.send_errors(send, errors_of(error))
            return
        try:
            await self._run(operation, scope, receive, send, stream, media_type)
        except ConnectionResetError:
            return
        finally:
            self._operations.running.give_back(taken)

    def _run(
        self,
        operation: Operation,
        scope: Scope,
        receive: Receive,
        send: Send,
        stream: ResultStream | None,
        media_type: str | None,
    ) -> Awaitable[None]:
        if scope["method"] == "GET" and operation.kind == "mutation":
            refusal = BadRequest(405, "A mutation changes something: send it by POST")
            return _refuse(send, refusal, media_type or JSON, ((b"allow", b"POST"),))
        if stream is not None and (media_type is None or operation.kind == "subscription"):
            # A client that takes both means the stream for what has no single answer.
            return stream(operation, scope, receive, send)
        assert media_type is not None
        return self._execute(operation, scope, receive, send, media_type)

    async def _execute(self, operation: Operation, scope: Scope, receive: Receive, send: Send, media_type: str) -> None:
        """Raises ConnectionResetError when the client of a query went away."""
        caller = scope["caller"]
        try:
            # Counted until the answer is whole: from then on it counts as unread.
            with self._operations.answering(operation, caller) as size:
                if operation.kind == "query":
                    with self._wanted.by(receive):
                        answer = await self._executor.execute(operation, caller)
                else:
                    answer = await self._executor.execute(operation, caller)
                body = size.whole(answer)
        except ConnectionResetError:
            raise
        except Exception as error:
            await _send_errors(send, error, media_type)
        else:
            await respond(send, 200, body, _content_type(media_type))

    async def _operation(self, scope: Scope, receive: Receive) -> Operation:
        """Raises BadRequest, RequestError, RateLimited, and ConnectionResetError when the client went away."""
        request = of_url(scope) if scope["method"] == "GET" else of_body(scope, await self._body(scope, receive))
        return await self._operations.admit(request, scope["caller"])

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        """The body, which was charged: before it comes if its size was announced."""
        caller, announced = scope["caller"], header(scope, b"content-length")
        if announced is not None and announced.isdecimal():
            await self._operations.charge_body(int(announced), caller)
            return await body_of(receive)
        body = await body_of(receive)
        await self._operations.charge_body(len(body), caller)
        return body


async def _send_errors(send: Send, error: Exception, media_type: str) -> None:
    if not isinstance(error, RequestError | Problem):
        status = 500
    else:
        # The older media type has no way to say it by the status: its clients read the body of a 200.
        status = _STATUS.get(getattr(error, "code", ""), 400) if media_type == GRAPHQL_JSON else 200
    headers = error.headers if isinstance(error, RateLimited) else ()
    await respond(send, status, orjson.dumps({"errors": errors_of(error)}), _content_type(media_type), headers)


async def _refuse(send: Send, error: BadRequest, media_type: str, headers: Headers = ()) -> None:
    answer = {"errors": [{"message": error.message, "extensions": {"code": "BAD_REQUEST"}}]}
    await respond(send, error.status, orjson.dumps(answer), _content_type(media_type), headers)


@cache
def _content_type(media_type: str) -> bytes:
    return f"{media_type}; charset=utf-8".encode()
