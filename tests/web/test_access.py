"""The doors of the whole application: what nobody gets without a token, and what each permission opens."""

import asyncio
import base64
import json
import os
import stat
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.web.client import living
from web import credentials
from web.app import create_app
from web.asgi import network_of
from web.operations import Operations
from web.settings import Settings

FIRST = "a-first-token-that-is-hard-to-guess-0123456789"
FAILURE = {"pipelineName": "build", "failureReason": "out of disk"}
ALL = [{"permission": permission, "namespace": "*"} for permission in ("READ", "REPORT", "RESPOND", "MANAGE", "ADMIN")]
ISSUE = {
    "namespace": "team-a",
    "title": "mine",
    "description": "d",
    "severity": "MAJOR",
    "issueType": "TEST",
    "scope": {"resourceType": "component", "resourceName": "api"},
}
CREATE = """mutation ($input: CreateTokenInput!) {
  createToken(input: $input) { secret token { id name webhook } position userErrors { code field } } }"""


@pytest.fixture
async def client(database_url):
    async with living(create_app(Settings(database_url=database_url, bootstrap_token=SecretStr(FIRST)))) as client:
        yield client


def bearer(secret):
    return {"authorization": f"Bearer {secret}"}


async def ask(client, secret, query, **variables):
    answer = await client.post("/graphql", {"query": query, "variables": variables}, headers=bearer(secret))
    return answer.json


async def make(client, *grants, **more):
    """The secret of a new token: its grants as `READ team-a`."""
    split = [grant.split() for grant in grants]
    given = {"name": "t", "grants": [{"permission": p, "namespace": n} for p, n in split], **more}
    answer = await ask(client, FIRST, CREATE, input=given)
    assert answer["data"]["createToken"]["userErrors"] == [], answer
    return answer["data"]["createToken"]["secret"]


async def tokens(client):
    """All tokens."""
    query = "{ tokens { nodes { id name revokedAt } } }"
    return (await ask(client, FIRST, query))["data"]["tokens"]["nodes"]


