"""What the doors of other products' clients share: a delivery as it is kept."""

from collections.abc import Mapping

from models.values import new_id, now
from resolvers.webhooks.plan import Received
from webhooks.deliver import SECRET_HEADERS
from webhooks.http import AsgiScope, header


def received_of(
    scope: AsgiScope,
    body: bytes,
    *,
    webhook: str,
    event: str,
    query: Mapping[str, str],
    refused: str | None = None,
) -> Received:
    """`query`: what is needed beside the body to make plans of it again. Credentials are left out."""
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        headers.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))
    return Received(
        id=new_id(),
        webhook=webhook,
        at=now(),
        event=event,
        headers={name: value for name, value in headers.items() if name not in SECRET_HEADERS},
        query=query,
        content_type=header(scope, b"content-type"),
        body=body,
        body_bytes=len(body),
        refused=refused,
    )
