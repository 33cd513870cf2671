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
# How `tests.bench.reports.load` fills them in.
SAMPLE = {"number": 0, "namespace": 0, "run": "0" * 14}


@dataclass(frozen=True, slots=True)
class Posted:
    """One kind of request: where to, what, and what the right answer has: its status, and a text in it."""

    path: str
    body: Any
    status: int
    holds: str

    @property
    def template(self) -> str:
        """The whole request, to be filled in."""
        body = json.dumps(self.body)
        return (
            f"POST {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"Accept: application/json\r\nContent-Length: {len(body % SAMPLE)}\r\n\r\n{body}"
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
            "expected": {kind: {"status": one.status, "holds": one.holds} for kind, one in kinds.items()},
        }


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
