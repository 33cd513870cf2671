"""`make pictures`: the pictures of the page in docs/images, of the demo's data."""

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.serving import Server
from web.demo import load
from web.settings import Settings

ROOT = Path(__file__).parent.parent
IMAGES = ROOT / "docs" / "images"


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        database_url = f"sqlite+aiosqlite:///{directory}/pictures.db"
        with Server(database_url, Path(directory)) as server:
            asyncio.run(load(Settings(database_url=database_url)))
            node = Path(sys.executable).parent / "node"
            script = ROOT / "tests" / "node" / "pictures.mjs"
            command = [str(node), str(script), f"http://127.0.0.1:{server.port}/", str(IMAGES)]
            subprocess.run(command, check=True, timeout=120)


if __name__ == "__main__":
    main()
