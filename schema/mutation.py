"""Mutation, a table of contents. What each does is in `resolvers/mutation`, in a file of its name."""

from collections.abc import Callable
from typing import Annotated, TypeVar

import strawberry

from resolvers.errors import Invalid
from resolvers.mutation import Outcome
from resolvers.mutation.command import Command
from schema import commands, delivery, dry_run, token, webhook
from schema.delivery import (
    ReplayDeliveriesInput,
    ReplayDeliveriesPayload,
    ReplayDeliveryInput,
    ReplayDeliveryPayload,
)
from schema.dry_run import TestWebhookInput, TestWebhookPayload
from schema.inputs import (
    AcknowledgeIssueInput,
    AcknowledgeIssuesInput,
    CreateIssueInput,
    DeleteIssueInput,
    RelateIssuesInput,
    ReopenIssueInput,
    ResolveIssueInput,
    ResolveIssuesInput,
    ResolveScopeInput,
    UnacknowledgeIssueInput,
    UnrelateIssuesInput,
    UpdateIssueInput,
)
from schema.payloads import (
    AcknowledgeIssuePayload,
    AcknowledgeIssuesPayload,
    CreateIssuePayload,
    DeleteIssuePayload,
    RelateIssuesPayload,
    ReopenIssuePayload,
    ResolveIssuePayload,
    ResolveIssuesPayload,
    ResolveScopePayload,
    UnacknowledgeIssuePayload,
    UnrelateIssuesPayload,
    UpdateIssuePayload,
)
from schema.request import Info, Request
from schema.token import (
    CreateTokenInput,
    CreateTokenPayload,
    RevokeTokenInput,
    RevokeTokenPayload,
    RotateTokenInput,
    RotateTokenPayload,
)
from schema.webhook import (
    CreateWebhookInput,
    CreateWebhookPayload,
    DeleteWebhookInput,
    DeleteWebhookPayload,
    UpdateWebhookInput,
    UpdateWebhookPayload,
)

Given = TypeVar("Given")

_INPUT = strawberry.argument(description="What to do, and with what.")


