"""The command `issuegraph`: what web/commands has, as one program."""

import argparse
import os
import sys

from web.commands import (
    Stop,
    backup,
    check,
    demo,
    erase,
    export,
    migrate,
    restored,
    schema,
    serve,
    session,
    token,
    webhook,
)
from web.settings import SettingsError

COMMANDS = (serve, migrate, token, session, webhook, backup, restored, export, erase, demo, schema, check)


def main() -> None:
    """Runs the command line. Exits with 1 when the command fails, 2 when it is not understood."""
    parser = argparse.ArgumentParser(prog="issuegraph", description="A live graph of what is broken in CI/CD.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    for command in COMMANDS:
        command.add_to(commands)
    arguments = parser.parse_args()
    # Whatever it makes is its own: the database, what SQLite puts beside it, locks, backups.
    os.umask(0o077)
    try:
        if code := arguments.run(arguments):
            sys.exit(code)
    except (SettingsError, Stop) as problem:
        sys.exit(f"issuegraph: {problem}")
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # Whoever read what we print has seen enough.
        os._exit(1)
