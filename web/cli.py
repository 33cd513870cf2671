"""The command `issuegraph`: serve, migrate, restored, demo, schema, check."""

import argparse
import asyncio
import gc
import logging
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from socket import AI_PASSIVE, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, getaddrinfo, socket
from typing import TextIO, cast

from web.settings import Settings, SettingsError, is_http_url, load

# How many connections wait until the server takes them.
BACKLOG = 2_048
LOOPBACK = ("127.0.0.1", "::1", "localhost")
TOLD_TO_BEGIN_ANEW = "The log has a new identity: clients with older positions are told to read their lists again"
# The identity of a log, and where it ended.
_NOTE = re.compile(r"([0-9a-f]{12}) (\d+)\n")


class Stop(Exception):
    """The command cannot go on; the message is one line that says why."""


def main() -> None:
    """Runs the command line. Exits with 1 when the command fails, 2 when it is not understood."""
    parser = argparse.ArgumentParser(prog="issuegraph", description="A live graph of what is broken in CI/CD.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    serve_parser = commands.add_parser("serve", help="run the server")
    serve_parser.add_argument("--dev", action="store_true", help="bring the database up to date first")
    commands.add_parser("migrate", help="bring the database up to date")
    commands.add_parser("restored", help="after a backup was restored: tell clients to begin anew")
    demo_parser = commands.add_parser("demo", help="load a small data set to look at")
    demo_parser.add_argument("--live", action="store_true", help="then keep reporting to the running server")
    demo_parser.add_argument("--url", help="report to this server instead, and load nothing here")
    commands.add_parser("schema", help="print the published GraphQL schema")
    commands.add_parser("check", help="look whether everything is as it must be")
    arguments = parser.parse_args()
    try:
        if arguments.command == "demo" and arguments.url and not arguments.live:
            parser.error("--url goes with --live")
        if arguments.command == "schema":
            print_schema()
        elif arguments.command == "check":
            sys.exit(check())
        elif arguments.command == "serve":
            serve(load(), dev=arguments.dev)
        elif arguments.command == "migrate":
            migrate(load())
        elif arguments.command == "restored":
            restored(load())
        else:
            demo(load(), live=arguments.live, url=arguments.url)
    except (SettingsError, Stop) as problem:
        sys.exit(f"issuegraph: {problem}")
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # Whoever read what we print has seen enough.
        os._exit(1)


def serve(settings: Settings, *, dev: bool) -> None:
    """Runs the server until it is told to stop. Raises Stop when it cannot begin."""
    # All that is read until it runs stays; looking through that for garbage would take a tenth of the start.
    gc.disable()
    if problem := _open_to_others(settings):
        raise Stop(problem)
    with _only_server(settings) as lock, _listening(settings) as listening:
        if dev or _is_new_file(settings):
            migrate(settings)
        else:
            _check_current(settings)
        with _noting_the_log(settings, lock):
            _run(settings, listening)


def _open_to_others(settings: Settings) -> str | None:
    if settings.host in LOOPBACK or settings.insecure:
        return None
    return (
        f"ISSUEGRAPH_HOST is {settings.host}, but there are no tokens yet: whoever reaches the server may do"
        " everything. Set ISSUEGRAPH_INSECURE=1 if something in front of it keeps others out"
    )


def _run(settings: Settings, listening: socket) -> None:
    import uvicorn

    from web.app import create_app
    from web.ending import Ending
    from web.wire import Wires
    from webhooks.definition import DefinitionError

    logging.basicConfig(level=settings.log_level.upper(), format="%(levelname)s %(name)s: %(message)s")
    ending = Ending(seconds=min(1.0, settings.shutdown_seconds))
    wires = Wires(stall_seconds=settings.socket_stall_seconds)
    try:
        app = create_app(settings, ending, wires)
    except DefinitionError as error:
        raise Stop(str(error)) from None
    config = uvicorn.Config(
        app,
        http="httptools",
        ws=cast(type[asyncio.Protocol], wires),  # it is called and nothing else
        ws_ping_interval=settings.socket_ping_seconds,
        ws_ping_timeout=settings.socket_ping_seconds,
        ws_per_message_deflate=False,
        ws_max_size=settings.max_socket_message_bytes * 4,
        lifespan="on",
        log_level="warning",
        access_log=False,
        server_header=False,
        # Nothing here looks at what a proxy says of the client.
        proxy_headers=False,
        timeout_graceful_shutdown=settings.shutdown_seconds,
    )

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                print(f"issuegraph is on {settings.own_url}", flush=True)

        async def shutdown(self, sockets: list[socket] | None = None) -> None:
            # uvicorn waits for answers to end, and streams do not by themselves.
            ending.begun.set()
            await ending.over.wait()
            await super().shutdown(sockets)

    gc.freeze()
    gc.enable()
    server = Server(config)
    server.run([listening])
    if not server.started:
        raise SystemExit(1)


@contextmanager
def _only_server(settings: Settings) -> Iterator[TextIO | None]:
    """An SQLite file has one server: a locked file beside it says so. Raises Stop when there is one already."""
    path = settings.sqlite_path
    if path is None:
        yield None
        return
    import fcntl

    # By its own name: two links to one file are one file.
    file = Path(path).resolve()
    if file.is_dir():
        raise Stop(f"{path} is a directory; an SQLite database is a file")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        opened = Path(f"{file}.lock").open("a+")  # noqa: SIM115 - closed below
    except OSError as error:
        raise Stop(f"{path} cannot be written: {error.strerror}") from None
    with opened as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Stop(f"another server has {path} open; several servers need PostgreSQL") from None
        yield lock


@contextmanager
def _noting_the_log(settings: Settings, lock: TextIO | None) -> Iterator[None]:
    """Notes in the locked file how far the log goes. One that ends before the note was restored, and is another one."""
    if lock is None:
        yield
        return
    from models.restored import log_end, renew_log

    lock.seek(0)
    noted = _NOTE.fullmatch(lock.read())
    with _database_errors(settings):
        identity, end = log_end(settings.database_url)
        if noted and noted[1] == identity and end < int(noted[2]):
            renew_log(settings.database_url)
            print(f"{settings.sqlite_path} was restored from a backup. {TOLD_TO_BEGIN_ANEW}", flush=True)

    def note() -> None:
        # Without it only this is not noticed.
        with suppress(Stop, OSError), _database_errors(settings):
            identity, end = log_end(settings.database_url)
            lock.truncate(0)
            lock.write(f"{identity} {end}\n")
            lock.flush()

    note()
    try:
        yield
    finally:
        note()


@contextmanager
def _listening(settings: Settings) -> Iterator[socket]:
    """The port, taken before anything else is done. Raises Stop when somebody else has it."""
    try:
        found = getaddrinfo(settings.host, settings.port, type=SOCK_STREAM, flags=AI_PASSIVE)
        family, _, _, _, address = found[0]
        listening = socket(family, SOCK_STREAM)
    except OSError as error:
        raise Stop(f"ISSUEGRAPH_HOST: {settings.host} is no address: {error.strerror}") from None
    with listening:
        listening.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
        try:
            listening.bind(address)
            # A second server could bind it too, up to here.
            listening.listen(BACKLOG)
        except OSError as error:
            raise Stop(f"port {settings.port} of {settings.host} cannot be had: {error.strerror}") from None
        yield listening


def _is_new_file(settings: Settings) -> bool:
    return settings.sqlite_path is not None and not Path(settings.sqlite_path).exists()


def _check_current(settings: Settings) -> None:
    from models.migrations import is_current

    with _database_errors(settings):
        current = is_current(settings.database_url)
    if not current:
        raise Stop("the database is not up to date: run `issuegraph migrate` first")


def migrate(settings: Settings) -> None:
    """Brings the database up to date. Raises Stop when it does not answer."""
    from models.migrations import migrate

    with _database_errors(settings):
        migrate(settings.database_url)


def restored(settings: Settings) -> None:
    """Gives the log of a restored database a new identity. Raises Stop when it does not answer or is in use."""
    from models.restored import renew_log

    if _is_new_file(settings):
        raise Stop(f"{settings.sqlite_path} is not there")
    with _only_server(settings):
        _check_current(settings)
        with _database_errors(settings):
            renew_log(settings.database_url)
    print(TOLD_TO_BEGIN_ANEW)


@contextmanager
def _database_errors(settings: Settings) -> Iterator[None]:
    from asyncpg import InterfaceError, PostgresError
    from sqlalchemy.exc import SQLAlchemyError

    from models.migrations import NewerDatabase

    try:
        yield
    except NewerDatabase as error:
        raise Stop(f"the database {_without_password(settings)} {error}") from None
    except (SQLAlchemyError, PostgresError, InterfaceError, OSError, TypeError, ValueError) as error:  # of options too
        why = (str(error) or type(error).__name__).splitlines()[0]
        raise Stop(f"the database {_without_password(settings)} does not answer: {why}") from None


def _without_password(settings: Settings) -> str:
    from sqlalchemy import make_url

    return make_url(settings.database_url).render_as_string()


def print_schema() -> None:
    """Prints what clients see."""
    from schema import sdl

    sys.stdout.write(sdl())


def demo(settings: Settings, *, live: bool, url: str | None) -> None:
    """Loads the demo, and plays on if `live`. Raises Stop."""
    from web import demo

    if url is not None and not is_http_url(url):
        raise Stop(f"--url must begin with http:// or https:// and a name (it is {url!r})")
    if url is None:
        migrate(settings)
        count = asyncio.run(demo.load(settings))
        print(f"loaded {count} issues into {_without_password(settings)}", flush=True)
    url = (url or settings.own_url).rstrip("/")
    if live:
        try:
            demo.play(url)
        except OSError as error:
            raise Stop(f"no server at {url} ({error}): start one with `issuegraph serve`") from None


def check() -> int:
    """Prints one line for each thing that must be right; 1 if one is not."""
    try:
        settings = load()
    except SettingsError as problem:
        print(f"settings     {problem}")
        return 1
    # A line each is all there is to say.
    logging.disable()
    found = [_line(name, look, settings) for name, look in _CHECKS.items()]
    return 0 if all(found) else 1


def _line(name: str, look: Callable[[Settings], str | None], settings: Settings) -> bool:
    try:
        problem = look(settings)
    except Exception as error:
        problem = str(error).splitlines()[0] if str(error) else type(error).__name__
    print(f"{name:12} {problem or 'ok'}")
    return problem is None


def _look_at_database(settings: Settings) -> str | None:
    from web.house import open_database

    if _is_new_file(settings):
        return f"{settings.sqlite_path} is not there yet: run `issuegraph migrate`"

    async def ping() -> None:
        database = open_database(settings)
        try:
            await database.ping()
        finally:
            await database.close()

    asyncio.run(ping())
    return None


def _look_at_migrations(settings: Settings) -> str | None:
    from models.migrations import is_current

    if not _is_new_file(settings) and is_current(settings.database_url):
        return None
    return "not up to date: run `issuegraph migrate`"


def _look_at_wakeups(settings: Settings) -> str | None:
    from resolvers.subscription.wakeups import Wakeups

    async def connect() -> str | None:
        wakeups = Wakeups(settings.wakeups_url)
        wakeups.start(lambda position: None)
        try:
            for _ in range(50):
                if wakeups.status.connected:
                    return None
                await asyncio.sleep(0.1)
            return wakeups.status.problem
        finally:
            await wakeups.close()

    return asyncio.run(connect())


def _look_at_definitions(settings: Settings) -> str | None:
    from webhooks.definition import load

    load()
    return None


_CHECKS: dict[str, Callable[[Settings], str | None]] = {
    "settings": _open_to_others,
    "database": _look_at_database,
    "migrations": _look_at_migrations,
    "wake-ups": _look_at_wakeups,
    "definitions": _look_at_definitions,
}
