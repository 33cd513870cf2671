"""What `issuegraph demo` loads: some days of failures and repairs in four teams, told as stories."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What a tool's reports of one kind look like; `{name}` stands for what failed."""

    source: str
    title: str
    issue_type: str
    severity: str
    resource_type: str
    link: tuple[str, str]
    part: tuple[str, str] | None = None


KINDS = {
    "pipeline": Kind(
        source="pipeline",
        title="Pipeline run failed: {name}",
        issue_type="pipeline",
        severity="major",
        resource_type="pipelinerun",
        link=("Pipeline Run Logs", "https://ci.example.com/runs/{run}"),
    ),
    "build": Kind(
        source="build",
        title="Build failed: {name}",
        issue_type="build",
        severity="major",
        resource_type="component",
        link=("Build Logs", "https://ci.example.com/builds/{run}"),
    ),
    "deployment": Kind(
        source="deployment",
        title="Deployment failed: {name}",
        issue_type="release",
        severity="critical",
        resource_type="application",
        link=("Deployment Dashboard", "https://deploy.example.com/{name}/{run}"),
        part=("kind", "deployment"),
    ),
    "scan": Kind(
        source="security-scan",
        title="Security scan found vulnerabilities: {name}",
        issue_type="dependency",
        severity="critical",
        resource_type="component",
        link=("Security Report", "https://scan.example.com/{name}/{run}"),
        part=("kind", "security-scan"),
    ),
    "update": Kind(
        source="mintmaker",
        title="Dependency update failed: {name}",
        issue_type="dependency",
        severity="minor",
        resource_type="repository",
        link=("Renovate docs", "https://docs.renovatebot.com/configuration-options/"),
    ),
    "tests": Kind(
        source="test-report",
        title="Tests failed: {name}",
        issue_type="test",
        severity="major",
        resource_type="component",
        link=("Test Report", "https://ci.example.com/tests/{run}"),
    ),
    "alert": Kind(
        source="monitoring",
        title="{name} is degraded",
        issue_type="incident",
        severity="critical",
        resource_type="service",
        link=("Runbook", "https://wiki.example.com/runbooks/{name}"),
    ),
    "notice": Kind(
        source="test-report",
        title="Flaky tests: {name}",
        issue_type="test",
        severity="info",
        resource_type="component",
        link=("Test Report", "https://ci.example.com/tests/{run}"),
        part=("kind", "flaky"),
    ),
}


@dataclass(frozen=True, slots=True)
class Episode:
    """When it failed and when it was repaired (None: not yet), in hours ago."""

    failed: tuple[float, ...]
    repaired: float | None


@dataclass(frozen=True, slots=True)
class Story:
    """One thing that fails, its reasons in turn; each episode after the first comes back as an issue of its own."""

    key: str
    kind: str
    name: str
    reasons: tuple[str, ...]
    episodes: tuple[Episode, ...]
    acknowledged_by: str | None = None
    labels: tuple[tuple[str, str], ...] = ()


def failed(*hours_ago: float, repaired: float | None = None) -> Episode:
    """An episode, oldest failure first."""
    return Episode(hours_ago, repaired)


DISK = "no space left on device while unpacking layers"
PULL = "cannot pull registry.example.com/base/ubi9:latest: 503 Service Unavailable"
TIMEOUT = "timed out after 60 minutes"

