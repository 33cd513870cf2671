"""graphql-transport-ws: what a client may send, member by member, and why the server ends a connection."""

from enum import IntEnum
from typing import Any

import orjson

SUBPROTOCOL = "graphql-transport-ws"
ID_CHARACTERS = 256

Message = dict[str, Any]


class CloseCode(IntEnum):
    """Why the server ends a connection."""

    MESSAGE_TOO_BIG = 1009
    SERVICE_RESTART = 1012
    TRY_AGAIN_LATER = 1013
    BAD_REQUEST = 4400
    UNAUTHORIZED = 4401
    FORBIDDEN = 4403
    SUBPROTOCOL_NOT_ACCEPTABLE = 4406
    INITIALISATION_TIMEOUT = 4408
    SUBSCRIBER_EXISTS = 4409
    TOO_MANY_INITIALISATIONS = 4429


class Closing(Exception):
    """The server ends the connection."""

    def __init__(self, code: CloseCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason if len(reason.encode()) <= 123 else code.name  # more does not fit a close frame


def parse(text: str) -> Message:
    """A message that a client may send. Raises Closing for anything else."""
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError:
        message = None
    if not is_message(message):
        raise Closing(CloseCode.BAD_REQUEST, "Invalid message received")
    return message  # type: ignore[no-any-return]


def is_message(message: Any) -> bool:
    """Whether the protocol allows this from a client, member by member."""
    if not isinstance(message, dict):
        return False
    id, payload = message.get("id"), message.get("payload")
    match message.get("type"):
        case "connection_init" | "ping" | "pong":
            return payload is None or isinstance(payload, dict)
        case "complete":
            return is_id(id)
        case "subscribe":
            return is_id(id) and isinstance(payload, dict) and is_request(payload)
        case _:
            return False


def is_id(id: Any) -> bool:
    """Whether an operation may be called that. It is kept, and sent with each result."""
    return isinstance(id, str) and 0 < len(id) <= ID_CHARACTERS


def is_request(payload: Message) -> bool:
    """Whether the payload of `subscribe` is a GraphQL request, as far as its types tell."""
    return (isinstance(payload.get("query"), str) or isinstance(payload.get("documentId"), str)) and all(
        isinstance(payload.get(name), kind | None)
        for name, kind in (
            ("query", str),
            ("documentId", str),
            ("operationName", str),
            ("variables", dict),
            ("extensions", dict),
        )
    )
