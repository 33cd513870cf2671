"""A webhook of one definition over HTTP: who may deliver, what is answered, what is kept."""

import asyncio
import base64
import hashlib
import hmac
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from types import SimpleNamespace
from urllib.parse import quote, quote_plus

import pytest

from resolvers.access import PageArguments
from resolvers.access.secret import new_secret
from resolvers.caller import Actor, ActorKind, Caller
from resolvers.errors import Overloaded, Unavailable
from resolvers.webhooks.history import DeliveryWhere
from tests.resolvers.mutation.house import ADA, caller
from tests.web.client import Client
from web.house import open_house
from web.settings import Settings
from webhooks.catalog import Catalog
from webhooks.definition import parse_single
from webhooks.deliver import WHOLE_QUERY, Webhooks
from webhooks.refusals import KEPT_A_MINUTE, MAX_VALUE_LENGTH
from webhooks.verification import Verifier

NOBODY = Caller(Actor(ActorKind.PERSON, "x", "x"), ())
SECRET = "a-secret-of-the-sender"
TOOL = """\
title: A tool
verify:
  - {type: hmac, header: x-signature, prefix: "sha256="}
  - {type: token, query: token}
deliveryId: ${get(headers, "x-delivery")}
event: ${headers["x-event"]}
each: ${body.runs}
mask: [body.secret]
rules:
  - name: broken
    when: item.ok == false
    report:
      title: Run ${item.name} failed
      description: ${default(get(item, "why"), "")}
      severity: ${default(get(item, "level"), "minor")}
      issueType: test
      scope: {resourceType: suite, resourceName: "${item.name}"}
      fingerprint: {event: "${event}"}
  - name: works
    when: item.ok == true
    resolve:
      scope: {resourceType: suite, resourceName: "${item.name}"}
  - name: looked at
    when: item.ok == "seen"
    acknowledge:
      scope: {resourceType: suite, resourceName: "${item.name}"}
  - when: has(item.skip)
    ignore: skipped ${item.skip}
"""


PARTS = 'fingerprint: {event: "${event}"}'
OWNER = replace(caller(team=["REPORT"]), tool="tool")


@dataclass
class Own:
    """A webhook that a user made."""

    name: str = "tool"
    definition: str = TOOL
    version: int = 1
    enabled: bool = True
    keep_bodies: bool = True
    has_secrets: bool = False
    secrets: tuple = (SECRET,)
    id: str = "01"
    sender: Caller = OWNER


class Recorder:
    """The deliveries of a house, and what was given to them."""

    def __init__(self, deliveries):
        self._deliveries = deliveries
        self.received = []

    async def carry_out(self, received, plans, caller):
        self.received.append((received, caller))
        if isinstance(self._deliveries, Exception):
            raise self._deliveries
        return await self._deliveries.carry_out(received, plans, caller)


@asynccontextmanager
async def serving(url, own=None, shipped=(), broken=None):
    async with open_house(Settings(database_url=url)) as house:

        async def fetch(address):
            raise ConnectionError(address)

        own = own or Own()
        stored = SimpleNamespace(find=lambda name: own if name == own.name else None)
        deliveries = Recorder(broken or house.webhooks.deliveries)
        clock = SimpleNamespace(seconds=1_800_000_000.0)
        webhooks = Webhooks(
            Catalog(shipped, stored),
            deliveries,
            Verifier(fetch),
            public_url="http://here",
            clock=lambda: clock.seconds,
        )
        found = SimpleNamespace(
            clock=clock,
            house=house,
            own=own,
            deliveries=deliveries,
            caller=caller(team=["REPORT"]),
            path="tool",
            outcomes=None,
        )
        found.outcomes = webhooks._outcomes

        async def app(scope, receive, send):
            scope["caller"] = found.caller
            scope["path_params"] = {"name": scope["path"].rsplit("/", 1)[1]}
            scope[WHOLE_QUERY] = scope["query_string"]
            await webhooks(scope, receive, send)

        client = Client(app)

        async def post(value=None, *, body=None, headers=None, **query):
            body = json.dumps(value).encode() if body is None else body
            given = {"content-type": "application/json", "x-event": "run", **(headers or {})}
            return await client.request("POST", f"/{found.path}", body, headers=given, query=query)

        found.post, found.client = post, client
        yield found


