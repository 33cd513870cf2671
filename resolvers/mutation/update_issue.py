"""UpdateIssue: somebody edits an issue."""

from dataclasses import dataclass

from resolvers.mutation import limits
from resolvers.mutation.checks import Checks
from resolvers.mutation.values import LabelValue, LinkValue


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateIssue:
    """Sets the fields that are not None; `links` and `labels` replace the whole list.

    `resolved_at` counts only where the issue is resolved after the command. Raises Invalid.
    """

    id: str
    title: str | None = None
    description: str | None = None
    severity: str | None = None
    issue_type: str | None = None
    links: tuple[LinkValue, ...] | None = None
    labels: tuple[LabelValue, ...] | None = None
    state: str | None = None
    resolved_at: str | None = None
    namespace: str | None = None
    resource_type: str | None = None
    resource_name: str | None = None
    resource_namespace: str | None = None

    def __post_init__(self) -> None:
        checks = Checks()
        checks.filled(("title",), self.title, limits.MAX_TITLE_LENGTH)
        checks.filled(("description",), self.description, limits.MAX_DESCRIPTION_LENGTH)
        checks.severity(self.severity)
        checks.issue_type(self.issue_type)
        checks.links(self.links)
        checks.labels(self.labels)
        checks.state(self.state)
        checks.place(self.namespace, self.resource_type, self.resource_name, self.resource_namespace)
        checks.done()
