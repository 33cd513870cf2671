"""Multipart subscriptions, as Apollo's clients and router speak them: `multipart/mixed; subscriptionSpec=1.0`.

The boundary follows a part at once, so that a client need not wait for the next one to know that this one is whole.
"""

from web.result_stream import Format

_BOUNDARY = "\r\n--graphql"


def _part(text: str) -> str:
    return f"\r\ncontent-type: application/json\r\n\r\n{text}{_BOUNDARY}"


def _payload(text: str, _position: str | None) -> str:
    return _part(f'{{"payload":{text}}}')


MULTIPART_SUBSCRIPTION = Format(
    content_type='multipart/mixed; boundary="graphql"; subscriptionSpec=1.0',
    opening=_BOUNDARY,
    sign=_part("{}"),
    end="--\r\n",
    result=_payload,
)
