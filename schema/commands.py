"""From what a mutation took to the command that the writer runs. All of these raise Invalid."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from strawberry import UNSET
from strawberry.utils.str_converters import to_camel_case

from resolvers import mutation
from resolvers.errors import Invalid, UserError
from resolvers.mutation import LabelValue, LinkValue, PartValue
from schema import inputs
from schema.enums import Word

Value = TypeVar("Value")


def create_issue(given: inputs.CreateIssueInput) -> mutation.CreateIssue:
    """A report of a failure."""
    with _no_nulls(given, "links", "labels", "fingerprint"):
        return mutation.CreateIssue(
            namespace=given.namespace,
            title=given.title,
            description=given.description,
            severity=given.severity.value,
            issue_type=given.issue_type.value,
            resource_type=given.scope.resource_type,
            resource_name=given.scope.resource_name,
            resource_namespace=_or_none(given.scope.resource_namespace),
            links=_links(given.links),
            labels=_labels(given.labels),
            detected_at=_or_none(given.detected_at),
            source=_or_none(given.source),
            run_id=_or_none(given.run_id),
            fingerprint=_parts(given.fingerprint) or (),
            idempotency_key=_or_none(given.idempotency_key),
        )


def update_issue(given: inputs.UpdateIssueInput) -> mutation.UpdateIssue:
    """An edit by hand."""
    with _no_nulls(given, "title", "description", "severity", "issue_type", "links", "labels"):
        return mutation.UpdateIssue(
            id=given.id,
            title=_or_none(given.title),
            description=_or_none(given.description),
            severity=_word(given.severity),
            issue_type=_word(given.issue_type),
            links=_links(given.links),
            labels=_labels(given.labels),
        )


def resolve_issue(given: inputs.ResolveIssueInput) -> mutation.ResolveIssue:
    """An issue is no longer broken."""
    return mutation.ResolveIssue(id=given.id, at=_or_none(given.at), reason=_or_none(given.reason))


def resolve_issues(given: inputs.ResolveIssuesInput) -> mutation.ResolveIssues:
    """Issues are no longer broken."""
    return mutation.ResolveIssues(ids=tuple(given.ids), at=_or_none(given.at), reason=_or_none(given.reason))


def resolve_scope(given: inputs.ResolveScopeInput) -> mutation.ResolveScope:
    """A report of a success."""
    with _no_nulls(given, "fingerprint"):
        return mutation.ResolveScope(
            namespace=given.namespace,
            resource_type=given.scope.resource_type,
            resource_name=given.scope.resource_name,
            resource_namespace=_or_none(given.scope.resource_namespace),
            issue_type=_word(given.issue_type),
            fingerprint=_parts(given.fingerprint),
            at=_or_none(given.at),
            reason=_or_none(given.reason),
            idempotency_key=_or_none(given.idempotency_key),
        )


def reopen_issue(given: inputs.ReopenIssueInput) -> mutation.ReopenIssue:
    """An issue is broken again."""
    return mutation.ReopenIssue(id=given.id)


def acknowledge_issue(given: inputs.AcknowledgeIssueInput) -> mutation.AcknowledgeIssue:
    """The caller is on it."""
    return mutation.AcknowledgeIssue(id=given.id)


def acknowledge_issues(given: inputs.AcknowledgeIssuesInput) -> mutation.AcknowledgeIssues:
    """The caller is on them."""
    return mutation.AcknowledgeIssues(ids=tuple(given.ids))


def unacknowledge_issue(given: inputs.UnacknowledgeIssueInput) -> mutation.UnacknowledgeIssue:
    """Nobody is on it after all."""
    return mutation.UnacknowledgeIssue(id=given.id)


def delete_issue(given: inputs.DeleteIssueInput) -> mutation.DeleteIssue:
    """The issue goes."""
    return mutation.DeleteIssue(id=given.id)


def relate_issues(given: inputs.RelateIssuesInput) -> mutation.RelateIssues:
    """A relation is drawn."""
    return mutation.RelateIssues(
        source_id=given.source_id,
        target_id=given.target_id,
        kind=given.kind.value,
        reason=_or_none(given.reason),
    )


def unrelate_issues(given: inputs.UnrelateIssuesInput) -> mutation.UnrelateIssues:
    """Relations are removed."""
    return mutation.UnrelateIssues(source_id=given.source_id, target_id=given.target_id, kind=_word(given.kind))


@contextmanager
def _no_nulls(given: object, *names: str) -> Iterator[None]:
    """Refuse an explicit null in these members, together with whatever else is wrong with the command."""
    nulls = [
        UserError(code="REQUIRED", field=(name,), message=f"{name} cannot be null; leave it out instead")
        for name in (to_camel_case(name) for name in names if getattr(given, name) is None)
    ]
    try:
        yield
    except Invalid as refused:
        raise Invalid([*nulls, *refused.errors]) from None
    if nulls:
        raise Invalid(nulls)


def _or_none(value: Value | None) -> Value | None:
    return None if value is UNSET else value


def _word(value: Word | None) -> str | None:
    """The database's word."""
    return value.value if value else None


def _links(links: Sequence[inputs.LinkInput] | None) -> tuple[LinkValue, ...] | None:
    given = _or_none(links)
    return None if given is None else tuple(LinkValue(title=link.title, url=link.url) for link in given)


def _labels(labels: Sequence[inputs.LabelInput] | None) -> tuple[LabelValue, ...] | None:
    given = _or_none(labels)
    return None if given is None else tuple(LabelValue(name=label.name, value=label.value) for label in given)


def _parts(parts: Sequence[inputs.FingerprintPartInput] | None) -> tuple[PartValue, ...] | None:
    given = _or_none(parts)
    return None if given is None else tuple(PartValue(name=part.name, value=part.value) for part in given)