async def report(client, secret, namespace="team-a", **more):
    return await client.post(
        "/api/v1/webhooks/pipeline-failure", {**FAILURE, "namespace": namespace}, headers=bearer(secret), **more
    )


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/graphql"),
        ("POST", "/graphql"),
        ("GET", "/api/v1/issues"),
        ("POST", "/api/v1/issues"),
        ("GET", "/api/v1/issues/01890000-0000-7000-8000-000000000000"),
        ("DELETE", "/api/v1/issues/01890000-0000-7000-8000-000000000000"),
        ("POST", "/api/v1/webhooks/pipeline-failure"),
        ("GET", "/api/v1/version"),
        ("GET", "/metrics"),
        ("GET", "/issues/01890000-0000-7000-8000-000000000000"),
        ("GET", "/nowhere"),
        ("PATCH", "/api/v1/issues"),
    ],
)
@pytest.mark.parametrize("headers", [{}, bearer("igt_nonsense"), {"x-api-key": "x"}, {"authorization": "Basic !"}])
async def test_without_a_good_token_every_path_is_401(client, method, path, headers):
    answer = await client.request(method, path, b"{}", headers={"content-type": "application/json", **headers})
    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    if path == "/graphql":
        assert answer.json["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    else:
        assert list(answer.json) == ["error"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/api/v1/health", "/api/v1/health/"])
async def test_health_is_for_everybody(client, path):
    assert (await client.get(path)).status == 200


async def test_static_files_are_for_everybody(client):
    assert (await client.get("/static/nothing.js")).status == 404


@pytest.mark.parametrize(
    "headers",
    [
        bearer(FIRST),
        {"authorization": f"bearer  {FIRST} "},
        {"x-api-key": FIRST},
        {"authorization": "Basic " + base64.b64encode(f"anybody:{FIRST}".encode()).decode()},
        {"authorization": "Basic " + base64.b64encode(f":{FIRST}".encode()).decode()},
    ],
)
async def test_a_token_may_come_in_each_of_the_usual_headers(client, headers):
    assert (await client.get("/api/v1/issues", headers=headers)).status == 200


async def test_a_token_in_the_url_is_for_webhooks_only(client):
    for name in ("token", "api_key"):
        assert (await client.get("/api/v1/issues", **{name: FIRST})).status == 401
        assert (await client.post("/graphql", {"query": "{ viewer { actor { id } } }"}, **{name: FIRST})).status == 401
        answer = await client.post(
            "/api/v1/webhooks/pipeline-failure", FAILURE, **{name: FIRST, "namespace": f"team-{name}"}
        )
        assert answer.status == 201
    # A header counts before the URL.
    answer = await client.post("/api/v1/webhooks/pipeline-failure", FAILURE, headers=bearer("x"), token=FIRST)
    assert answer.status == 401


@pytest.mark.parametrize(
    ("query", "token", "left"),
    [
        (b"token=a%2Bb+c&namespace=team-a", "a+b c", b"namespace=team-a"),
        (b"a=%41&&b&api_key=x&c=%zz&=&token=y", "x", b"a=%41&&b&c=%zz&="),
        (b"token", "", b""),
        (b"tokens=a&x=token&%74oken=b", None, b"tokens=a&x=token&%74oken=b"),
        (b"a=1&&b=%41", None, b"a=1&&b=%41"),
    ],
)
def test_a_token_is_taken_out_of_the_query_and_the_rest_stays_as_it_came(query, token, left):
    scope = {"query_string": query}
    assert (credentials.of_url(scope), scope["query_string"]) == (token, left)


@pytest.mark.parametrize(
    "path", ["/api/v1/webhooks/github", "/api/v1/issues", "/graphql", "/sign-in", "/healthz", "/nowhere"]
)
async def test_a_query_of_more_parameters_than_anybody_needs_is_not_read(client, path):
    few, many = ({f"a{number}": "" for number in range(count)} for count in (200, 201))
    assert (await client.post(path, {}, **few)).status in (401, 405, 415)
    answer = await client.post(path, {}, **many)
    assert answer.status == 400
    assert "The URL's query may have 200 parameters at most" in answer.text
    if path == "/graphql":
        assert answer.json["errors"][0]["extensions"] == {"code": "BAD_REQUEST"}


async def test_a_token_for_one_webhook_reports_there_and_nothing_else(client):
    secret = await make(client, "REPORT team-a", webhook="pipeline")
    assert (await report(client, secret)).status == 201
    assert (await report(client, secret, "team-b")).status == 403
    answer = await client.post("/api/v1/webhooks/pipeline-success", {**FAILURE, "namespace": "team-a"}, token=secret)
    assert answer.status == 200
    body = {"componentName": "c", "errorMessage": "x", "namespace": "team-a"}
    assert (await client.post("/api/v1/webhooks/build-failure", body, token=secret)).status == 403
    for path in ("/api/v1/issues", "/api/v1/version", "/graphql", "/nowhere"):
        assert (await client.get(path, headers=bearer(secret))).status == 403


@pytest.mark.parametrize(
    ("grant", "statuses"),
    [
        # list, report, resolve, delete, metrics
        ("READ team-a", (200, 403, 403, 403, 403)),
        ("REPORT team-a", (403, 201, 404, 404, 403)),
        ("RESPOND team-a", (403, 403, 200, 404, 403)),
        ("MANAGE team-a", (403, 403, 404, 204, 403)),
        ("ADMIN team-a", (403, 403, 404, 404, 403)),
        ("READ *", (200, 403, 403, 403, 200)),
        ("READ team-b", (403, 403, 404, 404, 403)),
    ],
)
async def test_each_permission_opens_what_it_says(client, grant, statuses):
    id = (await report(client, FIRST)).json["issue"]["id"]
    secret = await make(client, grant)
    found = (
        (await client.get("/api/v1/issues", headers=bearer(secret), namespace="team-a")).status,
        (await report(client, secret)).status,
        (await client.post(f"/api/v1/issues/{id}/resolve", headers=bearer(secret))).status,
        (await client.request("DELETE", f"/api/v1/issues/{id}", headers=bearer(secret))).status,
        (await client.get("/metrics", headers=bearer(secret))).status,
    )
    assert found == statuses


async def test_graphql_shows_each_caller_its_namespaces_and_no_more(client):
    for namespace in ("team-a", "team-b", "other"):
        assert (await report(client, FIRST, namespace)).status == 201
    query = "{ issues { totalCount nodes { namespace } } viewer { grants { permission namespace } } }"
    secret = await make(client, "READ team-*", "REPORT other")
    data = (await ask(client, secret, query))["data"]
    assert (data["issues"]["totalCount"], {node["namespace"] for node in data["issues"]["nodes"]}) == (
        2,
        {"team-a", "team-b"},
    )
    assert len(data["viewer"]["grants"]) == 2
    reporter = await make(client, "REPORT other")
    assert (await ask(client, reporter, query))["data"]["issues"]["totalCount"] == 0
    assert (await ask(client, reporter, "{ __schema { types { name } } }"))["errors"][0]["extensions"]["code"] == (
        "FORBIDDEN"
    )


AROUND = """id title labels { value } occurrences { totalCount } previous { id }
  related { totalCount } relatedFrom { totalCount } relatedTo { totalCount } timeline { totalCount }
  graph { nodes { issue { id } } } scope { resourceName issues { totalCount } stats { total } }"""


async def test_who_only_reports_is_shown_the_issue_but_nothing_around_it(client):
    other = (await report(client, FIRST, "team-b")).json["issue"]["id"]
    id = (await report(client, FIRST)).json["issue"]["id"]
    relate = "mutation ($a: ID!, $b: ID!) { relateIssues(input: {sourceId: $a, targetId: $b}) { relation { id } } }"
    await ask(client, FIRST, relate, a=id, b=other)
    create = f"mutation ($input: CreateIssueInput!) {{ createIssue(input: $input) {{ issue {{ {AROUND} }} }} }}"
    nothing = {
        "labels": [],
        "occurrences": {"totalCount": 1},
        "previous": None,
        **{name: {"totalCount": 0} for name in ("related", "relatedFrom", "relatedTo", "timeline")},
        "graph": {"nodes": []},
    }
    unseen = {"issues": {"totalCount": 0}, "stats": {"total": 0}}
    reporter = await make(client, "REPORT team-a")
    made = (await ask(client, reporter, create, input=ISSUE))["data"]["createIssue"]["issue"]
    scope = {"resourceName": "api", **unseen}
    assert made == {"id": made["id"], "title": "mine", **nothing, "scope": scope}
    success = """mutation { resolveScope(input: {namespace: "team-a",
      scope: {resourceType: "component", resourceName: "api"}}) { issues { id state } } }"""
    resolved = (await ask(client, reporter, success))["data"]["resolveScope"]["issues"]
    assert resolved == [{"id": made["id"], "state": "RESOLVED"}]
    # What it has not acted on stays hidden, and so does what it has, to a query.
    assert (await ask(client, reporter, "query ($id: ID!) { issue(id: $id) { id } }", id=made["id"]))["data"] == {
        "issue": None
    }
    responder = await make(client, "RESPOND team-a")
    resolve = f"mutation ($id: ID!) {{ resolveIssue(input: {{id: $id}}) {{ issue {{ {AROUND} }} }} }}"
    shown = (await ask(client, responder, resolve, id=id))["data"]["resolveIssue"]["issue"]
    title = "Pipeline run failed: build"
    assert shown == {"id": id, "title": title, **nothing, "scope": {"resourceName": "build", **unseen}}
    # A relation to what may not be seen is not counted, and one that is drawn is shown to who may act on both ends.
    reader = await make(client, "READ team-a", "RESPOND team-a")
    seen = (await ask(client, reader, resolve, id=id))["data"]["resolveIssue"]["issue"]
    assert (seen["related"], seen["scope"]["issues"]) == ({"totalCount": 0}, {"totalCount": 1})
    both = await make(client, "RESPOND team-*")
    drawn = "mutation ($a: ID!, $b: ID!) { relateIssues(input: {sourceId: $a, targetId: $b}) { relation { "
    drawn += "source { id related { totalCount } } target { id } } } }"
    assert (await ask(client, both, drawn, a=id, b=other))["data"]["relateIssues"]["relation"] == {
        "source": {"id": id, "related": {"totalCount": 0}},
        "target": {"id": other},
    }


async def test_the_schema_and_graphiql_are_for_readers(client):
    reader, reporter = await make(client, "READ team-a"), await make(client, "REPORT *")
    for path in ("/graphql", "/schema.graphql"):
        for secret, status in ((FIRST, 200), (reader, 200), (reporter, 403)):
            answer = await client.get(path, headers={"accept": "text/html", **bearer(secret)})
            assert answer.status == status, path
    assert (await ask(client, reporter, "{ __typename }"))["data"] == {"__typename": "Query"}


async def test_tokens_over_graphql_are_for_administrators(client):
    secret = await make(client, "READ *", "MANAGE *")
    for query in ("{ tokens { totalCount } }", "{ auditEvents { totalCount } }"):
        assert (await ask(client, secret, query))["errors"][0]["extensions"]["code"] == "FORBIDDEN"
        assert (await ask(client, FIRST, query))["data"] is not None
    answer = await ask(client, secret, CREATE, input={"name": "x", "grants": ALL})
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_a_token_is_made_rotated_and_revoked_over_graphql(client):
    given = {
        "name": "ci",
        "grants": [{"permission": "READ", "namespace": "team-a"}],
        "expiresAt": "2099-01-01T00:00:00Z",
    }
    made = (await ask(client, FIRST, CREATE, input=given))["data"]["createToken"]
    assert made["position"]
    rotate = "mutation ($id: ID!) { rotateToken(input: {id: $id, overlapSeconds: 0}) { secret token { id } } }"
    rotated = (await ask(client, FIRST, rotate, id=made["token"]["id"]))["data"]["rotateToken"]
    assert rotated["token"]["id"] == made["token"]["id"]
    assert (await client.get("/api/v1/issues", headers=bearer(made["secret"]))).status == 401
    assert (await client.get("/api/v1/issues", headers=bearer(rotated["secret"]))).status == 200
    query = "{ tokens { nodes { name expiresAt lastUsedAt createdBy { kind name } grants { permission namespace } } } }"
    (row,) = [node for node in (await ask(client, FIRST, query))["data"]["tokens"]["nodes"] if node["name"] == "ci"]
    assert row["createdBy"] == {"kind": "TOKEN", "name": "bootstrap"}
    assert row["expiresAt"] == "2099-01-01T00:00:00.000000Z"
    revoke = "mutation ($id: ID!) { revokeToken(input: {id: $id}) { token { revokedAt } userErrors { code } } }"
    assert (await ask(client, FIRST, revoke, id=made["token"]["id"]))["data"]["revokeToken"]["token"]["revokedAt"]
    assert (await client.get("/api/v1/issues", headers=bearer(rotated["secret"]))).status == 401
    errors = (await ask(client, FIRST, revoke, id="nonsense"))["data"]["revokeToken"]["userErrors"]
    assert errors == [{"code": "NOT_FOUND"}]
    errors = (await ask(client, FIRST, CREATE, input={"name": "", "grants": []}))["data"]["createToken"]["userErrors"]
    assert {tuple(error["field"]) for error in errors} == {("name",), ("grants",)}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        (
            "POST",
            "/graphql",
            {"query": "mutation ($input: CreateIssueInput!) { createIssue(input: $input) { position } }"},
        ),
        ("POST", "/api/v1/webhooks/pipeline-failure", {**FAILURE, "namespace": "team-a"}),
        ("PUT", "/api/v1/issues/{id}", {"title": "changed"}),
        ("POST", "/api/v1/issues/{id}/resolve", {}),
    ],
)
async def test_nothing_is_done_for_who_holds_back_the_body_until_the_token_is_revoked(client, method, path, body):
    issue = (await report(client, FIRST)).json["issue"]
    before = (await client.get("/api/v1/issues", headers=bearer(FIRST))).json
    secret = await make(client, "REPORT *", "RESPOND *", "READ *")
    (token,) = [row for row in await tokens(client) if row["name"] == "t"]
    body = {**body, "variables": {"input": ISSUE}} if path == "/graphql" else body
    said = {"content-type": "application/json", **bearer(secret)}

    async def revoke():
        query = "mutation ($id: ID!) { revokeToken(input: {id: $id}) { token { revokedAt } } }"
        assert (await ask(client, FIRST, query, id=token["id"]))["data"]["revokeToken"]["token"]["revokedAt"]

    path = path.format(id=issue["id"])
    sent = {"headers": said, "chunk": max(1, len(json.dumps(body)) - 1)}
    answer = await client.request(method, path, json.dumps(body).encode(), before_last=revoke, **sent)
    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert (await client.get("/api/v1/issues", headers=bearer(FIRST))).json == before


