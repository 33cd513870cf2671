"""What mutations answer: the entity, where the change stands in the log, and the rules that were broken."""

from collections.abc import Iterable
from typing import Any

import strawberry
from strawberry import Private

from resolvers.errors import UserError as BrokenRule
from resolvers.mutation import Outcome
from schema.entities import entities, entity
from schema.enums import CreateIssueAction, UserErrorCode
from schema.issue import Issue
from schema.relation import Relation
from schema.request import Info
from schema.scalars import LogPosition

POSITION = "Where this change stands in the log: its end when nothing changed."
USER_ERRORS = "What in the caller's data stood in the way; empty when all was done."


@strawberry.type(description="A rule that the caller's data breaks.")
class UserError:
    code: UserErrorCode = strawberry.field(description="Which rule.")
    field: list[str] = strawberry.field(description="Path into the input.")
    message: str = strawberry.field(description="What is wrong, for people.")
    issue_id: Private[str | None]

    @strawberry.field(description="The issue that stands in the way (CONFLICT).")
    async def issue(self, info: Info) -> Issue | None:
        return await entity(info, "Issue", self.issue_id)  # type: ignore[no-any-return]


async def _issue(root: Any, info: Info) -> Issue | None:
    ids = root.outcome.issue_ids
    return await entity(info, "Issue", ids[0] if ids else None)  # type: ignore[no-any-return]


async def _issues(root: Any, info: Info) -> list[Issue]:
    return await entities(info, "Issue", root.outcome.issue_ids)  # type: ignore[no-any-return]


async def _relation(root: Any, info: Info) -> Relation | None:
    return await entity(info, "Relation", root.outcome.relation_id)  # type: ignore[no-any-return]


def _position(root: Any, info: Info) -> LogPosition | None:
    return LogPosition(info.context.log.text(root.outcome.position))


def _count(root: Any) -> int:
    return int(root.outcome.count)


def _user_errors(root: Any) -> list[UserError]:
    return user_errors_of(root.outcome.errors)


def user_errors_of(errors: Iterable[BrokenRule]) -> list[UserError]:
    """Broken rules as the schema has them."""
    return [
        UserError(
            code=UserErrorCode(error.code), field=list(error.field), message=error.message, issue_id=error.issue_id
        )
        for error in errors
    ]


@strawberry.type(description="What createIssue did.")
class CreateIssuePayload:
    outcome: Private[Outcome]
    issue: Issue | None = strawberry.field(resolver=_issue, description="The issue that the report made or met.")

    @strawberry.field(description="What became of the report; null when it was refused.")
    def action(self) -> CreateIssueAction | None:
        return CreateIssueAction(self.outcome.action) if self.outcome.action else None

    position: LogPosition | None = strawberry.field(resolver=_position, description=POSITION)
    user_errors: list[UserError] = strawberry.field(resolver=_user_errors, description=USER_ERRORS)


@strawberry.type
class _OneIssue:
    """What the mutations of one issue have in common; not published itself."""

    outcome: Private[Outcome]
    issue: Issue | None = strawberry.field(resolver=_issue, description="The issue as it is now.")
    position: LogPosition | None = strawberry.field(resolver=_position, description=POSITION)
    user_errors: list[UserError] = strawberry.field(resolver=_user_errors, description=USER_ERRORS)


@strawberry.type(description="What updateIssue did.")
class UpdateIssuePayload(_OneIssue):
    pass


@strawberry.type(description="What resolveIssue did.")
class ResolveIssuePayload(_OneIssue):
    pass


@strawberry.type(description="What resolveIssues did.")
class ResolveIssuesPayload:
    outcome: Private[Outcome]
    issues: list[Issue] = strawberry.field(
        resolver=_issues, description="The issues that are resolved now, in the order of `ids`."
    )
    position: LogPosition | None = strawberry.field(resolver=_position, description=POSITION)
    user_errors: list[UserError] = strawberry.field(resolver=_user_errors, description=USER_ERRORS)


@strawberry.type(description="What acknowledgeIssues did.")
class AcknowledgeIssuesPayload:
    outcome: Private[Outcome]
    issues: list[Issue] = strawberry.field(
        resolver=_issues, description="The issues that are acknowledged now, in the order of `ids`."
    )
    position: LogPosition | None = strawberry.field(resolver=_position, description=POSITION)
    user_errors: list[UserError] = strawberry.field(resolver=_user_errors, description=USER_ERRORS)


@strawberry.type(description="What resolveScope did.")
class ResolveScopePayload:
    outcome: Private[Outcome]
    issues: list[Issue] = strawberry.field(resolver=_issues, description="The issues that were resolved.")
    resolved_count: int = strawberry.field(resolver=_count, description="How many issues were resolved.")
    position: LogPosition | None = strawberry.field(resolver=_position, description=POSITION)
    user_errors: list[UserError] = strawberry.field(resolver=_user_errors, description=USER_ERRORS)


@strawberry.type(description="What reopenIssue did.")
class ReopenIssuePayload(_OneIssue):
    pass


@strawberry.type(description="What acknowledgeIssue did.")
class AcknowledgeIssuePayload(_OneIssue):
    pass


@strawberry.type(description="What unacknowledgeIssue did.")
class UnacknowledgeIssuePayload(_OneIssue):
    pass


@strawberry.type(description="What deleteIssue did.")
class DeleteIssuePayload:
    outcome: Private[Outcome]

    @strawberry.field(description="The id that is no more; null when nothing was deleted.")
    def deleted_id(self) -> strawberry.ID | None:
        ids = self.outcome.issue_ids
        return strawberry.ID(ids[0]) if ids else None

    position: LogPosition | None = strawberry.field(resolver=_position, description=POSITION)
    user_errors: list[UserError] = strawberry.field(resolver=_user_errors, description=USER_ERRORS)


@strawberry.type(description="What relateIssues did.")
class RelateIssuesPayload:
    outcome: Private[Outcome]
    relation: Relation | None = strawberry.field(
        resolver=_relation, description="The relation, also when it was there already."
    )
    position: LogPosition | None = strawberry.field(resolver=_position, description=POSITION)
    user_errors: list[UserError] = strawberry.field(resolver=_user_errors, description=USER_ERRORS)


@strawberry.type(description="What unrelateIssues did.")
class UnrelateIssuesPayload:
    outcome: Private[Outcome]
    removed_count: int = strawberry.field(resolver=_count, description="How many relations were removed.")
    position: LogPosition | None = strawberry.field(resolver=_position, description=POSITION)
    user_errors: list[UserError] = strawberry.field(resolver=_user_errors, description=USER_ERRORS)
