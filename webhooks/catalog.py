"""Definitions by their names: the shipped ones, and those that users made."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from resolvers.caller import Caller
from webhooks.definition import SingleDefinition, parse_single
from webhooks.kept import KeptDefinitions


class StoredWebhook(Protocol):
    """A webhook that somebody made: see resolvers.webhooks.registry."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def definition(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def enabled(self) -> bool: ...
    @property
    def keep_bodies(self) -> bool: ...
    @property
    def has_secrets(self) -> bool: ...
    @property
    def secrets(self) -> Sequence[str]:
        """The newest first. Raises Unavailable."""
        ...

    @property
    def sender(self) -> Caller:
        """Who reports by it, having shown a secret: REPORT where its owner has it."""
        ...


class Stored(Protocol):
    """Those that users made."""

    def find(self, name: str) -> StoredWebhook | None:
        """The webhook of that name, enabled or not."""
        ...


class NoneStored:
    """Where nobody made any."""

    def find(self, name: str) -> StoredWebhook | None:
        """See Stored."""
        return None


class Catalog:
    """`shipped` by name, and what `stored` knows; compiled once a version."""

    def __init__(self, shipped: Iterable[SingleDefinition], stored: Stored | None = None) -> None:
        self.shipped = {definition.name: definition for definition in shipped}
        self._stored = stored or NoneStored()
        # What senders of any of them prove themselves with may come to another's address by mistake.
        self.secret_headers = frozenset(name for each in self.shipped.values() for name in each.secret_headers)
        self._compiled = KeptDefinitions()

    def find(self, name: str) -> StoredWebhook | None:
        """The webhook that a user gave this name, if it is no shipped one's."""
        return None if name in self.shipped else self._stored.find(name)

    def has(self, name: str) -> bool:
        """Whether there is a webhook of that name, enabled or not."""
        return name in self.shipped or self._stored.find(name) is not None

    def is_compiled(self, webhook: StoredWebhook) -> bool:
        """Whether `definition_of` has nothing to do."""
        return (webhook.id, webhook.version) in self._compiled

    def definition_of(self, webhook: StoredWebhook) -> SingleDefinition:
        """What was read from its text. Raises DefinitionError."""
        key = (webhook.id, webhook.version)
        known = self._compiled.get(key)
        if known is None:
            known = parse_single(webhook.name, webhook.definition)
            self._compiled.put(key, known)
        return known