async def test_nothing_is_done_for_who_waits_for_a_turn_until_the_token_is_revoked(client, monkeypatch):
    secret = await make(client, "REPORT team-a")
    (token,) = [token for token in await tokens(client) if token["name"] == "t"]
    admit, is_waiting, may_go_on = Operations.admit, asyncio.Event(), asyncio.Event()

    async def slowly(operations, request, caller):
        operation = await admit(operations, request, caller)
        if caller.actor.id == token["id"]:
            is_waiting.set()
            await may_go_on.wait()
        return operation

    monkeypatch.setattr(Operations, "admit", slowly)
    query = "mutation ($input: CreateIssueInput!) { createIssue(input: $input) { action } }"
    body = {"query": query, "variables": {"input": ISSUE}}
    waiting = asyncio.create_task(client.post("/graphql", body, headers=bearer(secret)))
    await is_waiting.wait()
    revoke = "mutation ($id: ID!) { revokeToken(input: {id: $id}) { token { revokedAt } } }"
    assert (await ask(client, FIRST, revoke, id=token["id"]))["data"]["revokeToken"]["token"]["revokedAt"]
    may_go_on.set()
    assert (await waiting).status == 401
    assert (await ask(client, FIRST, "{ issues { totalCount } }"))["data"]["issues"]["totalCount"] == 0


