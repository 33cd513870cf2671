"""Tokens, as administrators see and handle them."""

from datetime import timedelta

import strawberry
from strawberry import UNSET

from resolvers.access import NewToken, TokenRow, cursor_of
from resolvers.access import Page as PageOf
from resolvers.access.tokens import DEFAULT_OVERLAP, Changed
from resolvers.caller import Grant as GrantOf
from resolvers.caller import Permission as PermissionOf
from resolvers.errors import Invalid
from schema.actor import Actor, actor_of
from schema.enums import Permission
from schema.node import PageInfo, page_info_of
from schema.payloads import POSITION, USER_ERRORS, UserError, user_errors_of
from schema.request import Request
from schema.scalars import DateTime, LogPosition
from schema.viewer import Grant, grants_of

_SECRET = "What the client sends. Shown this once: only a digest of it is kept."


@strawberry.type(
    description="What a client shows to be let in, and what it is good for. Its secret is never shown again."
)
class Token:
    id: strawberry.ID = strawberry.field(description="A UUIDv7; stays when the token is rotated.")
    name: str = strawberry.field(description="For people; the log names who acts with it so.")
    grants: list[Grant] = strawberry.field(description="What it may do, and where.")
    webhook: str | None = strawberry.field(
        description="The webhook definition on whose paths it is good, and nowhere else; null for everywhere."
    )
    created_at: DateTime = strawberry.field(description="When it was made.")
    created_by: Actor = strawberry.field(description="Who made it.")
    expires_at: DateTime | None = strawberry.field(description="From when on it is no longer good; null for never.")
    revoked_at: DateTime | None = strawberry.field(description="When it was ended; null while it was not.")
    last_used_at: DateTime | None = strawberry.field(
        description="When somebody last came in with it, to the minute; null for never."
    )


@strawberry.type(description="A token in its list.")
class TokenEdge:
    cursor: str = strawberry.field(description="Where it stands in the list.")
    node: Token = strawberry.field(description="The token.")


@strawberry.type(description="A page of tokens.")
class TokenConnection:
    edges: list[TokenEdge] = strawberry.field(description="The tokens with their cursors.")
    nodes: list[Token] = strawberry.field(description="The tokens.")
    page_info: PageInfo = strawberry.field(description="Where the page stands in its list.")
    total_count: int = strawberry.field(description="How many there are in all.")


@strawberry.input(description="A permission in some namespaces.")
class GrantInput:
    permission: Permission = strawberry.field(description="What it allows.")
    namespace: str = strawberry.field(description="Where: a name, a pattern such as team-*, or * for everywhere.")


@strawberry.input(description="A token to make.")
class CreateTokenInput:
    name: str = strawberry.field(description="For people, such as the name of the client.")
    grants: list[GrantInput] = strawberry.field(description="What it may do; where you have ADMIN yourself.")
    webhook: str | None = strawberry.field(
        default=UNSET,
        description="Only for the paths of this webhook definition; then it can have REPORT and nothing else.",
    )
    expires_at: DateTime | None = strawberry.field(
        default=UNSET, description="Until when it is good; default for ever."
    )


@strawberry.input(description="A token whose secret is to be another.")
class RotateTokenInput:
    id: strawberry.ID = strawberry.field(description="The token.")
    overlap_seconds: int = strawberry.field(
        default=int(DEFAULT_OVERLAP.total_seconds()),
        description="How long the secret before is good too, so that clients can change: 0 to 90 days, default a day.",
    )


@strawberry.input(description="A token to end.")
class RevokeTokenInput:
    id: strawberry.ID = strawberry.field(description="The token.")


@strawberry.type(description="What createToken did.")
class CreateTokenPayload:
    token: Token | None = strawberry.field(description="The token; null when it was not made.")
    secret: str | None = strawberry.field(description=_SECRET)
    position: LogPosition | None = strawberry.field(description=POSITION)
    user_errors: list[UserError] = strawberry.field(description=USER_ERRORS)


@strawberry.type(description="What rotateToken did.")
class RotateTokenPayload:
    token: Token | None = strawberry.field(description="The token as it is now.")
    secret: str | None = strawberry.field(description=_SECRET)
    position: LogPosition | None = strawberry.field(description=POSITION)
    user_errors: list[UserError] = strawberry.field(description=USER_ERRORS)


@strawberry.type(description="What revokeToken did.")
class RevokeTokenPayload:
    token: Token | None = strawberry.field(description="The token as it is now.")
    position: LogPosition | None = strawberry.field(description=POSITION)
    user_errors: list[UserError] = strawberry.field(description=USER_ERRORS)


async def create_token(request: Request, given: CreateTokenInput) -> CreateTokenPayload:
    """Makes a token. Raises Forbidden and Unavailable."""
    try:
        new = NewToken(
            name=given.name,
            grants=tuple(GrantOf(PermissionOf(grant.permission.value), grant.namespace) for grant in given.grants),
            webhook=given.webhook or None,
            expires_at=given.expires_at or None,
        )
        changed = await request.tokens.create(new, request.caller)
    except Invalid as refused:
        return CreateTokenPayload(
            token=None, secret=None, position=await _end(request), user_errors=user_errors_of(refused.errors)
        )
    return CreateTokenPayload(
        token=token_of(changed.token), secret=changed.secret, position=_position(request, changed), user_errors=[]
    )


async def rotate_token(request: Request, given: RotateTokenInput) -> RotateTokenPayload:
    """Gives a token another secret. Raises Unavailable."""
    try:
        overlap = timedelta(seconds=given.overlap_seconds)
        changed = await request.tokens.rotate(given.id, request.caller, overlap=overlap)
    except Invalid as refused:
        return RotateTokenPayload(
            token=None, secret=None, position=await _end(request), user_errors=user_errors_of(refused.errors)
        )
    return RotateTokenPayload(
        token=token_of(changed.token), secret=changed.secret, position=_position(request, changed), user_errors=[]
    )


async def revoke_token(request: Request, given: RevokeTokenInput) -> RevokeTokenPayload:
    """Ends a token. Raises Unavailable."""
    try:
        changed = await request.tokens.revoke(given.id, request.caller)
    except Invalid as refused:
        return RevokeTokenPayload(token=None, position=await _end(request), user_errors=user_errors_of(refused.errors))
    return RevokeTokenPayload(token=token_of(changed.token), position=_position(request, changed), user_errors=[])


def tokens_of(page: PageOf[TokenRow]) -> TokenConnection:
    """A page as the schema has it."""
    edges = [TokenEdge(cursor=cursor_of(row.id), node=token_of(row)) for row in page.rows]
    return TokenConnection(
        edges=edges,
        nodes=[edge.node for edge in edges],
        page_info=page_info_of(page, [edge.cursor for edge in edges]),
        total_count=page.total,
    )


def token_of(row: TokenRow) -> Token:
    """A token as the schema has it."""
    return Token(
        id=strawberry.ID(row.id),
        name=row.name,
        grants=grants_of(row.grants),
        webhook=row.webhook,
        created_at=DateTime(row.created_at),
        created_by=actor_of(row.created_by),
        expires_at=_time(row.expires_at),
        revoked_at=_time(row.revoked_at),
        last_used_at=_time(row.last_used_at),
    )


def _time(value: str | None) -> DateTime | None:
    return None if value is None else DateTime(value)


def _position(request: Request, changed: Changed) -> LogPosition:
    return LogPosition(request.log.text(changed.position))


async def _end(request: Request) -> LogPosition:
    return LogPosition(request.log.text(await request.planner.end_of_log()))
