"""People whom an OpenID Connect provider knows: their signed tokens (JWT), and what they may do by their groups."""

import asyncio
import logging
import time
import weakref
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry, deserialize_compact
from joserfc.util import urlsafe_b64decode

from resolvers.access import Known
from resolvers.access.secret import digest_of
from resolvers.caller import Actor, ActorKind, Caller, Grant
from resolvers.errors import Unavailable
from web.identity.fetch import NoAnswer
from web.identity.grants import granted
from web.identity.keeping import keep
from web.identity.keys import Provider

logger = logging.getLogger(__name__)

# What is signed with a key that only the provider has; never `none`, never a secret that both know.
ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"}
)
_TYPES = frozenset({"", "jwt", "at+jwt", "application/at+jwt", "id+jwt"})
MAX_LENGTH = 16_384
MAX_HEADER_BYTES = 4_096
MAX_SUBJECT_LENGTH = 255
MAX_NAME_LENGTH = 200
# Whom we call so ourselves: nobody else is known as one of them in the log.
OWN_NAMES = frozenset({"local", "nobody"})
OWN_PREFIXES = ("command-line:", "kubernetes:", "sender at ")
# How far clocks may be apart.
LEEWAY_SECONDS = 30.0
MAX_REMEMBERED = 10_000
# After so long a token is verified anew: the key that signed it may have been withdrawn. Of who stays connected it is
# looked at before that.
VERIFIED_SECONDS = 60.0

Claims = Mapping[str, Any]


class NotGood(Exception):
    """A token that is none of the provider's for us, or no longer good; the message is for the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Who we are to the provider, and how its groups are read."""

    id: str
    audiences: frozenset[str]
    groups_claim: str
    grants: Mapping[str, tuple[Grant, ...]]


@dataclass(slots=True)
class _Verified:
    """Whom a token is known as, and when that was last looked at (monotonic seconds)."""

    secret: str
    known: Known
    at: float