def run(name="unit", ok=False, **more):
    return {"name": name, "ok": ok, **more}


def signed(body):
    return {"x-signature": "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()}


async def test_each_item_is_answered_on_its_own(database_url):
    async with serving(database_url) as server:
        first = await server.post({"runs": [run(), run("e2e", why="it broke", level="high")]})
        assert first.status == 201
        assert first.json["outcome"] == "handled"
        one, other = first.json["items"]
        assert (one["index"], one["rule"], one["action"], one["namespace"]) == (0, "broken", "created", "team")
        assert one["issue"]["url"] == f"http://here/issues/{one['issue']['id']}"
        assert one["fingerprint"] == {
            "namespace": "team",
            "issueType": "test",
            "resourceType": "suite",
            "resourceName": "unit",
            "resourceNamespace": "team",
            "event": "run",
        }
        again = await server.post({"runs": [run(), run("e2e", ok="seen"), run(ok="seen?", skip="today")]})
        assert again.status == 200
        assert [item["action"] for item in again.json["items"]] == ["updated", "acknowledged", "ignored"]
        assert again.json["items"][1]["issues"] == [other["issue"]["id"]]
        assert again.json["items"][2]["message"] == "skipped today"
        assert again.json["items"][2]["rule"] == "rule 4"
        repaired = await server.post({"runs": [run(ok=True)]})
        assert (repaired.status, repaired.json["items"][0]["issues"]) == (200, [one["issue"]["id"]])
        assert set(server.outcomes) == {("/api/v1/webhooks/tool", "HANDLED")}


async def test_the_status_says_whether_anything_is_to_be_done(database_url):
    async with serving(database_url) as server:
        unmatched = await server.post({"runs": [run(ok=None)]})
        assert (unmatched.status, unmatched.json["outcome"]) == (202, "unmatched")
        nothing = await server.post({"runs": []})
        assert (nothing.status, nothing.json["outcome"], nothing.json["items"]) == (200, "handled", [])
        mixed = await server.post({"runs": [run(), run(ok=None)]})
        assert (mixed.status, mixed.json["outcome"]) == (201, "unmatched")
        again = await server.post({"runs": [run(), run(ok=None)]})
        assert (again.status, again.json["outcome"]) == (202, "unmatched")
        kept = await server.house.webhooks.history.page(ADA, DeliveryWhere(), PageArguments())
        assert [each.outcome for each in kept.rows] == ["UNMATCHED", "UNMATCHED", "HANDLED", "UNMATCHED"]
        partly = await server.post({"runs": [run(), run(level="so so")]})
        assert (partly.status, partly.json["outcome"]) == (207, "partly_failed")
        assert partly.json["items"][1]["message"] == "severity: 'so so' is not known"
        failed = await server.post({"runs": [run(level="so so")]})
        assert (failed.status, failed.json["outcome"]) == (422, "failed")
        for value in ({}, {"runs": {}}):
            no_list = await server.post(value)
            assert no_list.status == 422
            assert no_list.json["items"][0]["message"].startswith("each: ")
        unreadable = await server.post(body=b"{")
        assert (unreadable.status, unreadable.json["error"]) == (400, "Unreadable body")
        received, _ = server.deliveries.received[-1]
        assert (received.refused, received.body) == (unreadable.json["details"], b"{")
        assert (await server.client.get("/tool")).status == 405
        server.path = "other"
        assert (await server.post({})).status == 404


@pytest.mark.parametrize("problem", [Overloaded("too much"), Unavailable("no database")])
async def test_what_is_not_kept_is_503(sqlite_url, problem):
    async with serving(sqlite_url, broken=problem) as server:
        answer = await server.post({"runs": [run()]})
        assert (answer.status, answer.json, answer.headers["retry-after"]) == (503, {"error": problem.message}, "2")


async def test_who_signs_needs_no_token_and_reports_where_the_owner_may(database_url):
    async with serving(database_url, Own(has_secrets=True)) as server:
        server.caller = NOBODY
        body = json.dumps({"runs": [run()], "secret": "s"}).encode()
        answer = await server.post(body=body, headers=signed(body))
        assert (answer.status, answer.json["items"][0]["namespace"]) == (201, "team")
        received, sender = server.deliveries.received[-1]
        assert sender == server.own.sender
        assert received.body == body
        assert "x-signature" not in received.headers
        elsewhere = await server.post(body=body, headers=signed(body), namespace="other")
        assert elsewhere.status == 403
        by_token = await server.post(body=body, token=SECRET)
        assert by_token.status == 200
        assert server.deliveries.received[-1][0].query == {}
        # One who shows a token too must hold both.
        server.caller = caller(other=["REPORT"])
        assert (await server.post(body=body, headers=signed(body), namespace="team")).status == 403
        assert (await server.post(body=body, headers=signed(body), namespace="other")).status == 403
        assert (await server.post(body=body)).status == 401


async def test_of_who_is_not_who_it_says_no_body_is_kept_and_not_everything_at_all(database_url):
    async with serving(database_url, Own(has_secrets=True)) as server:
        server.caller = NOBODY
        body = json.dumps({"runs": [run()]}).encode()
        for headers in ({}, {"x-signature": "sha256=00"}, signed(body + b" ")):
            answer = await server.post(body=body, headers=headers)
            assert (answer.status, answer.json["error"]) == (401, "Not verified")
        received, _ = server.deliveries.received[-1]
        assert (received.body, received.body_bytes) == (None, len(body))
        assert received.refused == answer.json["details"]
        server.clock.seconds += 60
        for _ in range(KEPT_A_MINUTE + 5):
            assert (await server.post(body=body)).status == 401
        assert len(server.deliveries.received) == KEPT_A_MINUTE + 3


async def test_of_who_is_not_who_it_says_only_what_its_owner_needs_is_kept(database_url):
    definition = TOOL.replace(
        '{type: hmac, header: x-signature, prefix: "sha256="}',
        '{type: hmac, header: x-signature, timestamp: x-at, signed: "{timestamp}.{body}"}',
    )
    async with serving(database_url, Own(definition=definition, has_secrets=True)) as server:
        server.caller = NOBODY
        headers = {
            "x-signature": "s3cret" * 100,
            "x-at": "5",
            "user-agent": "u" * 20_000,
            "x-event": "e" * 20_000,
            "x-junk": "j" * 20_000,
            "authorization": "Bearer t",
        }
        assert (await server.post(body=b"{}", headers=headers, token="s3cret", junk="j" * 20_000)).status == 401
        received, _ = server.deliveries.received[-1]
        assert received.headers == {
            "content-type": "application/json",
            "user-agent": "u" * MAX_VALUE_LENGTH,
            "x-at": "5",
            "x-event": "e" * MAX_VALUE_LENGTH,
            "x-signature": "[hidden]",
        }
        assert (received.query, received.body) == ({"token": "[hidden]"}, None)


async def test_namespaces(database_url):
    named = TOOL.replace("each:", 'namespace: ${get(item, "team")}\neach:')
    async with serving(database_url, Own(definition=named)) as server:
        server.caller = caller(**{"team": ["REPORT"], "team-b": ["REPORT"]})
        server.own.sender = caller(**{"team*": ["REPORT"]})
        answer = await server.post({"runs": [run(team="team-b"), run(team="other"), run(team="team-c"), run()]})
        assert answer.status == 207
        assert [item.get("namespace") for item in answer.json["items"]] == ["team-b", None, None, None]
        assert [item.get("message") for item in answer.json["items"]][1:] == [
            "no permission to report in namespace other",
            "no permission to report in namespace team-c",
            "namespace: there is none; add ?namespace= to the address",
        ]
        two = await server.post({"runs": [run(team="team-b"), run()]}, namespace="team")
        assert [item["action"] for item in two.json["items"]] == ["failed", "created"]
    async with serving(database_url) as server:
        server.caller = caller(**{"team": ["REPORT"], "team-b": ["REPORT"]})
        # The only one that both the caller and the owner have.
        assert (await server.post({"runs": [run("y")]})).json["items"][0]["namespace"] == "team"
        server.own.sender = caller(**{"team*": ["REPORT"]})
        missing = await server.post({"runs": [run()]})
        assert (missing.status, missing.json["error"]) == (400, "Missing namespace")
        assert (await server.post({"runs": [run("x")]}, namespace="team")).status == 201
        assert (await server.post({"runs": [run()]}, namespace="team-c")).status == 403


async def test_the_same_delivery_twice_is_one(database_url):
    async with serving(database_url) as server:
        for headers in ({"x-delivery": "d-1"}, {"idempotency-key": "k-1"}):
            first = await server.post({"runs": [run(str(headers))]}, headers=headers)
            second = await server.post({"runs": [run(str(headers))]}, headers=headers)
            assert [first.json["items"][0]["issue"], first.status] == [second.json["items"][0]["issue"], 201]
            received, _ = server.deliveries.received[-1]
            assert received.delivery_key == next(iter(headers.values()))
        third = await server.post({"runs": [run("{'x-delivery': 'd-1'}")]}, headers={"x-delivery": "d-2"})
        assert third.json["items"][0]["action"] == "updated"


async def test_credentials_are_neither_seen_nor_kept(sqlite_url):
    definition = TOOL.replace("skipped ${item.skip}", "${text(headers)} ${text(query)}")
    async with serving(sqlite_url, Own(definition=definition)) as server:
        headers = {"authorization": "Bearer t", "x-api-key": "t", "cookie": "c=1", "x-signature": "s", "x-more": "m"}
        answer = await server.post({"runs": [{"skip": 1}]}, headers=headers, token="t", api_key="t", page="1")
        told = answer.json["items"][0]["message"]
        received, _ = server.deliveries.received[-1]
        for text in (told, repr(received)):
            assert "x-more" in text
            assert "page" in text
            assert not [name for name in ("authorization", "api", "cookie", "x-signature", "token") if name in text]


async def test_a_secret_of_ours_is_hidden_wherever_it_stands(database_url):
    secret = new_secret()
    definition = TOOL.replace("skipped ${item.skip}", "${text(headers)} ${text(query)} ${text(body)}")
    shipped = [
        parse_single("shipped", definition),
        parse_single("other", TOOL.replace("header: x-signature", "header: x-other-token")),
    ]
    async with serving(database_url, Own(definition=definition), shipped=shipped) as server:
        for server.path in ("tool", "shipped"):
            headers = {"x-gitlab-token": secret, "x-other-token": "t0p", "x-note": f"by <{secret}>"}
            value = {"runs": [{"skip": 1}], "note": f"curl -H 'X-API-Key: {secret}'", "igt_": "igt_ and igt_short"}
            answer = await server.post(value, headers=headers, a=secret, **{secret: "b"})
            told = answer.json["items"][0]["message"]
            received, _ = server.deliveries.received[-1]
            for text in (told, repr(received)):
                assert secret not in text
                assert "t0p" not in text
                assert "by <[hidden]>" in text
                assert "X-API-Key: [hidden]" in text
                assert "igt_ and igt_short" in text


async def test_its_own_secret_is_hidden_where_a_proxy_repeats_the_address(database_url):
    secret = "s3cret/of the sender"
    definition = TOOL.replace("skipped ${item.skip}", "${text(headers)} ${text(query)}")
    async with serving(database_url, Own(definition=definition, secrets=(secret,), has_secrets=True)) as server:
        written = [quote(secret, safe=""), quote(secret), quote(secret, safe="").lower(), quote_plus(secret)]
        headers = {f"x-uri-{place}": f"/x?token={each}&a=b" for place, each in enumerate(written)}
        headers["referer"] = f"http://a/?token={secret}"
        answer = await server.post({"runs": [{"skip": 1}]}, headers=headers, token=secret, again=secret)
        assert answer.status == 200, answer.text
        received, _ = server.deliveries.received[-1]
        for text in (answer.json["items"][0]["message"], repr(received)):
            assert secret not in text
            assert not [each for each in written if each in text]
            assert "http://a/?token=[hidden]" in text


@pytest.mark.parametrize("secret", ["s3cret-of-the-sender", 'with "quotes" and \\', "a b&c=d/é of the sender"])
@pytest.mark.parametrize("write", [str, quote_plus, lambda secret: quote(secret, safe="")])
async def test_its_own_secret_is_hidden_in_a_body_that_repeats_it(database_url, secret, write):
    definition = TOOL.replace("skipped ${item.skip}", "${text(item)}")
    async with serving(
        database_url, Own(definition=definition, secrets=(secret, "1234567890123"), has_secrets=True)
    ) as server:
        body = {"runs": [{"skip": f"token={write(secret)}", "number": 1234567890123}]}
        answer = await server.post(body, token=secret)
        assert answer.status == 200, answer.text
        received, _ = server.deliveries.received[-1]
        for text in (answer.json["items"][0]["message"], received.body.decode()):
            assert write(secret) not in text
            assert "token=[hidden]" in text
            # A number may be anything.
            assert "1234567890123" in text


async def test_its_own_secret_is_hidden_however_a_body_escapes_it(database_url):
    definition = TOOL.replace("skipped ${item.skip}", "${text(item)}")
    secret, ours = "s3cret/of+the&sender", new_secret()
    async with serving(database_url, Own(definition=definition, secrets=(secret,), has_secrets=True)) as server:
        for written in (secret.replace("/", "\\/"), secret.replace("&", "\\u0026"), ours.replace("_", "\\u005F")):
            body = f'{{"runs": [{{"skip": "token={written}", "{written}": 1}}]}}'.encode()
            answer = await server.post(body=body, token=secret)
            assert answer.status == 200, answer.text
            received, _ = server.deliveries.received[-1]
            shown = {"skip": "token=[hidden]", "[hidden]": 1}
            assert json.loads(answer.json["items"][0]["message"]) == shown
            assert json.loads(received.body) == {"runs": [shown]}
            assert received.body_bytes == len(body)


async def test_who_verifies_is_told_where_a_delivery_came_from(sqlite_url, monkeypatch):
    asked = []

    async def check(verifier, ways, request, secrets, now):
        asked.append(request.source)

    monkeypatch.setattr(Verifier, "check", check)
    async with serving(sqlite_url, Own(has_secrets=True)) as server:
        assert (await server.post({"runs": []})).status == 200
    assert asked == ["127.0.0.1"]


async def test_the_password_of_a_user_is_hidden_in_a_body_too(database_url):
    definition = TOOL.replace("skipped ${item.skip}", "${text(item)}").replace("token, query: token", "basic")
    own = Own(definition=definition, secrets=("robot:its-password-there",), has_secrets=True)
    async with serving(database_url, own) as server:
        shown = base64.b64encode(b"robot:its-password-there").decode()
        body = {"runs": [{"skip": "password=its-password-there"}]}
        answer = await server.post(body, headers={"authorization": f"Basic {shown}"})
        assert answer.status == 200, answer.text
        assert "password=[hidden]" in answer.json["items"][0]["message"]
        received, _ = server.deliveries.received[-1]
        assert b"its-password-there" not in received.body


async def test_many_items_that_become_long_texts_are_too_much(sqlite_url):
    long = "x" * 30_000
    definition = f'title: x\neach: ${{body.l}}\nrules:\n  - ignore: "{long}${{item}}"\n'
    async with serving(sqlite_url, Own(definition=definition)) as server:
        answer = await server.post({"l": list(range(1_000))}, namespace="team")
        actions = [item["action"] for item in answer.json["items"]]
        assert set(actions) == {"ignored", "failed"}
        assert 600 < actions.index("failed") < 700
        assert {len(item.get("message", "")) for item in answer.json["items"] if item["action"] == "ignored"} == {1_000}


async def test_bodies_are_kept_unless_somebody_wants_that_not(sqlite_url):
    wanted = TOOL + "keepBodies: false\n"
    for own in (Own(keep_bodies=False), Own(definition=wanted)):
        async with serving(sqlite_url, own) as server:
            await server.post({"runs": [run()]})
            received, _ = server.deliveries.received[-1]
            assert (received.body, received.body_bytes > 10, received.event) == (None, True, "run")
    broken = wanted + "nonsense: 1\n", wanted.replace("type: token", "type: tokens"), TOOL + "nonsense: 1\n"
    for own in (Own(definition=text, keep_bodies="keepBodies" in text) for text in broken):
        async with serving(sqlite_url, own) as server:
            assert (await server.post({"runs": [run()]})).status == 422
            received, _ = server.deliveries.received[-1]
            assert (received.body, received.body_bytes > 10) == (None, True)


async def test_the_sender_of_a_broken_definition_still_shows_who_it_is_and_loses_nothing(database_url):
    async with serving(database_url, Own(definition=TOOL + "nonsense: 1\n", has_secrets=True)) as server:
        body = json.dumps({"runs": [run()]}).encode()
        assert (await server.post(body=body, headers={"x-signature": "sha256=00"})).status == 401
        answer = await server.post(body=body, headers=signed(body))
        assert answer.status == 422
        received, _ = server.deliveries.received[-1]
        assert received.body == body
        assert "x-signature" not in received.headers


@pytest.mark.parametrize(
    ("good", "constant", "notice"),
    [
        (PARTS, "links: [{title: a, url: wiki}]", "link 'a' was dropped: its address is no http or https URL"),
        (PARTS, "detectedAt: '2026-01-02 03:04:05'", "detectedAt was left out: "),
        (PARTS, "detectedAt: ${''}", None),
        (PARTS, "detectedAt: ${null}", None),
        (PARTS, "labels: ${null}", None),
        (PARTS, "labels: ${['a']}", "labels were left out: they must be an object"),
        (PARTS, "runId: ${1 / 0}", "runId was left out: "),
        ("rules:\n", "rules:\n  - {when: '0', ignore: never}\n", None),
        ("rules:\n", "rules:\n  - {when: 1 / 0 == 1, ignore: never}\n", "rule 1 was passed over: "),
        ("rules:\n", "rules:\n  - {name: odd, when: 1 / 0 == 1, ignore: never}\n", "rule 'odd' was passed over: "),
        ("rules:\n", "severityDefault: major\nrules:\n", None),
    ],
)
async def test_one_that_was_saved_with_a_constant_that_never_holds_delivers_the_rest(
    database_url, good, constant, notice
):
    definition = TOOL.replace('${default(get(item, "level"), "minor")}', "${'huge'}" if "Def" in constant else "minor")
    assert good in definition
    async with serving(database_url, Own(definition=definition.replace(good, constant, 1))) as server:
        answer = await server.post({"runs": [run()]})
        assert (answer.status, answer.json["outcome"]) == (201, "handled")
        (item,) = answer.json["items"]
        assert [told.startswith(notice) for told in item.get("notices", [])] == [True] * (notice is not None)


async def test_a_broken_definition_fails_visibly_and_alone(database_url):
    async with serving(database_url, Own(definition=TOOL + "nonsense: 1\n")) as server:
        answer = await server.post({"runs": [run()]})
        assert answer.status == 422
        assert "nonsense: is not a key here" in answer.json["items"][0]["message"]
        assert server.deliveries.received[-1][0].body is not None
        server.own.definition, server.own.version = TOOL, 2
        assert (await server.post({"runs": [run()]})).status == 201
        server.own.enabled = False
        assert (await server.post({"runs": [run()]})).status == 404


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b'{"runs": [{"name": "unit", "ok": false}]}'),
        ("application/cloudevents+json; charset=utf-8", b'{"runs": [{"name": "unit", "ok": false}]}'),
        ("text/plain", b'{"runs": [{"name": "unit", "ok": false}]}'),
        ("", b'{"runs": [{"name": "unit", "ok": false}]}'),
        (
            "application/x-www-form-urlencoded",
            b"payload=%7B%22runs%22%3A+%5B%7B%22name%22%3A%22unit%22%2C%22ok%22%3Afalse%7D%5D%7D",
        ),
    ],
)
async def test_whatever_the_body_is_written_in(sqlite_url, kind, body):
    async with serving(sqlite_url) as server:
        assert (await server.post(body=body, headers={"content-type": kind})).status == 201


