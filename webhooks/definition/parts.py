"""What rules are made of."""

from collections.abc import Iterator
from dataclasses import dataclass

from webhooks.expressions import Expression, Template


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What is affected; `resource_namespace` None: the issue's own namespace."""

    resource_type: Template
    resource_name: Template
    resource_namespace: Template | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link that is there when its address is not empty."""

    title: Template
    url: Template


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """One label, or one for each item when the value is a list."""

    name: Template
    value: Template


@dataclass(frozen=True, slots=True)
class Part:
    """An extra part of the fingerprint, left out when its value is empty."""

    name: str
    value: Template


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Becomes a CreateIssue; `labels` None: those of the issue stay, one template: an object of them."""

    title: Template
    description: Template
    severity: Template
    issue_type: Template
    scope: Scope
    links: tuple[Link, ...] = ()
    labels: tuple[Label, ...] | Template | None = None
    run_id: Template | None = None
    detected_at: Template | None = None
    fingerprint: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolve:
    """Becomes a ResolveScope; `fingerprint` None: any, empty: only issues without extra parts."""

    scope: Scope
    issue_type: Template | None = None
    fingerprint: tuple[Part, ...] | None = None
    at: Template | None = None
    reason: Template | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledge:
    """Becomes an AcknowledgeScope; as Resolve."""

    scope: Scope
    issue_type: Template | None = None
    fingerprint: tuple[Part, ...] | None = None
    at: Template | None = None


@dataclass(frozen=True, slots=True)
class Ignore:
    """Becomes nothing; the answer says why."""

    info: Template


Action = Report | Resolve | Acknowledge | Ignore


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What to do with a delivery for which `when` holds (None: always).

    `status` is that of the answer; `about` is whose issues a resolve's message says were resolved.
    """

    when: Expression | None
    action: Action
    name: str = ""
    status: int = 200
    about: Template | None = None


def expressions_in(value: object) -> Iterator[Expression]:
    """All expressions within frozen dataclasses and tuples."""
    if isinstance(value, Expression):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from expressions_in(item)
    elif hasattr(value, "__dataclass_fields__"):
        for name in value.__dataclass_fields__:
            yield from expressions_in(getattr(value, name))
