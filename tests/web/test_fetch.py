"""Asking other servers: for so long, so much, and nothing that is packed."""

import asyncio
import gzip

import httpx
import pytest

from web.identity import fetch
from web.identity.fetch import NoAnswer, get_bytes, get_object


def client_of(answer):
    return httpx.AsyncClient(transport=httpx.MockTransport(answer))


async def test_an_answer_that_drips_is_none(monkeypatch):
    monkeypatch.setattr(fetch, "TIMEOUT_SECONDS", 0.2)

    async def drip():
        while True:
            yield b" "
            await asyncio.sleep(0.02)

    async with client_of(lambda request: httpx.Response(200, content=drip())) as client:
        async with asyncio.timeout(20):
            with pytest.raises(NoAnswer, match="TimeoutError"):
                await get_object(client, "https://sso.example.com/")


async def test_nothing_is_asked_for_packed_and_nothing_packed_is_read():
    asked = []

    def answer(request):
        asked.append(request.headers["accept-encoding"])
        content = gzip.compress(gzip.compress(b"0" * 10_000_000))
        return httpx.Response(200, headers={"content-encoding": "gzip, gzip"}, stream=httpx.ByteStream(content))

    async with client_of(answer) as client:
        for ask in (get_object(client, "https://a.example.com/"), get_bytes(client, "https://a.example.com/", 100)):
            with pytest.raises(NoAnswer, match="compressed"):
                await ask
    assert asked == ["identity", "identity"]


async def test_no_more_is_read_than_is_wanted():
    async with client_of(lambda request: httpx.Response(200, stream=httpx.ByteStream(b"x" * 101))) as client:
        with pytest.raises(NoAnswer, match="more than 100 bytes"):
            await get_bytes(client, "https://a.example.com/", 100)
        assert await get_bytes(client, "https://a.example.com/", 101) == b"x" * 101
    async with client_of(lambda request: httpx.Response(404, stream=httpx.ByteStream(b""))) as client:
        with pytest.raises(NoAnswer, match="404"):
            await get_bytes(client, "https://a.example.com/", 100)


@pytest.mark.parametrize("url", ["https://[bad/", "https://a\0b/", "https://xn--/", "nothing", ""])
async def test_an_address_that_is_none_does_not_answer(url):
    async with httpx.AsyncClient() as client:
        with pytest.raises(NoAnswer):
            await get_bytes(client, url, 100)
