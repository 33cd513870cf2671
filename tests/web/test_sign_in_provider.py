"""People of an identity provider, at every door: with its tokens, and signing in there and coming back."""

import asyncio
import time

import pytest
from pydantic import SecretStr

from tests.web.client import living
from tests.web.issuer import CLIENT_ID, CLIENT_SECRET, GRANTS, NAME, FakeIssuer
from tests.web.test_access import FIRST, bearer
from tests.web.test_sign_in import OURS, VIEWER, Browser, Wire, hidden
from web.app import create_app
from web.identity import fetch
from web.identity.fetch import post_form
from web.identity.oidc import LEEWAY_SECONDS
from web.settings import Settings
from web.sign_in import exchanges

ADA = {"viewer": {"actor": {"kind": "PERSON", "name": "ada"}}}
FAILURE = {"pipelineName": "build", "failureReason": "out of disk", "namespace": "team-a"}


def settings(url, **more):
    given = {"oidc_client_secret": SecretStr(CLIENT_SECRET), "oidc_grants": GRANTS, **more}
    return Settings(
        database_url=url, bootstrap_token=SecretStr(FIRST), oidc_issuer=NAME, oidc_client_id=CLIENT_ID, **given
    )


@pytest.fixture
def fake(monkeypatch):
    fake = FakeIssuer()
    monkeypatch.setattr(fetch, "new_client", fake.client)
    return fake


@pytest.fixture
async def client(database_url, fake):
    async with living(create_app(settings(database_url))) as client:
        yield client


@pytest.fixture
def browser(client):
    return Browser(client)


async def to_provider(browser, **query):
    answer = await browser.open("/sign-in/provider", **query)
    assert answer.status == 303
    return answer.headers["location"]


async def come_back(browser, given):
    """As a browser does that the provider sends to us."""
    said = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}
    answer = await browser.send("GET", "/sign-in/callback", query=given, **said)
    assert answer.status == 303 or answer.kind == "text/html"
    return answer


async def test_a_person_comes_in_with_a_token_of_the_provider(client, fake):
    token = fake.token()
    assert (await client.post("/graphql", VIEWER, headers=bearer(token))).json["data"] == ADA
    assert (await client.get("/api/v1/issues", headers={"x-api-key": token}, namespace="team-a")).status == 200
    report = "/api/v1/webhooks/pipeline-failure"
    assert (await client.post(report, FAILURE, headers=bearer(token))).status == 403
    platform = fake.token(groups=["platform"])
    assert (await client.post(report, FAILURE, headers=bearer(platform))).status == 201
    # What is in a URL is in somebody's log: our own tokens alone.
    assert (await client.post(report, FAILURE, token=platform)).status == 401
    for other in (fake.token(aud="x"), fake.token(groups=[]), fake.token(exp=1), token[:-8]):
        assert (await client.post("/graphql", VIEWER, headers=bearer(other))).status == 401


async def test_while_the_provider_is_away_its_tokens_are_answered_with_503_and_ours_work(client, fake):
    fake.down = True
    answer = await client.post("/graphql", VIEWER, headers=bearer(fake.token()))
    assert (answer.status, answer.json["errors"][0]["extensions"]["code"]) == (503, "UNAVAILABLE")
    assert (await client.post("/graphql", VIEWER, headers=bearer(FIRST))).status == 200
    async with Wire(client, {}) as wire:
        await wire.say({"type": "connection_init", "payload": {"token": fake.token()}})
        assert (await wire.hear())["code"] == 1013


async def test_a_socket_is_closed_when_the_token_has_expired(client, fake):
    token = fake.token(exp=int(time.time() - LEEWAY_SECONDS) + 2)
    async with Wire(client, {}) as wire, Wire(client, {}) as other:
        for each, given in ((wire, token), (other, fake.token())):
            await each.say({"type": "connection_init", "payload": {"authorization": f"Bearer {given}"}})
            assert await each.hear() == {"type": "connection_ack"}
        assert await wire.hear() == {"type": "websocket.close", "code": 4403, "reason": "Forbidden"}
        await other.say({"type": "ping"})
        assert await other.hear() == {"type": "pong"}


async def test_a_person_signs_in_at_the_provider_and_comes_back_where_they_were_going(client, fake, browser):
    page = await browser.open("/sign-in", next="/graphql?a=b")
    assert 'href="/sign-in/provider?next=%2Fgraphql%3Fa%3Db"' in page.text
    assert "Sign in with sso.example.com" in page.text
    location = await to_provider(browser, next="/graphql?a=b")
    assert location.startswith(f"{NAME}/authorize?response_type=code&client_id=issuegraph&redirect_uri=http%3A%2F%2F")
    assert "code_challenge_method=S256" in location
    answer = await come_back(browser, fake.approve(location))
    assert (answer.status, answer.headers["location"]) == (303, "/graphql?a=b")
    assert set(browser.jar) - {"issuegraph-form"} == {"issuegraph"}
    assert (await browser.ask(**OURS)).json["data"] == ADA
    assert "Signed in as <strong>ada</strong>" in (await browser.open("/graphql")).text
    query = {"query": "{ auditEvents(first: 9) { nodes { kind actor { kind id } namespace } } }"}
    events = (await client.post("/graphql", query, headers=bearer(FIRST))).json["data"]["auditEvents"]["nodes"]
    assert {"kind": "SIGNED_IN", "actor": {"kind": "PERSON", "id": "u-1"}, "namespace": "team-a"} in events


