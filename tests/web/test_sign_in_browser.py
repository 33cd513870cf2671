"""Signing in and out in a real browser, which keeps its own rules of cookies, origins and policies."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.serving import Server
from tests.web.test_access import FIRST

NODE = Path(sys.executable).parent / "node"
SCRIPT = Path(__file__).parent.parent / "node" / "sign-in.mjs"


@pytest.mark.timeout(240)
def test_a_person_signs_in_asks_watches_and_signs_out(sqlite_url, tmp_path):
    with Server(sqlite_url, tmp_path, DEV="0", BOOTSTRAP_TOKEN=FIRST) as server:
        command = [str(NODE), str(SCRIPT), f"http://127.0.0.1:{server.port}/", FIRST]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=200)
        assert FIRST not in server.log()
    assert ran.returncode == 0, ran.stderr
    seen = json.loads(ran.stdout)
    assert '"errors"' not in seen.pop("ActiveIssues")
    assert '"position"' in seen.pop("Watch")
    assert seen == {
        "problems": [],
        "ledTo": "/sign-in",
        "refused": "This token is none, or is no longer good.",
        "cameTo": "/",
        "who": "Signed in as bootstrap",
        "serious": [],
        "whoThere": "Signed in as bootstrap",
        "cookies": [["issuegraph", True, "Lax"]],
        "scriptsSee": "",
        "after": ["issuegraph-form"],
        "leadsBack": "/sign-in?next=%2Fissues%3Fq%3Dis%3Aactive",
        "ledToAgain": "/sign-in",
    }
