"""Amazon SNS: each message is signed with a key whose certificate lies at an address in the message.

Anybody with an account can have SNS sign something. So the secrets are the topics (their ARNs) that are listened to.
"""

import base64
import binascii
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import orjson
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from models.values import parse_time, to_datetime
from resolvers.errors import Unavailable
from webhooks.verification.request import NotVerified, SignedRequest, any_equal

TYPE = "x-amz-sns-message-type"
NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
SIGNED = {
    "Notification": NOTIFICATION,
    "SubscriptionConfirmation": CONFIRMATION,
    "UnsubscribeConfirmation": CONFIRMATION,
}
ALGORITHMS: dict[str, hashes.HashAlgorithm] = {"1": hashes.SHA1(), "2": hashes.SHA256()}
MAX_ADDRESS_LENGTH = 2_048
MAX_CERTIFICATES = 50
MAX_CERTIFICATE_BYTES = 20_000
# Whoever knows a topic's name can make us look for a certificate: not for one that was not there, and not for many. Who
# names such does not keep out those who come from elsewhere.
LOOK_AGAIN_SECONDS = 60.0
MAX_FAILURES_OF_ONE = 50
MAX_FAILURES = 1_000

_HOST = re.compile(r"sns\.[a-z0-9-]{3,40}\.amazonaws\.com(\.cn)?", re.ASCII)
_CERTIFICATE = re.compile(r"/SimpleNotificationService-[A-Za-z0-9]{1,100}\.pem", re.ASCII)

# What is at an address. Raises ConnectionError when nobody answers with 200.
Fetch = Callable[[str], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class Sns:
    """`tolerance`: how many seconds old a message may be; SNS itself tries again for an hour."""

    tolerance: float = 3_600.0

    @property
    def headers(self) -> frozenset[str]:
        """See Verification."""
        return frozenset()

    @property
    def parameters(self) -> frozenset[str]:
        """See Verification."""
        return frozenset()

    def applies(self, request: SignedRequest) -> bool:
        """See Verification."""
        return TYPE in request.headers

    def message(self, request: SignedRequest, secrets: Sequence[str], now: float) -> dict[str, Any]:
        """The message, of a topic that is listened to and not too old; its signature is still to be checked.

        Raises NotVerified.
        """
        try:
            message = orjson.loads(request.body)
        except orjson.JSONDecodeError:
            message = None
        if not isinstance(message, dict) or message.get("Type") not in SIGNED:
            raise NotVerified("this is no message of SNS")
        if not any_equal([secret.encode() for secret in secrets if secret], [_text(message, "TopicArn").encode()]):
            raise NotVerified("the message is of another topic")
        try:
            sent = to_datetime(parse_time(_text(message, "Timestamp"))).timestamp()
        except ValueError:
            raise NotVerified("the message has no time") from None
        if abs(now - sent) > self.tolerance:
            raise NotVerified(f"the message is older than {self.tolerance:g} seconds, or from the future")
        return message


@dataclass(slots=True)
class Certificates:
    """The certificates of SNS, fetched once each."""

    fetch: Fetch
    _known: dict[str, x509.Certificate] = field(default_factory=dict)
    # When, and for whom.
    _failed: dict[str, tuple[float, str]] = field(default_factory=dict)

    async def check(self, message: dict[str, Any], now: float, source: str = "") -> None:
        """Raises NotVerified when it is not SNS that signed the message, Unavailable when that cannot be known now.

        `source`: where it came from.
        """
        algorithm = ALGORITHMS.get(_text(message, "SignatureVersion"))
        if algorithm is None:
            raise NotVerified("the message is signed in a way that is not known")
        url = _text(message, "SigningCertURL")
        if not _is_of_sns(url) or not _CERTIFICATE.fullmatch(urlsplit(url).path):
            raise NotVerified("the certificate of the message is not at an address of SNS")
        certificate = self._known.get(url) or await self._fetched(url, now, source)
        moment = datetime.fromtimestamp(now, UTC)
        if not certificate.not_valid_before_utc <= moment <= certificate.not_valid_after_utc:
            self._known.pop(url, None)
            raise NotVerified("the certificate of the message is not valid now")
        key = certificate.public_key()
        try:
            signature = base64.b64decode(_text(message, "Signature"), validate=True)
            if not isinstance(key, RSAPublicKey):
                raise InvalidSignature
            key.verify(signature, _signed(message), PKCS1v15(), algorithm)
        except (InvalidSignature, binascii.Error, ValueError):
            raise NotVerified("the signature of the message is not of SNS") from None

    async def confirm(self, message: dict[str, Any]) -> None:
        """Says yes to a subscription, of a message that was checked. Raises NotVerified and Unavailable."""
        url = _text(message, "SubscribeURL")
        if not _is_of_sns(url):
            raise NotVerified("the subscription is not to be confirmed at an address of SNS")
        try:
            await self.fetch(url)
        except ConnectionError as error:
            raise Unavailable("SNS could not be asked") from error

    async def _fetched(self, url: str, now: float, source: str) -> x509.Certificate:
        self._failed = {each: failed for each, failed in self._failed.items() if now - failed[0] < LOOK_AGAIN_SECONDS}
        own = sum(one == source for _, one in self._failed.values())
        if url in self._failed or own >= MAX_FAILURES_OF_ONE or len(self._failed) >= MAX_FAILURES:
            raise Unavailable("the certificate of SNS could not be fetched")
        self._failed[url] = now, source
        try:
            text = await self.fetch(url)
        except ConnectionError as error:
            raise Unavailable("the certificate of SNS could not be fetched") from error
        try:
            certificate = x509.load_pem_x509_certificate(text[:MAX_CERTIFICATE_BYTES])
        except ValueError:
            raise NotVerified("the certificate of the message cannot be read") from None
        del self._failed[url]
        if len(self._known) >= MAX_CERTIFICATES:
            del self._known[next(iter(self._known))]
        self._known[url] = certificate
        return certificate


def _signed(message: dict[str, Any]) -> bytes:
    names = (name for name in SIGNED[message["Type"]] if name in message)
    return "".join(f"{name}\n{_text(message, name)}\n" for name in names).encode(errors="replace")


def _text(message: dict[str, Any], name: str) -> str:
    value = message.get(name)
    return value if isinstance(value, str) else ""


def _is_of_sns(url: str) -> bool:
    """Whether an address is one of SNS, over https, without a name and at the usual port, and not too long to keep."""
    if len(url) > MAX_ADDRESS_LENGTH:
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" and _HOST.fullmatch(parts.netloc) is not None
    except ValueError:
        return False