@strawberry.type(description="What can be done. Each is on disk when it answers.")
class Mutation:
    @strawberry.mutation(description="Create, or update the active issue with the same fingerprint, race-free.")
    async def create_issue(self, info: Info, input: Annotated[CreateIssueInput, _INPUT]) -> CreateIssuePayload | None:
        return CreateIssuePayload(outcome=await _report(info.context, commands.create_issue, input))

    @strawberry.mutation(
        description="Change fields of an issue by hand. A tool's next report keeps what was changed here."
    )
    async def update_issue(self, info: Info, input: Annotated[UpdateIssueInput, _INPUT]) -> UpdateIssuePayload | None:
        return UpdateIssuePayload(outcome=await _report(info.context, commands.update_issue, input))

    @strawberry.mutation(description="Idempotent: a resolved issue keeps its resolvedAt and logs nothing.")
    async def resolve_issue(
        self, info: Info, input: Annotated[ResolveIssueInput, _INPUT]
    ) -> ResolveIssuePayload | None:
        return ResolveIssuePayload(outcome=await _report(info.context, commands.resolve_issue, input))

    @strawberry.mutation(description="Resolve several issues at once; each like resolveIssue.")
    async def resolve_issues(
        self, info: Info, input: Annotated[ResolveIssuesInput, _INPUT]
    ) -> ResolveIssuesPayload | None:
        return ResolveIssuesPayload(outcome=await _report(info.context, commands.resolve_issues, input))

    @strawberry.mutation(description="Acknowledge several issues at once; each like acknowledgeIssue.")
    async def acknowledge_issues(
        self, info: Info, input: Annotated[AcknowledgeIssuesInput, _INPUT]
    ) -> AcknowledgeIssuesPayload | None:
        return AcknowledgeIssuesPayload(outcome=await _report(info.context, commands.acknowledge_issues, input))

    @strawberry.mutation(description="Report a success: resolve the active issues about a scope.")
    async def resolve_scope(
        self, info: Info, input: Annotated[ResolveScopeInput, _INPUT]
    ) -> ResolveScopePayload | None:
        return ResolveScopePayload(outcome=await _report(info.context, commands.resolve_scope, input))

    @strawberry.mutation(
        description="Make a resolved issue active again; CONFLICT when another active issue has its fingerprint."
    )
    async def reopen_issue(self, info: Info, input: Annotated[ReopenIssueInput, _INPUT]) -> ReopenIssuePayload | None:
        return ReopenIssuePayload(outcome=await _report(info.context, commands.reopen_issue, input))

    @strawberry.mutation(description="Say that somebody is on it. Idempotent: who was first stays.")
    async def acknowledge_issue(
        self, info: Info, input: Annotated[AcknowledgeIssueInput, _INPUT]
    ) -> AcknowledgeIssuePayload | None:
        return AcknowledgeIssuePayload(outcome=await _report(info.context, commands.acknowledge_issue, input))

    @strawberry.mutation(description="Take that back. Idempotent.")
    async def unacknowledge_issue(
        self, info: Info, input: Annotated[UnacknowledgeIssueInput, _INPUT]
    ) -> UnacknowledgeIssuePayload | None:
        return UnacknowledgeIssuePayload(outcome=await _report(info.context, commands.unacknowledge_issue, input))

    @strawberry.mutation(description="Remove an issue for good, with its relations; its lines in the log stay.")
    async def delete_issue(self, info: Info, input: Annotated[DeleteIssueInput, _INPUT]) -> DeleteIssuePayload | None:
        return DeleteIssuePayload(outcome=await _report(info.context, commands.delete_issue, input))

    @strawberry.mutation(description="Draw a relation. Idempotent: one that is there already is answered as it is.")
    async def relate_issues(
        self, info: Info, input: Annotated[RelateIssuesInput, _INPUT]
    ) -> RelateIssuesPayload | None:
        return RelateIssuesPayload(outcome=await _report(info.context, commands.relate_issues, input))

    @strawberry.mutation(description="Remove relations from source to target, RELATED in either direction.")
    async def unrelate_issues(
        self, info: Info, input: Annotated[UnrelateIssuesInput, _INPUT]
    ) -> UnrelateIssuesPayload | None:
        return UnrelateIssuesPayload(outcome=await _report(info.context, commands.unrelate_issues, input))

    @strawberry.mutation(
        description="Make a token. You can hand on any permission in the namespaces where you have ADMIN."
    )
    async def create_token(self, info: Info, input: Annotated[CreateTokenInput, _INPUT]) -> CreateTokenPayload | None:
        return await token.create_token(info.context, input)

    @strawberry.mutation(description="Give a token another secret; the one before stays good for a while.")
    async def rotate_token(self, info: Info, input: Annotated[RotateTokenInput, _INPUT]) -> RotateTokenPayload | None:
        return await token.rotate_token(info.context, input)

    @strawberry.mutation(description="End a token for good, everywhere at once. Idempotent.")
    async def revoke_token(self, info: Info, input: Annotated[RevokeTokenInput, _INPUT]) -> RevokeTokenPayload | None:
        return await token.revoke_token(info.context, input)

    @strawberry.mutation(
        description="Make a webhook, which may report in namespaces where you have MANAGE and nowhere else."
    )
    async def create_webhook(
        self, info: Info, input: Annotated[CreateWebhookInput, _INPUT]
    ) -> CreateWebhookPayload | None:
        return await webhook.create_webhook(info, input)

    @strawberry.mutation(description="Change a webhook that is as you have seen it; its next version is good at once.")
    async def update_webhook(
        self, info: Info, input: Annotated[UpdateWebhookInput, _INPUT]
    ) -> UpdateWebhookPayload | None:
        return await webhook.update_webhook(info, input)

    @strawberry.mutation(description="Delete a webhook with its history; its deliveries stay for their time.")
    async def delete_webhook(
        self, info: Info, input: Annotated[DeleteWebhookInput, _INPUT]
    ) -> DeleteWebhookPayload | None:
        return await webhook.delete_webhook(info, input)

    @strawberry.mutation(
        description="Try a delivery: which rule matches, what each expression gives, which issue it would join. "
        "Nothing is done."
    )
    async def test_webhook(self, info: Info, input: Annotated[TestWebhookInput, _INPUT]) -> TestWebhookPayload | None:
        return await dry_run.test_webhook(info, input)

    @strawberry.mutation(
        description="Do what of a delivery failed or met no rule again, by today's definition. What was done stays."
    )
    async def replay_delivery(
        self, info: Info, input: Annotated[ReplayDeliveryInput, _INPUT]
    ) -> ReplayDeliveryPayload | None:
        return await delivery.replay_delivery(info, input)

    @strawberry.mutation(description="The same of several, in the order in which they came.")
    async def replay_deliveries(
        self, info: Info, input: Annotated[ReplayDeliveriesInput, _INPUT]
    ) -> ReplayDeliveriesPayload | None:
        return await delivery.replay_deliveries(info, input)


async def _report(request: Request, command_of: Callable[[Given], Command], given: Given) -> Outcome:
    """What the writer did. Raises Forbidden, Overloaded and Unavailable; broken rules are in the outcome."""
    try:
        return await request.writer.submit(command_of(given), request.caller)
    except Invalid as refused:
        return Outcome(position=await request.planner.end_of_log(), errors=refused.errors)
