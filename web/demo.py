"""A small believable data set: an evening in four teams, and what happens next."""

import json
import random
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from models.values import time_of
from resolvers.caller import Actor, ActorKind, everywhere
from resolvers.mutation import (
    AcknowledgeIssue,
    CreateIssue,
    LabelValue,
    LinkValue,
    RelateIssues,
    ResolveIssue,
    Writer,
)
from web.house import open_database
from web.settings import Settings

SECONDS_BETWEEN_REPORTS = (1.0, 4.0)
CI = "https://ci.example.com"

DEMO = everywhere(Actor(ActorKind.TOKEN, "demo", "demo"))
ADA = everywhere(Actor(ActorKind.PERSON, "ada", "Ada"))


class Failure(NamedTuple):
    """One problem of the evening: what, since when, how often, and what became of it."""

    key: str
    namespace: str
    scope: str
    issue_type: str
    severity: str
    title: str
    reason: str
    hours_ago: float
    runs: int = 1
    state: str = "open"  # open, acknowledged, resolved


FAILURES = (
    Failure(
        "quota",
        "platform",
        "cluster/eu-west-1",
        "incident",
        "critical",
        "Disk quota of eu-west-1 is used up",
        "persistent volumes: 0 of 2 TiB free",
        9,
        4,
        "acknowledged",
    ),
    Failure(
        "registry",
        "platform",
        "service/image-registry",
        "incident",
        "major",
        "Image registry answers slowly",
        "p99 of pulls is 48 s, normal is 2 s",
        8.5,
        7,
    ),
    Failure(
        "runner",
        "platform",
        "runner-pool/arm64",
        "incident",
        "minor",
        "Two of six arm64 runners are gone",
        "no heartbeat since the kernel update",
        20,
        2,
        "resolved",
    ),
    Failure(
        "cert",
        "platform",
        "service/ingress",
        "incident",
        "major",
        "Certificate of ingress expires in 3 days",
        "renewal failed: DNS challenge timed out",
        30,
        1,
    ),
    Failure(
        "checkout-build",
        "shop",
        "component/checkout",
        "build",
        "major",
        "Build failed: checkout",
        "no space left on device while exporting layers",
        7.5,
        5,
    ),
    Failure(
        "cart-build",
        "shop",
        "component/cart",
        "build",
        "major",
        "Build failed: cart",
        "no space left on device while unpacking dependencies",
        7,
        3,
    ),
    Failure(
        "checkout-e2e",
        "shop",
        "pipelinerun/checkout-e2e",
        "pipeline",
        "major",
        "Pipeline run failed: checkout-e2e",
        "task deploy-preview: image pull timed out",
        6.5,
        6,
    ),
    Failure(
        "search-tests",
        "shop",
        "component/search",
        "test",
        "minor",
        "12 tests of search are flaky",
        "test_ranking failed in 3 of 10 runs",
        50,
        14,
    ),
    Failure(
        "shop-release",
        "shop",
        "application/shop",
        "release",
        "critical",
        "Release 2026.47 failed for shop",
        "the release failed in phase: verify-images",
        5,
        2,
        "acknowledged",
    ),
    Failure(
        "cart-lodash",
        "shop",
        "component/cart",
        "dependency",
        "critical",
        "1 critical vulnerability in cart",
        "prototype pollution in a transitive dependency",
        26,
        1,
    ),
    Failure(
        "payments-build",
        "payments",
        "component/ledger",
        "build",
        "major",
        "Build failed: ledger",
        "compiler error: type Amount has no member scale",
        3,
        2,
    ),
    Failure(
        "payments-contract",
        "payments",
        "pipelinerun/contract-tests",
        "pipeline",
        "major",
        "Pipeline run failed: contract-tests",
        "the bank's sandbox answered 503",
        2.5,
        9,
    ),
    Failure(
        "payments-deploy",
        "payments",
        "application/ledger",
        "release",
        "major",
        "Deployment failed: ledger",
        "readiness probe failed for 600 s",
        12,
        1,
        "resolved",
    ),
    Failure(
        "payments-openssl",
        "payments",
        "component/gateway",
        "dependency",
        "major",
        "2 vulnerabilities in gateway",
        "the base image is 94 days old",
        70,
        1,
    ),
    Failure(
        "payments-nightly",
        "payments",
        "pipelinerun/nightly",
        "pipeline",
        "minor",
        "Pipeline run failed: nightly",
        "timed out after 2 hours",
        16,
        3,
        "resolved",
    ),
    Failure(
        "docs-links",
        "docs",
        "component/handbook",
        "test",
        "info",
        "7 dead links in the handbook",
        "7 of 1,904 links answer 404",
        90,
        1,
    ),
    Failure(
        "docs-build",
        "docs",
        "component/handbook",
        "build",
        "minor",
        "Build failed: handbook",
        "a page includes a file that is not there",
        28,
        2,
        "resolved",
    ),
    Failure(
        "docs-preview",
        "docs",
        "pipelinerun/preview",
        "pipeline",
        "info",
        "Pipeline run failed: preview",
        "cancelled by a newer commit",
        1.5,
        1,
    ),
)

