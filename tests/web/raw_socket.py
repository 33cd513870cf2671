"""A WebSocket client that does only what it is told: it answers no ping, and reads when it is asked to."""

import json
import socket

from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from web.socket_messages import SUBPROTOCOL

SECONDS = 20


class RawSocket:
    """Connected and acknowledged; blocks, so call it in a thread where a server lives in the same loop."""

    def __init__(self, port, *, receive_bytes=None):
        self.protocol = ClientProtocol(
            parse_uri(f"ws://127.0.0.1:{port}/graphql"), subprotocols=[Subprotocol(SUBPROTOCOL)], max_size=None
        )
        self.connection = socket.socket()
        if receive_bytes is not None:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.connection.settimeout(SECONDS)
        self.connection.connect(("127.0.0.1", port))
        self.protocol.send_request(self.protocol.connect())
        self.flush()
        self._events = self._read()
        answer = next(self._events)
        assert isinstance(answer, Response), answer
        self.send({"type": "connection_init"})
        assert self.message() == {"type": "connection_ack"}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def send(self, message):
        self.protocol.send_text(json.dumps(message).encode())
        self.flush()

    def subscribe(self, query, id="1"):
        """What the subscription begins with."""
        self.send({"id": id, "type": "subscribe", "payload": {"query": query}})
        return self.message()["payload"]["data"]

    def message(self):
        """The next message of the subprotocol."""
        for frame in self._events:
            if frame.opcode is Opcode.TEXT:
                return json.loads(bytes(frame.data))
        raise AssertionError("the server has closed")

    def until_the_end(self):
        """Every frame up to the end of the connection, pings too."""
        return [*self._events]

    def close_code(self):
        """The code that the server ended with, once the connection is over; None without one."""
        closed = [frame for frame in self.until_the_end() if isinstance(frame, Frame) and frame.opcode is Opcode.CLOSE]
        return int.from_bytes(bytes(closed[-1].data)[:2], "big") if closed else None

    def flush(self):
        """Sends what the protocol was given."""
        for data in self.protocol.data_to_send():
            if data:
                self.connection.sendall(data)

    def _read(self):
        while True:
            try:
                data = self.connection.recv(1 << 16)
            except ConnectionResetError:
                return
            if not data:
                return
            self.protocol.receive_data(data)
            # What the protocol would answer is dropped.
            self.protocol.data_to_send()
            yield from self.protocol.events_received()
