"""`issuegraph serve`: the server."""

import asyncio
import gc
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from resource import RLIMIT_NOFILE, getrlimit, setrlimit
from signal import SIGTERM, signal
from socket import AI_PASSIVE, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, getaddrinfo, socket
from typing import TYPE_CHECKING, cast

from web.commands import Stop
from web.commands.database import check_current, is_new_file
from web.commands.migrate import migrate
from web.commands.sqlite_file import noting_the_log, only_server
from web.settings import Settings, load

if TYPE_CHECKING:
    from web.commands import Commands
    from web.tls import Certificate

# How many connections wait until the server takes them.
BACKLOG = 2_048
# Of the collector of garbage: how many objects are there more before it looks at the young ones, how many such looks
# come before one at older ones, and how many of those before one at all. Each holds everybody up, and with Python's own
# numbers a delivery of thousands of items made it look at all several times.
COLLECT_AFTER = (5_000, 5, 10)
# How long a server that is to stop at once lets connections go.
_NO_PATIENCE_SECONDS = 0.01
LOOPBACK = ("127.0.0.1", "::1", "localhost")


def add_to(commands: "Commands") -> None:
    """`issuegraph serve [--dev]`."""
    parser = commands.add_parser("serve", help="run the server")
    parser.add_argument(
        "--dev", action="store_true", help="for this machine alone: no tokens, and the database is brought up to date"
    )
    parser.set_defaults(run=_serve)


def _serve(arguments: Namespace) -> None:
    settings = load()
    serve(settings.model_copy(update={"dev": True}) if arguments.dev else settings)


def serve(settings: Settings) -> None:
    """Runs the server until it is told to stop. Raises Stop when it cannot begin."""
    # All that is read until it runs stays; looking through that for garbage would take a tenth of the start.
    gc.disable()
    raise_file_limit()
    if problem := open_to_others(settings):
        raise Stop(problem)
    with (
        only_server(settings) as lock,
        _listening(settings.host, settings.port, "ISSUEGRAPH_HOST") as listening,
        _listening_for_metrics(settings) as metrics_on,
    ):
        if settings.dev or is_new_file(settings):
            migrate(settings)
        else:
            check_current(settings)
        with noting_the_log(settings, lock):
            _run(settings, listening, metrics_on)


def raise_file_limit() -> None:
    """Every connection is an open file: the process may have as many as the system lets it."""
    soft, hard = getrlimit(RLIMIT_NOFILE)
    if soft != hard:
        # Some systems call the hard limit infinite, and allow less.
        with suppress(ValueError, OSError):
            setrlimit(RLIMIT_NOFILE, (hard, hard))


def open_to_others(settings: Settings) -> str | None:
    """What is wrong with who may reach the server, if anything."""
    if not settings.dev:
        return None
    if settings.host not in LOOPBACK:
        return (
            f"ISSUEGRAPH_HOST is {settings.host}, but with --dev whoever reaches the server may do everything:"
            " leave out --dev, or listen on 127.0.0.1"
        )
    if settings.metrics_address and settings.metrics_address.rpartition(":")[0].strip("[]") not in LOOPBACK:
        return (
            f"ISSUEGRAPH_METRICS_ADDRESS is {settings.metrics_address}, but --dev is for this machine alone:"
            " leave out --dev, or name an address like 127.0.0.1:9090"
        )
    return None


