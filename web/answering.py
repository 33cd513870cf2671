"""Answers in one piece: uvicorn writes head and body apart, and each write is a packet that wakes the client."""

from weakref import ref

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from web.asgi import Message

# No header has any, but for tabs.
_CONTROLS = bytes({*range(32), 127} - {9})
_END = b"\r\n"
# What is larger is not copied behind its head.
_COPIED_BYTES = 65_536
# What uvicorn reads from them it shall go on reading.
_OF_UVICORN = frozenset({b"connection", b"transfer-encoding"})


class Answering:
    """The `send` of one request: holds the head of an answer whose length is told until the body is there.

    What is no whole answer of that length uvicorn sends, and looks for what is wrong with it.
    """

    __slots__ = ("_cycle", "_start")

    def __init__(self, cycle: RequestResponseCycle) -> None:
        # It holds this: what holds each other stays until the collector comes.
        self._cycle = ref(cycle)
        self._start: Message | None = None

    async def __call__(self, message: Message) -> None:
        """As ASGI has it; once the request is over, nothing is sent."""
        cycle = self._cycle()
        if cycle is None:
            return
        if message["type"] == "http.response.start" and not cycle.response_started and _tells_its_length(message):
            # A second one comes when the application failed between head and body: nothing is out yet.
            self._start = message
            return
        start, self._start = self._start, None
        if start is not None:
            if await _is_sent(cycle, start, message):
                return
            await _send(cycle, start)
        await _send(cycle, message)


async def _send(cycle: RequestResponseCycle, message: Message) -> None:
    await RequestResponseCycle.send(cycle, message)  # type: ignore[arg-type]


async def _is_sent(cycle: RequestResponseCycle, start: Message, message: Message) -> bool:
    if message["type"] != "http.response.body" or message.get("more_body"):
        return False
    body: bytes = message.get("body", b"")
    if cycle.flow.write_paused and not cycle.disconnected:
        await cycle.flow.drain()
    if cycle.disconnected:
        return True
    head = _head(start, cycle, b"%d" % len(body))
    if head is None:
        return False
    cycle.waiting_for_100_continue = False
    cycle.response_started = cycle.response_complete = True
    if len(body) <= _COPIED_BYTES:
        cycle.transport.write(head + body)
    else:
        cycle.transport.writelines((head, body))
    cycle.message_event.set()
    if not cycle.keep_alive:
        cycle.transport.close()
    cycle.on_response()
    return True


def _tells_its_length(start: Message) -> bool:
    return any(name == b"content-length" for name, _ in start.get("headers", ()))


def _head(start: Message, cycle: RequestResponseCycle, length: bytes) -> bytes | None:
    """The head of an answer of this length; None for one that uvicorn has to look at."""
    lines = [STATUS_LINE[start["status"]]]
    told = None
    headers = (*cycle.default_headers, *start["headers"])
    for name, value in headers:
        if name == b"content-length":
            told = value
        elif name in _OF_UVICORN:
            return None
        lines += (name, b": ", value, _END)
    if told != length or cycle.scope["method"] == "HEAD":
        return None
    ends = len(headers) + 2
    if not cycle.keep_alive:
        ends += 1
        lines.append(b"connection: close\r\n")
    lines.append(_END)
    head = b"".join(lines)
    return head if len(head) - len(head.translate(None, _CONTROLS)) == ends * len(_END) else None
