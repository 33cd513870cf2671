"""Who is let in by the definitions of tools: what each tool sends with its secret, and nobody else."""

import base64
import hashlib
import hmac

import pytest

from webhooks.definition import load_all
from webhooks.verification import NotVerified, SignedRequest, Verifier

NOW = 1_795_169_050
SECRET, OTHER = "a secret of the tool", "another"
WHSEC = "whsec_" + base64.b64encode(bytes(range(32))).decode()
BODY = b'{"some": "payload \xe2\x9c\x93"}'
WAYS = {each.name: each.verify for each in load_all().single if each.name != "generic"}


def signed(secret, body=BODY):
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def basic(secret):
    return {"authorization": "Basic " + base64.b64encode(f"user:{secret}".encode()).decode()}


def bearer(secret):
    return {"authorization": f"Bearer {secret}"}


def buildkite(secret):
    return {"x-buildkite-signature": f"timestamp={NOW},signature={signed(secret, f'{NOW}.'.encode() + BODY)}"}


def gitlab(secret):
    key = base64.b64decode(secret.removeprefix("whsec_")) if secret == WHSEC else b"another"
    signature = base64.b64encode(hmac.digest(key, f"id.{NOW}.".encode() + BODY, "sha256")).decode()
    return {"webhook-id": "id", "webhook-timestamp": str(NOW), "webhook-signature": f"v1,{signature}"}


def grafana(secret):
    signature = signed(secret, f"{NOW}:".encode() + BODY)
    return {"x-grafana-alerting-signature": signature, "x-grafana-alerting-timestamp": str(NOW)}


# What a tool sends, by how it is set up.
SENDS = {
    "github": [lambda secret: {"x-hub-signature-256": f"sha256={signed(secret)}"}],
    "bitbucket": [lambda secret: {"x-hub-signature": f"sha256={signed(secret)}"}],
    "buildkite": [buildkite, lambda secret: {"x-buildkite-token": secret}],
    "gitlab": [gitlab, lambda secret: {"x-gitlab-token": secret}],
    "circleci": [lambda secret: {"circleci-signature": f"v1={signed(secret)},v2=later"}],
    "pagerduty": [lambda secret: {"x-pagerduty-signature": f"v1={signed('older')},v1={signed(secret)}"}],
    "sentry": [
        lambda secret: {"sentry-hook-signature": signed(secret)},
        lambda secret: {"sentry-app-signature": signed(secret)},
    ],
    "grafana": [
        grafana,
        lambda secret: {"x-grafana-alerting-signature": signed(secret)},
        bearer,
        basic,
    ],
    "cdevents": [gitlab, basic, bearer],
}
UNSIGNED = WAYS.keys() - SENDS.keys() - {"cloudwatch"}
CASES = [(name, send) for name, sends in SENDS.items() for send in sends]
# Of the others each way that their definition has.
BY_PARAMETER = [name for name in sorted(UNSIGNED) if any(way.parameters for way in WAYS[name])]
BY_HEADER = [name for name in sorted(UNSIGNED) if any("authorization" in way.headers for way in WAYS[name])]


async def nobody(url):
    raise AssertionError(url)


async def is_let_in(name, headers, query=(), body=BODY, secrets=(SECRET, WHSEC)):
    try:
        await Verifier(nobody).check(WAYS[name], SignedRequest(headers, dict(query), body), secrets, NOW)
    except NotVerified:
        return False
    return True


@pytest.mark.parametrize(("name", "send"), CASES)
async def test_what_the_tool_sends_with_its_secret_is_let_in_and_nothing_else(name, send):
    secret = WHSEC if send is gitlab else SECRET
    assert await is_let_in(name, send(secret))
    assert not await is_let_in(name, send(OTHER))
    assert not await is_let_in(name, send(secret), secrets=(OTHER,))
    assert not await is_let_in(name, {})


@pytest.mark.parametrize(("name", "send"), [case for case in CASES if "signature" in "".join(case[1](SECRET))])
async def test_a_body_that_was_changed_is_not_let_in(name, send):
    assert not await is_let_in(name, send(WHSEC if send is gitlab else SECRET), body=BODY + b" ")


@pytest.mark.parametrize("name", BY_PARAMETER)
async def test_a_tool_that_signs_nothing_has_its_secret_in_the_address(name):
    assert await is_let_in(name, {}, {"token": SECRET})
    assert not await is_let_in(name, {}, {"token": OTHER})


@pytest.mark.parametrize("name", BY_HEADER)
async def test_or_in_a_header(name):
    ways = [await is_let_in(name, send(SECRET)) for send in (basic, bearer)]
    assert any(ways)
    assert not any([await is_let_in(name, send(OTHER)) for send in (basic, bearer)])


def test_there_is_no_tool_without_a_way():
    assert set(BY_PARAMETER) | set(BY_HEADER) == UNSIGNED
    assert len(WAYS) == len(SENDS) + len(UNSIGNED) + 1
