"""ResolveScope: a success resolves what failed before it on one scope, and nothing else."""

import asyncio
from datetime import timedelta

import pytest

from models import Issue, Scope
from models.values import now
from resolvers.errors import Forbidden, Invalid
from resolvers.mutation import CreateIssue, PartValue, ResolveIssue, ResolveScope, UpdateIssue
from tests.resolvers.mutation.house import TEKTON, caller, changes, kinds, later, made, report, success

DEPLOYMENT = PartValue("kind", "deployment")
SCAN = PartValue("kind", "scan")
ARM = PartValue("arch", "arm")


async def states(house):
    return {row["id"]: row["state"] for row in await house.rows(Issue)}


async def test_all_active_issues_on_the_scope_are_resolved_and_told_oldest_first(house):
    ids = [await made(house, issue_type=word) for word in ("test", "build", "release")]
    outcome = await house.do(success(reason="run 7 passed"), TEKTON)
    assert outcome.issue_ids == tuple(ids)
    assert (outcome.count, outcome.position, outcome.errors) == (3, 6, ())
    rows = await house.rows(Issue)
    (at,) = {row["updated_at"] for row in rows}
    assert {(row["state"], row["resolved_at"], row["resolved_by_kind"], row["resolved_by_id"]) for row in rows} == {
        ("RESOLVED", at, "WEBHOOK", "tekton")
    }
    lines = await house.log(after=3)
    assert [(line["kind"], line["issue_id"], line["actor_id"]) for line in lines] == [
        ("RESOLVED", id, "tekton") for id in ids
    ]
    assert changes(lines[0]) == {
        "state": ("ACTIVE", "RESOLVED"),
        "resolvedAt": (None, at),
        "resolvedBy": (None, {"kind": "WEBHOOK", "id": "tekton", "name": "Tekton"}),
        "reason": (None, "run 7 passed"),
    }
    again = await house.do(success())
    assert (again.count, again.issue_ids, again.position) == (0, (), 6)


async def test_another_type_name_or_namespace_is_left_alone(house):
    id = await made(house)
    others = [
        await made(house, **values)
        for values in (
            {"resource_type": "application"},
            {"resource_name": "web"},
            {"resource_name": "API"},
            {"resource_namespace": "shared"},
            {"namespace": "other"},
            {"namespace": "other", "resource_namespace": "team"},
        )
    ]
    assert (await house.do(success())).issue_ids == (id,)
    assert await states(house) == dict.fromkeys(others, "ACTIVE") | {id: "RESOLVED"}
    assert (await house.do(success(namespace="other", resource_namespace="team"))).issue_ids == (others[-1],)


async def test_successes_of_two_namespaces_on_one_scope_do_not_mix_in_one_batch(house):
    mine, theirs = await made(house), await made(house, namespace="other", resource_namespace="team")
    outcomes = await asyncio.gather(
        house.do(success()), house.do(success(namespace="other", resource_namespace="team"))
    )
    assert [outcome.issue_ids for outcome in outcomes] == [(mine,), (theirs,)]


async def test_what_was_moved_or_resolved_in_the_same_batch_is_seen_as_it_is_then(house):
    mine, come = await made(house), await made(house, resource_name="web")
    outcomes = await asyncio.gather(
        house.do(UpdateIssue(id=come, resource_name="api", issue_type="test")),
        house.do(ResolveIssue(id=mine)),
        house.do(success()),
    )
    assert [outcome.issue_ids for outcome in outcomes] == [(come,), (mine,), (come,)]


async def test_parts_are_looked_for_as_they_are_then_in_one_batch(house):
    scan, other = [await made(house, fingerprint=(part,)) for part in (SCAN, ARM)]
    come = await made(house, resource_name="web", fingerprint=(SCAN, ARM))
    outcomes = await asyncio.gather(
        house.do(success(fingerprint=(SCAN,))),
        house.do(report(fingerprint=(SCAN, PartValue("os", "mac")))),
        house.do(UpdateIssue(id=come, resource_name="api")),
        house.do(UpdateIssue(id=other, resource_name="web")),
        house.do(success(fingerprint=(ARM,))),
        house.do(success(fingerprint=(SCAN,))),
    )
    (new,) = outcomes[1].issue_ids
    assert [outcome.issue_ids for outcome in (outcomes[0], *outcomes[4:])] == [(scan,), (come,), (new,)]


async def test_a_scope_that_nobody_knows_resolves_nothing_and_is_not_made(house):
    outcome = await house.do(success())
    assert (outcome.count, outcome.issue_ids, outcome.position, outcome.errors) == (0, (), 0, ())
    assert await house.rows(Scope) == []


async def test_the_type_narrows(house):
    build, test = await made(house), await made(house, issue_type="test")
    assert (await house.do(success(issue_type="build"))).issue_ids == (build,)
    assert await states(house) == {build: "RESOLVED", test: "ACTIVE"}


@pytest.mark.parametrize(
    ("fingerprint", "resolved"),
    [
        (None, {"plain", "deployment", "scan", "arm scan"}),
        ((), {"plain"}),
        ((DEPLOYMENT,), {"deployment"}),
        ((SCAN,), {"scan", "arm scan"}),
        ((ARM, SCAN), {"arm scan"}),
        ((PartValue("arch", "x86"),), set()),
        ((PartValue("kind", "Scan"),), set()),
        # Empty: those that have no such part.
        ((PartValue("kind", ""),), {"plain"}),
        ((SCAN, PartValue("arch", "")), {"scan"}),
    ],
)
async def test_the_extra_parts_tell_which(house, fingerprint, resolved):
    ids = {
        "plain": await made(house),
        "deployment": await made(house, fingerprint=(DEPLOYMENT,)),
        "scan": await made(house, fingerprint=(SCAN,)),
        "arm scan": await made(house, fingerprint=(SCAN, ARM)),
    }
    outcome = await house.do(success(fingerprint=fingerprint))
    assert outcome.count == len(resolved)
    assert set(outcome.issue_ids) == {ids[name] for name in resolved}


