"""What members of groups may do: `platform=all:*;team-a=read:team-a,respond:team-a`."""

import hashlib
from collections.abc import Iterable, Mapping

import orjson

from resolvers.caller import Grant, Permission
from resolvers.mutation.limits import MAX_NAMESPACE_LENGTH

ALL = "ALL"
# Everybody whom the provider knows.
EVERYBODY = "*"


def parse_grants(text: str) -> dict[str, tuple[Grant, ...]]:
    """The grants of each group. Raises ValueError, which says what is wrong."""
    found: dict[str, tuple[Grant, ...]] = {}
    for part in filter(None, (part.strip() for part in text.split(";"))):
        # The name of a group may hold what stands between the others, such as cn=admins,ou=groups.
        group, equals, listed = part.rpartition("=")
        group = group.strip()
        if not equals or not group:
            raise ValueError(f"has {part!r}, which is not like group=permission:namespace")
        if group in found:
            raise ValueError(f"names the group {group!r} twice")
        found[group] = tuple(grant for each in listed.split(",") for grant in _grants(each.strip()))
    return found


def granted(mapping: Mapping[str, Iterable[Grant]], groups: Iterable[str]) -> tuple[Grant, ...]:
    """What somebody in these groups may do: the same, in the same order, for the same groups."""
    names = {EVERYBODY, *groups}
    grants = {grant for group, grants in mapping.items() if group in names for grant in grants}
    return tuple(sorted(grants))


def mapping_digest(issuer: str, client_id: str, groups_claim: str, grants: str) -> str:
    """The SHA-256, in hex, of all that decides what somebody whom the provider knows may do here."""
    mapping = sorted((group, sorted(map(str, each))) for group, each in parse_grants(grants).items())
    return hashlib.sha256(orjson.dumps([issuer, client_id, groups_claim, mapping])).hexdigest()


def _grants(text: str) -> list[Grant]:
    permission, colon, namespace = (part.strip() for part in text.partition(":"))
    permission = permission.upper()
    if not colon or permission not in {ALL, *Permission}:
        words = ", ".join([*(each.lower() for each in Permission), ALL.lower()])
        raise ValueError(f"has {text!r}, which is not like permission:namespace; permissions are {words}")
    if not 0 < len(namespace) <= MAX_NAMESPACE_LENGTH or "*" in namespace[:-1]:
        raise ValueError(f"has {text!r}; a namespace is a name, a prefix such as team-*, or *")
    permissions = [*Permission] if permission == ALL else [Permission(permission)]
    return [Grant(each, namespace) for each in permissions]
