"""What answers at `/sign-in` and `/sign-out`."""

import hmac
import secrets
from urllib.parse import parse_qsl

from resolvers.access import Keyring, Sessions
from resolvers.caller import Caller
from resolvers.errors import Forbidden, RateLimited, Unavailable
from web.asgi import Headers, Receive, Scope, Send, body_of, header, network_of, refuse
from web.buckets import Buckets
from web.origin import OwnPages
from web.sign_in.cookies import Cookie
from web.sign_in.page import send_page, sign_in_form, signed_in
from web.sign_in.way import own_path, redirect
from webhooks.http import query_of

# Whoever may sign in leaves a row each time.
SIGN_IN_COST = 10_000
MAX_FIELDS = 20
_FORM = "application/x-www-form-urlencoded"
_OTHER_PAGE = "The form came from another page, or was open for too long. Try again."


class SignIn:
    """The ASGI callable of `/sign-in`: the page, and what its form sends.

    `provider` is the name of the identity provider, if there is one.
    """

    def __init__(
        self,
        sessions: Sessions,
        keyring: Keyring,
        buckets: Buckets,
        cookie: Cookie,
        ticket: Cookie,
        pages: OwnPages,
        provider: str | None = None,
    ) -> None:
        self._sessions = sessions
        self._keyring = keyring
        self._buckets = buckets
        self._cookie = cookie
        # The form must bring what the page gave to this browser: nobody is signed in as somebody else by a stranger.
        self._ticket = ticket
        self._pages = pages
        self._provider = provider

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if scope["method"] == "GET":
                await self._show(scope, send)
            elif scope["method"] == "POST":
                await self._sign_in(scope, receive, send)
            else:
                await refuse(send, 405, "Method not allowed", ((b"allow", b"GET, POST"),))
        except Unavailable as error:
            await refuse(send, 503, error.message)
        except ConnectionResetError:
            return

    async def _show(self, scope: Scope, send: Send) -> None:
        next = own_path(query_of(scope).get("next"))
        for secret in self._cookie.all_of(scope):
            caller = await self._sessions.find(secret)
            if caller is not None:
                await send_page(send, 200, signed_in(caller.actor.name, next))
                return
        await self._ask(scope, send, 200, next)

    async def _ask(
        self, scope: Scope, send: Send, status: int, next: str, problem: str | None = None, headers: Headers = ()
    ) -> None:
        ticket = self._ticket.of(scope) or secrets.token_urlsafe(32)
        form = sign_in_form(next, ticket, problem, self._provider)
        await send_page(send, status, form, (*headers, self._ticket.set(ticket)))

    async def _sign_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = await _form(scope, receive)
        if given is None:
            await refuse(send, 415, f"The Content-Type must be {_FORM}")
            return
        next = own_path(given.get("next"))
        ticket = self._ticket.of(scope) or ""
        is_ours = ticket != "" and hmac.compare_digest(ticket.encode(), given.get("ticket", "").encode())
        if not is_ours or not self._may_be_our_page(scope):
            self._keyring.refused("OTHER_PAGE", network_of(scope))
            await self._ask(scope, send, 403, next, _OTHER_PAGE)
            return
        caller = await self._of_token(given.get("token", "").strip())
        if caller is None:
            await self._refuse_token(scope, send, next)
            return
        try:
            await self._buckets.spend(caller.line, SIGN_IN_COST)
        except RateLimited as error:
            await self._ask(scope, send, 429, next, error.message, error.headers)
            return
        try:
            secret = await self._sessions.start(caller, self._cookie.all_of(scope))
        except Forbidden:
            # Revoked or rotated elsewhere a moment ago.
            await self._refuse_token(scope, send, next)
            return
        await redirect(send, next, self._cookie.set(secret), self._ticket.clear())

    async def _refuse_token(self, scope: Scope, send: Send, next: str) -> None:
        self._keyring.refused("UNKNOWN_TOKEN", network_of(scope))
        await self._ask(scope, send, 403, next, "This token is none, or is no longer good.")

    def _may_be_our_page(self, scope: Scope) -> bool:
        """As browsers tell it; an old one tells nothing, and then the ticket alone counts."""
        tells = header(scope, b"origin") is not None or header(scope, b"sec-fetch-site") is not None
        return not tells or self._pages.sent(scope)

    async def _of_token(self, secret: str) -> Caller | None:
        known = await self._keyring.find(secret)
        return None if known is None or known.webhook is not None else known.caller


class SignOut:
    """The ASGI callable of `/sign-out`, for a form on a page of ours."""

    def __init__(self, sessions: Sessions, cookie: Cookie, pages: OwnPages) -> None:
        self._sessions = sessions
        self._cookie = cookie
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            await refuse(send, 405, "Method not allowed", ((b"allow", b"POST"),))
            return
        if not self._pages.sent(scope):
            await refuse(send, 403, "Signing out is for pages of this server")
            return
        try:
            for secret in self._cookie.all_of(scope):
                await self._sessions.end(secret)
        except Unavailable as error:
            await refuse(send, 503, error.message)
        else:
            await redirect(send, "/sign-in", self._cookie.clear())


async def _form(scope: Scope, receive: Receive) -> dict[str, str] | None:
    if (header(scope, b"content-type") or "").partition(";")[0].strip().lower() != _FORM:
        return None
    body = await body_of(receive)
    try:
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except ValueError:
        return {}