async def test_a_body_in_pieces_is_taken_from_who_may_send_it(client):
    secret = await make(client, "REPORT team-a")
    body = json.dumps({**FAILURE, "namespace": "team-a"}).encode()
    said = {"content-type": "application/json", **bearer(secret)}
    path = "/api/v1/webhooks/pipeline-failure"
    assert (await client.request("POST", path, body, headers=said, chunk=7)).status == 201


async def test_a_token_is_tied_to_a_webhook_that_is_there_or_not_at_all(client):
    grants = [{"permission": "REPORT", "namespace": "team-a"}]
    query = CREATE.replace("code field", "code field message")
    answer = await ask(client, FIRST, query, input={"name": "x", "grants": grants, "webhook": "none"})
    made = answer["data"]["createToken"]
    assert (made["secret"], made["token"]) == (None, None)
    (error,) = made["userErrors"]
    assert (error["code"], error["field"]) == ("INVALID", ["webhook"])
    assert error["message"].startswith("there is no webhook definition 'none'; there are ")
    assert "pipeline" in error["message"]
    assert [row["name"] for row in await tokens(client)] == ["bootstrap"]


async def test_nobody_learns_the_names_of_others_webhooks_by_tying_tokens(client):
    text = """mutation ($input: CreateWebhookInput!) { createWebhook(input: $input) { webhook { name } } }"""
    definition = "title: X\nrules:\n  - ignore: x\n"
    made = await ask(client, FIRST, text, input={"name": "theirs", "namespaces": ["team-b"], "definition": definition})
    assert made["data"]["createWebhook"]["webhook"] == {"name": "theirs"}
    query = CREATE.replace("code field", "code field message")
    for permission, namespace in (("ADMIN", "team-a"), ("REPORT", "team-a")):
        secret = await make(client, f"{permission} {namespace}")
        grants = [{"permission": "REPORT", "namespace": namespace}]
        answer = await ask(client, secret, query, input={"name": "x", "grants": grants, "webhook": "none"})
        assert "theirs" not in json.dumps(answer)
        made = (answer["data"] or {}).get("createToken") or {}
        assert made.get("token") is None
    tied = await ask(client, FIRST, query, input={"name": "x", "grants": grants, "webhook": "theirs"})
    assert tied["data"]["createToken"]["token"]["webhook"] == "theirs"


