"""Whether who delivers is who a definition says."""

from collections.abc import Sequence

from webhooks.verification.request import NotVerified, SignedRequest, Verification
from webhooks.verification.sns import Certificates, Fetch, Sns
from webhooks.verification.standard_webhooks import PUBLIC_KEY, StandardWebhooks


class Verifier:
    """Checks deliveries; keeps what it had to fetch for that. `fetch` gives what is at an address: see sns.Fetch."""

    def __init__(self, fetch: Fetch) -> None:
        self._certificates = Certificates(fetch)

    async def check(
        self, ways: Sequence[Verification | Sns], request: SignedRequest, secrets: Sequence[str], now: float
    ) -> None:
        """The first way that applies decides. A subscription of SNS that is good is confirmed.

        Raises NotVerified, and Unavailable when it cannot be known now.
        """
        way = next((way for way in ways if way.applies(request)), None)
        if way is None:
            raise NotVerified("the delivery is not signed, and has no secret")
        if isinstance(way, StandardWebhooks):
            way.check(request, secrets, now)
            return
        # A public key is good for a signature, and no secret to be shown.
        secrets = [secret for secret in secrets if not secret.startswith(PUBLIC_KEY)]
        if not isinstance(way, Sns):
            way.check(request, secrets, now)
            return
        message = way.message(request, secrets, now)
        await self._certificates.check(message, now, request.source)
        if message["Type"] == "SubscriptionConfirmation":
            await self._certificates.confirm(message)
