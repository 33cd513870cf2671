"""The keys with which an identity provider signs, and what it says of itself."""

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Any

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, Key, OKPKey, RSAKey

from web.identity.fetch import NoAnswer, get_object

logger = logging.getLogger(__name__)

# A key that nobody knows makes us look for new ones, but not more often than this.
LOOK_SECONDS = 10.0
# Keys are looked at again after this, and are no longer good when nobody could look for so long.
FRESH_SECONDS = 3_600.0
GOOD_SECONDS = 86_400.0
MAX_KEYS = 100


class Provider:
    """The provider at `issuer`: its metadata and its public keys, fetched when they are first needed."""

    def __init__(self, issuer: str, client: httpx.AsyncClient) -> None:
        self.issuer = issuer
        self.client = client
        self._metadata: Mapping[str, Any] = {}
        self._keys: list[Key] = []
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")
        self._problem: NoAnswer | None = None
        self._fetching = asyncio.Lock()

    async def endpoint(self, name: str) -> str:
        """An address of the provider's, by its name in the metadata. Raises NoAnswer."""
        if not self._metadata:
            await self._look(self._tried_at)
        if not self._metadata:
            raise self._problem or NoAnswer(f"{self.issuer} could not be asked")
        return self._address(self._metadata, name)

    async def metadata(self) -> Mapping[str, Any]:
        """What the provider says of itself. Raises NoAnswer."""
        await self.endpoint("jwks_uri")
        return self._metadata

    async def keys(self, kid: str | None) -> list[Key]:
        """The keys that may have signed what names `kid`; looks for new ones when there is none. Raises NoAnswer."""
        age = time.monotonic() - self._fetched_at
        if age > FRESH_SECONDS or not self._named(kid):
            await self._look(self._tried_at)
            age = time.monotonic() - self._fetched_at
        if age > GOOD_SECONDS:
            raise self._problem or NoAnswer(f"{self.issuer} could not be asked")
        return self._named(kid)

    async def look_again(self) -> None:
        """Learns which keys there are now; those of before stay while the provider cannot be asked."""
        await self._look(self._tried_at)

    def _named(self, kid: str | None) -> list[Key]:
        return [key for key in self._keys if kid is None or key.kid == kid]

    async def _look(self, seen: float) -> None:
        """Fetches all anew, unless somebody has just done so since `seen`, or moments ago."""
        async with self._fetching:
            if self._tried_at != seen or time.monotonic() - self._tried_at < LOOK_SECONDS:
                return
            before, self._tried_at = self._tried_at, time.monotonic()
            try:
                metadata = await get_object(self.client, f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
                if metadata.get("issuer") != self.issuer:
                    raise NoAnswer(f"{self.issuer} calls itself otherwise: ISSUEGRAPH_OIDC_ISSUER must be the same")
                keys = _usable((await get_object(self.client, self._address(metadata, "jwks_uri"))).get("keys"))
                if not keys:
                    # Perhaps a page of maintenance: the keys before stay good for their time.
                    raise NoAnswer(f"{self.issuer} has no key that can be used")
            except NoAnswer as problem:
                logger.warning("the identity provider: %s", problem)
                self._problem = problem
                return
            except BaseException:
                # Cut off: it was no look.
                self._tried_at = before
                raise
            self._metadata, self._keys, self._problem = metadata, keys, None
            self._fetched_at = time.monotonic()

    def _address(self, metadata: Mapping[str, Any], name: str) -> str:
        try:
            url = httpx.URL(str(metadata[name]))
            # What is asked over https is not answered over less.
            can_be_used = url.host != "" and url.scheme in ("https", httpx.URL(self.issuer).scheme)
        except (KeyError, httpx.InvalidURL, ValueError):
            can_be_used = False
        if not can_be_used:
            raise NoAnswer(f"{self.issuer} has no {name} that can be used")
        return str(url)


def _usable(listed: object) -> list[Key]:
    """Public keys for signatures; of others, and of what is no key, nothing is kept."""
    keys: list[Key] = []
    for each in listed[:MAX_KEYS] if isinstance(listed, list) else ():
        if not isinstance(each, dict) or each.get("use", "sig") != "sig":
            continue
        try:
            key = JWKRegistry.import_key(each)
        except (JoseError, ValueError, TypeError, KeyError):
            continue
        # Not what both sides would have to know.
        if isinstance(key, RSAKey | ECKey | OKPKey):
            keys.append(key)
    return keys