async def test_who_signed_in_does_so_again_once_the_rights_of_groups_are_set_otherwise(database_url, fake):
    async with living(create_app(settings(database_url))) as client:
        browser = Browser(client)
        await come_back(browser, fake.approve(await to_provider(browser)))
        assert (await browser.ask(**OURS)).json["data"] == ADA
    for more, status in (({}, 200), ({"oidc_grants": "platform=all:*;team-a=read:team-a"}, 401), ({}, 200)):
        async with living(create_app(settings(database_url, **more))) as client:
            browser.client = client
            assert (await browser.ask(**OURS)).status == status
    async with living(create_app(Settings(database_url=database_url))) as client:
        browser.client = client
        assert (await browser.ask(**OURS)).status == 401


async def test_nobody_comes_back_twice_or_with_what_another_browser_was_given(client, fake, browser):
    given = fake.approve(await to_provider(browser))
    stranger = Browser(client)
    assert (await come_back(stranger, given)).status == 403
    await to_provider(stranger)
    assert (await come_back(stranger, given)).status == 403
    kept = dict(browser.jar)
    assert (await come_back(browser, given)).status == 303
    assert (await come_back(browser, given)).status == 403
    # Not even with the cookie: the provider takes a code once.
    again = Browser(client)
    again.jar = kept
    assert (await come_back(again, given)).status == 403
    assert stranger.jar == again.jar == {}


async def test_the_provider_is_asked_once_for_each_way_back(sqlite_url, fake):
    async with living(create_app(settings(sqlite_url))) as client:
        browser = Browser(client)
        given = fake.approve(await to_provider(browser))
        kept = dict(browser.jar)
        for number in range(5):
            browser.jar = dict(kept)
            assert (await come_back(browser, {**given, "code": f"junk-{number}"})).status == 403
        assert fake.asked["token"] == 1


async def test_strangers_have_the_provider_asked_only_so_often(sqlite_url, fake):
    async with living(create_app(settings(sqlite_url, cost_burst=30_000, cost_per_second=1))) as client:
        browser, answers = Browser(client), []
        for _ in range(5):
            given = fake.approve(await to_provider(browser))
            answers.append(await come_back(browser, {**given, "code": "junk"}))
        assert [answer.status for answer in answers] == [403, 403, 403, 429, 429]
        assert "retry-after" in answers[-1].headers
        assert fake.asked["token"] == 3


async def test_few_are_asked_about_at_once_and_few_more_wait(sqlite_url, fake, monkeypatch):
    monkeypatch.setattr(exchanges, "AT_ONCE", 2)
    monkeypatch.setattr(exchanges, "WAITING", 1)
    running, go_on = [], asyncio.Event()

    async def slow(*given):
        running.append(given)
        await go_on.wait()
        return await post_form(*given)

    monkeypatch.setattr("web.sign_in.provider.post_form", slow)
    async with living(create_app(settings(sqlite_url))) as client:
        browsers = [Browser(client) for _ in range(4)]
        ways = [(browser, fake.approve(await to_provider(browser))) for browser in browsers]
        coming = [asyncio.create_task(come_back(*way)) for way in ways[:3]]
        async with asyncio.timeout(20):
            while len(running) < 2:
                await asyncio.sleep(0.01)
        assert (await come_back(*ways[3])).status == 503
        assert len(running) == 2
        go_on.set()
        assert [answer.status for answer in await asyncio.gather(*coming)] == [303, 303, 303]


async def test_who_signs_in_again_in_the_same_browser_leaves_no_session_behind(client, fake, browser):
    await come_back(browser, fake.approve(await to_provider(browser)))
    first = dict(browser.jar)
    await come_back(browser, fake.approve(await to_provider(browser)))
    second = dict(browser.jar)
    # The form was open before.
    other = Browser(client)
    page = await other.open("/sign-in")
    browser.jar |= other.jar
    assert (await browser.submit("/sign-in", {**hidden(page), "token": FIRST})).status == 303
    for jar, status in ((first, 401), (second, 401), (dict(browser.jar), 200)):
        browser.jar = jar
        assert (await browser.ask(**OURS)).status == status


