"""The secret of a token: how it is made, how it is told from a slip of the finger, and what is kept of it."""

import hashlib
import secrets
import zlib

# Scanners for leaked secrets know a token by it.
PREFIX = "igt_"
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM_BITS = 256
_RANDOM_LENGTH = 43
_SUM_LENGTH = 6
# A secret that a person chose must be as hard to guess.
MIN_CHOSEN_LENGTH = 32


def new_secret() -> str:
    """53 characters: `igt_`, 256 random bits, and a checksum of them, both in letters and digits."""
    random = _text(secrets.randbits(_RANDOM_BITS), _RANDOM_LENGTH)
    return PREFIX + random + _sum(random)


def is_made_here(secret: str) -> bool:
    """Whether it has the form of `new_secret`: one that has not is no token of ours, whatever the database says."""
    random, given = secret[len(PREFIX) : -_SUM_LENGTH], secret[-_SUM_LENGTH:]
    return secret.startswith(PREFIX) and len(random) == _RANDOM_LENGTH and secret.isascii() and _sum(random) == given


def digest_of(secret: str) -> str:
    """What is kept of it: SHA-256 in hex. Nobody guesses 256 random bits, so it needs no salt and no slow hash."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _sum(text: str) -> str:
    return _text(zlib.crc32(text.encode()), _SUM_LENGTH)


def _text(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))
