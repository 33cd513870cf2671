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
            import httpx

            from web.identity.fetch import new_client

            if client is None:
                client = await stack.enter_async_context(new_client())
            try:
                async with client.stream("GET", url) as response:
                    if response.status_code != 200:
                        raise ConnectionError(f"it answers with {response.status_code}")
                    content = b""
                    async for part in response.aiter_bytes():
                        content += part
                        if len(content) > MAX_CERTIFICATE_BYTES:
                            raise ConnectionError("it answers with more than a certificate has")
                    return content
            except httpx.HTTPError as error:
                raise ConnectionError(f"it does not answer: {type(error).__name__}") from error

        yield fetch
