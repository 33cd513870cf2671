"""Signing in at an identity provider: the authorization code flow with PKCE, there and back."""

import base64
import hashlib
import hmac
import logging
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from resolvers.access import Keyring, Sessions
from resolvers.caller import Caller
from resolvers.errors import RateLimited, Unavailable
from web.asgi import Receive, Scope, Send, network_of, refuse
from web.buckets import Buckets
from web.identity.fetch import NoAnswer, get_object, post_form
from web.identity.oidc import Claims, Issuer, NotGood
from web.sign_in.cookies import Cookie
from web.sign_in.exchanges import Exchanges
from web.sign_in.page import note, send_page
from web.sign_in.routes import SIGN_IN_COST
from web.sign_in.way import own_path, redirect
from webhooks.http import query_of

logger = logging.getLogger(__name__)

# How long somebody may take at the provider.
FLOW_SECONDS = 600
MAX_CODE_LENGTH = 4_096
CALLBACK = "/sign-in/callback"
_NOT_SIGNED_IN = "The identity provider did not sign you in."
_AWAY = "The identity provider cannot be reached. Try again later."
_OTHER_BROWSER = "This browser did not ask to sign in, or that was too long ago. Try again."


@dataclass(frozen=True, slots=True)
class Flow:
    """One way to the provider and back: what only this browser knows of it, in a cookie."""

    state: str
    nonce: str
    verifier: str
    next: str

    @classmethod
    def new(cls, next: str) -> "Flow":
        """A way that nobody else can come back on."""
        return cls(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48), next)

    @classmethod
    def of(cls, cookie: str | None) -> "Flow | None":
        """The one that a cookie tells of."""
        try:
            parts = orjson.loads(base64.urlsafe_b64decode((cookie or "").encode()))
        except ValueError:
            return None
        if not isinstance(parts, list) or len(parts) != 4 or not all(isinstance(part, str) and part for part in parts):
            return None
        return cls(*parts)

    @property
    def cookie(self) -> str:
        """For the cookie."""
        return base64.urlsafe_b64encode(orjson.dumps([self.state, self.nonce, self.verifier, self.next])).decode()

    @property
    def challenge(self) -> str:
        """Of the verifier, as PKCE has it (S256)."""
        return base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).decode().rstrip("=")


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What the provider knows of us."""

    client_id: str
    client_secret: str
    scopes: str
    redirect_uri: str


class ToProvider:
    """The ASGI callable of `/sign-in/provider`: sends the browser there."""

    def __init__(self, issuer: Issuer, registration: Registration, flow: Cookie) -> None:
        self._issuer = issuer
        self._registration = registration
        self._flow = flow

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "GET":
            await refuse(send, 405, "Method not allowed", ((b"allow", b"GET"),))
            return
        flow = Flow.new(own_path(query_of(scope).get("next")))
        try:
            endpoint = await self._issuer.provider.endpoint("authorization_endpoint")
        except NoAnswer:
            await send_page(send, 503, note(_AWAY))
            return
        asked = {
            "response_type": "code",
            "client_id": self._registration.client_id,
            "redirect_uri": self._registration.redirect_uri,
            "scope": self._registration.scopes,
            "state": flow.state,
            "nonce": flow.nonce,
            "code_challenge": flow.challenge,
            "code_challenge_method": "S256",
        }
        separator = "&" if "?" in endpoint else "?"
        await redirect(send, f"{endpoint}{separator}{urlencode(asked)}", self._flow.set(flow.cookie))


class FromProvider:
    """The ASGI callable of `/sign-in/callback`: who comes back from there is signed in."""

    def __init__(
        self,
        issuer: Issuer,
        registration: Registration,
        flow: Cookie,
        sessions: Sessions,
        keyring: Keyring,
        buckets: Buckets,
        cookie: Cookie,
    ) -> None:
        self._issuer = issuer
        self._registration = registration
        self._flow = flow
        self._sessions = sessions
        self._keyring = keyring
        self._buckets = buckets
        self._exchanges = Exchanges(buckets)
        self._cookie = cookie

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "GET":
            await refuse(send, 405, "Method not allowed", ((b"allow", b"GET"),))
            return
        flow = Flow.of(self._flow.of(scope))
        given = query_of(scope)
        # Whatever comes of it: nobody comes this way twice.
        done = self._flow.clear()
        is_ours = flow is not None and hmac.compare_digest(flow.state.encode(), given.get("state", "").encode())
        if flow is None or not is_ours or not self._exchanges.is_first(flow.state):
            self._keyring.refused("OTHER_PAGE", network_of(scope))
            await send_page(send, 403, note(_OTHER_BROWSER), (done,))
            return
        try:
            async with self._exchanges.turn(network_of(scope)):
                caller = await self._who(flow, given)
            await self._buckets.spend(caller.line, SIGN_IN_COST)
            secret = await self._sessions.start(caller, self._cookie.all_of(scope))
        except NotGood as problem:
            logger.warning("a sign-in was refused: %s", problem)
            self._keyring.refused("PROVIDER", network_of(scope))
            await send_page(send, 403, note(_NOT_SIGNED_IN), (done,))
        except NoAnswer as problem:
            logger.warning("a sign-in failed: %s", problem)
            await send_page(send, 503, note(_AWAY), (done,))
        except RateLimited as error:
            await send_page(send, 429, note(error.message), (done, *error.headers))
        except Unavailable as error:
            await send_page(send, 503, note(error.message), (done,))
        else:
            await redirect(send, own_path(flow.next), self._cookie.set(secret), done)

    async def _who(self, flow: Flow, given: dict[str, str]) -> Caller:
        """Raises NotGood and NoAnswer."""
        issuer, code = self._issuer.provider.issuer, given.get("code", "")
        if given.get("iss", issuer) != issuer:
            raise NotGood("another provider answered")
        if not 0 < len(code) <= MAX_CODE_LENGTH:
            raise NotGood(f"the provider said {given.get('error', 'nothing')[:100]!r}")
        told = await self._exchanged(flow, code)
        token = told.get("id_token")
        if not isinstance(token, str):
            raise NotGood("no ID token")
        client_id = self._registration.client_id
        claims = await self._issuer.verified(token, frozenset({client_id}))
        if claims.get("nonce") != flow.nonce:
            raise NotGood("the nonce")
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if claims.get("azp", None if several else client_id) != client_id:
            raise NotGood("the token is for another client")
        if self._issuer.groups_of(claims) is None:
            claims = {**await self._more(told.get("access_token"), claims), **claims}
        return self._issuer.caller_of(claims)

    async def _exchanged(self, flow: Flow, code: str) -> dict[str, Any]:
        metadata = await self._issuer.provider.metadata()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._registration.redirect_uri,
            "code_verifier": flow.verifier,
        }
        id, secret = self._registration.client_id, self._registration.client_secret
        headers = {}
        methods = metadata.get("token_endpoint_auth_methods_supported")
        if secret and (not isinstance(methods, list) or "client_secret_basic" in methods):
            pair = f"{quote(id, safe='')}:{quote(secret, safe='')}".encode()
            headers["authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        else:
            form |= {"client_id": id, "client_secret": secret} if secret else {"client_id": id}
        try:
            endpoint = await self._issuer.provider.endpoint("token_endpoint")
            return await post_form(self._issuer.provider.client, endpoint, form, headers)
        except NoAnswer as problem:
            # A code that is none, or was used before: that is no fault of the provider's.
            if problem.status is not None and 400 <= problem.status < 500:
                raise NotGood(str(problem)) from problem
            raise

    async def _more(self, access_token: object, claims: Claims) -> Claims:
        """What the provider tells of the person besides; some tell groups only there."""
        if not isinstance(access_token, str) or "userinfo_endpoint" not in await self._issuer.provider.metadata():
            return {}
        endpoint = await self._issuer.provider.endpoint("userinfo_endpoint")
        headers = {"authorization": f"Bearer {access_token}"}
        told = await get_object(self._issuer.provider.client, endpoint, headers)
        if told.get("sub") != claims.get("sub"):
            raise NotGood("the provider told of somebody else")
        return told