def _run(settings: Settings, listening: socket, metrics_on: socket | None) -> None:
    import uvicorn

    from web import logs
    from web.app import create_app
    from web.arriving import RequestLimits
    from web.ending import Ending
    from web.handshakes import Handshakes
    from web.wire import Wires
    from webhooks.definition import DefinitionError

    logs.set_up(settings)
    certificate = certificate_of(settings)
    check_authorities(settings)
    ending = Ending(seconds=min(1.0, settings.shutdown_seconds))
    requests = RequestLimits(settings.max_header_bytes, settings.request_seconds)
    # The other half of the files is for connections that are answered, and for the database.
    waiting = min(settings.max_waiting_connections, getrlimit(RLIMIT_NOFILE)[0] // 2)
    wires = Wires(
        stall_seconds=settings.socket_stall_seconds,
        requests=requests,
        waiting=waiting,
        unread=settings.max_answers_bytes,
    )
    try:
        app = create_app(settings, ending, wires, metrics_on)
    except DefinitionError as error:
        raise Stop(str(error)) from None
    config = uvicorn.Config(
        app,
        interface="asgi3",
        # They are called and nothing else.
        http=cast(type[asyncio.Protocol], wires.http),
        ws=cast(type[asyncio.Protocol], wires),
        ws_ping_interval=settings.socket_ping_seconds,
        ws_ping_timeout=settings.socket_ping_seconds,
        ws_per_message_deflate=False,
        ws_max_size=settings.max_socket_message_bytes,
        lifespan="on",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        # Only what trusted proxies say of the client is looked at, in web/app.py.
        proxy_headers=False,
        # With 0, uvicorn says that it took too long even where there is nothing to wait for.
        timeout_graceful_shutdown=cast(int, settings.shutdown_seconds or _NO_PATIENCE_SECONDS),
    )

    watching: list[asyncio.Task[None]] = []

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket] | None = None) -> None:
            await super().startup(sockets if certificate is None else [])
            if self.started:
                if certificate is not None:
                    handshakes = Handshakes(
                        listening,
                        certificate.context,
                        lambda: wires.http(self.config, self.server_state, self.lifespan.state),
                        waiting=wires.waiting,
                        limits=requests,
                    )
                    self.servers.append(cast(asyncio.Server, handshakes))
                    watching.append(asyncio.create_task(certificate.watch(), name="certificate"))
                who = " (--dev: whoever is on this machine may do everything)" if settings.dev else ""
                print(f"issuegraph is on {settings.own_url}{who}", flush=True)

        async def shutdown(self, sockets: list[socket] | None = None) -> None:
            # uvicorn waits for answers to end, and streams do not by themselves.
            ending.begun.set()
            await ending.over.wait()
            await super().shutdown(sockets)

    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
    gc.enable()
    # Once it has stopped for a signal uvicorn raises that again, and there is something to do yet.
    signal(SIGTERM, _stop)
    server = Server(config)
    server.run([listening])
    if not server.started:
        raise SystemExit(1)


def _stop(*_: object) -> None:
    raise SystemExit(0)


def certificate_of(settings: Settings) -> "Certificate | None":
    """What TLS is spoken with, if it is. Raises Stop."""
    if not settings.tls_certificate:
        return None
    from web.tls import BadCertificate, Certificate

    try:
        return Certificate(settings.tls_certificate, settings.tls_key)
    except BadCertificate as error:
        raise Stop(f"TLS: {error}") from None


def check_authorities(settings: Settings) -> None:
    """Raises Stop when the certificates that vouch for a cluster cannot be read."""
    from web.identity.configured import BadAuthorities, authorities_of

    try:
        authorities_of(settings)
    except BadAuthorities as error:
        raise Stop(str(error)) from None


@contextmanager
def _listening_for_metrics(settings: Settings) -> Iterator[socket | None]:
    host, _, port = settings.metrics_address.rpartition(":")
    if not host:
        yield None
        return
    with _listening(host.strip("[]"), int(port), "ISSUEGRAPH_METRICS_ADDRESS") as listening:
        yield listening


@contextmanager
def _listening(host: str, port: int, setting: str) -> Iterator[socket]:
    """The port, taken before anything else is done. Raises Stop when somebody else has it."""
    try:
        found = getaddrinfo(host, port, type=SOCK_STREAM, flags=AI_PASSIVE)
        family, _, _, _, address = found[0]
        listening = socket(family, SOCK_STREAM)
    except OSError as error:
        raise Stop(f"{setting}: {host} is no address: {error.strerror}") from None
    with listening:
        listening.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
        try:
            listening.bind(address)
            # A second server could bind it too, up to here.
            listening.listen(BACKLOG)
        except OSError as error:
            raise Stop(f"port {port} of {host} cannot be had: {error.strerror}") from None
        yield listening
