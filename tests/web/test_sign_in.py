"""Signing in with a token, and what a session opens: pages, never REST; for pages of ours, never for another's."""

import asyncio
import json
import re
from urllib.parse import quote, urlencode

import pytest
from pydantic import SecretStr

from tests.web.client import living
from tests.web.test_access import FIRST, bearer, make
from web.app import create_app
from web.settings import Settings
from web.sign_in.cookies import Cookie

HTML = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
OURS = {"origin": "http://127.0.0.1:8080"}
VIEWER = {"query": "{ viewer { actor { kind name } } }"}
ADMIN = {"data": {"viewer": {"actor": {"kind": "TOKEN", "name": "bootstrap"}}}}


def settings(url, **more):
    return Settings(database_url=url, bootstrap_token=SecretStr(FIRST), **more)


@pytest.fixture
async def client(database_url):
    async with living(create_app(settings(database_url))) as client:
        yield client


class Browser:
    """Keeps cookies, and sends forms as a browser does. `said` holds the headers of every request."""

    def __init__(self, client, **said):
        self.client = client
        self.said = said
        self.jar = {}

    @property
    def cookie(self):
        return {"cookie": "; ".join(f"{name}={value}" for name, value in self.jar.items())} if self.jar else {}

    async def send(self, method, path, body=b"", *, query=None, **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        given = {**HTML, **self.said, **self.cookie, **named}
        answer = await self.client.request(method, path, body, headers=given, query=query)
        for name, (value, _) in answer.given.items():
            self.jar[name] = value
            if not value:
                del self.jar[name]
        return answer

    async def open(self, path, **query):
        return await self.send("GET", path, query=query)

    async def submit(self, path, form, **headers):
        body = urlencode(form).encode()
        said = {"content_type": "application/x-www-form-urlencoded", **OURS, **headers}
        return await self.send("POST", path, body, **said)

    async def sign_in(self, token, next="/"):
        page = await self.open("/sign-in", next=next)
        return await self.submit("/sign-in", {**hidden(page), "token": token})

    async def ask(self, body=VIEWER, **headers):
        said = {"content_type": "application/json", "accept": "application/json", **headers}
        return await self.send("POST", "/graphql", json.dumps(body).encode(), **said)


def hidden(page):
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))


@pytest.fixture
def browser(client):
    return Browser(client)


async def test_a_browser_without_a_session_is_led_to_the_page_and_back(client, browser):
    assert (await browser.open("/")).headers["location"] == "/sign-in"
    for path in ("/graphql", "/issues", "/issues/1", "/graph/1", "/webhooks/ours", "/deliveries"):
        answer = await browser.open(path)
        assert (answer.status, answer.headers["location"]) == (303, f"/sign-in?next={quote(path, safe='')}")
    answer = await browser.open("/graphql", query="{ a }")
    assert answer.headers["location"] == "/sign-in?next=%2Fgraphql%3Fquery%3D%257B%2Ba%2B%257D"
    answer = await browser.sign_in(FIRST, next="/graphql?query=%7B")
    assert (answer.status, answer.headers["location"]) == (303, "/graphql?query=%7B")
    page = await browser.open("/graphql")
    assert (page.status, page.kind) == (200, "text/html")
    assert "Signed in as <strong>bootstrap</strong>" in page.text
    assert 'action="/sign-out"' in page.text
    assert (await browser.ask(**OURS)).json["data"] == ADMIN["data"]
    for path in ("/", "/issues", "/issues/1", "/graph/1", "/webhooks/ours", "/deliveries"):
        assert (await browser.open(path)).status == 200


async def test_every_other_client_is_told_401(client):
    for headers in ({}, {"accept": "*/*"}, {"accept": "application/json, text/html"}, {**HTML, **bearer("igt_x")}):
        assert (await client.get("/graphql", headers=headers)).status == 401
    assert (await client.get("/api/v1/issues", headers=HTML)).status == 401
    assert (await client.post("/graphql", VIEWER, headers=HTML)).status == 401


