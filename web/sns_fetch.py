"""What Amazon's notification service is asked for: certificates, and that a subscription is wanted."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from webhooks.verification.sns import MAX_CERTIFICATE_BYTES, Fetch

if TYPE_CHECKING:
    import httpx


@asynccontextmanager
async def open_fetch() -> AsyncIterator[Fetch]:
    """`async with open_fetch() as fetch`: what is at an address; raises ConnectionError when nobody answers with 200.

    The library is read at the first question: hardly anybody asks one.
    """
    client: httpx.AsyncClient | None = None
    async with AsyncExitStack() as stack:

        async def fetch(url: str) -> bytes:
            nonlocal client
            from web.identity.fetch import NoAnswer, get_bytes, new_client

            if client is None:
                client = await stack.enter_async_context(new_client())
            try:
                return await get_bytes(client, url, MAX_CERTIFICATE_BYTES)
            except NoAnswer as problem:
                raise ConnectionError(str(problem)) from problem

        yield fetch
