"""What lies in web/static, and the way from the root: small things that only a browser asks for."""

from pathlib import Path
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from web.asgi import Message, Receive, Scope, Send, refuse, respond

_ALLOWED = ((b"allow", b"GET, HEAD"),)


class Static:
    """The ASGI callable of `/static/{path:path}`.

    A browser keeps the files, but asks whether they are still the newest.
    """

    def __init__(self, directory: Path) -> None:
        self._files = StaticFiles(directory=directory, check_dir=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_caching(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"cache-control", b"no-cache")]
            await send(message)

        if scope["method"] not in ("GET", "HEAD"):
            await refuse(send, 405, "Method not allowed", _ALLOWED)
            return
        # StaticFiles looks at what of the path is behind the mount.
        scope["root_path"] = scope["path"].removesuffix(scope["path_params"]["path"]).rstrip("/")
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
