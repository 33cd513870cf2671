"""Bodies of requests from those who have not shown who they are."""

from web.asgi import Message, Receive

# Of all that are on their way together.
MAX_BYTES = 16_000_000


class GaveWay(Exception):
    """Too much came from strangers at once, and this request was the one that took longest."""


class Strangers:
    """Reads their bodies before anybody else looks at them, of which all together hold no more than `max_bytes`.

    Beyond that, the one that is on its way for longest gives way: whoever sends slowly keeps nobody out who does not.
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._held = 0
        # In the order in which they began.
        self._bodies: dict[object, list[bytes]] = {}

    async def whole(self, receive: Receive) -> Receive:
        """The request again, its body being here. Raises GaveWay, and what `receive` does."""
        key = object()
        self._bodies[key] = []
        try:
            while True:
                message = await receive()
                if key not in self._bodies:
                    raise GaveWay
                if message["type"] != "http.request":
                    return _once(message, receive)
                self._hold(key, message.get("body", b""))
                if key not in self._bodies:
                    raise GaveWay
                if not message.get("more_body"):
                    body = b"".join(self._bodies[key])
                    return _once({"type": "http.request", "body": body, "more_body": False}, receive)
        finally:
            self._let_go(key)

    def _hold(self, key: object, piece: bytes) -> None:
        self._bodies[key].append(piece)
        self._held += len(piece)
        while self._held > self._max_bytes and len(self._bodies) > 1:
            self._let_go(next(iter(self._bodies)))

    def _let_go(self, key: object) -> None:
        self._held -= sum(map(len, self._bodies.pop(key, ())))


def _once(first: Message, receive: Receive) -> Receive:
    """Gives a message, and then what else there is."""
    messages = iter((first,))

    async def receiving() -> Message:
        return next(messages, None) or await receive()

    return receiving
