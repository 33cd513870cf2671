"""What mutations take. A member without a default must be there; UNSET is absent, None an explicit null."""

import strawberry
from strawberry import UNSET

from schema.enums import IssueType, RelationKind, Severity
from schema.scalars import DateTime

_AT = "When it was resolved; default now."
_REASON = "Why, for the log."
_IDEMPOTENCY_KEY = "The same key again within a day does nothing more and answers the same."


@strawberry.input(description="A label to give.")
class LabelInput:
    name: str = strawberry.field(description="The name.")
    value: str = strawberry.field(description="The value.")


@strawberry.input(description="A link to give.")
class LinkInput:
    title: str = strawberry.field(description="What to show.")
    url: str = strawberry.field(description="An http or https address.")


@strawberry.input(description="What an issue is about.")
class ScopeInput:
    resource_type: str = strawberry.field(description="What kind of thing, such as component or pipelinerun.")
    resource_name: str = strawberry.field(description="Its name.")
    resource_namespace: str | None = strawberry.field(default=UNSET, description="Defaults to the issue's namespace.")


@strawberry.input(description="One extra part of a fingerprint.")
class FingerprintPartInput:
    name: str = strawberry.field(description="What the part is.")
    value: str = strawberry.field(description="Its value.")


@strawberry.input(description="A failure to report.")
class CreateIssueInput:
    namespace: str = strawberry.field(description="Whose it is.")
    title: str = strawberry.field(description="What is broken, in one line.")
    description: str = strawberry.field(description="The reason.")
    severity: Severity = strawberry.field(description="How bad it is.")
    issue_type: IssueType = strawberry.field(description="What kind of work went wrong.")
    scope: ScopeInput = strawberry.field(description="What it is about.")
    links: list[LinkInput] | None = strawberry.field(
        default=UNSET, description="Web addresses that help. Absent keeps those of the active issue, [] clears them."
    )
    labels: list[LabelInput] | None = strawberry.field(
        default=UNSET, description="Labels. Absent keeps those of the active issue, [] clears them."
    )
    detected_at: DateTime | None = strawberry.field(default=UNSET, description="When it happened; default now.")
    source: str | None = strawberry.field(default=UNSET, description="What reports it, such as the name of a tool.")
    run_id: str | None = strawberry.field(
        default=UNSET,
        description=(
            "The run that failed. A run that this fingerprint already has is a repeat: UNCHANGED, whatever state the "
            "issue is in."
        ),
    )
    fingerprint: list[FingerprintPartInput] | None = strawberry.field(
        default=UNSET,
        description=(
            "Extra key parts: two reports with the same type and scope but another value here are two issues."
        ),
    )
    idempotency_key: str | None = strawberry.field(default=UNSET, description=_IDEMPOTENCY_KEY)


@strawberry.input(
    description="Fields to change by hand; absent keeps. A tool's next report keeps what is changed here."
)
class UpdateIssueInput:
    id: strawberry.ID = strawberry.field(description="The issue.")
    title: str | None = strawberry.field(default=UNSET, description="What is broken, in one line.")
    description: str | None = strawberry.field(default=UNSET, description="The reason.")
    severity: Severity | None = strawberry.field(default=UNSET, description="How bad it is.")
    issue_type: IssueType | None = strawberry.field(default=UNSET, description="What kind of work went wrong.")
    links: list[LinkInput] | None = strawberry.field(default=UNSET, description="All its links; [] clears them.")
    labels: list[LabelInput] | None = strawberry.field(default=UNSET, description="All its labels; [] clears them.")


@strawberry.input(description="An issue that is no longer broken.")
class ResolveIssueInput:
    id: strawberry.ID = strawberry.field(description="The issue.")
    at: DateTime | None = strawberry.field(default=UNSET, description=_AT)
    reason: str | None = strawberry.field(default=UNSET, description=_REASON)


@strawberry.input(
    description="At most 200 ids; each that cannot be done is a userError with its index, the others are done."
)
class ResolveIssuesInput:
    ids: list[strawberry.ID] = strawberry.field(description="The issues.")
    at: DateTime | None = strawberry.field(default=UNSET, description=_AT)
    reason: str | None = strawberry.field(default=UNSET, description=_REASON)


@strawberry.input(
    description="At most 200 ids; each that cannot be done is a userError with its index, the others are done."
)
class AcknowledgeIssuesInput:
    ids: list[strawberry.ID] = strawberry.field(description="The issues.")


@strawberry.input(description="A success to report: resolves what is broken about a scope, unless it broke after `at`.")
class ResolveScopeInput:
    namespace: str = strawberry.field(description="Whose issues.")
    scope: ScopeInput = strawberry.field(description="What succeeded.")
    issue_type: IssueType | None = strawberry.field(default=UNSET, description="Only issues of this type; default any.")
    fingerprint: list[FingerprintPartInput] | None = strawberry.field(
        default=UNSET,
        description="Only issues that have all these extra parts; [] only those that have none; absent: any.",
    )
    at: DateTime | None = strawberry.field(default=UNSET, description="When it succeeded; default now.")
    reason: str | None = strawberry.field(default=UNSET, description=_REASON)
    idempotency_key: str | None = strawberry.field(default=UNSET, description=_IDEMPOTENCY_KEY)


@strawberry.input(description="A resolved issue that is broken again.")
class ReopenIssueInput:
    id: strawberry.ID = strawberry.field(description="The issue.")


@strawberry.input(description="An issue that the caller is on.")
class AcknowledgeIssueInput:
    id: strawberry.ID = strawberry.field(description="The issue.")


@strawberry.input(description="An issue that nobody is on after all.")
class UnacknowledgeIssueInput:
    id: strawberry.ID = strawberry.field(description="The issue.")


@strawberry.input(description="An issue to remove, with its relations; its lines in the log stay.")
class DeleteIssueInput:
    id: strawberry.ID = strawberry.field(description="The issue.")


@strawberry.input(description="A relation to draw.")
class RelateIssuesInput:
    source_id: strawberry.ID = strawberry.field(description="The issue where it begins.")
    target_id: strawberry.ID = strawberry.field(description="The issue where it ends.")
    kind: RelationKind = strawberry.field(default=RelationKind.RELATED, description="How source stands to target.")
    reason: str | None = strawberry.field(default=UNSET, description="Why it is drawn.")


@strawberry.input(description="Relations to remove.")
class UnrelateIssuesInput:
    source_id: strawberry.ID = strawberry.field(description="The issue where they begin.")
    target_id: strawberry.ID = strawberry.field(description="The issue where they end.")
    kind: RelationKind | None = strawberry.field(default=UNSET, description="Only of this kind; default all.")
