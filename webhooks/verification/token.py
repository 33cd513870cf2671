"""A secret sent as it is: in a header, in the query, as bearer token or as HTTP basic's password."""

from collections.abc import Sequence
from dataclasses import dataclass

from webhooks.verification.request import NotVerified, SignedRequest, any_equal, raw
from webhooks.verification.signature import from_base64


@dataclass(frozen=True, slots=True)
class HeaderToken:
    """A header that is the secret, after `prefix`; its case does not matter, as with `Bearer`."""

    header: str
    prefix: str = ""

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
        shown = request.headers.get(self.header)
        return shown is not None and shown.lower().startswith(self.prefix.lower())

    def check(self, request: SignedRequest, secrets: Sequence[str], now: float) -> None:
        """See Verification."""
        shown = request.headers.get(self.header, "")[len(self.prefix) :].strip()
        _compare(secrets, [raw(shown)], self.header)


@dataclass(frozen=True, slots=True)
class QueryToken:
    """A parameter of the query that is the secret."""

    parameter: str

    @property
    def headers(self) -> frozenset[str]:
        """See Verification."""
        return frozenset()

    @property
    def parameters(self) -> frozenset[str]:
        """See Verification."""
        return frozenset({self.parameter})

    def applies(self, request: SignedRequest) -> bool:
        """See Verification."""
        return self.parameter in request.query

    def check(self, request: SignedRequest, secrets: Sequence[str], now: float) -> None:
        """See Verification."""
        # Not as bytes of a header: the query is UTF-8 once it is decoded.
        _compare(secrets, [request.query.get(self.parameter, "").encode(errors="replace")], f"?{self.parameter}")


@dataclass(frozen=True, slots=True)
class Basic:
    """HTTP basic: the secret is the password, or `user:password`, or a user without a password."""

    @property
    def headers(self) -> frozenset[str]:
        """See Verification."""
        return frozenset({"authorization"})

    @property
    def parameters(self) -> frozenset[str]:
        """See Verification."""
        return frozenset()

    def applies(self, request: SignedRequest) -> bool:
        """See Verification."""
        return request.headers.get("authorization", "").lower().startswith("basic ")

    def check(self, request: SignedRequest, secrets: Sequence[str], now: float) -> None:
        """See Verification."""
        pair = from_base64(request.headers.get("authorization", "")[len("basic ") :].strip())
        user, _, password = pair.partition(b":")
        _compare(secrets, [pair, password or user], "authorization")


def _compare(secrets: Sequence[str], shown: list[bytes], where: str) -> None:
    if not any_equal([secret.encode() for secret in secrets if secret], [each for each in shown if each]):
        raise NotVerified(f"the secret in {where} is not ours")
