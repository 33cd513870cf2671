"""A command as people read it: the members of a rule, with their values."""

from typing import Any

from resolvers.mutation import CreateIssue, ResolveScope
from resolvers.mutation.acknowledge_scope import AcknowledgeScope
from resolvers.mutation.command import Command
from resolvers.mutation.fingerprint import Fingerprint, fingerprint_of
from resolvers.mutation.rows import ScopeKey
from resolvers.mutation.values import PartValue


def kind_of(command: Command) -> str:
    """report, resolve or acknowledge."""
    if isinstance(command, CreateIssue):
        return "report"
    return "resolve" if isinstance(command, ResolveScope) else "acknowledge"


def fields_of(command: Command) -> dict[str, Any]:
    """Its values as JSON, under the keys of definitions; what it does not say is not there."""
    assert isinstance(command, CreateIssue | ResolveScope | AcknowledgeScope)
    fields: dict[str, Any] = {
        "namespace": command.namespace,
        "scope": {
            "resourceType": command.resource_type,
            "resourceName": command.resource_name,
            "resourceNamespace": command.resource_namespace or command.namespace,
        },
        "issueType": command.issue_type,
        "fingerprint": _parts(command.fingerprint),
    }
    if isinstance(command, CreateIssue):
        within = command.reopen_within
        fields |= {
            "title": command.title,
            "description": command.description,
            "severity": command.severity,
            "source": command.source,
            "runId": command.run_id,
            "detectedAt": command.detected_at,
            "reopenWithin": None if within is None else int(within.total_seconds()),
            "links": None
            if command.links is None
            else [{"title": each.title, "url": each.url} for each in command.links],
            "labels": None
            if command.labels is None
            else [{"name": label.name, "value": label.value} for label in command.labels],
        }
    else:
        fields["at"] = command.at
    if isinstance(command, ResolveScope):
        fields["reason"] = command.reason
    return {name: value for name, value in fields.items() if value is not None}


def fingerprint_of_report(command: Command) -> Fingerprint | None:
    """What makes the issue of a report one and the same."""
    if not isinstance(command, CreateIssue):
        return None
    scope = ScopeKey(command.resource_type, command.resource_name, command.resource_namespace or command.namespace)
    return fingerprint_of(command.namespace, command.issue_type, scope, command.fingerprint)


def _parts(parts: tuple[PartValue, ...] | None) -> dict[str, str] | None:
    return None if parts is None else {part.name: part.value for part in parts}
