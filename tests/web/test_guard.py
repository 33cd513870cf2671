"""What other web sites make a browser send does not come in; what was allowed by name does."""

import pytest

from tests.web.client import Client
from web.asgi import refuse, respond
from web.guard import Guard
from web.origin import OwnPages

PAGES = "https://pages.example.com"
HERE = OwnPages("http://127.0.0.1:8080")


async def inside(scope, receive, send):
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
    else:
        await respond(send, 200, b"{}")


@pytest.fixture
def client():
    return Client(Guard(inside, pages=HERE, hosts=["Issues.example.com", "[fd00::1]"], origins=[PAGES]))


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
    ],
)
async def test_other_names_are_refused_as_a_rebound_name_would_come(client, host):
    answer = await client.get("/", headers={"host": host})
    assert answer.status == 421
    assert "ISSUEGRAPH_HOSTS" in answer.json["error"]
    if host:
        assert await client.knock("/graphql", host=host) == "websocket.close"


async def test_who_names_no_host_is_refused(client):
    answer = await client.get("/", headers={"host": None})
    assert (answer.status, answer.json) == (400, {"error": "a request has one Host"})


async def test_who_names_two_hosts_is_refused():
    async def twice(scope, receive, send):
        scope["headers"].append((b"host", b"localhost"))
        await guard(scope, receive, send)

    guard = Guard(inside, pages=HERE)
    answer = await Client(twice).get("/", headers={"host": "localhost"})
    assert (answer.status, answer.json) == (400, {"error": "a request has one Host"})
    assert await Client(twice).knock("/graphql", host="localhost") == "websocket.close"


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://127.0.0.1:8080", 200),
        ("https://127.0.0.1:8080", 403),
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
    ("url", "scheme", "host", "good", "bad"),
    [
        # TLS ends at a proxy of which nobody has told us: the public URL tells how people come.
        ("https://issues.example.com", "http", "issues.example.com", "https://issues.example.com", "http"),
        ("https://issues.example.com/ci", "http", "Issues.example.com", "HTTPS://issues.example.com", "http"),
        ("https://issues.example.com:443", "ws", "issues.example.com", "https://issues.example.com", "http"),
        (
            "https://issues.example.com:8443",
            "http",
            "issues.example.com:8443",
            "https://issues.example.com:8443",
            "http",
        ),
        # By a trusted proxy, or by TLS here.
        ("https://issues.example.com", "https", "issues.example.com", "https://issues.example.com", "http"),
        ("http://issues.example.com", "wss", "issues.example.com", "https://issues.example.com", "http"),
        # By another name or port than the public one: as the request says.
        ("https://issues.example.com", "http", "localhost:8080", "http://localhost:8080", "https"),
        ("https://issues.example.com", "http", "issues.example.com:8080", "http://issues.example.com:8080", "https"),
        ("http://127.0.0.1:8080", "http", "[::1]:8080", "http://[::1]:8080", "https"),
    ],
)
def test_an_origin_is_ours_with_its_scheme(url, scheme, host, good, bad):
    pages = OwnPages(url)
    other = f"{bad}://{good.partition('://')[2]}"
    for origin, is_ours in ((good, True), (other, False), (f"{good}.evil.example.com", False), ("null", False)):
        scope = {"type": "http", "scheme": scheme, "headers": [(b"host", host.encode()), (b"origin", origin.encode())]}
        assert pages.has(origin, scope) is is_ours
        assert pages.sent(scope) is is_ours
    # Where nothing says how it came, as ASGI has it.
    bare = {"type": "http", "headers": [(b"host", b"127.0.0.1:8080")]}
    assert pages.has("http://127.0.0.1:8080", bare)


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


async def test_options_is_204_with_the_methods_of_the_path():
    async def of_one_method(scope, receive, send):
        await refuse(send, 405, "Method not allowed", ((b"allow", b"POST"),))

    answer = await Client(Guard(of_one_method, pages=HERE)).request("OPTIONS", "/anywhere")
    assert (answer.status, answer.text, answer.headers) == (204, "", {"allow": "POST"})
    assert (await Client(Guard(of_one_method, pages=HERE)).request("GET", "/anywhere")).status == 405


async def test_options_tells_an_allowed_page_what_it_may(client):
    answer = await client.request("OPTIONS", "/graphql", headers={"origin": PAGES, "sec-fetch-site": "cross-site"})
    assert (answer.status, answer.text) == (204, "")
    assert answer.headers["access-control-allow-origin"] == PAGES
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "Content-Type" in answer.headers["access-control-allow-headers"]
    assert (await client.request("OPTIONS", "/graphql", headers={"origin": "https://evil.example.com"})).status == 403
