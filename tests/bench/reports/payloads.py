"""What is posted: the same failures and successes, as each tool takes them.

`%(number)` is the pipeline's, `%(namespace)` follows from it, `%(run)` is never the same. All have a fixed width, so
that a request is made by filling it in.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PIPELINE = "pipeline-%(number)07d"
NAMESPACE = "team-%(namespace)02d"
RUN = "run-%(run)s"
FAILURE_REASON = "task build: step compile: exit code 1 (run %(run)s)"
LOGS = "https://ci.example.com/runs/%(run)s/logs"
NO_SIGNATURE = "0" * 64
GITHUB_WEBHOOK = "github-signed"
GITHUB_SECRET = "what the bench's GitHub signs with"
# How `tests.bench.reports.load` fills them in.
SAMPLE = {"number": 0, "namespace": 0, "run": "0" * 14}


@dataclass(frozen=True, slots=True)
class Posted:
    """One kind of request: where to, what, and what the right answer has: its status, and a text in it."""

    path: str
    body: Any
    status: int
    holds: str
    # Another right one.
    or_status: int | None = None
    # What it signs as GitHub does, with this secret.
    secret: str | None = None

    @property
    def statuses(self) -> list[int]:
        """Those of right answers."""
        return [self.status] if self.or_status is None else [self.status, self.or_status]

    @property
    def template(self) -> str:
        """The whole request, to be filled in."""
        body = json.dumps(self.body)
        return (
            f"POST {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"Accept: application/json\r\n{_signed(self.secret)}Content-Length: {len(body % SAMPLE)}\r\n\r\n{body}"
        )


@dataclass(frozen=True, slots=True)
class Payloads:
    """A tool's way to be told of a failure and of a success."""

    failure: Posted
    success: Posted

    def as_task(self) -> Mapping[str, Any]:
        """For the load generator."""
        kinds = {"failure": self.failure, "success": self.success}
        return {
            "templates": {kind: posted.template for kind, posted in kinds.items()},
            "secret": self.failure.secret,
            "expected": {kind: {"statuses": one.statuses, "holds": one.holds} for kind, one in kinds.items()},
        }


def _signed(secret: str | None) -> str:
    """Headers of GitHub's; the signature is put in by the load generator."""
    event = "X-GitHub-Event: workflow_run\r\nX-GitHub-Delivery: %(run)s\r\n"
    return f"{event}X-Hub-Signature-256: sha256={NO_SIGNATURE}\r\n" if secret else ""


WEBHOOKS = Payloads(
    failure=Posted(
        path="/api/v1/webhooks/pipeline-failure",
        body={
            "pipelineName": PIPELINE,
            "namespace": NAMESPACE,
            "failureReason": FAILURE_REASON,
            "severity": "critical",
            "runId": RUN,
            "logsUrl": LOGS,
        },
        status=201,
        holds=f'"resourceName":"{PIPELINE}"',
    ),
    success=Posted(
        path="/api/v1/webhooks/pipeline-success",
        body={"pipelineName": PIPELINE, "namespace": NAMESPACE},
        status=200,
        holds=f" issue(s) for pipeline {PIPELINE}",
    ),
)

_EVENTS = ["PipelineFailed", "PipelineSucceeded"]
ALERTA = Payloads(
    failure=Posted(
        path="/alert",
        body={
            "resource": PIPELINE,
            "event": "PipelineFailed",
            "environment": "Production",
            "severity": "critical",
            "correlate": _EVENTS,
            "service": [NAMESPACE],
            "group": "Pipelines",
            "value": RUN,
            "text": FAILURE_REASON,
            "attributes": {"logs": LOGS},
        },
        status=201,
        holds=f'"{PIPELINE}"',
    ),
    success=Posted(
        path="/alert",
        body={
            "resource": PIPELINE,
            "event": "PipelineSucceeded",
            "environment": "Production",
            "severity": "normal",
            "correlate": _EVENTS,
            "service": [NAMESPACE],
            "group": "Pipelines",
            "value": RUN,
        },
        status=201,
        holds=f'"{PIPELINE}"',
    ),
)

_LABELS = {"alertname": "PipelineFailed", "pipeline": PIPELINE, "namespace": NAMESPACE, "severity": "critical"}
ALERTMANAGER = Payloads(
    failure=Posted(
        path="/api/v2/alerts",
        body=[{"labels": _LABELS, "annotations": {"description": FAILURE_REASON}, "generatorURL": LOGS}],
        status=200,
        holds="",
    ),
    success=Posted(
        path="/api/v2/alerts",
        body=[{"labels": _LABELS, "startsAt": "2026-01-01T00:00:00Z", "endsAt": "2026-01-01T00:01:00Z"}],
        status=200,
        holds="",
    ),
)

# The floor reads the same and always answers the same.
FLOOR = Payloads(
    failure=Posted(WEBHOOKS.failure.path, WEBHOOKS.failure.body, status=201, holds=""),
    success=Posted(WEBHOOKS.success.path, WEBHOOKS.success.body, status=201, holds=""),
)


def github(size: int) -> Payloads:
    """Workflow runs of so many bytes each, about: what GitHub tells beside what is needed is long."""
    failure, success = (_workflow_run(conclusion, size) for conclusion in ("failure", "success"))
    return Payloads(
        failure=Posted(_GITHUB, failure, 200, f"{PIPELINE}.yml", or_status=201, secret=GITHUB_SECRET),
        success=Posted(_GITHUB, success, 200, '"action":"resolved","issues":["', secret=GITHUB_SECRET),
    )


_GITHUB = f"/api/v1/webhooks/{GITHUB_WEBHOOK}"
_REPOSITORY = "acme/shop"
_AT = "2026-01-01T00:00:00Z"


def _workflow_run(conclusion: str, size: int) -> Any:
    page = f"https://github.example.com/{_REPOSITORY}"
    run: dict[str, Any] = {
        "id": RUN,
        "name": PIPELINE,
        "path": f".github/workflows/{PIPELINE}.yml",
        "head_branch": "main",
        "head_sha": "0" * 40,
        "run_attempt": 1,
        "event": "push",
        "status": "completed",
        "conclusion": conclusion,
        "html_url": f"{page}/actions/runs/%(run)s",
        "created_at": _AT,
        "run_started_at": _AT,
        "updated_at": _AT,
    }
    body: dict[str, Any] = {
        "action": "completed",
        "workflow_run": run,
        "workflow": {"name": PIPELINE, "path": run["path"]},
        "repository": {"full_name": _REPOSITORY, "html_url": page},
    }
    while len(json.dumps(body)) < size:
        number = len(body["repository"])
        body["repository"][f"list_{number}_url"] = f"{page}/lists/{number}"
        run.setdefault("actor", {})[f"member_{number}"] = {
            "id": number,
            "login": f"member-{number}",
            "site_admin": False,
        }
    return body