@pytest.mark.parametrize(
    ("claims", "given"),
    [
        ({"nonce": "other"}, {}),
        ({"nonce": None}, {}),
        ({"aud": "another"}, {}),
        ({"aud": [CLIENT_ID, "another"]}, {}),
        ({"aud": [CLIENT_ID, "another"], "azp": "another"}, {}),
        ({"azp": "another"}, {}),
        ({"iss": "https://evil.example.com"}, {}),
        ({"exp": 1}, {}),
        ({"groups": ["nobody"]}, {}),
        ({"sub": None}, {}),
        ({}, {"iss": "https://evil.example.com"}),
        ({}, {"state": "other"}),
        ({}, {"state": ""}),
        ({}, {"state": "é"}),
        ({}, {"code": "unknown"}),
        ({}, {"code": ""}),
        ({}, {"code": "x" * 5_000}),
        ({}, {"code": "", "error": "access_denied<script>"}),
    ],
)
async def test_what_does_not_fit_signs_nobody_in(sqlite_url, fake, claims, given):
    async with living(create_app(settings(sqlite_url))) as client:
        browser = Browser(client)
        back = fake.approve(await to_provider(browser), **claims) | given
        answer = await come_back(browser, back)
        assert (answer.status, answer.kind) == (403, "text/html")
        assert browser.jar == {}
        assert "<script" not in answer.text
        # And the next time it works.
        back = fake.approve(await to_provider(browser), aud=[CLIENT_ID, "another"], azp=CLIENT_ID)
        assert (await come_back(browser, back)).status == 303


@pytest.mark.parametrize("cookie", ["x", "W10=", "bnVsbA==", "WzEsMiwzLDRd", "é", "e30=", "WyIiLCIiLCIiLCIiXQ=="])
async def test_a_cookie_that_is_no_way_back_leads_nowhere(sqlite_url, fake, cookie):
    async with living(create_app(settings(sqlite_url))) as client:
        browser = Browser(client)
        browser.jar["issuegraph-flow"] = cookie
        assert (await come_back(browser, {"state": "", "code": "x"})).status == 403


async def test_a_provider_that_tells_of_groups_only_when_it_is_asked(sqlite_url, fake):
    async with living(create_app(settings(sqlite_url))) as client:
        for told, status in (
            ({"sub": "u-1", "groups": ["team-a"]}, 303),
            ({"sub": "u-2", "groups": ["platform"]}, 403),
            ({"sub": "u-1"}, 403),
        ):
            fake.userinfo = told
            browser = Browser(client)
            back = fake.approve(await to_provider(browser), groups=None)
            assert (await come_back(browser, back)).status == status
        # What the signed token says counts before it.
        fake.userinfo = {"sub": "u-1", "groups": ["platform"]}
        browser = Browser(client)
        assert (await come_back(browser, fake.approve(await to_provider(browser)))).status == 303
        query = {"query": "{ viewer { grants { permission namespace } } }"}
        grants = (await browser.ask(query, **OURS)).json["data"]["viewer"]["grants"]
        assert {grant["namespace"] for grant in grants} == {"team-a"}


async def test_a_provider_that_wants_the_secret_in_the_form_gets_it_there(sqlite_url, fake):
    fake.metadata["token_endpoint_auth_methods_supported"] = ["client_secret_post"]
    async with living(create_app(settings(sqlite_url))) as client:
        browser = Browser(client)
        assert (await come_back(browser, fake.approve(await to_provider(browser)))).status == 303


async def test_while_the_provider_is_away_nobody_signs_in_there(sqlite_url, fake):
    async with living(create_app(settings(sqlite_url))) as client:
        browser = Browser(client)
        back = fake.approve(await to_provider(browser))
        fake.down = True
        assert (await come_back(browser, back)).status == 503
        assert browser.jar == {}
        assert (await browser.sign_in(FIRST)).status == 303


async def test_without_a_provider_there_is_no_way_to_one(sqlite_url):
    async with living(create_app(Settings(database_url=sqlite_url, bootstrap_token=SecretStr(FIRST)))) as client:
        browser = Browser(client)
        assert "provider" not in (await browser.open("/sign-in")).text
        assert (await browser.open("/sign-in/provider")).status == 404
        assert (await browser.open("/sign-in/callback")).status == 404
        assert (await client.post("/graphql", VIEWER, headers=bearer(FakeIssuer().token()))).status == 401


async def test_secrets_of_the_way_are_in_no_log(sqlite_url, fake, caplog):
    caplog.set_level("DEBUG")
    async with living(create_app(settings(sqlite_url))) as client:
        browser = Browser(client)
        back = fake.approve(await to_provider(browser))
        await come_back(browser, back)
        await come_back(browser, {**back, "state": "other"})
        await client.post("/graphql", VIEWER, headers=bearer(fake.token()))
    for secret in (back["code"], back["state"], browser.jar["issuegraph"], CLIENT_SECRET, fake.token()[:60]):
        assert secret not in caplog.text
