"""What senders sign with, encrypted before it is kept: whoever has the database alone has none of it."""

import base64
import binascii
import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

KEY_BYTES = 32


class NoKey(Exception):
    """There is no key to encrypt with."""


class Unreadable(Exception):
    """It was encrypted with another key, or the key beside the database cannot be read."""


class Secrets:
    """Encrypts with the first of `keys`, reads what was encrypted with any; without keys it does neither.

    A key is 32 bytes in base64. `beside`: an embedded database, whose key is in a file beside it, from the first secret
    on. Raises ValueError for what is no key.
    """

    def __init__(self, keys: Sequence[str], beside: Path | None = None) -> None:
        for key in keys:
            check_key(key)
        self._keys = tuple(keys)
        self._beside = None if beside is None else beside.with_name(beside.name + ".key")

    def encrypted(self, secrets: Sequence[str]) -> str | None:
        """As it is kept; None for none.

        Raises NoKey, Unreadable for a file with no key in it, and OSError when that cannot be made.
        """
        if not secrets:
            return None
        if not self._keys and self._beside is None:
            raise NoKey
        if not self._keys and self._beside is not None:
            if not self._beside.exists():
                _make_key(self._beside)
            self._keys = (_key_in(self._beside),)
        return self._fernet().encrypt(orjson.dumps(list(secrets))).decode()

    def decrypted(self, kept: str | None) -> tuple[str, ...]:
        """The secrets, the newest first. Raises Unreadable."""
        if kept is None:
            return ()
        if not self._keys and self._beside is not None:
            self._keys = (_key_in(self._beside),)
        if not self._keys:
            raise Unreadable
        # A tenth of a start, and few servers need it.
        from cryptography.fernet import InvalidToken

        try:
            return tuple(orjson.loads(self._fernet().decrypt(kept.encode())))
        except InvalidToken:
            raise Unreadable from None

    def _fernet(self) -> "MultiFernet":
        from cryptography.fernet import Fernet, MultiFernet

        return MultiFernet([Fernet(key) for key in self._keys])


def check_key(key: str) -> None:
    """Raises ValueError for what is no key."""
    try:
        is_key = len(base64.b64decode(key.translate(_URL_SAFE), validate=True)) == KEY_BYTES
    except (ValueError, binascii.Error):
        is_key = False
    if not is_key:
        raise ValueError(
            f"must be {KEY_BYTES} random bytes in base64, such as `openssl rand -base64 {KEY_BYTES}` gives"
        )


def _key_in(path: Path) -> str:
    """The key in a file. Raises Unreadable."""
    try:
        key = path.read_text().strip()
        check_key(key)
    except (OSError, ValueError) as error:
        raise Unreadable from error
    return key


def _make_key(path: Path) -> None:
    """A key in a file that only its owner can read. Raises OSError."""
    descriptor, new = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(base64.b64encode(os.urandom(KEY_BYTES)).decode() + "\n")
            # What is encrypted with it is on the disk: so it is before that.
            file.flush()
            os.fsync(file.fileno())
        # Whole or not at all, and never in place of one that somebody else has made by now.
        with suppress(FileExistsError):
            os.link(new, path)
    finally:
        os.unlink(new)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


_URL_SAFE = str.maketrans("-_", "+/")
