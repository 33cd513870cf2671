"""Whether a secret is one that a way of showing it can ever find right, and that can be hidden where it is repeated."""

import re
from collections.abc import Iterator, Sequence

from webhooks.credentials import SHORTEST_IN_BODY, can_be_hidden
from webhooks.verification.reading import Way
from webhooks.verification.signature import Hmac, from_base64
from webhooks.verification.sns import Sns
from webhooks.verification.standard_webhooks import PUBLIC_KEY, SECRET, StandardWebhooks
from webhooks.verification.token import Basic, HeaderToken, QueryToken

PUBLIC_KEY_BYTES = 32
_TOPIC = re.compile(r"arn:aws[a-z-]{0,20}:sns:[a-z0-9-]{3,40}:\d{12}:[A-Za-z0-9_.-]{1,256}", re.ASCII)


def misfit(way: Way, secret: str) -> str | None:
    """What the way wants in place of this secret; None: it is good."""
    if isinstance(way, StandardWebhooks):
        return _of_standard_webhooks(secret)
    if isinstance(way, Sns):
        return None if _TOPIC.fullmatch(secret) else "the ARN of a topic, arn:aws:sns:region:account:name"
    if secret.startswith(PUBLIC_KEY):
        return "a secret: a public key (whpk_) is for standard-webhooks"
    if isinstance(way, Hmac) and way.key == "base64" and not from_base64(secret):
        return "a key in base64"
    if isinstance(way, HeaderToken) and secret != secret.strip():
        return "a secret without spaces around it, which headers lose"
    return None


def weakness(way: Way, secret: str) -> str | None:
    """What the way wants in place of this secret, which a delivery could repeat without our knowing it; None: it is
    good."""
    if not isinstance(way, HeaderToken | QueryToken | Basic) or all(
        map(can_be_hidden, (secret, *passwords([way], [secret])))
    ):
        return None
    what = "a password" if isinstance(way, Basic) and ":" in secret else "a secret"
    return f"{what} of at least {SHORTEST_IN_BODY} characters that are not all digits, as it is sent as it stands"


def passwords(ways: Sequence[Way], secrets: Sequence[str]) -> Iterator[str]:
    """Of the secrets that are a user and a password for HTTP basic, the passwords."""
    if any(isinstance(way, Basic) for way in ways):
        pairs = (secret.partition(":") for secret in secrets)
        yield from (password for _, _, password in pairs if password)


def _of_standard_webhooks(secret: str) -> str | None:
    if secret.startswith(PUBLIC_KEY):
        is_key = len(from_base64(secret.removeprefix(PUBLIC_KEY))) == PUBLIC_KEY_BYTES
        return None if is_key else f"whpk_ and {PUBLIC_KEY_BYTES} bytes in base64"
    return None if from_base64(secret.removeprefix(SECRET)) else "whsec_ and a key in base64"
