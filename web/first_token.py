"""The first token of a database, with which all others are made."""

import logging
import os
import sys
from pathlib import Path
from secrets import token_hex

from resolvers.access import Tokens
from resolvers.access.secret import new_secret
from web.settings import Settings

logger = logging.getLogger(__name__)

FILE = "admin-token"


async def make_first_token(tokens: Tokens, settings: Settings) -> None:
    """Makes it, unless there ever was one: of the setting, shown on a terminal, or in a file that only we can read.

    Raises Unavailable, and OSError when that file cannot be written; then there is no token yet.
    """
    if settings.bootstrap_token:
        if await tokens.create_first(settings.bootstrap_token.get_secret_value()):
            logger.warning("made the first token, with every permission, from ISSUEGRAPH_BOOTSTRAP_TOKEN")
        return
    secret = new_secret()
    if sys.stdout.isatty():
        if await tokens.create_first(secret):
            print(f"The first token, with every permission, shown this once:\n\n    {secret}\n", flush=True)
        return
    directory = Path(settings.sqlite_path).parent if settings.sqlite_path else Path("data")
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    # It is there before the token is: one that nobody knows would lock everybody out.
    written = directory / f".{FILE}.{token_hex(8)}"
    with os.fdopen(os.open(written, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(f"{secret}\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        if await tokens.create_first(secret):
            path = written.rename(directory / FILE)
            logger.warning("made the first token, with every permission: it is in %s", path.resolve())
    finally:
        written.unlink(missing_ok=True)
