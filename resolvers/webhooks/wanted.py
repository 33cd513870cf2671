"""What somebody wants a webhook to be."""

from dataclasses import dataclass

from resolvers.mutation.checks import Checks
from resolvers.mutation.limits import MAX_NAMESPACE_LENGTH

MAX_DEFINITION_LENGTH = 65_536
MAX_NAMESPACES = 200
# So that the one before is good until every sender has the new one.
MAX_SECRETS = 2
MIN_SECRET_LENGTH, MAX_SECRET_LENGTH = 8, 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a webhook is to be; None is as it was. `new_secret` is put before the newest of the secrets that it has."""

    definition: str | None = None
    namespaces: tuple[str, ...] | None = None
    enabled: bool | None = None
    keep_bodies: bool | None = None
    secrets: tuple[str, ...] | None = None
    new_secret: str | None = None

    def place_of(self, secret: int) -> tuple[str, ...]:
        """What of this gave the secret of that number: the definition, where it is one that was kept."""
        if self.secrets is not None:
            return ("secrets", str(secret))
        return ("newSecret",) if self.new_secret is not None and secret == 0 else ("definition",)


def checks_of(wanted: Wanted) -> Checks:
    """What is wrong with it that needs no database, to be added to."""
    checks = Checks()
    checks.filled(("definition",), wanted.definition, MAX_DEFINITION_LENGTH)
    if len(wanted.namespaces or ()) > MAX_NAMESPACES:
        checks.error("TOO_MANY", ("namespaces",), f"namespaces may have {MAX_NAMESPACES} items at most")
    for index, namespace in enumerate((wanted.namespaces or ())[:MAX_NAMESPACES]):
        field = ("namespaces", str(index))
        checks.filled(field, namespace, MAX_NAMESPACE_LENGTH)
        if "*" in namespace[:-1]:
            checks.error("INVALID", field, "a namespace is a name, a prefix such as team-*, or *")
    if wanted.secrets is not None and wanted.new_secret is not None:
        checks.error("INVALID", ("newSecret",), "give secrets or newSecret, not both")
    if len(wanted.secrets or ()) > MAX_SECRETS:
        checks.error("TOO_MANY", ("secrets",), f"secrets may have {MAX_SECRETS} items at most")
    given: list[tuple[tuple[str, ...], str]] = [
        (("secrets", str(index)), secret) for index, secret in enumerate((wanted.secrets or ())[:MAX_SECRETS])
    ]
    if wanted.new_secret is not None:
        given.append((("newSecret",), wanted.new_secret))
    for place, secret in given:
        if not MIN_SECRET_LENGTH <= len(secret) <= MAX_SECRET_LENGTH or not secret.isprintable():
            limits = f"{MIN_SECRET_LENGTH} to {MAX_SECRET_LENGTH:,} printable characters"
            checks.error("INVALID", place, f"a secret has {limits}")
    return checks
