"""DevLake's envelope and its ways to say no."""

from collections.abc import Sequence
from typing import Any, NamedTuple


class Told(NamedTuple):
    """Status and JSON of an answer."""

    status: int
    body: Any


class Refusal(Exception):
    """A request that is refused; `is_plain` as a JSON text, else in the envelope."""

    def __init__(self, status: int, message: str, causes: Sequence[str] = (), *, is_plain: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.answer = Told(status, message) if is_plain else failure(status, message, causes)


def success(data: Any = None) -> Told:
    """What clients are told of a delivery that was taken."""
    return Told(200, _envelope(0, "success", None, data, success=True))


def failure(status: int, message: str, causes: Sequence[str] = ()) -> Told:
    """What they are told of one that was not."""
    return Told(status, _envelope(status, f"{message} ({status})", [*causes], None, success=False))


def _envelope(code: int, message: str, causes: list[str] | None, data: Any, *, success: bool) -> dict[str, Any]:
    return {"code": code, "success": success, "message": message, "causes": causes, "data": data}


NOT_FOUND = "record not found"


def turned_away(status: int, reason: str, message: str, authorization: str | None) -> tuple[int, dict[str, Any]]:
    """What DevLake says at its door, for the `reason` that our audit has; for any other, what we say.

    `authorization`: the header of that name.
    """
    scheme, _, key = (authorization or "").strip().partition(" ")
    if reason == "NO_TOKEN":
        status, message = 401, "token is missing"
    elif reason == "UNKNOWN_TOKEN" and authorization and not (scheme.lower() == "bearer" and key.strip()):
        status, message = 401, "token is not present or malformed"
    elif reason == "UNKNOWN_TOKEN":
        status, message = 403, "api key is invalid"
    elif reason == "OTHER_PATH":
        status, message = 403, "path doesn't match api key's scope"
    return status, {"success": False, "message": message}
