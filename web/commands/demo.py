"""`issuegraph demo`: something to look at."""

import asyncio
import os
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from web.commands import Stop
from web.commands.database import without_password
from web.commands.migrate import migrate
from web.setting_values import is_http_url
from web.settings import Settings, load

if TYPE_CHECKING:
    from web.commands import Commands


def add_to(commands: "Commands") -> None:
    """`issuegraph demo [--live [--url URL] [--token TOKEN]]`."""
    parser = commands.add_parser("demo", help="load a small data set to look at")
    parser.add_argument("--live", action="store_true", help="then keep reporting to the running server")
    parser.add_argument("--url", help="report to this server instead, and load nothing here")
    parser.add_argument("--token", help="what the running server lets us in with (default: ISSUEGRAPH_TOKEN)")
    parser.set_defaults(run=_demo, parser=parser)


def _demo(arguments: Namespace) -> None:
    parser: ArgumentParser = arguments.parser
    if arguments.url and not arguments.live:
        parser.error("--url goes with --live")
    token = arguments.token or os.environ.get("ISSUEGRAPH_TOKEN")
    demo(load(), live=arguments.live, url=arguments.url, token=token)


def demo(settings: Settings, *, live: bool, url: str | None, token: str | None = None) -> None:
    """Loads the demo, and plays on if `live`. Raises Stop."""
    from web import demo

    if url is not None and not is_http_url(url):
        raise Stop(f"--url must begin with http:// or https:// and a name (it is {url!r})")
    if url is None:
        migrate(settings)
        count = asyncio.run(demo.load(settings))
        print(f"loaded {count} issues into {without_password(settings)}", flush=True)
    url = (url or settings.own_url).rstrip("/")
    if live:
        try:
            demo.play(url, token=token)
        except OSError as error:
            raise Stop(f"no server at {url} ({error}): start one with `issuegraph serve`") from None
