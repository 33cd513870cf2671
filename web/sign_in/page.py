"""The page on which people sign in. It has no scripts, and needs nothing from anywhere."""

import base64
import hashlib
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import urlencode

from web.asgi import Headers, Send, respond

_HERE = Path(__file__).parent
_STYLE = (_HERE / "page.css").read_text().strip()
_PAGE = Template((_HERE / "page.html").read_text())
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS: Headers = (
    (b"content-security-policy", _POLICY.encode()),
    (b"cache-control", b"no-store"),
)


def sign_in_form(next: str, ticket: str, problem: str | None, provider: str | None) -> str:
    """The form for a token. `ticket` comes back with it; `problem` is what was wrong with the last try.

    `provider` is the name of the identity provider, if there is one.
    """
    return f"""{_alert(problem)}{_to_provider(provider, next)}
    <form method="post" action="/sign-in">
      <label for="token">Token</label>
      <input id="token" name="token" type="password" required autofocus autocomplete="current-password">
      <input type="hidden" name="next" value="{escape(next)}">
      <input type="hidden" name="ticket" value="{escape(ticket)}">
      <button>Sign in</button>
    </form>"""


def signed_in(name: str, next: str) -> str:
    """For somebody who is signed in already."""
    return f"""<p>You are signed in as <strong>{escape(name)}</strong>.</p>
    <a class="button" href="{escape(next)}">Go on</a>
    <form method="post" action="/sign-out"><button>Sign out</button></form>"""


def note(problem: str) -> str:
    """What went wrong, and the way back to the form."""
    return f'{_alert(problem)}<a class="button" href="/sign-in">Sign in</a>'


async def send_page(send: Send, status: int, content: str, headers: Headers = ()) -> None:
    """Sends the page with this content."""
    page = _PAGE.substitute(style=_STYLE, content=content)
    await respond(send, status, page.encode(), b"text/html; charset=utf-8", (*_HEADERS, *headers))


def _to_provider(provider: str | None, next: str) -> str:
    if provider is None:
        return ""
    # A link: what a form is answered with may not lead elsewhere (`form-action`).
    href = escape(f"/sign-in/provider?{urlencode({'next': next})}")
    return f'<a class="button" href="{href}">Sign in with {escape(provider)}</a>'


def _alert(problem: str | None) -> str:
    return "" if problem is None else f'<p role="alert">{escape(problem)}</p>'