# By namespace. The registry falters, and half of the house falls over it; the rest is everyday life.
STORIES: dict[str, tuple[Story, ...]] = {
    "platform": (
        Story(
            "registry",
            "alert",
            "registry",
            ("5 % of pulls fail", "40 % of pulls fail"),
            (failed(3, 2.6, 2.2),),
            "Maria",
        ),
        Story("storage", "alert", "object-storage", ("latency above 2 s in zone b",), (failed(3.2, 3, repaired=1.1),)),
        Story(
            "dns",
            "alert",
            "cluster-dns",
            ("3 % of queries fail",),
            (failed(50.5, repaired=49), failed(27, repaired=26.2)),
        ),
        Story("runners", "pipeline", "runner-image", (DISK, PULL), (failed(9, 8.4, repaired=7.9), failed(2.4))),
        Story("base", "build", "base-image", (PULL,), (failed(2.5, 1.9),)),
        Story(
            "base-scan",
            "scan",
            "base-image",
            ("openssl 3.2.1: use after free",),
            (failed(20),),
            "Maria",
            (("cve", "CVE-2026-21441"), ("package", "openssl")),
        ),
        Story("gitops", "deployment", "gitops-agent", ("1 of 3 replicas ready",), (failed(30, 29.5, repaired=28.8),)),
        Story("nightly", "pipeline", "nightly-backup", (TIMEOUT,), (failed(46, repaired=40), failed(22, repaired=16))),
    ),
    "team-payments": (
        Story("pay-build", "build", "payment-api", (PULL, PULL, DISK), (failed(2.3, 2, 1.2, 0.4),), "Jonas"),
        Story("pay-run", "pipeline", "payment-api-on-push", ("task build-image failed",), (failed(2.3, 2, 1.2, 0.4),)),
        Story("pay-deploy", "deployment", "payments", ("image payment-api:7f31c2 not found",), (failed(1.8, 1),)),
        Story("pay-slow", "alert", "checkout", ("p99 above 4 s", "error rate 7 %"), (failed(0.9, 0.5),), "Jonas"),
        Story(
            "pay-scan",
            "scan",
            "payment-api",
            ("pyjwt 2.10.0: algorithm confusion",),
            (failed(70, repaired=44),),
            None,
            (("cve", "CVE-2026-11873"), ("package", "pyjwt")),
        ),
        Story(
            "pay-tests",
            "tests",
            "payment-api",
            ("3 of 812 failed: refunds", "1 of 812 failed: refunds"),
            (failed(33, 32, 31, repaired=30.5), failed(7, repaired=6.2)),
        ),
        Story(
            "pay-flaky",
            "notice",
            "payment-worker",
            ("test_retry_after passes every other time",),
            (failed(90, 60, 28),),
        ),
        Story(
            "pay-update",
            "update",
            "payment-api",
            ("cannot resolve sqlalchemy >= 2.1 with alembic 1.13",),
            (failed(26, 2),),
        ),
        Story("ledger", "build", "ledger", ("npm install: 401 Unauthorized",), (failed(54, 53.5, repaired=52),)),
    ),
    "team-web": (
        Story("shop-build", "build", "shop-frontend", (PULL,), (failed(2.1, 1.5, repaired=0.8),)),
        Story(
            "shop-run",
            "pipeline",
            "shop-frontend-on-push",
            ("task build-image failed",),
            (failed(2.1, 1.5, repaired=0.8),),
        ),
        Story("shop-deploy", "deployment", "shop", ("health check failed: 502",), (failed(5.5, 5.2, repaired=4.7),)),
        Story(
            "shop-tests", "tests", "shop-frontend", ("2 of 340 failed: cart on Safari",), (failed(12, 11, 4),), "Ines"
        ),
        Story(
            "search-build",
            "build",
            "search-ui",
            ("type error in src/facets.ts", TIMEOUT),
            (failed(78, repaired=77), failed(29, 28.5, repaired=27.5), failed(6.5, repaired=6)),
        ),
        Story(
            "search-scan",
            "scan",
            "search-ui",
            ("vite 6.0.1: path traversal",),
            (failed(15),),
            None,
            (("cve", "CVE-2026-30110"),),
        ),
        Story("cdn", "alert", "cdn", ("cache hit rate 41 %",), (failed(8, 7.5, repaired=7),)),
        Story(
            "mobile", "pipeline", "mobile-release", ("signing certificate expires in 2 days",), (failed(18, 6),), "Ines"
        ),
        Story("web-flaky", "notice", "search-ui", ("facet test fails on slow runners",), (failed(40, 16),)),
        Story(
            "web-update", "update", "shop-frontend", ("peer dependency react 18 of date-picker",), (failed(49, 25, 1),)
        ),
    ),
    "team-data": (
        Story(
            "etl",
            "pipeline",
            "orders-etl",
            ("schema drift: column currency", TIMEOUT),
            (failed(23, 22, repaired=20), failed(3.5, 1.4)),
        ),
        Story("features", "build", "feature-store", (PULL,), (failed(2.2, repaired=1.3),)),
        Story("model", "tests", "fraud-model", ("AUC 0.871 below 0.88",), (failed(10, 9),), "Priya"),
        Story("warehouse", "alert", "warehouse", ("replication lag 11 minutes",), (failed(1.7, 1.2),)),
        Story(
            "stream", "deployment", "event-stream", ("quota exceeded: 64 of 64 partitions",), (failed(36, repaired=34),)
        ),
        Story("data-scan", "scan", "feature-store", ("numpy 2.2.0: out of bounds write",), (failed(64, repaired=41),)),
        Story("reports", "pipeline", "weekly-report", (DISK,), (failed(62, repaired=61.5),)),
    ),
}

# Story, kind of relation, story (the last issue of each), why.
RELATIONS = (
    ("base", "CAUSED_BY", "registry", "The base image cannot be pulled"),
    ("runners", "CAUSED_BY", "registry", "Same registry"),
    ("registry", "CAUSED_BY", "storage", "Layers are in the object storage"),
    ("pay-build", "CAUSED_BY", "registry", "Pulls fail with 503"),
    ("shop-build", "CAUSED_BY", "registry", "Pulls fail with 503"),
    ("features", "CAUSED_BY", "registry", "Pulls fail with 503"),
    ("pay-run", "DUPLICATE_OF", "pay-build", "The run fails in its build"),
    ("shop-run", "DUPLICATE_OF", "shop-build", "The run fails in its build"),
    ("pay-deploy", "CAUSED_BY", "pay-build", "The image was never pushed"),
    ("pay-slow", "CAUSED_BY", "pay-deploy", "Half of the old replicas are gone"),
    ("warehouse", "CAUSED_BY", "etl", "The late run writes everything at once"),
    ("base-scan", "RELATED", "search-scan", None),
    ("shop-tests", "RELATED", "web-flaky", "Both only on slow runners"),
    ("pay-update", "RELATED", "web-update", None),
)
