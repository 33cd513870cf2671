"""Whether a secret is one that a way of showing it can ever find right."""

import re

from webhooks.verification.reading import Way
from webhooks.verification.signature import Hmac, from_base64
from webhooks.verification.sns import Sns
from webhooks.verification.standard_webhooks import PUBLIC_KEY, SECRET, StandardWebhooks
from webhooks.verification.token import HeaderToken

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


def _of_standard_webhooks(secret: str) -> str | None:
    if secret.startswith(PUBLIC_KEY):
        is_key = len(from_base64(secret.removeprefix(PUBLIC_KEY))) == PUBLIC_KEY_BYTES
        return None if is_key else f"whpk_ and {PUBLIC_KEY_BYTES} bytes in base64"
    return None if from_base64(secret.removeprefix(SECRET)) else "whsec_ and a key in base64"