async def test_a_success_older_than_the_last_failure_resolves_nothing(house):
    id = await made(house, detected_at="2026-01-01T00:00:00.000000Z")
    await house.do(report(detected_at="2026-01-03T00:00:00.000000Z"))
    other = await made(house, issue_type="test", detected_at="2026-01-01T12:00:00.000000Z")
    outcome = await house.do(success(at="2026-01-02T00:00:00.000000Z"))
    assert outcome.issue_ids == (other,)
    assert await states(house) == {id: "ACTIVE", other: "RESOLVED"}
    # At the same moment it is no older, and the issue is resolved at the time of the success.
    at = "2026-01-03T00:00:00.000000Z"
    assert (await house.do(success(at=at))).issue_ids == (id,)
    assert {row["resolved_at"] for row in await house.rows(Issue)} == {"2026-01-02T00:00:00.000000Z", at}


async def test_a_success_without_a_time_resolves_also_what_a_fast_clock_reported(house):
    id = await made(house, detected_at=later(now(), minutes=4))
    assert (await house.do(success())).issue_ids == (id,)


async def test_a_failure_that_overtook_its_success_opens_the_next_issue(house):
    id = await made(house, run_id="1", detected_at="2026-01-01T00:00:00.000000Z")
    await house.do(success(at="2026-01-02T00:00:00.000000Z"))
    late = await house.do(report(run_id="2", detected_at="2026-01-01T12:00:00.000000Z"))
    assert (late.action, late.issue_ids) == ("UNCHANGED", (id,))
    newer = await house.do(report(run_id="3", detected_at="2026-01-03T00:00:00.000000Z"))
    assert newer.action == "CREATED"
    assert kinds(await house.log()) == ["CREATED", "RESOLVED", "CREATED", "RELATED", "RELATED"]


async def test_a_success_needs_report_in_both_namespaces(house):
    id = await made(house, resource_namespace="shared")
    for who in (caller(team=["READ", "RESPOND", "MANAGE"]), caller(team=["REPORT"]), caller(shared=["REPORT"])):
        with pytest.raises(Forbidden, match="report in namespace"):
            await house.do(success(resource_namespace="shared"), who)
    assert await states(house) == {id: "ACTIVE"}
    both = caller(team=["REPORT"], shared=["REPORT"])
    assert (await house.do(success(resource_namespace="shared"), both)).issue_ids == (id,)


async def test_a_report_needs_report_in_both_namespaces(house):
    for who in (caller(team=["READ", "RESPOND", "MANAGE"]), caller(team=["REPORT"]), caller(shared=["REPORT"])):
        with pytest.raises(Forbidden, match="report in namespace"):
            await house.do(report(resource_namespace="shared"), who)
    assert await house.rows(Issue) == []
    assert (await house.do(report(), caller(team=["REPORT"]))).action == "CREATED"
    assert (await house.do(report(namespace="team-a"), caller(**{"team-*": ["REPORT"]}))).action == "CREATED"


async def test_what_breaks_a_rule_is_told_all_at_once():
    with pytest.raises(Invalid) as raised:
        ResolveScope(
            namespace="",
            resource_type="x" * 101,
            resource_name="x" * 254,
            resource_namespace="",
            issue_type="all",
            fingerprint=(PartValue("namespace", "x"), PartValue("", "x"), ARM, ARM),
            reason="\0",
            idempotency_key="",
        )
    assert [(error.code, error.field) for error in raised.value.errors] == [
        ("REQUIRED", ("namespace",)),
        ("TOO_LONG", ("scope", "resourceType")),
        ("TOO_LONG", ("scope", "resourceName")),
        ("REQUIRED", ("scope", "resourceNamespace")),
        ("INVALID", ("issueType",)),
        ("INVALID", ("fingerprint", "0", "name")),
        ("REQUIRED", ("fingerprint", "1", "name")),
        ("INVALID", ("fingerprint", "3", "name")),
        ("INVALID", ("reason",)),
        ("REQUIRED", ("idempotencyKey",)),
    ]


async def test_what_breaks_a_rule_of_a_report_is_told_all_at_once():
    with pytest.raises(Invalid) as raised:
        CreateIssue(
            namespace="team",
            title="x" * 501,
            description="",
            severity="bad",
            issue_type="",
            resource_type="component",
            resource_name="",
            source="",
            run_id="x" * 1_001,
            fingerprint=tuple(PartValue(str(number), "") for number in range(21)),
            state="active",
            reopen_within=timedelta(seconds=-1),
            idempotency_key="x" * 256,
        )
    assert [(error.code, error.field) for error in raised.value.errors] == [
        ("REQUIRED", ("scope", "resourceName")),
        ("TOO_LONG", ("title",)),
        ("REQUIRED", ("description",)),
        ("INVALID", ("severity",)),
        ("INVALID", ("issueType",)),
        ("REQUIRED", ("source",)),
        ("TOO_LONG", ("runId",)),
        ("TOO_MANY", ("fingerprint",)),
        ("INVALID", ("state",)),
        ("INVALID", ("reopenWithin",)),
        ("TOO_LONG", ("idempotencyKey",)),
    ]