async def test_a_form_is_its_fields_and_a_text_is_a_text(sqlite_url):
    definition = "title: t\nrules:\n  - ignore: ${text(body)}\n"
    async with serving(sqlite_url, Own(definition=definition)) as server:
        form = await server.post(body=b"a=1&b=x+y&a=2", headers={"content-type": "application/x-www-form-urlencoded"})
        assert form.json["items"][0]["message"] == '{"a":"1","b":"x y"}'
        text = await server.post(body=b"plain", headers={"content-type": "text/plain"})
        assert text.json["items"][0]["message"] == "plain"


async def test_a_thousand_items_are_one_delivery(database_url):
    async with serving(database_url) as server:
        answer = await server.post({"runs": [run(f"suite-{index}") for index in range(1_000)]})
        assert answer.status == 201
        assert [item["index"] for item in answer.json["items"]] == list(range(1_000))
        assert {item["action"] for item in answer.json["items"]} == {"created"}
        await asyncio.sleep(0)


async def test_what_is_past_the_most_items_fails_and_the_rest_does_not(sqlite_url, monkeypatch):
    monkeypatch.setattr("webhooks.evaluate.MAX_ITEMS", 2)
    monkeypatch.setattr("webhooks.deliver.MAX_ITEMS", 2)
    async with serving(sqlite_url) as server:
        answer = await server.post({"runs": [run(str(index)) for index in range(5)]})
        assert [item["action"] for item in answer.json["items"]] == ["created", "created", "failed"]
        assert answer.json["items"][2]["message"] == "items past the first 2 of a delivery are not handled"