async def test_who_did_it_is_the_token(client):
    secret = await make(client, "REPORT team-a")
    await report(client, secret)
    query = "{ issueEvents { nodes { kind actor { kind name } } } }"
    (event,) = (await ask(client, FIRST, query))["data"]["issueEvents"]["nodes"]
    assert event == {"kind": "CREATED", "actor": {"kind": "TOKEN", "name": "t"}}


async def test_the_first_token_is_in_a_file_for_the_server_alone(empty_database_url, tmp_path, monkeypatch):
    from models.migrations import migrate

    monkeypatch.chdir(tmp_path)
    await asyncio.to_thread(migrate, empty_database_url)
    settings = Settings(database_url=empty_database_url)
    place = Path(settings.sqlite_path).parent if settings.sqlite_path else tmp_path / "data"
    place.mkdir(exist_ok=True)
    # Of a start with the same number that was killed.
    left = place / f".admin-token.{os.getpid()}"
    left.touch()
    async with living(create_app(settings)) as client:
        file = place / "admin-token"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        secret = file.read_text().strip()
        assert (await client.get("/api/v1/issues", headers=bearer(secret))).status == 200
    file.unlink()
    async with living(create_app(settings)) as client:
        assert (await client.get("/api/v1/issues", headers=bearer(secret))).status == 200
    assert [*place.glob("*admin-token*")] == [left]


