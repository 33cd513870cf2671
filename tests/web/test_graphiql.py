"""The page on which people try the API, in a real browser: every example answers, and nothing comes from elsewhere."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.serving import Server

NODE = Path(sys.executable).parent / "node"
SCRIPT = Path(__file__).parent.parent / "node" / "graphiql.mjs"


@pytest.mark.timeout(240)
def test_every_example_runs_in_a_browser_and_nothing_is_loaded_from_elsewhere(sqlite_url, tmp_path):
    with Server(sqlite_url, tmp_path) as server:
        command = [str(NODE), str(SCRIPT), f"http://127.0.0.1:{server.port}/graphql"]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert ran.returncode == 0, ran.stderr
    seen = json.loads(ran.stdout)
    assert seen["problems"] == []
    assert seen["elsewhere"] == []
    assert list(seen["answers"]) == ["ActiveIssues", "Stats", "Graph", "Report", "Watch"]
    assert not [name for name, answer in seen["answers"].items() if '"errors"' in answer]
    assert '"action": "CREATED"' in seen["answers"]["Report"]
    assert '"position"' in seen["answers"]["Watch"]