async def test_the_page_needs_nothing_from_anywhere_and_allows_nothing(browser):
    page = await browser.open("/sign-in")
    assert (page.status, page.kind) == (200, "text/html")
    assert "<script" not in page.text
    assert not re.search(r'(src|href)="', page.text)
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert policy.endswith("form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
    assert page.headers["cache-control"] == "no-store"
    assert (await browser.send("PUT", "/sign-in")).status == 405
    assert (await browser.send("GET", "/sign-out")).status == 405


@pytest.mark.parametrize(
    ("public_url", "name", "secure"),
    [("", "issuegraph", ""), ("https://issues.example.com", "__Host-issuegraph", "; Secure")],
)
async def test_the_cookie_is_for_this_host_alone_and_for_no_script(sqlite_url, public_url, name, secure):
    async with living(create_app(settings(sqlite_url, public_url=public_url, session_hours=2))) as client:
        browser = Browser(client)
        page = await browser.open("/sign-in")
        ((ticket, (_, attributes)),) = page.given.items()
        assert ticket == f"{name}-form"
        assert attributes == f"Max-Age=3600; Path=/; HttpOnly; SameSite=Strict{secure}"
        answer = await browser.submit("/sign-in", {**hidden(page), "token": FIRST})
        value, attributes = answer.given[name]
        assert len(value) == 43
        assert attributes == f"Max-Age=7200; Path=/; HttpOnly; SameSite=Lax{secure}"
        assert answer.given[ticket][0] == ""
        assert (await browser.ask(**OURS)).status == 200


@pytest.mark.parametrize(
    "next",
    [
        "https://evil.example.com",
        "//evil.example.com",
        "/\\evil.example.com",
        "\\/evil.example.com",
        "/\t/evil.example.com",
        "/\n/evil.example.com",
        " //evil.example.com",
        "javascript:alert(1)",
        "evil",
        "",
        "/" + "a" * 3_000,
        "/é",
    ],
)
async def test_nobody_is_led_to_another_host(browser, next):
    page = await browser.open("/sign-in", next=next)
    assert hidden(page)["next"] == "/"
    answer = await browser.submit("/sign-in", {**hidden(page), "next": next, "token": FIRST})
    assert (answer.status, answer.headers["location"]) == (303, "/")


async def test_what_was_asked_for_is_text_on_the_page(browser):
    page = await browser.open("/sign-in", next='/"><script>alert(1)</script>')
    assert "<script" not in page.text
    assert "&quot;&gt;&lt;script&gt;" in page.text


@pytest.mark.parametrize("token", ["", "xyz", "igt_nonsense", "\ud7ff", "0" * 5_000])
async def test_without_a_good_token_nobody_is_signed_in(browser, token):
    answer = await browser.sign_in(token)
    assert answer.status == 403
    assert 'role="alert"' in answer.text
    assert "issuegraph" not in browser.jar
    assert token == "" or token not in answer.text


async def test_a_token_for_one_webhook_signs_nobody_in(client, browser):
    secret = await make(client, "REPORT team-a", webhook="pipeline")
    assert (await browser.sign_in(secret)).status == 403


async def test_a_form_that_another_page_sends_signs_nobody_in(client, browser):
    page = await browser.open("/sign-in")
    form = {**hidden(page), "token": FIRST}
    stranger = Browser(client)
    for who, given, headers in (
        (stranger, form, {}),
        (browser, {**form, "ticket": "other"}, {}),
        (browser, {"token": FIRST}, {}),
        (browser, form, {"origin": "https://evil.example.com"}),
        (browser, form, {"origin": "null"}),
        (browser, form, {"origin": None, "sec_fetch_site": "same-site"}),
    ):
        answer = await who.submit("/sign-in", given, **headers)
        assert answer.status == 403
        assert "issuegraph" not in who.jar
    assert (await browser.submit("/sign-in", form, origin=None)).status == 303


@pytest.mark.parametrize("body", [b"{}", b"\xff\xfe", b"a=b&" * 1_000, b""])
@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded", "multipart/form-data"])
async def test_what_is_no_form_is_refused(browser, kind, body):
    answer = await browser.send("POST", "/sign-in", body, content_type=kind, **OURS)
    assert answer.status == (403 if kind.endswith("urlencoded") else 415)


async def test_a_form_is_short(browser):
    page = hidden(await browser.open("/sign-in"))
    assert (await browser.submit("/sign-in", {**page, "token": "x" * 60_000})).status == 403
    assert (await browser.submit("/sign-in", {**page, "token": "x" * 64_000})).status == 413


async def test_a_session_opens_no_rest_and_no_webhook(client, browser):
    await browser.sign_in(FIRST)
    for method, path in (
        ("GET", "/api/v1/issues"),
        ("POST", "/api/v1/webhooks/pipeline-failure"),
        ("GET", "/api/v1/version"),
        ("GET", "/metrics"),
        ("GET", "/api/v1/issues/01890000-0000-7000-8000-000000000000"),
        ("GET", "/nowhere"),
    ):
        assert (await browser.send(method, path, b"{}", **OURS)).status == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (OURS, 200),
        ({"sec_fetch_site": "same-origin"}, 200),
        ({**OURS, "sec_fetch_site": "same-origin"}, 200),
        ({"graphql_require_preflight": "1"}, 200),
        ({"apollo_require_preflight": "true"}, 200),
        ({}, 403),
        ({"graphql_require_preflight": ""}, 403),
        ({"sec_fetch_site": "none"}, 403),
        ({"sec_fetch_site": "same-site"}, 403),
        ({"sec_fetch_site": "cross-site"}, 403),
        ({**OURS, "sec_fetch_site": "same-site"}, 403),
        ({"origin": "https://evil.example.com", "graphql_require_preflight": "1"}, 403),
        # It may use the API, but with a token of its own.
        ({"origin": "https://pages.example.com"}, 403),
        ({"origin": "https://pages.example.com", "graphql_require_preflight": "1"}, 403),
        ({**OURS, "content_type": "text/plain"}, 415),
        ({**OURS, "content_type": "application/x-www-form-urlencoded"}, 415),
    ],
)
async def test_what_another_page_may_have_sent_is_not_done(sqlite_url, headers, status):
    async with living(create_app(settings(sqlite_url, origins=("https://pages.example.com",)))) as client:
        browser = Browser(client)
        await browser.sign_in(FIRST)
        answer = await browser.ask(**headers)
        assert answer.status == status
        if status == 200:
            assert answer.json["data"] == ADMIN["data"]
        # With a token nobody needs it.
        if status == 403 and "origin" not in headers and headers.get("sec_fetch_site") != "cross-site":
            assert (await browser.ask(**headers, **bearer(FIRST))).status == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (OURS, 200),
        ({"sec_fetch_site": "same-origin"}, 200),
        ({"sec_fetch_site": "none", "sec_fetch_mode": "navigate", "sec_fetch_dest": "document", **HTML}, 200),
        ({"graphql_require_preflight": "1"}, 200),
        ({}, 403),
        ({"sec_fetch_site": "same-site", "sec_fetch_mode": "no-cors", "sec_fetch_dest": "image"}, 403),
        ({"sec_fetch_site": "cross-site", "sec_fetch_mode": "no-cors", "sec_fetch_dest": "image"}, 403),
        ({"sec_fetch_site": "same-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "document", **HTML}, 200),
        ({"sec_fetch_site": "same-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "iframe", **HTML}, 403),
        # On http, browsers say no more than that.
        (HTML, 200),
        ({"sec_fetch_site": "none", "origin": "http://127.0.0.1:9"}, 403),
    ],
)
async def test_a_question_that_another_page_may_have_put_is_not_asked(browser, headers, status):
    await browser.sign_in(FIRST)
    said = {"accept": "image/*,*/*;q=0.8", **headers}
    for method in ("GET", "HEAD"):
        assert (await browser.send(method, "/graphql", query=VIEWER, **said)).status == status
    # A name may be written in many ways; where a browser wants to show a page, it gets the page.
    for query in (b"%71uery={__typename}", b"a=1&&quer%79=%7B__typename%7D"):
        answer = await browser.send("GET", "/graphql", query=query, **said)
        if said["accept"] == HTML["accept"]:
            assert (answer.status, answer.kind) == (200, "text/html")
        else:
            assert answer.status == status
            assert status == 403 or answer.json["data"] == {"__typename": "Query"}


async def test_the_way_back_from_signing_in_leads_to_the_answer(browser):
    back = "/graphql?query=%7B__typename%7D"
    answer = await browser.sign_in(FIRST, next=back)
    assert (answer.status, answer.headers["location"]) == (303, back)
    for said in ({}, {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}):
        answer = await browser.send("GET", "/graphql", query=b"query=%7B__typename%7D", **HTML, **said)
        assert (answer.status, answer.json["data"]) == (200, {"__typename": "Query"})


async def test_a_session_that_is_over_leads_to_sign_in_also_with_a_question(browser):
    await browser.sign_in(FIRST)
    browser.jar["issuegraph"] = "of-yesterday"
    answer = await browser.send("GET", "/graphql", query=b"query=%7B__typename%7D", **HTML)
    assert answer.status == 303
    assert answer.headers["location"].startswith("/sign-in?next=")


@pytest.mark.parametrize("site", ["none", "same-origin", "same-site", "cross-site"])
async def test_a_page_may_be_opened_from_anywhere(browser, site):
    await browser.sign_in(FIRST)
    said = {"sec_fetch_site": site, "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}
    for path in ("/graphql", "/", "/issues/1", "/docs"):
        assert (await browser.send("GET", path, **said)).status == 200


async def test_a_header_counts_before_the_cookie(client, browser):
    secret = await make(client, "READ team-a")
    await browser.sign_in(FIRST)
    assert (await browser.ask(**OURS, **bearer(secret))).json["data"]["viewer"]["actor"]["name"] == "t"
    assert (await browser.ask(**OURS, **bearer("igt_x"))).status == 401


async def test_a_socket_comes_in_with_the_session_for_a_page_of_ours(client, browser):
    await browser.sign_in(FIRST)
    closed = {"type": "websocket.close", "code": 4403, "reason": "Forbidden"}
    for headers, first in (
        ({**browser.cookie, **OURS}, "connection_ack"),
        (browser.cookie, closed),
        ({"cookie": "issuegraph=" + "0" * 43, **OURS}, closed),
        (OURS, closed),
    ):
        async with Wire(client, headers) as wire:
            await wire.say({"type": "connection_init"})
            assert await wire.hear() == (first if first is closed else {"type": first})


async def test_signing_out_ends_the_session_its_sockets_and_nothing_else(client, browser):
    await browser.sign_in(FIRST)
    other = Browser(client)
    await other.sign_in(FIRST)
    async with Wire(client, {**browser.cookie, **OURS}) as wire, Wire(client, {**other.cookie, **OURS}) as still:
        for each in (wire, still):
            await each.say({"type": "connection_init"})
            assert await each.hear() == {"type": "connection_ack"}
        held = dict(browser.cookie)
        assert (await browser.submit("/sign-out", {}, origin=None)).status == 403
        answer = await browser.submit("/sign-out", {})
        assert (answer.status, answer.headers["location"]) == (303, "/sign-in")
        assert await wire.hear() == {"type": "websocket.close", "code": 4403, "reason": "Forbidden"}
        assert browser.jar == {}
        assert (await client.post("/graphql", VIEWER, headers={**held, **OURS})).status == 401
        await still.say({"type": "ping"})
        assert await still.hear() == {"type": "pong"}
        assert (await other.ask(**OURS)).status == 200


async def test_who_is_signed_in_is_told_so_on_the_page(browser):
    await browser.sign_in(FIRST)
    page = await browser.open("/sign-in", next="/graphql")
    assert "You are signed in as <strong>bootstrap</strong>" in page.text
    assert 'href="/graphql"' in page.text


async def test_signing_in_and_out_is_in_the_audit(client, browser):
    await browser.sign_in(FIRST)
    await browser.submit("/sign-out", {})
    query = {"query": "{ auditEvents(first: 9) { nodes { kind actor { name } } } }"}
    answer = await client.post("/graphql", query, headers=bearer(FIRST))
    kinds = [(node["kind"], node["actor"]["name"]) for node in answer.json["data"]["auditEvents"]["nodes"]]
    kinds = [each for each in kinds if each[0].startswith("SIGNED")]
    assert kinds == [("SIGNED_OUT", "bootstrap"), ("SIGNED_IN", "bootstrap")]


async def test_signing_in_is_charged(sqlite_url):
    limits = {"cost_burst": 25_000, "cost_per_second": 1}
    async with living(create_app(settings(sqlite_url, **limits))) as client:
        answers = [await Browser(client).sign_in(FIRST) for _ in range(3)]
    assert [answer.status for answer in answers] == [303, 303, 429]
    assert int(answers[2].headers["retry-after"]) > 0


async def test_on_dev_there_is_nothing_to_sign_in_to_and_the_page_says_so(sqlite_url):
    async with living(create_app(Settings(dev=True, database_url=sqlite_url))) as client:
        browser = Browser(client)
        answer = await browser.open("/sign-in")
        assert (answer.status, answer.headers["location"]) == (307, "/")
        page = await browser.open("/graphql")
        assert "open to whoever is on this machine" in page.text
        assert "sign-out" not in page.text


class Wire:
    """A WebSocket without a network."""

    def __init__(self, client, headers):
        given = {"host": client.host, **headers}
        self.scope = {
            "type": "websocket",
            "path": "/graphql",
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in given.items()],
            "subprotocols": ["graphql-transport-ws"],
            "root_path": "",
        }
        self.app = client.app
        self.incoming, self.sent = asyncio.Queue(), asyncio.Queue()

    async def __aenter__(self):
        self.task = asyncio.create_task(self.app(self.scope, self.incoming.get, self.sent.put))
        await self.incoming.put({"type": "websocket.connect"})
        assert (await asyncio.wait_for(self.sent.get(), 10))["type"] == "websocket.accept"
        return self

    async def __aexit__(self, *_):
        await self.incoming.put({"type": "websocket.disconnect", "code": 1000})
        await asyncio.wait_for(self.task, 10)

    async def say(self, message):
        await self.incoming.put({"type": "websocket.receive", "text": json.dumps(message)})

    async def hear(self):
        """The next message, or the whole of what closes the connection."""
        event = await asyncio.wait_for(self.sent.get(), 10)
        return json.loads(event["text"]) if event["type"] == "websocket.send" else event


async def test_nothing_is_done_for_who_holds_back_the_body_until_the_session_is_over(client, browser):
    await browser.sign_in(FIRST)
    made = '{name: "late", grants: [{permission: READ, namespace: "a"}]}'
    body = {"query": f"mutation {{ createToken(input: {made}) {{ secret }} }}"}
    cookie = browser.cookie

    async def sign_out():
        assert (await browser.submit("/sign-out", {})).status == 303

    said = {"content-type": "application/json", "accept": "application/json", **OURS, **cookie}
    answer = await client.request(
        "POST", "/graphql", json.dumps(body).encode(), headers=said, chunk=100, before_last=sign_out
    )
    assert answer.status == 401
    assert answer.json["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert (
        "late"
        not in (await client.post("/graphql", {"query": "{ tokens { nodes { name } } }"}, headers=bearer(FIRST))).text
    )


async def test_a_cookie_that_a_neighbour_planted_keeps_nobody_out(client, browser):
    await browser.sign_in(FIRST)
    own = f"issuegraph={browser.jar['issuegraph']}"
    planted = f"issuegraph={'0' * 43}"
    said = {"content-type": "application/json", "accept": "application/json", **OURS}
    body = json.dumps(VIEWER).encode()
    for cookie in (f"{planted}; {own}", f"issuegraph=; {planted}; other=1; {own}", f"{own}; {planted}"):
        answer = await client.request("POST", "/graphql", body, headers={**said, "cookie": cookie})
        assert answer.json["data"] == ADMIN["data"]
        page = await client.get("/sign-in", headers={**HTML, "cookie": cookie})
        assert "You are signed in" in page.text
    # Only so many are looked at.
    many = "; ".join([planted] * 4 + [own])
    assert (await client.request("POST", "/graphql", body, headers={**said, "cookie": many})).status == 401
    form = {"content-type": "application/x-www-form-urlencoded", **OURS, "cookie": f"{planted}; {own}"}
    assert (await client.request("POST", "/sign-out", b"", headers=form)).status == 303
    assert (await client.request("POST", "/graphql", body, headers={**said, "cookie": own})).status == 401


@pytest.mark.parametrize("space", ["\xa0", "\x85", "\x1f", "\x0b"])
def test_a_name_that_only_looks_like_ours_is_another(space):
    cookie = Cookie("issuegraph", is_https=True, seconds=60)
    scope = {"headers": [(b"cookie", f"{space}__Host-issuegraph=planted; \t__Host-issuegraph=own".encode("latin-1"))]}
    assert cookie.all_of(scope) == ["own"]
