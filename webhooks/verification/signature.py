"""HMAC over the raw body: GitHub, GitLab, CircleCI, PagerDuty, Sentry, Bitbucket, Grafana, and most others."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from webhooks.verification.request import NotVerified, SignedRequest, any_equal, check_time, raw

ALGORITHMS = ("sha256", "sha1", "sha512")
ENCODINGS = ("hex", "base64")
KEYS = ("raw", "base64")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hmac:
    """A signature in a header.

    With a `separator` the header is a list, of which one has to be right; what does not begin with `prefix` is
    passed over. `signed` is what is signed, as pieces: texts, and the words {body}, {timestamp} and {id}, which
    stand for the body and the headers `timestamp` and `id`.
    """

    header: str
    prefix: str = ""
    separator: str | None = None
    algorithm: str = "sha256"
    encoding: str = "hex"
    key: str = "raw"
    signed: tuple[str, ...] = ("{body}",)
    timestamp: str | None = None
    id: str | None = None
    tolerance: float = 300.0

    @property
    def headers(self) -> frozenset[str]:
        """See Verification."""
        return frozenset({self.header})

    @property
    def parameters(self) -> frozenset[str]:
        """See Verification."""
        return frozenset()

    def applies(self, request: SignedRequest) -> bool:
        """See Verification."""
        return all(name in request.headers for name in (self.header, self.timestamp, self.id) if name)

    def check(self, request: SignedRequest, secrets: Sequence[str], now: float) -> None:
        """See Verification."""
        shown = self._shown(request.headers.get(self.header, ""))
        if not shown:
            raise NotVerified(f"{self.header} has no signature that begins with {self.prefix!r}")
        signed = self._signed(request)
        if self.timestamp:
            check_time(request.headers.get(self.timestamp, ""), now, self.tolerance)
        keys = [key for secret in secrets if (key := self._key(secret))]
        if not any_equal([self._sign(key, signed) for key in keys], shown):
            raise NotVerified(f"the signature in {self.header} is not ours")

    def _shown(self, value: str) -> list[bytes]:
        parts = value.split(self.separator) if self.separator else [value]
        shown = (part.strip() for part in parts)
        signatures = [part[len(self.prefix) :] for part in shown if part.startswith(self.prefix)]
        return [raw(each.lower() if self.encoding == "hex" else each) for each in signatures if each]

    def _signed(self, request: SignedRequest) -> bytes:
        values = {
            "{body}": request.body,
            "{timestamp}": raw(request.headers.get(self.timestamp or "", "")),
            "{id}": raw(request.headers.get(self.id or "", "")),
        }
        return b"".join(values[piece] if piece in values else piece.encode() for piece in self.signed)

    def _key(self, secret: str) -> bytes:
        return secret.encode() if self.key == "raw" else from_base64(secret)

    def _sign(self, key: bytes, signed: bytes) -> bytes:
        digest = hmac.digest(key, signed, getattr(hashlib, self.algorithm))
        return digest.hex().encode() if self.encoding == "hex" else base64.b64encode(digest)


def from_base64(text: str) -> bytes:
    """The bytes, or none for what is no base64; padding may be missing."""
    try:
        return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""
