"""The pages about other products' clients: their commands are run as they stand, against a real server."""

import json
import re
import subprocess
from pathlib import Path

from tests.serving import ISSUEGRAPH, Server

DOCS = Path(__file__).parents[1] / "docs"
FIRST = "the-first-token-of-these-tests-0123456789"
TITLES = {"sqibs": "Buildkite - Pipeline shop", "keep": "Disk full", "pulse": "Incident INC-1"}


def commands(page, program):
    """Those of a page, each with the lines that it goes on for."""
    lines = (DOCS / f"{page}.md").read_text().replace("\\\n", " ")
    return re.findall(rf"^    ({program} .*)$", lines, re.MULTILINE)


def run(server, command, token):
    """What a shell prints for it."""
    command = command.replace("http://localhost:8080", f"http://127.0.0.1:{server.port}")
    environment = {**server.environment, "PATH": f"{ISSUEGRAPH.parent}:{server.environment['PATH']}", "TOKEN": token}
    done = subprocess.run(
        ["bash", "-ec", command], env=environment, cwd=server.directory, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_the_pages_say_works_as_it_stands(database_url, tmp_path):
    with Server(database_url, tmp_path, DEV="0", BOOTSTRAP_TOKEN=FIRST) as server:
        for page, title in TITLES.items():
            (create,) = commands(page, "issuegraph")
            token = re.search(r"igt_\S+", run(server, create, ""))
            assert token, page
            (call,) = commands(page, "curl")
            told = json.loads(run(server, call, token[0]))
            assert [item["action"] for item in told["items"]] == ["created"], told
            path = f"/api/v1/issues/{told['items'][0]['issue']['id']}"
            shown = json.loads(run(server, f"curl -H 'Authorization: Bearer {FIRST}' http://localhost:8080{path}", ""))
            assert shown["title"] == title
        (create,) = commands("devlake", "issuegraph")
        assert "igt_" in run(server, create, "")
        (make,) = commands("devlake", "curl")
        made = json.loads(run(server, make, FIRST))
        assert (made["name"], made["namespace"]) == ("shop", "team")
        assert made["apiKey"]["apiKey"]