RELATIONS = (
    ("checkout-build", "quota", "CAUSED_BY", "the builders write to the volumes that are full"),
    ("cart-build", "quota", "CAUSED_BY", "the builders write to the volumes that are full"),
    ("checkout-e2e", "registry", "CAUSED_BY", "pulls time out"),
    ("registry", "quota", "CAUSED_BY", "its cache is on the same volumes"),
    ("shop-release", "checkout-build", "CAUSED_BY", "there is no image to verify"),
    ("shop-release", "cart-build", "CAUSED_BY", "there is no image to verify"),
    ("checkout-build", "cart-build", "RELATED", None),
    ("payments-contract", "payments-build", "RELATED", None),
    ("payments-nightly", "runner", "CAUSED_BY", "it waited for an arm64 runner"),
    ("docs-preview", "registry", "RELATED", None),
)

# What --live plays: definition, member that names the thing, namespace, names, reasons.
_SCENES: tuple[tuple[str, str, str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("pipeline", "pipelineName", "shop", ("checkout-e2e", "cart-e2e", "search-index"),
     ("task unit-tests: exit code 1", "task deploy-preview: image pull timed out", "timed out after 1 hour")),
    ("pipeline", "pipelineName", "payments", ("contract-tests", "nightly", "load-test"),
     ("the bank's sandbox answered 503", "timed out after 2 hours")),
    ("build", "componentName", "shop", ("checkout", "cart", "search"),
     ("no space left on device", "lint: 4 errors", "a dependency could not be fetched")),
    ("build", "componentName", "docs", ("handbook",), ("a page includes a file that is not there",)),
    ("deployment", "applicationName", "payments", ("ledger", "gateway"),
     ("readiness probe failed", "the migration was locked out")),
)  # fmt: skip
_REASONS = {"pipeline": "failureReason", "build": "errorMessage", "deployment": "failureReason"}
_RUNS = {"pipeline": "runId", "build": "buildId", "deployment": "deploymentId"}


async def load(settings: Settings) -> int:
    """Writes the data set beside a running server or none; how many issues it has. A second time changes nothing."""
    database = open_database(settings)
    writer = Writer(database)
    await writer.start()
    try:
        ids = {failure.key: await _report(writer, failure) for failure in FAILURES}
        for source, target, kind, reason in RELATIONS:
            relate = RelateIssues(source_id=ids[source], target_id=ids[target], kind=kind, reason=reason)
            await writer.submit(relate, ADA)
    finally:
        await writer.close()
        await database.close()
    return len(ids)


async def _report(writer: Writer, failure: Failure) -> str:
    begun = datetime.now(UTC) - timedelta(hours=failure.hours_ago)
    resource_type, _, resource_name = failure.scope.partition("/")
    id = ""
    for run in range(failure.runs):
        at = begun + run * timedelta(hours=failure.hours_ago) / (failure.runs + 1)
        outcome = await writer.submit(
            CreateIssue(
                namespace=failure.namespace,
                title=failure.title,
                description=failure.reason,
                severity=failure.severity,
                issue_type=failure.issue_type,
                resource_type=resource_type,
                resource_name=resource_name,
                links=(LinkValue("Log", f"{CI}/{failure.key}/{run + 1}"),),
                labels=(LabelValue("team", failure.namespace), LabelValue("source", "demo")),
                detected_at=time_of(at),
                source="demo",
                run_id=f"demo-{failure.key}-{run + 1}",
            ),
            DEMO,
        )
        (id,) = outcome.issue_ids
    if failure.state == "acknowledged":
        await writer.submit(AcknowledgeIssue(id=id), ADA)
    elif failure.state == "resolved":
        await writer.submit(ResolveIssue(id=id, reason="repaired"), ADA)
    return id


def play(url: str) -> None:
    """Reports failures and recoveries to the server at `url` until interrupted. Raises OSError when it is not there."""
    chance = random.Random()
    broken: list[tuple[str, dict[str, Any]]] = []
    print(f"playing failures and recoveries to {url}; Ctrl-C ends it", flush=True)
    while True:
        if broken and chance.random() < len(broken) / 12:
            kind, thing = broken.pop(chance.randrange(len(broken)))
            told = _post(url, f"{kind}-success", thing)
        else:
            kind, member, namespace, names, reasons = chance.choice(_SCENES)
            thing = {member: chance.choice(names), "namespace": namespace}
            run = f"live-{time.time_ns():x}"
            told = _post(url, f"{kind}-failure", {**thing, _REASONS[kind]: chance.choice(reasons), _RUNS[kind]: run})
            if (kind, thing) not in broken:
                broken.append((kind, thing))
        print(told, flush=True)
        time.sleep(chance.uniform(*SECONDS_BETWEEN_REPORTS))


def _post(url: str, webhook: str, body: dict[str, Any]) -> str:
    address = f"{url}/api/v1/webhooks/{webhook}?namespace={body['namespace']}"
    request = urllib.request.Request(address, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as response:
        answer = json.load(response)
    issue = answer.get("issue")
    return f"{answer['action']:9} {issue['title']}" if issue else answer["message"]
