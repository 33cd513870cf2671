"""Buildkite: `X-Buildkite-Signature: timestamp=1700000000,signature=<hex>`, over `timestamp.body`."""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from webhooks.verification.request import NotVerified, SignedRequest, any_equal, check_time, raw

SIGNATURE = "x-buildkite-signature"


@dataclass(frozen=True, slots=True)
class Buildkite:
    """`tolerance`: how many seconds the signature may be away from now. The token is `token` with its header."""

    tolerance: float = 300.0

    @property
    def headers(self) -> frozenset[str]:
        """See Verification."""
        return frozenset({SIGNATURE})

    @property
    def parameters(self) -> frozenset[str]:
        """See Verification."""
        return frozenset()

    def applies(self, request: SignedRequest) -> bool:
        """See Verification."""
        return SIGNATURE in request.headers

    def check(self, request: SignedRequest, secrets: Sequence[str], now: float) -> None:
        """See Verification."""
        parts = (part.strip().partition("=") for part in request.headers.get(SIGNATURE, "").split(","))
        named = {name: value for name, _, value in parts}
        timestamp, signature = named.get("timestamp", ""), named.get("signature", "")
        check_time(timestamp, now, self.tolerance)
        signed = raw(timestamp) + b"." + request.body
        expected = [hmac.digest(secret.encode(), signed, hashlib.sha256).hex() for secret in secrets if secret]
        if not any_equal([each.encode() for each in expected], [raw(signature.lower())]):
            raise NotVerified(f"the signature in {SIGNATURE} is not ours")
