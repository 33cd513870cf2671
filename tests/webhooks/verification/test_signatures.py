"""Signatures over the raw body, tool by tool: what is let in, and what is not."""

import base64
import hashlib
import hmac
import subprocess

import pytest

from tests.resolvers.subscription.test_clients import NODE, SCRIPTS
from tests.webhooks.verification.signing import BODY, NOW, OLD, SECRET, WRONG, digest, read, refusal, request

GITHUB = '[{type: hmac, header: x-hub-signature-256, prefix: "sha256="}]'
LISTED = '[{type: hmac, header: x-signature, prefix: "v1=", separator: ","}]'
GRAFANA = '[{type: hmac, header: x-signed, timestamp: x-time, signed: "{timestamp}:{body}", tolerance: 1m}]'
WITH_ID = '[{type: hmac, header: x-signed, id: x-id, signed: "{id}/{body}/v0", algorithm: sha512, encoding: base64}]'
BASE64_KEY = "[{type: hmac, header: x-signed, key: base64}]"
BUILDKITE = "[{type: buildkite}]"


def github(secret=SECRET, body=BODY):
    return {"x-hub-signature-256": "sha256=" + digest(secret, body).hexdigest()}


def test_a_github_signature_is_over_the_raw_body():
    (way,) = read(GITHUB)
    assert refusal(way, request(github())) is None
    ours = "the signature in x-hub-signature-256 is not ours"
    assert refusal(way, request(github(), body=BODY + b" ")) == ours
    assert refusal(way, request(github(WRONG))) == ours
    assert refusal(way, request(github("")), secrets=("",)) == ours
    assert refusal(way, request(github()), secrets=()) == ours


def test_it_is_the_signature_that_githubs_own_javascript_makes():
    (way,) = read(GITHUB)
    signed = subprocess.run([NODE, SCRIPTS / "sign.mjs", SECRET], input=BODY, capture_output=True, check=True).stdout
    assert refusal(way, request({"x-hub-signature-256": signed.decode()})) is None
    assert refusal(way, request({"x-hub-signature-256": signed.decode()}), secrets=(WRONG,))


def test_what_is_known_from_githubs_documentation_is_right():
    (way,) = read(GITHUB)
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    known = request({"x-hub-signature-256": signature}, body=b"Hello, World!")
    assert refusal(way, known, secrets=("It's a Secret to Everybody",)) is None


def test_two_secrets_are_good_while_one_takes_the_place_of_the_other():
    (way,) = read(GITHUB)
    assert refusal(way, request(github(SECRET)), secrets=(SECRET, OLD)) is None
    assert refusal(way, request(github(OLD)), secrets=(SECRET, OLD)) is None
    assert refusal(way, request(github(OLD)), secrets=(SECRET,)) is not None


@pytest.mark.parametrize(
    "shown",
    ["", "sha256=", "sha1=" + "0" * 40, "sha256=zz", "sha256=\xff\xfe", "sha256", digest(SECRET, BODY).hexdigest()],
)
def test_a_header_that_is_no_signature_is_not_let_in(shown):
    (way,) = read(GITHUB)
    assert refusal(way, request({"x-hub-signature-256": shown})) is not None


def test_hex_may_be_in_capitals():
    (way,) = read(GITHUB)
    shown = "sha256=" + digest(SECRET, BODY).hexdigest().upper()
    assert refusal(way, request({"x-hub-signature-256": shown})) is None


def test_one_of_several_signatures_is_enough_but_only_of_a_version_that_is_known():
    (way,) = read(LISTED)  # CircleCI's and PagerDuty's
    good, bad = digest(SECRET, BODY).hexdigest(), digest(WRONG, BODY).hexdigest()
    for shown in (f"v1={good}", f"v1={bad},v1={good}", f"v2=later, v1={good}"):
        assert refusal(way, request({"x-signature": shown})) is None
    for shown in (f"v1={bad}", f"v2={good}", f"v1={bad},v2={good}", f"v0={good}", ",,", good):
        assert refusal(way, request({"x-signature": shown})) is not None


def test_a_header_with_very_many_signatures_is_not_looked_through():
    (way,) = read(LISTED)
    bad = f"v1={digest(WRONG, BODY).hexdigest()},"
    assert refusal(way, request({"x-signature": bad * 10 + f"v1={digest(SECRET, BODY).hexdigest()}"})) is not None


def test_a_timestamp_that_is_signed_too_is_good_for_a_while():
    (way,) = read(GRAFANA)

    def sent(at, signed_at=None):
        signed = f"{at if signed_at is None else signed_at}:".encode() + BODY
        return request({"x-signed": digest(SECRET, signed).hexdigest(), "x-time": str(at)})

    for at in (NOW, NOW - 60, NOW + 60):
        assert refusal(way, sent(at)) is None
    for at in (NOW - 61, NOW + 61):
        assert refusal(way, sent(at)) == "the signature is older than 60 seconds, or from the future"
    for wrong in ("", "soon", "-1", "1.5", "9" * 13, "\u0664"):
        assert refusal(way, sent(wrong)) == "the timestamp of the signature is not in seconds since 1970"
    assert refusal(way, sent(NOW, signed_at=NOW - 1)) == "the signature in x-signed is not ours"
    assert way.applies(sent(NOW))
    assert not way.applies(request({"x-signed": "0"}))


def test_an_id_can_be_signed_and_another_digest_used():
    (way,) = read(WITH_ID)
    signature = base64.b64encode(digest(SECRET, b"7/" + BODY + b"/v0", "sha512").digest()).decode()
    assert refusal(way, request({"x-signed": signature, "x-id": "7"})) is None
    assert refusal(way, request({"x-signed": signature.lower(), "x-id": "7"})) is not None
    assert refusal(way, request({"x-signed": signature, "x-id": "8"})) is not None


def test_a_key_can_be_base64():
    (way,) = read(BASE64_KEY)
    key = bytes(range(200, 232))
    shown = request({"x-signed": hmac.new(key, BODY, hashlib.sha256).hexdigest()})
    text = base64.b64encode(key).decode()
    assert refusal(way, shown, secrets=(text,)) is None
    assert refusal(way, shown, secrets=(text.rstrip("="),)) is None
    for secret in ("\u2713", "no base64!", ""):
        assert refusal(way, shown, secrets=(secret,)) is not None


def buildkite(at=NOW, secret=SECRET, body=BODY):
    signature = digest(secret, f"{at}.".encode() + body).hexdigest()
    return request({"x-buildkite-signature": f"timestamp={at},signature={signature}"})


def test_a_buildkite_signature_holds_its_time():
    (way,) = read(BUILDKITE)
    assert way.applies(buildkite())
    assert not way.applies(request({"x-buildkite-token": SECRET}))
    assert refusal(way, buildkite()) is None
    assert refusal(way, buildkite(NOW - 300)) is None
    assert refusal(way, buildkite(NOW - 301)) == "the signature is older than 300 seconds, or from the future"
    assert refusal(way, buildkite(secret=OLD), secrets=(SECRET, OLD)) is None
    assert refusal(way, buildkite(secret=WRONG)) == "the signature in x-buildkite-signature is not ours"
    moved = buildkite().headers["x-buildkite-signature"].replace(str(NOW), str(NOW - 1))
    for shown in (moved, "", "timestamp=", f"timestamp={NOW}", "signature=00", f"timestamp={NOW},signature="):
        assert refusal(way, request({"x-buildkite-signature": shown})) is not None
