"""What `webhooks/` does for GraphQL and for replays: reads definitions, tries them, makes plans of deliveries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from resolvers.caller import Caller
from resolvers.webhooks.filters import Filter
from resolvers.webhooks.plan import Plan, Received

# What a definition is called that is no webhook's yet.
NAMELESS = "webhook"


class NoSuchWebhook(Exception):
    """There is no definition of that name, or no longer."""


class UnreadableBody(Exception):
    """Nothing can be made of the body of a delivery, whatever a definition says; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionProblem:
    """What is wrong with a definition and where: `line` and `column` count from 1, `path` is like `rules.0.when`."""

    message: str
    line: int
    column: int | None = None
    path: str = ""
    expression: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A shipped definition, to copy and change; `definition` is its text."""

    name: str
    title: str
    docs: str | None
    definition: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """An expression that was tried: where it stands, its value (JSON, cut where it is long), or why it has none."""

    path: str
    expression: str
    value: Any = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedRule:
    """A rule that was looked at; `message` says why it does not match, where more is to be said than that."""

    name: str
    matched: bool
    message: str | None = None
    values: tuple[Evaluated, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DryItem:
    """What one item would become. `fields` are the command's as JSON, `fingerprint` its parts and key, if it has one;
    whoever matched last is the last of `rules`."""

    plan: Plan
    rules: tuple[TriedRule, ...] = ()
    values: tuple[Evaluated, ...] = ()
    fields: Mapping[str, Any] = field(default_factory=dict)
    fingerprint: tuple[tuple[str, str], ...] = ()
    fingerprint_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRequest:
    """A delivery to try: `payload` is the body as JSON. Header names are lower case."""

    payload: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """What would come of a delivery; with `problems` the definition could not be read, with `refused` the payload."""

    items: tuple[DryItem, ...] = ()
    problems: tuple[DefinitionProblem, ...] = ()
    notices: tuple[str, ...] = ()
    event: str | None = None
    delivery_key: str | None = None
    refused: str | None = None


class Engine(Protocol):
    """Definitions at work. Nothing here raises for what a payload holds."""

    def is_reserved(self, name: str) -> bool:
        """Whether a webhook of one's own cannot have this name: it is a shipped one's or the server's."""
        ...

    def problems(self, name: str, definition: str) -> Sequence[DefinitionProblem]:
        """What is wrong with the text of a definition; nothing when it can be used."""
        ...

    def title(self, name: str, definition: str) -> str:
        """What a definition without problems calls itself, or the name."""
        ...

    def unfit_secrets(self, definition: str, secrets: Sequence[str], new: int) -> Sequence[tuple[int, str]]:
        """Those of these secrets that no sender could show as the definition says, by their places, and why.

        Of the first `new`, which are not kept yet, also those too weak to be hidden.
        """
        ...

    def notices(self, definition: str, has_secrets: bool) -> Sequence[str]:
        """What is to be said to whoever has saved a definition, though it can be used."""
        ...

    def curl(self, definition: str, url: str, namespaces: Sequence[str], has_secrets: bool) -> str:
        """A line for a script that delivers by a definition to its webhook's address."""
        ...

    def templates(self) -> Sequence[Template]:
        """The shipped definitions that can be copied, in order of name."""
        ...

    async def plans(self, received: Received, caller: Caller) -> Sequence[Plan]:
        """What a delivery becomes by today's definition of its webhook, shipped or stored.

        What it was received at stands for times that it does not tell itself. Others have
        their turn in between. Raises NoSuchWebhook and UnreadableBody.
        """
        ...

    async def masked(self, received: Received) -> Received:
        """The delivery with the fields that today's definition names as `***`, headers, query and body.

        Raises NoSuchWebhook, also where the name has become another's: then nobody knows what must not be shown.
        """
        ...

    def dry_run(self, definition: str, request: DryRequest, caller: Caller, name: str = NAMELESS) -> DryRun:
        """What a definition would make of a delivery of this caller to the webhook of that name."""
        ...

    def definition_of_filters(self, triggers: Sequence[Filter], resolves: Sequence[Filter]) -> str:
        """The text of a definition that does what filters of SQIBS do."""
        ...
