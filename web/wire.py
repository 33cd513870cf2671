"""What lies under connections on uvicorn."""

from asyncio import AbstractEventLoop
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from uvicorn.server import ServerState

from web.answering import Answering
from web.arriving import Arriving
from web.reading import Clients, Reading
from web.socket_wire import Wire
from web.unread import HOLDS, ROOM


class Wires(Clients):
    """Makes the wire of each connection, for `uvicorn.Config(ws=wires, http=wires.http)`."""

    def __call__(self, config: Config, server_state: ServerState, app_state: dict[str, Any]) -> "Wire":
        return Wire(self, config, server_state, app_state)

    def http(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: AbstractEventLoop | None = None,
    ) -> "HttpWire":
        """As uvicorn makes a protocol."""
        return HttpWire(self, config, server_state, app_state, _loop)


class HttpWire(Reading, Arriving):
    """One HTTP connection. By itself uvicorn waits for its client for ever."""

    def __init__(
        self,
        clients: Clients,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        loop: AbstractEventLoop | None,
    ) -> None:
        super().__init__(clients.requests, clients.waiting, config, server_state, app_state, loop)
        self._clients = clients
        self._extensions: dict[str, Any] = {HOLDS: self._holds, ROOM: clients.unread.room}

    def handle_websocket_upgrade(self) -> None:
        """From here on another looks after it, if nothing of it is still to be sent."""
        if self._is_answering or self.flow.write_paused:
            # Behind a request that is not answered yet no client asks for it.
            self._refuse(400)
            return
        self._extensions.clear()
        super().handle_websocket_upgrade()

    def on_request(self, cycle: RequestResponseCycle) -> None:
        """It will be answered; the application is not called yet."""
        cycle.scope["extensions"] = self._extensions
        cycle.send = Answering(cycle)  # type: ignore[method-assign, assignment]

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        super().connection_lost(exc)
        # They hold it, and it holds them.
        self._extensions.clear()

    def cut(self) -> None:
        """Ends at once, for the memory that it holds."""
        self._clients.stalled_answers += not self.transport.is_closing()
        self.transport.abort()
