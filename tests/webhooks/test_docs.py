"""The page about webhooks: its example works, and it knows every path, variable, function and key."""

import re
from pathlib import Path
from typing import Any

from resolvers.mutation import CreateIssue, LinkValue, ResolveScope
from tests.webhooks.tools import PREFIX, Tool, definition
from webhooks.definition import ISSUE_TYPE_WORDS, SETTINGS, SEVERITY_WORDS, load
from webhooks.expressions import ALL_VARIABLES
from webhooks.fence import BUILT_IN
from webhooks.fields import TYPES
from webhooks.functions import FUNCTIONS

PAGE = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text()
EXAMPLE = re.search(r"```yaml\n(.*?)```", PAGE.partition("### An example")[2], re.DOTALL)
PAYLOAD = {"host": "db1", "ok": False, "log": "disk full", "run": 17, "steps": [{"name": "dump"}, {"name": "copy"}]}


async def test_adding_a_tool_is_adding_one_file(tmp_path):
    assert EXAMPLE
    tool = Tool(definitions=definition(tmp_path, EXAMPLE[1], "backup.yaml"))
    failed = await tool.post("backup", {**PAYLOAD, "logUrl": "https://backups.example/17"}, "namespace=team")
    assert (failed.status, failed.json["action"]) == (201, "created")
    passed = await tool.post("backup", {**PAYLOAD, "ok": True}, "namespace=team")
    assert (passed.status, passed.json["message"]) == (200, "Resolved 3 issue(s) for host db1")
    ignored = await tool.post("backup", {**PAYLOAD, "steps": []}, "namespace=team")
    assert (ignored.status, ignored.json) == (200, {"info": "Nothing was backed up, nothing failed"})
    refused = await tool.post("backup", {"ok": True}, "namespace=team")
    assert refused.status == 400
    assert refused.json["details"] in PAGE
    scope: dict[str, Any] = {
        "namespace": "team",
        "resource_type": "host",
        "resource_name": "db1",
        "issue_type": "incident",
    }
    assert tool.writer.commands == [
        CreateIssue(
            title="Backup failed: db1",
            description="disk full\nSteps: dump, copy",
            severity="critical",
            source="backup",
            run_id="17",
            links=(LinkValue("Log", "https://backups.example/17"),),
            **scope,
        ),
        ResolveScope(**scope),
    ]


def test_everything_is_told():
    told = set(re.findall(r"`([\w.-]+)[`(]", PAGE))
    keys = {
        "path",
        "rules",
        "fields",
        "request",
        "idempotencyKey",
        "type",
        "required",
        "items",
        "when",
        "report",
        "resolve",
        "ignore",
    }
    keys |= {"answer", "status", "about", "title", "description", "severity", "issueType", "scope", "runId", "links"}
    keys |= {"labels", "detectedAt", "fingerprint", "at", "reason", "resourceType", "resourceName", "resourceNamespace"}
    keys |= {
        "docs",
        "source",
        "verify",
        "deliveryId",
        "event",
        "each",
        "namespace",
        "mask",
        "keepBodies",
        "reopenWithin",
    }
    keys |= {"severities", "severityDefault", "samples", "acknowledge", "expect", "body", "form", "text", "origin"}
    paths = {path.removeprefix(PREFIX) for each in load() for path in each.paths} | {each.name for each in load()}
    words = {*SEVERITY_WORDS, *ISSUE_TYPE_WORDS, *TYPES, *ALL_VARIABLES, *FUNCTIONS, *BUILT_IN}
    words |= {f"settings.{name}" for name in SETTINGS}
    assert keys | paths | words <= told
