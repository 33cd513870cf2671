"""What lies in web/static, and the way from the root: small things that only a browser asks for."""

from pathlib import Path
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from web.asgi import Headers, Message, Receive, Scope, Send, header, refuse, respond

_ALLOWED = ((b"allow", b"GET, HEAD"),)
# The build names these by what is in them, and puts a .gz of each beside it.
_DIGESTED = "/static/dashboard/assets/"
_FOR_GOOD: Headers = ((b"cache-control", b"public, max-age=31536000, immutable"), (b"vary", b"Accept-Encoding"))
_ASK_AGAIN: Headers = ((b"cache-control", b"no-cache"),)


class Static:
    """The ASGI callable of `/static/{path:path}`.

    A browser keeps the files, but asks whether they are still the newest; what has a digest in its name it keeps
    for good, and takes compressed.
    """

    def __init__(self, directory: Path) -> None:
        self._files = StaticFiles(directory=directory, check_dir=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_digest = scope["path"].startswith(_DIGESTED)
        is_packed = has_digest and "gzip" in (header(scope, b"accept-encoding") or "")
        more = _FOR_GOOD if has_digest else _ASK_AGAIN
        if is_packed:
            more = (*more, (b"content-encoding", b"gzip"))

        async def send_with_caching(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *more]
            await send(message)

        if scope["method"] not in ("GET", "HEAD"):
            await refuse(send, 405, "Method not allowed", _ALLOWED)
            return
        # StaticFiles looks at what of the path is behind the mount.
        scope["root_path"] = scope["path"].removesuffix(scope["path_params"]["path"]).rstrip("/")
        if is_packed:
            scope["path"] += ".gz"
        try:
            await self._files(scope, receive, send_with_caching)
        except HTTPException as error:
            await refuse(send, error.status_code, f"{error.status_code} page not found")


class Redirect:
    """The ASGI callable that sends a browser elsewhere; `{id}` in `path` is the one of the route."""

    def __init__(self, path: str) -> None:
        self._path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            await refuse(send, 405, "Method not allowed", _ALLOWED)
            return
        parameters = {name: quote(value, safe="") for name, value in scope["path_params"].items()}
        location = self._path.format(**parameters).encode()
        await respond(send, 307, b"", b"text/plain; charset=utf-8", ((b"location", location),))
