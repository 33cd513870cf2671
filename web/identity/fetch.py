"""Asking other servers over HTTP: briefly, without redirects, and never more than we want to read.

Answers come as they are: a few compressed bytes may be gigabytes.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from functools import partial
from typing import Any

import httpx
import orjson

# An answer that takes longer until it is whole is none; whoever asks us waits as long.
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


class Client(httpx.AsyncClient):
    """One whose requests wait for each other here: one that is given up while httpcore has it wait for a connection
    would leave that connection in its pool for ever."""

    def __init__(self, verify: ssl.SSLContext | bool) -> None:
        limits = httpx.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=2)
        super().__init__(verify=verify, timeout=TIMEOUT_SECONDS, limits=limits, follow_redirects=False)
        self.room = asyncio.Semaphore(MAX_CONNECTIONS)


def new_client(verify: ssl.SSLContext | bool = True) -> Client:
    """A client for one other server, to be closed."""
    return Client(verify)


async def get_object(client: httpx.AsyncClient, url: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The JSON object at an address. Raises NoAnswer."""
    return await _object(client, partial(client.build_request, "GET", url, headers=headers))


async def post_form(
    client: httpx.AsyncClient, url: str, form: Mapping[str, str], headers: Mapping[str, str]
) -> dict[str, Any]:
    """The JSON object that a form is answered with. Raises NoAnswer."""
    return await _object(client, partial(client.build_request, "POST", url, data=form, headers=headers))


async def post_object(
    client: httpx.AsyncClient, url: str, value: Mapping[str, Any], headers: Mapping[str, str]
) -> dict[str, Any]:
    """The JSON object that a JSON object is answered with. Raises NoAnswer."""
    headers = {**headers, "content-type": "application/json"}
    content = orjson.dumps(value)
    return await _object(client, partial(client.build_request, "POST", url, content=content, headers=headers))


async def get_bytes(client: httpx.AsyncClient, url: str, max_bytes: int) -> bytes:
    """What is at an address. Raises NoAnswer for anything but 200."""
    where, status, body = await _answer(client, partial(client.build_request, "GET", url), max_bytes)
    if status != 200:
        raise NoAnswer(f"{where} answers with {status}", status)
    return body


async def _object(client: httpx.AsyncClient, make: Callable[[], httpx.Request]) -> dict[str, Any]:
    where, status, body = await _answer(client, make, MAX_ANSWER_BYTES)
    if status not in (200, 201):
        raise NoAnswer(f"{where} answers with {status}", status)
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        value = None
    if not isinstance(value, dict):
        raise NoAnswer(f"{where} does not answer with a JSON object")
    return value


async def _answer(
    client: httpx.AsyncClient, make: Callable[[], httpx.Request], max_bytes: int
) -> tuple[str, int, bytes]:
    """Where was asked, the status and the body. `make` may fail at an address that is none. Raises NoAnswer."""
    where = "the other server"
    try:
        request = make()
        where = str(request.url.copy_with(query=None))
        request.headers["accept"] = "application/json"
        request.headers["accept-encoding"] = "identity"
        room = client.room if isinstance(client, Client) else nullcontext()
        async with asyncio.timeout(TIMEOUT_SECONDS), room:
            response = await client.send(request, stream=True)
            try:
                return where, response.status_code, await _body(where, response, max_bytes)
            finally:
                await response.aclose()
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ValueError) as error:
        raise NoAnswer(f"{where} does not answer: {type(error).__name__}") from error


async def _body(where: str, response: httpx.Response, max_bytes: int) -> bytes:
    if response.headers.get("content-encoding", "identity") != "identity":
        raise NoAnswer(f"{where} answers compressed")
    parts, size = [], 0
    async for part in response.aiter_raw():
        size += len(part)
        if size > max_bytes:
            raise NoAnswer(f"{where} answers with more than {max_bytes} bytes")
        parts.append(part)
    return b"".join(parts)
