"""The paths on which people come in with a browser, and go."""

from urllib.parse import urlsplit

from starlette.routing import Route

from web.house import House
from web.limits import BodyLimit
from web.origin import OwnPages
from web.settings import Settings
from web.sign_in.cookies import Cookie
from web.sign_in.routes import SignIn, SignOut
from web.static_files import Redirect

# How long the page may stay open.
FORM_SECONDS = 3_600
# Nobody knows who sends it.
FORM_BYTES = 64_000


def session_cookie(settings: Settings) -> Cookie:
    """The cookie of who is signed in."""
    # Lax: it comes along when somebody follows a link to us.
    return Cookie("issuegraph", is_https=settings.is_https, seconds=settings.session_hours * 3_600)


def sign_in_routes(house: House) -> list[Route]:
    """Where everybody may come, there is nothing to sign in to."""
    settings = house.settings
    if settings.dev:
        return [Route("/sign-in", Redirect("/"))]
    cookie = session_cookie(settings)
    ticket = Cookie("issuegraph-form", is_https=settings.is_https, seconds=FORM_SECONDS, same_site="Strict")
    pages = OwnPages(settings.own_url)
    provider = urlsplit(settings.oidc_issuer).hostname if settings.oidc_issuer else None
    sign_in = SignIn(house.sessions, house.keyring, house.buckets, cookie, ticket, pages, provider)
    return [
        Route("/sign-in", BodyLimit(sign_in, max_bytes=min(FORM_BYTES, settings.max_body_bytes))),
        Route("/sign-out", SignOut(house.sessions, cookie, pages)),
        *_provider_routes(house, cookie),
    ]


def _provider_routes(house: House, cookie: Cookie) -> list[Route]:
    issuer, settings = house.issuer, house.settings
    if issuer is None:
        return []
    from web.sign_in.provider import CALLBACK, FLOW_SECONDS, FromProvider, Registration, ToProvider

    registration = Registration(
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret.get_secret_value(),
        scopes=settings.oidc_scopes,
        redirect_uri=settings.own_url + CALLBACK,
    )
    # Lax: the way back begins at the provider.
    flow = Cookie("issuegraph-flow", is_https=settings.is_https, seconds=FLOW_SECONDS)
    back = FromProvider(issuer, registration, flow, house.sessions, house.keyring, house.buckets, cookie)
    return [Route("/sign-in/provider", ToProvider(issuer, registration, flow)), Route(CALLBACK, back)]
