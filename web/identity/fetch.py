"""Asking other servers over HTTP: briefly, without redirects, and never more than we want to read."""

import logging
import ssl
from collections.abc import Mapping
from typing import Any

import httpx
import orjson

# An answer that takes longer is none; whoever asks us waits as long.
TIMEOUT_SECONDS = 5.0
MAX_ANSWER_BYTES = 1_000_000
MAX_CONNECTIONS = 20

# It would log each request.
logging.getLogger("httpx").setLevel(logging.WARNING)


class NoAnswer(Exception):
    """The other server cannot be reached, or answers something else than was asked for."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


def new_client(verify: ssl.SSLContext | bool = True) -> httpx.AsyncClient:
    """A client for one other server, to be closed."""
    limits = httpx.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=2)
    return httpx.AsyncClient(verify=verify, timeout=TIMEOUT_SECONDS, limits=limits, follow_redirects=False)


async def get_object(client: httpx.AsyncClient, url: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The JSON object at an address. Raises NoAnswer."""
    return await _object(client, client.build_request("GET", url, headers=headers))


async def post_form(
    client: httpx.AsyncClient, url: str, form: Mapping[str, str], headers: Mapping[str, str]
) -> dict[str, Any]:
    """The JSON object that a form is answered with. Raises NoAnswer."""
    return await _object(client, client.build_request("POST", url, data=form, headers=headers))


async def post_object(
    client: httpx.AsyncClient, url: str, value: Mapping[str, Any], headers: Mapping[str, str]
) -> dict[str, Any]:
    """The JSON object that a JSON object is answered with. Raises NoAnswer."""
    headers = {**headers, "content-type": "application/json"}
    return await _object(client, client.build_request("POST", url, content=orjson.dumps(value), headers=headers))


async def _object(client: httpx.AsyncClient, request: httpx.Request) -> dict[str, Any]:
    request.headers["accept"] = "application/json"
    where = request.url.copy_with(query=None)
    try:
        response = await client.send(request, stream=True)
        try:
            parts, size = [], 0
            async for part in response.aiter_bytes():
                size += len(part)
                if size > MAX_ANSWER_BYTES:
                    raise NoAnswer(f"{where} answers with more than {MAX_ANSWER_BYTES} bytes")
                parts.append(part)
        finally:
            await response.aclose()
    except httpx.HTTPError as error:
        raise NoAnswer(f"{where} does not answer: {type(error).__name__}") from error
    if response.status_code not in (200, 201):
        raise NoAnswer(f"{where} answers with {response.status_code}", response.status_code)
    try:
        value = orjson.loads(b"".join(parts))
    except orjson.JSONDecodeError:
        value = None
    if not isinstance(value, dict):
        raise NoAnswer(f"{where} does not answer with a JSON object")
    return value
