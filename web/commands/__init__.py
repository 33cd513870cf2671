"""The commands of `issuegraph`, a file each: `add_to(commands)` says how it is called and what it runs.

Nothing of the server is imported before a command runs, so a word on the screen does not wait for it.
"""

from argparse import ArgumentParser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    Commands = _SubParsersAction[ArgumentParser]


class Stop(Exception):
    """The command cannot go on; the message is one line that says why."""


def check_namespace(namespace: str) -> None:
    """Raises Stop for one that nothing can be of, such as a variable of the shell that is not set."""
    if not namespace:
        raise Stop("--namespace must not be empty")