async def test_a_shipped_one_asks_for_no_secret(database_url):
    shipped = [parse_single("shipped", TOOL)]
    async with serving(database_url, shipped=shipped) as server:
        server.path = "shipped"
        answer = await server.post({"runs": [run()]})
        assert answer.status == 201
        server.caller = NOBODY
        assert (await server.post({"runs": [run()]}, namespace="team")).status == 403


async def test_what_is_masked_is_not_told_in_other_words(database_url):
    definition = """\
title: A tool
mask: [body.a, body.id, body.list.key, headers.x-k, query.q]
deliveryId: no ${body.id}
event: ${lower(body.a)}-${headers["x-k"]}-${query.q}
each: ${body.list}
namespace: team
rules:
  - when: item.skip == true
    ignore: "${item.key} and ${body.id}"
  - report:
      title: a
      description: a
      severity: ${body.a}
      issueType: build
      scope: {resourceType: host, resourceName: "${item.key}"}
"""
    async with serving(database_url, Own(definition=definition)) as server:
        body = {"a": "S3cret", "id": 917, "list": [{"key": "k" * 600, "skip": True}, {"key": "other"}]}
        answer = await server.post(body, q="shown to nobody", headers={"x-k": "hidden-key"})
        assert answer.status == 207
        (kept,) = (await server.house.webhooks.history.page(ADA, DeliveryWhere(), PageArguments())).rows
        assert (kept.delivery_key, kept.event) == ("no ***", "***-***-***")
        assert kept.error == "severity: '***' is not known"
        items = await server.house.webhooks.history.items(kept.id)
        assert [item["message"] for item in items] == ["*** and ***", kept.error]


async def test_what_is_masked_stays_hidden_where_it_has_characters_that_cannot_be_kept(database_url):
    definition = "title: x\nmask: [body.token]\nevent: ev ${body.token}\ndeliveryId: id ${body.token}\n"
    definition += 'rules:\n  - ignore: "no ${body.token}"\n'
    async with serving(database_url, Own(definition=definition)) as server:
        answer = await server.post({"token": "sekret\0sekret99"})
        assert answer.json["items"][0]["message"] == "no ***"
        (kept,) = (await server.house.webhooks.history.page(ADA, DeliveryWhere(), PageArguments())).rows
        assert (kept.delivery_key, kept.event) == ("id ***", "ev ***")


async def test_ids_of_which_a_credential_is_taken_out_make_no_two_deliveries_one(database_url):
    async with serving(database_url) as server:
        told = [await server.post({"runs": [run()]}, headers={"x-delivery": new_secret()}) for _ in range(2)]
        assert [answer.json["items"][0]["action"] for answer in told] == ["created", "updated"]
