"""What a failure and a success do, in the session of one request."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from tests.bench.reports.plain_server.shown import image
from tests.bench.reports.plain_server.tables import OWN, WHOLE, Event, Issue, Link, Occurrence, Relation, Run, Scope

INSERT: Mapping[str, Callable[..., Any]] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}


class Failure(BaseModel):
    """The body of a failure."""

    pipelineName: str
    namespace: str
    failureReason: str
    severity: str = "major"
    runId: str | None = None
    logsUrl: str

    @property
    def title(self) -> str:
        return f"Pipeline run failed: {self.pipelineName}"

    @property
    def description(self) -> str:
        return f"The pipeline run {self.pipelineName} failed with reason: {self.failureReason}"


class Success(BaseModel):
    """The body of a success."""

    pipelineName: str
    namespace: str


async def report(session: AsyncSession, failure: Failure) -> tuple[Issue, str]:
    """The issue of the failure, with all that is shown of it, and what became of the report."""
    now = datetime.now(UTC)
    scope = await _scope(session, failure)
    issue = await session.scalar(
        select(Issue)
        .where(Issue.scope_id == scope.id, Issue.issue_type == "pipeline", Issue.state == "ACTIVE")
        .options(*WHOLE)
        .with_for_update(of=Issue)
    )
    last = None if issue else await _last_resolved(session, scope)
    known = issue or last
    if known and failure.runId:
        run = await session.get(Run, (scope.id, failure.runId))
        if run:
            return known, "unchanged"
    if issue:
        action, kind, before = "updated", "OCCURRED", image(issue)
        issue.title, issue.description, issue.severity = failure.title, failure.description, failure.severity
        issue.links[0].url = failure.logsUrl
        issue.occurrence_count += 1
        issue.last_detected_at = issue.updated_at = now
    else:
        action, kind, before = "created", "CREATED", None
        issue = _made(failure, scope, now)
        session.add(issue)
        if last:
            issue.related_from.append(Relation(kind="RECURRENCE_OF", target=last))
        await session.flush()
    links = [{"title": link.title, "url": link.url} for link in issue.links]
    session.add(
        Occurrence(
            issue_id=issue.id,
            at=now,
            run_id=failure.runId,
            title=failure.title,
            description=failure.description,
            severity=failure.severity,
            links=links,
        )
    )
    if failure.runId:
        session.add(Run(scope_id=scope.id, run_id=failure.runId, at=now))
    session.add(_event(kind, issue, before, now))
    return issue, action


async def resolve(session: AsyncSession, success: Success) -> int:
    """How many issues of the pipeline it resolved."""
    now = datetime.now(UTC)
    found = await session.scalars(
        select(Issue)
        .join(Issue.scope)
        .where(
            Scope.resource_name == success.pipelineName,
            Scope.resource_type == "pipelinerun",
            Scope.resource_namespace == success.namespace,
            Issue.state == "ACTIVE",
        )
        .options(*OWN)
        .with_for_update(of=Issue)
    )
    issues: Sequence[Issue] = found.unique().all()
    for issue in issues:
        before = image(issue)
        issue.state = "RESOLVED"
        issue.resolved_at = issue.updated_at = now
        session.add(_event("RESOLVED", issue, before, now))
    return len(issues)


async def _scope(session: AsyncSession, failure: Failure) -> Scope:
    key = {
        "resource_type": "pipelinerun",
        "resource_name": failure.pipelineName,
        "resource_namespace": failure.namespace,
    }
    found = await session.scalar(select(Scope).filter_by(**key))
    if found is None:
        insert = INSERT[session.get_bind().dialect.name]
        await session.execute(insert(Scope).values(**key).on_conflict_do_nothing())
        found = await session.scalar(select(Scope).filter_by(**key))
        assert found
    return found


async def _last_resolved(session: AsyncSession, scope: Scope) -> Issue | None:
    last: Issue | None = await session.scalar(
        select(Issue)
        .where(Issue.scope_id == scope.id, Issue.issue_type == "pipeline", Issue.state == "RESOLVED")
        .order_by(Issue.resolved_at.desc(), Issue.id.desc())
        .limit(1)
        .options(*WHOLE)
    )
    return last


def _made(failure: Failure, scope: Scope, now: datetime) -> Issue:
    return Issue(
        namespace=failure.namespace,
        scope=scope,
        title=failure.title,
        description=failure.description,
        severity=failure.severity,
        issue_type="pipeline",
        state="ACTIVE",
        source="pipeline",
        detected_at=now,
        last_detected_at=now,
        occurrence_count=1,
        resolved_at=None,
        acknowledged_at=None,
        created_at=now,
        updated_at=now,
        links=[Link(title="Pipeline Run Logs", url=failure.logsUrl)],
        labels=[],
        related_from=[],
        related_to=[],
    )


def _event(kind: str, issue: Issue, before: dict[str, Any] | None, now: datetime) -> Event:
    return Event(kind=kind, at=now, issue_id=issue.id, namespace=issue.namespace, before=before, after=image(issue))
