"""GraphQL over WebSocket: graphql-transport-ws, message for message as the npm package graphql-ws speaks it."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import GraphQLError

from resolvers.caller import Caller
from resolvers.errors import Forbidden, Overloaded, RateLimited, RequestError, Unavailable
from resolvers.query import Operation
from resolvers.subscription.outlet import Stopping
from resolvers.subscription.streams import Opened, Streams
from schema.executor import Executor
from schema.problems import errors_of
from web.asgi import network_of
from web.direct import SEND_NOW
from web.doors import admits_all
from web.graphql_request import BadRequest, GraphQLRequest, checked
from web.operations import Operations
from web.per_caller import PerCaller
from web.socket_messages import SUBPROTOCOL, CloseCode, Closing, Message, parse
from web.unread import room

# What comes before connection_init is acknowledged has so many bytes at most; the longest token has 16,384.
BYTES_BEFORE_INIT = 20_000
# In `scope["extensions"]`: called once the client is known, and may send more than that.
KNOWN = "issuegraph.known"
# How long a client that takes nothing may take to be told that the connection ends.
CLOSE_SECONDS = 2.0

Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
# Sends a text message, in two parts, if that can be done at once, and says whether it did.
SendNow = Callable[[bytes, bytes], bool]
# Who speaks, from who connected, the payload of connection_init and the network that it comes from. Raises Forbidden,
# to turn the client away, and Unavailable.
Admit = Callable[[Caller, Message, str], Awaitable[Caller]]


class Gone(Exception):
    """The client is no longer there."""


async def admit_as_connected(caller: Caller, _payload: Message, _network: str) -> Caller:
    """Whoever the handshake let in may speak."""
    return caller


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketLimits:
    """What one connection may ask for, and how many `sockets` one caller may have."""

    message_bytes: int = 1_000_000
    operations: int = 100
    sockets: int = 1_000
    init_seconds: float = 5.0


class Sockets:
    """The ASGI callable of a WebSocketRoute; `scope["caller"]` says who connected."""

    def __init__(
        self,
        operations: Operations,
        executor: Executor,
        streams: Streams,
        *,
        limits: SocketLimits | None = None,
        admit: Admit = admit_as_connected,
        admits: Callable[[Caller], bool] = admits_all,
    ) -> None:
        self.operations = operations
        self.executor = executor
        self.streams = streams
        self.limits = limits or SocketLimits()
        self.admit = admit
        # Whether one who was let in still would be.
        self.admits = admits
        self.per_caller = PerCaller(self.limits.sockets, "WebSockets")
        self._connections: set[Connection] = set()
        self._stopping = False

    def __len__(self) -> int:
        """How many connections are open."""
        return len(self._connections)

    def turn_away(self, whom: Callable[[Caller], bool]) -> None:
        """Closes, as FORBIDDEN, the connections of callers whose right to be here has ended."""
        for connection in self._connections:
            if whom(connection.caller):
                connection.close(CloseCode.FORBIDDEN, "Forbidden")

    def take_no_more(self) -> None:
        """From now on, who comes is told to come again."""
        self._stopping = True

    async def finished(self) -> None:
        """Returns when no operation runs."""
        for connection in [*self._connections]:
            await connection.finished()

    async def close(self, seconds: float) -> None:
        """Closes every connection, and takes so many `seconds` at most."""
        serving = [connection.serving for connection in self._connections if connection.serving]
        for connection in self._connections:
            connection.close(CloseCode.SERVICE_RESTART, "The server stops")
        if serving:
            await asyncio.wait(serving, timeout=seconds)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        await receive()  # websocket.connect
        spoken = SUBPROTOCOL in scope["subprotocols"]
        await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL if spoken else None})
        connection = Connection(self, scope, send)
        self._connections.add(connection)
        try:
            if not spoken:
                raise Closing(CloseCode.SUBPROTOCOL_NOT_ACCEPTABLE, "Subprotocol not acceptable")
            if self._stopping:
                raise Closing(CloseCode.SERVICE_RESTART, "The server stops")
            await connection.listen(receive)
        except Gone:
            pass
        except Closing as closing:
            await connection.end()
            with suppress(OSError, TimeoutError):  # it closed first, or does not read
                async with asyncio.timeout(CLOSE_SECONDS):
                    await send({"type": "websocket.close", "code": closing.code, "reason": closing.reason})
        finally:
            self._connections.discard(connection)
            if connection.taken is not None:
                self.per_caller.give_back(connection.taken)
            await connection.end()


class Connection:
    """One socket: its client's operations, each in a task of its own."""

    def __init__(self, sockets: Sockets, scope: MutableMapping[str, Any], send: Send) -> None:
        self._sockets = sockets
        self._limits = sockets.limits
        self._connected: Caller = scope["caller"]
        self._network = network_of(scope)
        self._caller: Caller | None = None  # known once connection_init is acknowledged
        self._asgi_send = send
        extensions = scope.get("extensions", {})
        self._send_now: SendNow | None = extensions.get(SEND_NOW)
        self._known: Callable[[], None] | None = extensions.get(KNOWN)
        self._scope = scope
        self._operations: dict[str, asyncio.Task[None]] = {}
        self.serving = asyncio.current_task()
        # As whose it is counted, once it is.
        self.taken: str | None = None
        # Set once the connection is to end, with `_until` as the alarm.
        self._closing: Closing | None = None
        self._until = asyncio.timeout(self._limits.init_seconds)
        self._listens = False

    @property
    def caller(self) -> Caller:
        """Who speaks; before connection_init, who connected."""
        return self._caller or self._connected

    async def listen(self, receive: Receive) -> None:
        """Serves the client until it goes. Raises Closing when the server is to end the connection."""
        try:
            async with self._until:
                self._listens = True
                while (event := await receive())["type"] == "websocket.receive":
                    message = parse(await self._paid(event.get("text")))
                    if message["type"] == "connection_init" and self._closing is None:
                        self._until.reschedule(None)
                    await self._handle(message)
                    # However many came at once, everything else has its turn.
                    await asyncio.sleep(0)
                    # Until the next one comes, which may take days, this one would stay in memory.
                    del event, message
        except TimeoutError:
            if not self._until.expired():
                raise
            timeout = Closing(CloseCode.INITIALISATION_TIMEOUT, "Connection initialisation timeout")
            raise self._closing or timeout from None
        finally:
            self._listens = False

    def close(self, code: CloseCode, reason: str) -> None:
        """Makes `listen` raise Closing soon, unless it ends anyway."""
        if self._listens and self._closing is None:
            self._closing = Closing(code, reason)
            with suppress(RuntimeError):  # it rings already
                self._until.reschedule(0)

    async def finished(self) -> None:
        """Returns when no operation runs."""
        if self._operations:
            await asyncio.wait(self._operations.values())

    async def end(self) -> None:
        """Ends every operation."""
        for task in self._operations.values():
            task.cancel()
        await asyncio.gather(*self._operations.values(), return_exceptions=True)

    async def _paid(self, text: str | None) -> str:
        """A message that may be read: as HTTP has it, a long one is charged before. Raises Closing."""
        text = text or ""
        size = len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
        most = self._limits.message_bytes
        most = min(most, BYTES_BEFORE_INIT) if self._caller is None else most
        if size > most:
            raise Closing(CloseCode.MESSAGE_TOO_BIG, f"A message has at most {most} bytes here")
        try:
            await self._sockets.operations.charge_body(size, self.caller)
        except RateLimited as error:
            # Whose operation it is nobody knows before it is read.
            raise Closing(CloseCode.TRY_AGAIN_LATER, error.message) from None
        return text

    async def _handle(self, message: Message) -> None:
        match message["type"]:
            case "connection_init":
                await self._initialise(message.get("payload") or {})
            case "ping":
                payload = message.get("payload")
                await self._send({"type": "pong"} if payload is None else {"type": "pong", "payload": payload})
            case "subscribe":
                await self._subscribe(message["id"], message["payload"])
            case "complete":
                if task := self._operations.pop(message["id"], None):
                    task.cancel()

    async def _initialise(self, payload: Message) -> None:
        if self._caller is not None:
            raise Closing(CloseCode.TOO_MANY_INITIALISATIONS, "Too many initialisation requests")
        try:
            self._caller = await self._sockets.admit(self._connected, payload, self._network)
        except Forbidden:
            raise Closing(CloseCode.FORBIDDEN, "Forbidden") from None
        except Unavailable:
            raise Closing(CloseCode.TRY_AGAIN_LATER, "Try again later") from None
        if not self._sockets.admits(self._caller):
            # It ended on the way here: nobody tells of that again.
            raise Closing(CloseCode.FORBIDDEN, "Forbidden")
        try:
            self.taken = self._sockets.per_caller.take(self._caller)
        except Overloaded as error:
            raise Closing(CloseCode.TRY_AGAIN_LATER, error.message) from None
        if self._known is not None:
            self._known()
        await self._send({"type": "connection_ack"})

    async def _subscribe(self, id: str, payload: Message) -> None:
        if self._caller is None:
            raise Closing(CloseCode.UNAUTHORIZED, "Unauthorized")
        if id in self._operations:
            raise Closing(CloseCode.SUBSCRIBER_EXISTS, f"Subscriber for {id} already exists")
        running = self._sockets.operations.running
        try:
            if len(self._operations) >= self._limits.operations:
                raise Overloaded(f"At most {self._limits.operations} operations run on one connection")
            taken = running.take(self._caller)
        except Overloaded as error:
            await self._send({"id": id, "type": "error", "payload": errors_of(error)})
            return
        task = self._operations[id] = asyncio.create_task(self._operate(id, payload, self._caller))
        task.add_done_callback(lambda _: running.give_back(taken))

    async def _operate(self, id: str, payload: Message, caller: Caller) -> None:
        try:
            before = b'{"id":' + orjson.dumps(id) + b',"type":"next","payload":'
            operation = await self._sockets.operations.admit(_request(payload), caller)
            if not self._sockets.admits(caller):
                self.close(CloseCode.FORBIDDEN, "Forbidden")
                return
            if operation.kind == "subscription":
                opened = self._sockets.streams.open(operation, caller)
                # It may go on for days, and half of its memory would be what it came with.
                del payload, operation
                await self._follow(opened, before)
            else:
                await self._answer(operation, caller, before)
            last: Message = {"id": id, "type": "complete"}
        except (Gone, Stopping):
            return
        except Exception as error:
            last = {"id": id, "type": "error", "payload": errors_of(error)}
        if self._operations.get(id) is asyncio.current_task():
            # The client may use the id again as soon as it has read the last message.
            del self._operations[id]
            with suppress(Gone):
                await self._send(last)

    async def _answer(self, operation: Operation, caller: Caller, before: bytes) -> None:
        with self._sockets.operations.answering(operation, caller) as size:
            answer = size.whole(await self._sockets.executor.execute(operation, caller))
        # From here on it is counted where it waits for the client.
        text = (before + answer + b"}").decode()
        del answer
        await self._send_text(text)

    async def _follow(self, opened: Opened, before: bytes) -> None:
        send_now = self._send_now
        async with opened as stream:
            if send_now is not None:
                stream.outlet.sink = lambda frame: send_now(before, frame.text + b"}")
            async for frame in stream.frames:
                # Until then it is one text for all who wait for it.
                await room(self._scope, len(frame.text))
                text = (before + frame.text + b"}").decode()
                del frame
                await self._send_text(text)
                del text

    async def _send(self, message: Message) -> None:
        await self._send_text(orjson.dumps(message).decode())

    async def _send_text(self, text: str) -> None:
        try:
            await self._asgi_send({"type": "websocket.send", "text": text})
        except OSError as error:
            raise Gone from error


def _request(payload: Message) -> GraphQLRequest:
    """The request of a `subscribe`. Raises RequestError where it is none after all."""
    try:
        return checked(payload)
    except BadRequest as error:
        raise RequestError([GraphQLError(error.message)]) from None
