"""`make pictures`: every screen of the page as a picture, in both themes and three sizes, and those of docs/images.

Its arguments name the only screens that are wanted (tests/node/pictures/screens.mjs).
"""

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.serving import Server
from tests.web.test_access import FIRST
from web.demo import load
from web.settings import Settings

ROOT = Path(__file__).parent.parent
IMAGES = ROOT / "docs" / "images"
ALL = ROOT / ".pictures"
MOST_SECONDS = 900


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    ALL.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        here = Path(directory)
        full, empty = (f"sqlite+aiosqlite:///{directory}/{name}.db" for name in ("full", "empty"))
        with Server(full, here) as server, Server(empty, here, DEV="0", BOOTSTRAP_TOKEN=FIRST) as bare:
            asyncio.run(load(Settings(database_url=full)))
            node = Path(sys.executable).parent / "node"
            script = ROOT / "tests" / "node" / "pictures.mjs"
            urls = [f"http://127.0.0.1:{each.port}/" for each in (server, bare)]
            command = [str(node), str(script), *urls, FIRST, str(IMAGES), str(ALL), *sys.argv[1:]]
            subprocess.run(command, check=True, timeout=MOST_SECONDS)
    print(f"docs/images and .pictures ({len(list(ALL.iterdir()))} pictures)")


if __name__ == "__main__":
    main()
