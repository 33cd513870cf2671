"""A client of Kite's issue routes, its server on a database of its own, and what all of the routes have in common."""

import logging
from contextlib import asynccontextmanager
from unittest.mock import patch

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from models.values import new_id
from resolvers.errors import Overloaded, TimedOut, Unavailable
from tests.resolvers.mutation.house import ADA, caller
from tests.resolvers.query.house import asking
from webhooks.kite import Kite

ISSUE = {
    "title": "Build failed: api",
    "description": "exit code 1",
    "severity": "major",
    "issueType": "build",
    "namespace": "team",
    "scope": {"resourceType": "component", "resourceName": "api"},
}
NO_ACCESS = (403, {"error": "Access denied to this namespace"})
NO_ISSUE = (404, {"error": "Issue not found"})


def answer(response):
    """Status and JSON; 204 has none."""
    if response.status_code == 204:
        assert response.content == b""
        return 204, None
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    return response.status_code, response.json()


class Client:
    """`get`, `post`, `put` and `delete` paths below /api/v1/issues as `who`, and tell status and JSON."""

    def __init__(self, house):
        self.house = house
        self.who = ADA
        self.kite = kite = Kite(house.planner, house.writer)
        routes = [
            Route("/issues", kite.collection),
            Route("/issues/{id}", kite.item),
            Route("/issues/{id}/resolve", kite.resolve),
            Route("/issues/{id}/related", kite.relate),
            Route("/issues/{id}/related/{related_id}", kite.unrelate),
        ]
        app = Starlette(routes=routes)

        async def server(scope, receive, send):
            scope["caller"] = self.who
            await app(scope, receive, send)

        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(server), base_url="http://kite.test/issues")

    async def request(self, method, path="", query=None, **body):
        path = f"/issues{path}"
        return answer(await self.http.request(method, f"http://kite.test{path}", params=query, **body))

    async def get(self, path="", **query):
        return await self.request("GET", path, query)

    async def delete(self, path="", **query):
        return await self.request("DELETE", path, query)

    async def post(self, path="", payload=None, *, body=None, **query):
        given = {"json": payload} if body is None else {"content": body}
        return await self.request("POST", path, query, **({} if payload is None and body is None else given))

    async def put(self, path, payload=None, *, body=None, **query):
        return await self.request("PUT", path, query, **({"json": payload} if body is None else {"content": body}))

    async def report(self, name="api", **values):
        """The JSON of the issue that POST /issues makes of component `name`."""
        scope = {"resourceType": "component", "resourceName": name, **values.pop("scope", {})}
        status, issue = await self.post(payload={**ISSUE, **values, "scope": scope})
        assert status == 201, issue
        return issue

    async def shown(self, issue):
        """The JSON of an issue as it is now."""
        status, now = await self.get(f"/{issue['id']}")
        assert status == 200
        return now

    async def listed(self, **query):
        """Titles and total of a list."""
        status, page = await self.get(**query)
        assert status == 200, page
        return [issue["title"] for issue in page["data"]], page["total"]


@asynccontextmanager
async def client(url):
    """A client of a server that has started."""
    async with asking(url) as house:
        kite = Client(house)
        async with kite.http:
            yield kite


def paths():
    """Each route with a method, below /issues."""
    one, other = new_id(), new_id()
    return [
        ("GET", ""),
        ("POST", ""),
        ("GET", f"/{one}"),
        ("PUT", f"/{one}"),
        ("DELETE", f"/{one}"),
        ("POST", f"/{one}/resolve"),
        ("POST", f"/{one}/related"),
        ("DELETE", f"/{one}/related/{other}"),
    ]


async def test_0_12_a_wrong_method_is_405_with_allow(sqlite_url):
    async with client(sqlite_url) as kite:
        allowed: dict[str, list[str]] = {}
        for method, path in paths():
            allowed.setdefault(path, []).append(method)
        for path, methods in allowed.items():
            for method in {"GET", "POST", "PUT", "DELETE", "PATCH"} - set(methods):
                response = await kite.http.request(method, f"http://kite.test/issues{path}")
                assert response.status_code == 405
                assert response.json() == {"error": "Method not allowed"}
                assert response.headers["allow"].split(", ") == methods


async def test_0_9_a_namespace_that_the_caller_may_not_read_is_403_on_every_route(sqlite_url):
    async with client(sqlite_url) as kite:
        kite.who = caller(team=["READ", "REPORT", "RESPOND", "MANAGE"])
        for method, path in paths():
            for body in ({"json": {**ISSUE, "namespace": "other"}}, {"content": b"{"}):
                assert await kite.request(method, path, {"namespace": "other"}, **body) == NO_ACCESS


WORDS = [
    "Failed to fetch issues",
    "Failed to create issue",
    "failed to fetch issue",
    "Failed to update issue",
    "Failed to delete issue",
    "Failed to resolve issue",
    "Failed to create issue relationship",
    "Failed to delete issue relationship",
]


@pytest.mark.parametrize("number", range(8))
async def test_our_own_mistake_is_500_in_kites_words_and_in_the_log(sqlite_url, number, caplog):
    async with client(sqlite_url) as kite:
        method, path = paths()[number]
        broken = RuntimeError("secret")
        payload = {**ISSUE, "relatedId": new_id()}
        with (
            caplog.at_level(logging.ERROR),
            patch.object(kite.house.planner, "execute", side_effect=broken),
            patch.object(kite.house.writer, "submit", side_effect=broken),
        ):
            assert await kite.request(method, path, json=payload) == (500, {"error": WORDS[number]})
        assert "secret" in caplog.text


@pytest.mark.parametrize("problem", [Overloaded("too much"), Unavailable("no database"), TimedOut("too slow")])
async def test_what_passes_is_503(sqlite_url, problem):
    async with client(sqlite_url) as kite:
        for method, path in paths():
            with (
                patch.object(kite.house.planner, "execute", side_effect=problem),
                patch.object(kite.house.writer, "submit", side_effect=problem),
            ):
                url = f"http://kite.test/issues{path}"
                response = await kite.http.request(method, url, json={**ISSUE, "relatedId": new_id()})
            assert (response.status_code, response.json()) == (503, {"error": problem.message})
            assert response.headers["retry-after"] == "2"


async def test_a_database_that_is_gone_is_503(sqlite_url):
    async with client(sqlite_url) as kite:
        issue = await kite.report()
        await kite.house.writer.close()
        assert (await kite.post(payload=ISSUE))[0] == 503
        assert (await kite.post(f"/{issue['id']}/resolve"))[0] == 503