def test_settings_do_not_show_the_first_token(monkeypatch):
    from web.settings import SettingsError, load

    monkeypatch.setenv("ISSUEGRAPH_BOOTSTRAP_TOKEN", "too-short")
    with pytest.raises(SettingsError) as error:
        load()
    assert "ISSUEGRAPH_BOOTSTRAP_TOKEN" in str(error.value)
    assert "too-short" not in str(error.value)
    assert FIRST not in repr(Settings(bootstrap_token=SecretStr(FIRST)))


@pytest.mark.parametrize(
    ("client", "network"),
    [
        (("192.0.2.7", 5), "192.0.2.7"),
        (("2001:db8:1:2:3:4:5:6", 5), "2001:db8:1:2::/64"),
        (("2001:db8:1:2::", 5), "2001:db8:1:2::/64"),
        (("::ffff:192.0.2.7", 5), "192.0.2.7"),
        (("fe80::1%eth0", 5), "fe80::/64"),
        (("testclient", 5), "testclient"),
        (None, ""),
    ],
)
def test_one_machine_is_one_address_however_many_it_has(client, network):
    assert network_of({"client": client}) == network


async def test_a_payload_that_is_no_object_of_texts_lets_nobody_in():
    from web.credentials import of_payload

    for payload in ({}, {"token": 5}, {"headers": []}, {"headers": {"authorization": None}}, {"authorization": {}}):
        assert of_payload(json.loads(json.dumps(payload))) is None
    assert of_payload({"headers": {"X-API-Key": "k"}}) == "k"
    assert of_payload({"Authorization": "Bearer k"}) == "k"
    assert of_payload({"authorization": "nonsense"}) == ""


