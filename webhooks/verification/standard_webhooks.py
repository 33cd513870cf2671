"""Standard Webhooks 1.0.0: `webhook-id`, `webhook-timestamp`, `webhook-signature`. GitLab's signing tokens are it.

Not by its package: that reads the clock itself, fails on a body that is not UTF-8, and knows no public keys.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from webhooks.verification.request import MAX_SHOWN, NotVerified, SignedRequest, any_equal, check_time, raw
from webhooks.verification.signature import from_base64

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
SECRET, PUBLIC_KEY = "whsec_", "whpk_"


@dataclass(frozen=True, slots=True)
class StandardWebhooks:
    """Signed with a secret (`v1`; `whsec_` and base64), or a private key whose public one (`v1a`; `whpk_`) we have.

    `tolerance`: how many seconds the signature may be away from now.
    """

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
        id, timestamp = request.headers.get(ID, ""), request.headers.get(TIMESTAMP, "")
        if not id:
            raise NotVerified(f"{ID} is missing")
        check_time(timestamp, now, self.tolerance)
        signed = b".".join([raw(id), raw(timestamp), request.body])
        shown = [part.partition(",") for part in request.headers.get(SIGNATURE, "").split(" ")][:MAX_SHOWN]
        keys = [key for secret in secrets if (key := _key(secret))]
        expected = [base64.b64encode(hmac.digest(key, signed, hashlib.sha256)) for key in keys]
        good = any_equal(expected, [raw(value) for version, _, value in shown if version == "v1"])
        for public_key in _public_keys(secrets):
            good |= any(_signed_by(public_key, value, signed) for version, _, value in shown if version == "v1a")
        if not good:
            raise NotVerified(f"the signature in {SIGNATURE} is not ours")


def _key(secret: str) -> bytes:
    return b"" if secret.startswith(PUBLIC_KEY) else from_base64(secret.removeprefix(SECRET))


def _public_keys(secrets: Sequence[str]) -> list[Ed25519PublicKey]:
    keys = [from_base64(secret.removeprefix(PUBLIC_KEY)) for secret in secrets if secret.startswith(PUBLIC_KEY)]
    return [Ed25519PublicKey.from_public_bytes(key) for key in keys if len(key) == 32]


def _signed_by(key: Ed25519PublicKey, signature: str, signed: bytes) -> bool:
    try:
        key.verify(from_base64(signature), signed)
    except InvalidSignature:
        return False
    return True
