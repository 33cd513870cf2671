"""Cookies of ours."""

from typing import Literal

from web.asgi import Scope

# Of one name: a page of a neighbouring domain may plant others, where cookies come by http.
MOST_OF_ONE_NAME = 4


class Cookie:
    """One cookie of this host alone, that no script sees; its name says so when it comes by https."""

    def __init__(self, name: str, *, is_https: bool, seconds: int, same_site: Literal["Lax", "Strict"] = "Lax") -> None:
        self.name = f"__Host-{name}" if is_https else name
        self._key = self.name.encode()
        self._seconds = seconds
        self._attributes = f"Path=/; HttpOnly; SameSite={same_site}{'; Secure' if is_https else ''}"

    def of(self, scope: Scope) -> str | None:
        """What the browser sent, the first of that name; None when there is no such cookie, or nothing in it."""
        return next(iter(self.all_of(scope)), None)

    def all_of(self, scope: Scope) -> list[str]:
        """All of that name with something in them, MOST_OF_ONE_NAME at most."""
        found = []
        for name, value in scope["headers"]:
            if name != b"cookie":
                continue
            for pair in value.split(b";"):
                # Nothing but what the syntax has between them is taken off: a name may only look like ours.
                key, _, given = pair.strip(b" \t").partition(b"=")
                if key == self._key and given:
                    found.append(given.decode("latin-1"))
        return found[:MOST_OF_ONE_NAME]

    def set(self, value: str) -> tuple[bytes, bytes]:
        """The header that gives it to the browser."""
        return b"set-cookie", f"{self.name}={value}; Max-Age={self._seconds}; {self._attributes}".encode()

    def clear(self) -> tuple[bytes, bytes]:
        """The header that takes it away."""
        return b"set-cookie", f"{self.name}=; Max-Age=0; {self._attributes}".encode()
