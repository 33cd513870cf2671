"""What other web sites make a browser send does not come in; what was allowed by name does."""

import pytest

from tests.web.client import Client
from web.asgi import respond
from web.guard import Guard

PAGES = "https://pages.example.com"


async def inside(scope, receive, send):
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
    else:
        await respond(send, 200, b"{}")


@pytest.fixture
def client():
    return Client(Guard(inside, hosts=["Issues.example.com", "[fd00::1]"], origins=[PAGES]))


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:8080",
        "LOCALHOST:8080",
        "127.0.0.1",
        "127.0.0.1:8080",
        "[::1]",
        "[::1]:8080",
        "issues.example.com",
        "issues.EXAMPLE.com:443",
        "[fd00::1]:80",
    ],
)
async def test_names_of_this_server_are_answered_to(client, host):
    assert (await client.get("/", headers={"host": host})).status == 200
    assert await client.knock("/graphql", host=host) == "websocket.accept"


@pytest.mark.parametrize(
    "host",
    [
        "evil.example.com",
        "localhost.evil.example.com",
        "issues.example.com.evil.example.com",
        "127.0.0.1.nip.io:8080",
        "127.0.0.2",
        "[::2]",
        "localhost@evil.example.com",
        "",
        None,
    ],
)
async def test_other_names_are_refused_as_a_rebound_name_would_come(client, host):
    answer = await client.get("/", headers={"host": host})
    assert answer.status == 421
    assert "ISSUEGRAPH_HOSTS" in answer.json["error"]
    if host:
        assert await client.knock("/graphql", host=host) == "websocket.close"


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://127.0.0.1:8080", 200),
        ("https://127.0.0.1:8080", 200),
        (PAGES, 200),
        ("HTTPS://PAGES.example.com", 200),
        (None, 200),
        ("http://127.0.0.1:3000", 403),
        ("http://localhost:8080", 403),
        ("http://127.0.0.1", 403),
        ("http://pages.example.com", 403),
        ("https://pages.example.com.evil.example.com", 403),
        ("https://evil.example.com", 403),
        ("null", 403),
        ("", 403),
        ("file://", 403),
        ("http://[", 403),
    ],
)
async def test_pages_of_other_origins_are_refused(client, origin, status):
    assert (await client.post("/", {}, headers={"origin": origin})).status == status
    if origin is not None:
        accepted = "websocket.accept" if status == 200 else "websocket.close"
        assert await client.knock("/graphql", origin=origin) == accepted


@pytest.mark.parametrize(
    ("site", "status"), [("cross-site", 403), ("same-origin", 200), ("none", 200), ("same-site", 200)]
)
async def test_requests_that_another_site_makes_are_refused(client, site, status):
    headers = {"sec-fetch-site": site}
    assert (await client.get("/", headers=headers)).status == status
    assert (await client.post("/", {}, headers=headers)).status == status
    accepted = "websocket.accept" if status == 200 else "websocket.close"
    assert await client.knock("/graphql", sec_fetch_site=site) == accepted


@pytest.mark.parametrize(
    ("method", "mode", "destination", "status"),
    [
        ("GET", "navigate", "document", 200),
        ("POST", "navigate", "document", 403),
        ("GET", "navigate", "iframe", 403),
        ("GET", "no-cors", "image", 403),
        ("GET", "cors", "empty", 403),
    ],
)
async def test_a_link_on_another_site_may_be_followed(client, method, mode, destination, status):
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": mode, "sec-fetch-dest": destination}
    assert (await client.request(method, "/", headers=headers)).status == status


async def test_a_page_that_was_allowed_may_come_from_another_site(client):
    answer = await client.post("/", {}, headers={"origin": PAGES, "sec-fetch-site": "cross-site"})
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == PAGES
    assert answer.headers["vary"] == "Origin"


@pytest.mark.parametrize("origin", [None, "http://127.0.0.1:8080", "https://evil.example.com"])
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
async def test_nobody_else_gets_cors_headers(client, origin, method):
    answer = await client.request(method, "/", headers={"origin": origin})
    assert not [name for name in answer.headers if name.startswith("access-control-")]


async def test_options_is_204_and_tells_an_allowed_page_what_it_may(client):
    assert (await client.request("OPTIONS", "/anywhere")).status == 204
    answer = await client.request("OPTIONS", "/graphql", headers={"origin": PAGES, "sec-fetch-site": "cross-site"})
    assert (answer.status, answer.text) == (204, "")
    assert answer.headers["access-control-allow-origin"] == PAGES
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "Content-Type" in answer.headers["access-control-allow-headers"]
    assert (await client.request("OPTIONS", "/graphql", headers={"origin": "https://evil.example.com"})).status == 403
