"""Which webhook, or which other product's client, each path is for."""

from collections.abc import Container, Iterable, Iterator, Mapping

from resolvers.webhooks.registry import Registry
from webhooks import devlake, keep, pulse, sqibs
from webhooks.definition import ours

# These, and what is below them, are for the clients of one product; their tokens can be tied to its name.
CLIENTS = {
    **dict.fromkeys(devlake.PREFIXES, devlake.WEBHOOK),
    pulse.PREFIX: pulse.WEBHOOK,
    sqibs.PATH: sqibs.WEBHOOK,
    **dict.fromkeys(keep.PREFIXES, keep.WEBHOOK),
}


def shipped_names() -> set[str]:
    """What a token can be tied to without anybody having made a webhook. Raises DefinitionError."""
    return {*ours().paths.values(), *CLIENTS.values()}


class WebhookPaths(Mapping[str, str]):
    """Names by path, without a slash at its end; `below` those of paths that begin so. Lists the first alone."""

    def __init__(self, exact: Mapping[str, str], below: Mapping[str, str]) -> None:
        self._exact = dict(exact)
        self._below = tuple((prefix, f"{prefix}/", name) for prefix, name in below.items())
        self._prefixes = tuple(below)

    def __getitem__(self, path: str) -> str:
        found = self._exact.get(path)
        if found is not None:
            return found
        # Most paths are none of them.
        for prefix, beginning, name in self._below if path.startswith(self._prefixes) else ():
            if path == prefix or path.startswith(beginning):
                return name
        raise KeyError(path)

    def __iter__(self) -> Iterator[str]:
        return iter(self._exact)

    def __len__(self) -> int:
        return len(self._exact)


class WebhookNames(Container[str]):
    """What a token may be tied to: these, and the webhooks that users have made by now."""

    def __init__(self, shipped: Iterable[str], stored: Registry) -> None:
        self._shipped = frozenset(shipped)
        self._stored = stored

    def __contains__(self, name: object) -> bool:
        return name in self._shipped or (isinstance(name, str) and self._stored.find(name) is not None)
