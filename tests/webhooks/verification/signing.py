"""What senders of signed deliveries do, and a definition's `verify` read from YAML."""

import hashlib
import hmac
from pathlib import Path

import yaml

from webhooks.verification import NotVerified, SignedRequest, parse
from webhooks.yaml_reader import Reader

NOW = 1_790_000_000
BODY = b'{"zen": "Keep it \xe2\x9c\x93", "raw": "\\u00e9"}\n'
SECRET, OLD, WRONG = "it is a secret \N{SNOWMAN}", "the one before", "another"


def read(text):
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    assert node
    return parse(Reader(Path("verify.yaml"), node))


def request(headers=None, query=None, body=BODY, source=""):
    return SignedRequest(headers or {}, query or {}, body, source)


def digest(secret, signed, algorithm="sha256"):
    return hmac.new(secret.encode(), signed, getattr(hashlib, algorithm))


def refusal(way, delivery, secrets=(SECRET,), now=NOW):
    """Why a delivery is refused; None when it is not."""
    try:
        way.check(delivery, secrets, now)
    except NotVerified as refused:
        return str(refused)
    return None
