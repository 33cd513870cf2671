"""Who asks, what they may do, and in which namespaces: every read and every command goes through a Caller."""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from math import inf


class Permission(StrEnum):
    """What a grant allows; none implies another."""

    READ = "READ"
    REPORT = "REPORT"
    RESPOND = "RESPOND"
    MANAGE = "MANAGE"
    ADMIN = "ADMIN"


class ActorKind(StrEnum):
    """What kind of thing did something."""

    PERSON = "PERSON"
    TOKEN = "TOKEN"
    WEBHOOK = "WEBHOOK"
    RULE = "RULE"
    SYSTEM = "SYSTEM"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did something. `id` is stable; `name` is for people and may change."""

    kind: ActorKind
    id: str
    name: str


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """One permission in one namespace: a name, a prefix such as `team-*`, or `*` for everywhere."""

    permission: Permission
    namespace: str


@dataclass(frozen=True, slots=True)
class Namespaces:
    """The namespaces in which a caller has a permission: everywhere, or names and prefixes.

    Statements bind `names` and `prefixes` (an everywhere caller's statement has no such condition).
    """

    everywhere: bool
    names: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()

    def __contains__(self, namespace: str) -> bool:
        if self.everywhere or namespace in self.names:
            return True
        return namespace.startswith(self.prefixes)

    def overlaps(self, other: "Namespaces") -> bool:
        """Whether there is a namespace, or can be one, that both have."""
        return (
            self.everywhere
            or other.everywhere
            or any(name in other for name in self.names)
            or any(name in self for name in other.names)
            or any(one.startswith(two) or two.startswith(one) for one in self.prefixes for two in other.prefixes)
        )


@dataclass(frozen=True)
class Caller:
    """The one who asks. Built at the door (web/doors), never changed after.

    `tool`: the one that reports at several addresses, as an actor at each. `session`: the browser's, by its id.
    """

    actor: Actor
    grants: tuple[Grant, ...]
    tool: str | None = None
    session: str | None = None
    # Seconds of the clock; the end of what was shown at the door.
    expires_at: float = field(default=inf, compare=False)
    # The digest of the token that was shown: the same caller may have two that are good, not for equally long.
    shown: str | None = field(default=None, compare=False, repr=False)

    @cached_property
    def line(self) -> str:
        """Whose commands are carried out in the order in which they came: the actor's, or all of the tool's."""
        return f"{self.actor.kind}:{self.actor.id}" if self.tool is None else f"TOOL:{self.tool}"

    @cached_property
    def readable(self) -> Namespaces:
        """Where the caller may READ."""
        return self.namespaces(Permission.READ)

    @cached_property
    def acting(self) -> Namespaces:
        """Where the caller may read issues or do something to them: it is shown those that it has acted on."""
        return _granted(self.grants, _ACTING)

    @cached_property
    def as_reader(self) -> "Caller":
        """The same, who may READ wherever it is `acting` and nothing else."""
        namespaces = sorted({grant.namespace for grant in self.grants if grant.permission in _ACTING})
        return replace(self, grants=tuple(Grant(Permission.READ, namespace) for namespace in namespaces))

    @cached_property
    def only_reading(self) -> "Caller":
        """The same, with READ where it has it and nothing else."""
        return replace(self, grants=tuple(grant for grant in self.grants if grant.permission is Permission.READ))

    @cached_property
    def reads(self) -> bool:
        """Whether the caller may READ anywhere at all."""
        return self.may_somewhere(Permission.READ)

    def may_somewhere(self, permission: Permission) -> bool:
        """Whether the caller has `permission` anywhere at all."""
        return any(grant.permission is permission for grant in self.grants)

    def namespaces(self, permission: Permission) -> Namespaces:
        """Where the caller has `permission`."""
        return self._namespaces[permission]

    @cached_property
    def _namespaces(self) -> Mapping[Permission, Namespaces]:
        return {permission: _granted(self.grants, {permission}) for permission in Permission}

    def may(self, permission: Permission, namespace: str) -> bool:
        """Whether the caller has `permission` in `namespace`."""
        return namespace in self.namespaces(permission)


_ACTING = frozenset({Permission.READ, Permission.REPORT, Permission.RESPOND, Permission.MANAGE})


def _granted(grants: Iterable[Grant], permissions: Set[Permission]) -> Namespaces:
    granted = sorted({grant.namespace for grant in grants if grant.permission in permissions})
    if "*" in granted:
        return Namespaces(everywhere=True)
    return Namespaces(
        everywhere=False,
        names=tuple(name for name in granted if not name.endswith("*")),
        prefixes=tuple(name[:-1] for name in granted if name.endswith("*")),
    )


def everywhere(actor: Actor) -> Caller:
    """A caller with every permission in every namespace."""
    return Caller(actor=actor, grants=tuple(Grant(permission, "*") for permission in Permission))
