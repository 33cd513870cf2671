"""`issuegraph schema`: what clients see, printed."""

import sys
from argparse import Namespace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from web.commands import Commands


def add_to(commands: "Commands") -> None:
    """`issuegraph schema`."""
    commands.add_parser("schema", help="print the published GraphQL schema").set_defaults(run=_print_schema)


def _print_schema(arguments: Namespace) -> None:
    from schema import sdl

    sys.stdout.write(sdl())
