"""What is told of the API is so: the OpenAPI document against the routes, and both schemas against what is answered."""

import asyncio
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from starlette.routing import Route

from schema import sdl
from tests.serving import Server
from tests.web.client import living
from web.app import create_app, routes, sockets_of
from web.dashboard_page import PAGE_PATHS
from web.doors import OpenDoor
from web.ending import Ending
from web.health import VERSION
from web.house import open_house
from web.settings import Settings
from web.webhook_paths import CLIENTS
from webhooks.definition import load_all
from webhooks.openapi import document

HERE = Path(__file__).parent
SCHEMATHESIS = Path(sys.executable).parent / "schemathesis"
FIRST = "the-first-token-of-these-tests-0123456789"
# Pages, probes, and what is not REST.
PAGES = {*PAGE_PATHS, "/issues/{id}"}
OTHERS = {*PAGES, "/graphql", "/static/{path:path}", "/metrics", "/healthz", "/readyz"}
OTHERS |= {"/openapi.json", "/docs", "/schema.graphql", "/sign-in", "/sign-out"}
METHODS = {"get", "put", "post", "patch", "delete"}


@pytest.fixture
async def client(sqlite_url):
    async with living(create_app(Settings(dev=True, database_url=sqlite_url))) as client:
        yield client


async def test_the_document_has_every_route_and_no_other(sqlite_url):
    async with open_house(Settings(database_url=sqlite_url)) as house:
        made = routes(house, load_all(), sockets_of(house, OpenDoor({})), {}, Ending(), Counter(), None)
    served = {route.path for route in made if isinstance(route, Route) and not route.path.endswith("/")}
    told = set(document(load_all(), version="1", url="http://localhost")["paths"])
    # What is below these finds its way there.
    below = {path.removesuffix("{path:path}") for path in served if path.endswith("/{path:path}")} - {"/static/"}
    assert {prefix for prefix in below if any(path.startswith(prefix) for path in told)} == {"/plugins/webhook/"}
    assert below == {f"{prefix}/" for prefix, name in CLIENTS.items() if name == "devlake"}
    told = {path for path in told if not path.startswith("/plugins/webhook/")}
    assert told == {path for path in served if not path.endswith("{path:path}")} - OTHERS


async def test_the_document_has_the_methods_that_are_answered(client):
    told = (await client.get("/openapi.json")).json
    assert told["info"]["version"] == VERSION
    for path, item in told["paths"].items():
        named = path.replace("{name}", "generic").replace("{provider}", "cli").replace("{provider_type}", "keep")
        answer = await client.request("OPTIONS", re.sub(r"\{\w+\}", "1", named))
        allowed = {method.lower() for method in answer.headers["allow"].split(", ")} - {"head"}
        assert (answer.status, answer.text) == (204, "")
        assert item.keys() & METHODS == allowed


async def test_every_name_that_is_referred_to_is_there(client):
    told = (await client.get("/openapi.json")).json

    def references(value):
        if isinstance(value, dict):
            yield from [value["$ref"]] if "$ref" in value else []
            value = list(value.values())
        for each in value if isinstance(value, list) else ():
            yield from references(each)

    found = set(references(told))
    assert len(found) > 20
    for reference in found:
        place = told
        for name in reference.removeprefix("#/").split("/"):
            place = place[name]


async def test_the_page_needs_no_other_host_and_the_schema_is_the_published_one(client):
    page = await client.get("/docs")
    assert page.kind == "text/html"
    assert "http" not in page.text.replace("<!doctype html>", "")
    assert "script-src 'self';" in page.headers["content-security-policy"]
    for name in ("vendor/swagger-ui-bundle.js", "vendor/swagger-ui.css", "api-docs.js"):
        assert f"/static/{name}" in page.text
        assert (await client.get(f"/static/{name}")).status == 200
    assert (await client.get("/schema.graphql")).text == sdl()


async def test_options_of_a_page_elsewhere_says_what_it_may(sqlite_url):
    settings = Settings(dev=True, database_url=sqlite_url, origins=("https://pages.example.com",))
    async with living(create_app(settings)) as client:
        answer = await client.request("OPTIONS", "/graphql", headers={"origin": "https://pages.example.com"})
    assert answer.headers["access-control-allow-origin"] == "https://pages.example.com"
    assert "allow" not in answer.headers


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("path", "options"),
    [
        ("/openapi.json", ["--phases", "coverage,fuzzing"]),
        # Ranges of numbers and the form of cursors are refused with a code; a schema cannot say them.
        ("/graphql", ["--exclude-checks", "positive_data_acceptance"]),
    ],
)
async def test_schemathesis_finds_nothing(database_url, tmp_path, path, options):
    settings = {"COST_PER_SECOND": "100000000", "COST_BURST": "100000000"}
    with Server(database_url, tmp_path, DEV="0", BOOTSTRAP_TOKEN=FIRST, **settings) as server:
        words = [SCHEMATHESIS, "--config-file", HERE / "schemathesis.toml", "run"]
        words += [
            f"http://127.0.0.1:{server.port}{path}",
            "-H",
            f"Authorization: Bearer {FIRST}",
            "--max-examples",
            "5",
        ]
        ran = await asyncio.to_thread(
            subprocess.run,
            [
                *words,
                "--seed",
                "1",
                "--max-examples",
                "5",
                "--continue-on-failure",
                "--no-shrink",
                "--warnings",
                "off",
                *options,
            ],
            cwd=tmp_path,
            env={**os.environ, "NO_COLOR": "1", "SCHEMATHESIS_HOOKS": str(HERE / "schemathesis_hooks.py")},
            capture_output=True,
            text=True,
            timeout=300,
        )
    assert ran.returncode == 0, ran.stdout[-8_000:]
    assert " generated" in ran.stdout
