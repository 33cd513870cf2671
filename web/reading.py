"""Whether clients read what they are sent: those that are dead or take nothing are found, on either protocol."""

from asyncio import Protocol, Transport, get_running_loop
from collections.abc import Callable

from web.arriving import RequestLimits, Waiting
from web.unread import SMALL_BYTES, Unread


class Clients:
    """What all connections have together.

    `stalled` and `stalled_answers` count the WebSockets and the HTTP answers whose client took nothing, or was the
    slowest when more than `unread` bytes were unread.
    """

    def __init__(
        self,
        *,
        stall_seconds: float = 30.0,
        requests: RequestLimits | None = None,
        waiting: int = 10_000,
        unread: int = 100_000_000,
    ) -> None:
        self.stall_seconds = stall_seconds
        self.requests = requests or RequestLimits()
        self.waiting = Waiting(waiting)
        self.unread = Unread(unread)
        self.stalled = 0
        self.stalled_answers = 0


class Patience:
    """With a client that takes nothing for now: calls `stalled` unless something was taken every `seconds`."""

    def __init__(self, transport: Transport, seconds: float, stalled: Callable[[], None]) -> None:
        self._transport = transport
        self._seconds = seconds
        self._stalled = stalled
        self._wait()

    def end(self) -> None:
        """The client has read on, or is gone."""
        self._timer.cancel()

    def _wait(self) -> None:
        self._untaken = self._transport.get_write_buffer_size()
        self._timer = get_running_loop().call_later(self._seconds, self._look)

    def _look(self) -> None:
        if self._transport.get_write_buffer_size() < self._untaken:
            # Slow, but it reads.
            self._wait()
        else:
            self._stalled()


class Reading(Protocol):
    """Looks after a client that reads, or does not, on either protocol."""

    transport: Transport
    _clients: Clients
    _patience: Patience | None = None
    # Of what its transport has while it is paused.
    _unread = 0

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """A client is there."""
        super().connection_made(transport)
        # Over TLS it would be eight times as much.
        transport.set_write_buffer_limits(high=SMALL_BYTES)

    def pause_writing(self) -> None:
        """The client takes nothing more for now, and all that is to be sent is here."""
        super().pause_writing()
        self._patience = Patience(self.transport, self._clients.stall_seconds, self._stalled)
        self._unread = self.transport.get_write_buffer_size()
        self._holds(self._unread)

    def resume_writing(self) -> None:
        """The client has read on."""
        super().resume_writing()
        self._stop_patience()
        self._holds(-self._unread)
        self._clients.unread.has_read(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        self._stop_patience()
        self._clients.unread.forget(self)
        super().connection_lost(exc)

    def cut(self) -> None:
        """Ends at once, for the memory that it holds."""
        raise NotImplementedError

    def _holds(self, count: int) -> None:
        self._clients.unread.add(self, count)

    def _stalled(self) -> None:
        self.cut()

    def _stop_patience(self) -> None:
        if self._patience is not None:
            self._patience.end()
            self._patience = None