class Issuer:
    """Lets in people with a token of the provider's.

    `note_end` is told when somebody's token will end, `on_change` is called when one has ended before.
    """

    def __init__(
        self,
        provider: Provider,
        client: Client,
        *,
        note_end: Callable[[float], None],
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self.provider = provider
        self.client = client
        self._note_end = note_end
        self._on_change = on_change
        # Whom we let in, and of those who still has a right to be here.
        self._ours: weakref.WeakValueDictionary[int, Caller] = weakref.WeakValueDictionary()
        self._good: weakref.WeakValueDictionary[int, Caller] = weakref.WeakValueDictionary()
        self._remembered: dict[str, _Verified] = {}
        registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
        registry.max_header_length = MAX_HEADER_BYTES
        self._registry = registry

    def is_named_by(self, secret: str) -> bool:
        """Whether this is a JWT that says it is the provider's; true or not."""
        try:
            claims = orjson.loads(urlsafe_b64decode(secret.split(".")[1].encode()))
        except (ValueError, IndexError):
            return False
        return isinstance(claims, dict) and claims.get("iss") == self.provider.issuer

    async def find(self, secret: str, network: str = "") -> Known | None:
        """Who shows this token; None for nobody. Raises Unavailable when the provider's keys cannot be had."""
        if len(secret) > MAX_LENGTH or secret.count(".") != 2 or not secret.isascii():
            return None
        digest = digest_of(secret)
        verified = self._remembered.get(digest)
        if verified is None or time.monotonic() - verified.at >= VERIFIED_SECONDS:
            if not self.is_named_by(secret):
                return None
            try:
                claims = await self.verified(secret, self.client.audiences)
                verified = self._remember(digest, secret, claims)
            except NotGood:
                if digest in self._remembered:
                    self._end([digest])
                return None
            except NoAnswer as problem:
                raise Unavailable("the identity provider cannot be asked now") from problem
        return verified.known if verified.known.expires_at > time.time() else None

    def admits(self, caller: Caller) -> bool:
        """Whether a token still is good, as far as it was looked at; by itself it ends as the caller says."""
        return self._ours.get(id(caller)) is not caller or self._good.get(id(caller)) is caller

    async def keep_looking(self) -> None:
        """Looks again at the tokens of everybody who stays connected; for ever."""
        await keep(self.look_again, VERIFIED_SECONDS / 4, "tokens of the identity provider cannot be looked at")

    async def look_again(self) -> None:
        """Verifies anew, with the keys that the provider has now, what was last verified some time ago."""
        at = time.monotonic()
        due = {digest: each for digest, each in self._remembered.items() if at - each.at >= VERIFIED_SECONDS / 2}
        if not due:
            return
        await self.provider.look_again()
        ended = []
        for digest, each in due.items():
            try:
                await self.verified(each.secret, self.client.audiences)
                each.at = time.monotonic()
            except (NotGood, NoAnswer):
                ended.append(digest)
            except Exception:
                # Who cannot be looked at again does not stay.
                logger.exception("a token of the identity provider cannot be looked at")
                ended.append(digest)
            # There may be thousands.
            await asyncio.sleep(0)
        if ended:
            self._end(ended)

    def _end(self, digests: Iterable[str]) -> None:
        for digest in digests:
            verified = self._remembered.pop(digest, None)
            if verified is not None:
                self._good.pop(id(verified.known.caller), None)
        self._on_change()

    async def verified(self, token: str, audiences: frozenset[str]) -> Claims:
        """What a token says, when it is the provider's, for one of `audiences`, and good now.

        Raises NotGood, and NoAnswer when the provider's keys cannot be had.
        """
        try:
            header = orjson.loads(urlsafe_b64decode(token.partition(".")[0].encode()))
        except ValueError:
            raise NotGood("no header") from None
        if not isinstance(header, dict) or not isinstance(header.get("kid"), str | None):
            raise NotGood("no header")
        if not isinstance(header.get("alg"), str) or header["alg"] not in ALGORITHMS:
            raise NotGood("the algorithm")
        if str(header.get("typ", "")).lower() not in _TYPES:
            raise NotGood("another type of token")
        for key in await self.provider.keys(header.get("kid")):
            try:
                found = deserialize_compact(token, key, registry=self._registry)
                claims = orjson.loads(found.payload)
            except (JoseError, ValueError, TypeError):
                continue
            return self._checked(claims, audiences)
        raise NotGood("the signature")

    def caller_of(self, claims: Claims) -> Caller:
        """Who it is. Raises NotGood for somebody without a name of their own, or who may do nothing here."""
        subject = claims.get("sub")
        if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT_LENGTH or not subject.isprintable():
            raise NotGood("the subject")
        if subject in OWN_NAMES or subject.startswith(OWN_PREFIXES):
            raise NotGood("the subject is a name of our own")
        names = (claims.get(claim) for claim in ("preferred_username", "name", "email"))
        name = next((name for name in names if isinstance(name, str) and name and name.isprintable()), subject)
        grants = granted(self.client.grants, self.groups_of(claims) or ())
        if not grants:
            raise NotGood("no group that may do anything here")
        return Caller(Actor(ActorKind.PERSON, subject, name[:MAX_NAME_LENGTH]), grants)

    def groups_of(self, claims: Claims) -> list[str] | None:
        """The groups that a token tells of; None when it does not."""
        path = self.client.groups_claim
        found: Any = claims.get(path)
        if found is None:
            found = claims
            for name in path.split("."):
                found = found.get(name) if isinstance(found, dict) else None
        if isinstance(found, str):
            return [found]
        return [each for each in found if isinstance(each, str)] if isinstance(found, list) else None

    def _checked(self, claims: object, audiences: frozenset[str]) -> Claims:
        if not isinstance(claims, dict) or claims.get("iss") != self.provider.issuer:
            raise NotGood("the issuer")
        given = claims.get("aud")
        for_whom = given if isinstance(given, list) else [given]
        if not any(isinstance(each, str) and each in audiences for each in for_whom):
            raise NotGood("the audience")
        moment = time.time()
        if _moment(claims, "exp", required=True) + LEEWAY_SECONDS <= moment:
            raise NotGood("it has expired")
        if max(_moment(claims, "nbf"), _moment(claims, "iat")) - LEEWAY_SECONDS > moment:
            raise NotGood("it is not good yet")
        # What tells of the end of a session is no way into one.
        if "events" in claims:
            raise NotGood("another type of token")
        return claims

    def _known(self, claims: Claims) -> Known:
        """Who shows a token that says so, and nothing else. Raises NotGood."""
        if "cnf" in claims:
            raise NotGood("it is good only with the proof of a key, which nobody looks at here")
        given, party = claims["aud"], claims.get("azp")
        # A token for several was given to the one that it names (OpenID Connect Core 3.1.3.7).
        is_for_several = isinstance(given, list) and len(given) > 1
        if is_for_several and party is not None and not any(party == each for each in self.client.audiences):
            raise NotGood("it was given to another client")
        caller = self.caller_of(claims)
        expires_at = _moment(claims, "exp") + LEEWAY_SECONDS
        return Known(Caller(caller.actor, caller.grants, expires_at=expires_at), None, expires_at)

    def _remember(self, digest: str, secret: str, claims: Claims) -> _Verified:
        """Raises NotGood."""
        verified = self._remembered.get(digest)
        if verified is not None:
            # Streams and readers are shared by who asks: the same one stays the same.
            verified.at = time.monotonic()
            return verified
        verified = _Verified(secret, self._known(claims), time.monotonic())
        if len(self._remembered) >= MAX_REMEMBERED:
            moment = time.time()
            expired = [digest for digest, each in self._remembered.items() if each.known.expires_at <= moment]
            # Who cannot be looked at again does not stay.
            self._end(expired or [*self._remembered][: MAX_REMEMBERED // 10])
        self._remembered[digest] = verified
        caller = verified.known.caller
        self._ours[id(caller)] = self._good[id(caller)] = caller
        self._note_end(verified.known.expires_at)
        return verified


def _moment(claims: Claims, name: str, *, required: bool = False) -> float:
    """A time among the claims, in seconds of the clock; 0 when it is not there. Raises NotGood."""
    value = claims.get(name)
    if value is None and not required:
        return 0.0
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**40:
        raise NotGood(f"{name} is no time")
    return float(value)
