"""Where clients put their token: headers, connection_init, and on webhook paths the URL, for tools that can no more."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus

from web.asgi import Scope, header

IN_URL = (b"token", b"api_key")


def of_headers(scope: Scope) -> str | None:
    """`Authorization: Bearer` or the password of Basic, else `X-API-Key`; "" for one that cannot be read."""
    authorization = header(scope, b"authorization")
    return header(scope, b"x-api-key") if authorization is None else _of_authorization(authorization)


def beside_authorization(scope: Scope) -> str | None:
    """`X-API-Key`, of a request that has both: what is in the other one may be for somebody else."""
    return header(scope, b"x-api-key") if header(scope, b"authorization") is not None else None


def of_url(scope: Scope) -> str | None:
    """`?token=` or `?api_key=`, the name written so. It is taken out of the scope: nobody behind the door sees it, or
    logs it. The rest of the query stays as it came.
    """
    query = scope["query_string"]
    if b"token" not in query and b"api_key" not in query:
        return None
    given, kept = [], []
    for pair in query.split(b"&"):
        name, _, value = pair.partition(b"=")
        if name in IN_URL:
            given.append(value)
        else:
            kept.append(pair)
    scope["query_string"] = b"&".join(kept)
    return unquote_plus(given[0].decode("latin-1"), encoding="latin-1") if given else None


def of_payload(payload: Mapping[str, Any]) -> str | None:
    """What a client says in connection_init: `authorization`, `x-api-key` (in `headers` too) or `token`."""
    inner = payload.get("headers")
    for members in (payload, inner) if isinstance(inner, dict) else (payload,):
        for name, value in members.items():
            name = name.lower()
            if not isinstance(value, str):
                continue
            if name == "authorization":
                return _of_authorization(value)
            if name in ("x-api-key", "token"):
                return value
    return None


def _of_authorization(value: str) -> str:
    scheme, _, given = value.strip().partition(" ")
    given = given.strip()
    match scheme.lower():
        case "bearer":
            return given
        case "basic":
            try:
                return base64.b64decode(given, validate=True).decode().partition(":")[2]
            except (binascii.Error, UnicodeDecodeError):
                return ""
    return ""