async def test_who_shows_a_webhooks_own_secret_is_let_through_to_it_and_nowhere_else(database_url):
    from types import SimpleNamespace

    from web.doors import NotAdmitted, TokenDoor
    from web.house import open_house
    from web.origin import OwnPages
    from web.sign_in.index import session_cookie

    settings = Settings(database_url=database_url)
    signed, bare, off = (
        SimpleNamespace(enabled=enabled, has_secrets=secrets)
        for enabled, secrets in ((True, True), (True, False), (False, True))
    )
    own = SimpleNamespace(find={"signed": signed, "bare": bare, "off": off}.get)

    def scope(name, query=b"", **headers):
        return {
            "type": "http",
            "method": "POST",
            "path": f"/api/v1/webhooks/{name}",
            "query_string": query,
            "headers": [(key.replace("_", "-").encode(), value.encode()) for key, value in headers.items()],
            "client": ("10.0.0.9", 5),
        }

    async with open_house(settings) as house:
        pages = OwnPages(settings.own_url)
        door = TokenDoor(house.keyring, {}, house.sessions, session_cookie(settings), pages, own=own)
        for shown in ({}, {"authorization": "Bearer theirs"}, {"x_api_key": "theirs"}):
            for name in ("signed", "signed/"):
                caller = await door.let_in(scope(name, **shown))
                assert (caller.grants, caller.line) == ((), "PERSON:sender at 10.0.0.9")
        in_url = scope("signed", b"token=theirs&a=1")
        assert (await door.let_in(in_url)).grants == ()
        assert (in_url["query_string"], in_url["issuegraph.query"]) == (b"a=1", b"token=theirs&a=1")
        # Whether there is one, and what it asks for, is not told here.
        for name in ("bare", "off", "none"):
            asked = scope(name)
            assert (await door.let_in(asked)).grants == ()
            assert "A token is needed" in asked["issuegraph.refusal"]().message
        with pytest.raises(NotAdmitted):
            await door.let_in(scope("none/signed"))


async def audited_settings(database_url, **settings):
    """What the audit tells of settings, the newest first, after a server with these began."""
    given = Settings(database_url=database_url, bootstrap_token=SecretStr(FIRST), **settings)
    async with living(create_app(given)) as client:
        answer = await ask(client, FIRST, "{ auditEvents { nodes { kind actor { kind } details } } }")
    nodes = answer["data"]["auditEvents"]["nodes"]
    assert FIRST not in json.dumps(nodes)
    found = [node for node in nodes if node["kind"] == "SETTINGS_CHANGED"]
    assert {node["actor"]["kind"] for node in found} == {"SYSTEM"}
    return [node["details"] for node in found]


async def test_the_audit_tells_when_a_server_has_other_settings(database_url):
    (first,) = await audited_settings(database_url)
    assert first["changed"] == ["ISSUEGRAPH_BOOTSTRAP_TOKEN", "ISSUEGRAPH_DATABASE_URL"]
    assert first["settings"]["ISSUEGRAPH_BOOTSTRAP_TOKEN"].startswith("set (")
    assert await audited_settings(database_url) == [first]
    key = base64.b64encode(bytes(range(32))).decode()
    second, *rest = await audited_settings(database_url, max_page=50, hosts=("a.example", "b.example"), secret_key=key)
    assert rest == [first]
    assert second["changed"] == ["ISSUEGRAPH_HOSTS", "ISSUEGRAPH_MAX_PAGE", "ISSUEGRAPH_SECRET_KEY"]
    assert second["settings"]["ISSUEGRAPH_MAX_PAGE"] == "50"
    assert second["settings"]["ISSUEGRAPH_HOSTS"] == "a.example,b.example"
    assert key not in json.dumps(second)
    third, *rest = await audited_settings(database_url, max_page=50, hosts=("a.example", "b.example"))
    assert (third["changed"], len(rest)) == (["ISSUEGRAPH_SECRET_KEY"], 2)
    assert "ISSUEGRAPH_SECRET_KEY" not in third["settings"]


async def test_the_audit_has_no_password_of_an_address(database_url):
    told, *_ = await audited_settings(
        database_url, limits_url="memory://", oidc_scopes="openid https://a:secret-word@b/"
    )
    assert "secret-word" not in json.dumps(told)
