"""Standard Webhooks, beside the package of its authors."""

import base64
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from standardwebhooks import Webhook

from tests.webhooks.verification.signing import BODY, NOW, read, refusal, request

KEY = bytes(range(24))
SECRET = "whsec_" + base64.b64encode(KEY).decode()
OTHER = "whsec_" + base64.b64encode(bytes(24)).decode()
(WAY,) = read("[{type: standard-webhooks}]")


def headers(signature, id="msg_1", at=NOW):
    return {"webhook-id": id, "webhook-timestamp": str(at), "webhook-signature": signature}


def signature(secret=SECRET, id="msg_1", at=NOW, body=BODY):
    return Webhook(secret).sign(id, datetime.fromtimestamp(at, UTC), body.decode())


def test_what_the_package_signs_is_let_in():
    for secret in (SECRET, SECRET.removeprefix("whsec_"), SECRET.rstrip("=")):
        assert refusal(WAY, request(headers(signature())), secrets=(secret,)) is None
    assert refusal(WAY, request(headers(signature())), secrets=(OTHER, SECRET)) is None
    assert refusal(WAY, request(headers(signature(OTHER))), secrets=(SECRET,)) is not None


def test_the_package_lets_in_what_we_do():
    at = int(datetime.now(UTC).timestamp())
    sent = headers(signature(at=at), at=at)
    Webhook(SECRET).verify(BODY, sent, json_parse=False)
    assert refusal(WAY, request(sent), secrets=(SECRET,), now=at) is None


def test_the_vector_of_the_specification_is_right():
    (way,) = read("[{type: standard-webhooks}]")
    sent = request(
        {
            "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "webhook-timestamp": "1614265330",
            "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        },
        body=b'{"test": 2432232314}',
    )
    assert refusal(way, sent, secrets=("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",), now=1_614_265_330) is None


@pytest.mark.parametrize("at", [NOW - 301, NOW + 301])
def test_a_signature_of_another_time_is_not(at):
    sent = request(headers(signature(at=at), at=at))
    assert refusal(WAY, sent, secrets=(SECRET,)) == "the signature is older than 300 seconds, or from the future"


def test_the_tolerance_is_the_definitions():
    (way,) = read("[{type: standard-webhooks, tolerance: 1h}]")
    assert refusal(way, request(headers(signature(at=NOW - 3_600), at=NOW - 3_600)), secrets=(SECRET,)) is None


def test_everything_is_signed():
    sent = headers(signature())
    for changed in ({"webhook-id": "msg_2"}, {"webhook-timestamp": str(NOW + 1)}):
        assert refusal(WAY, request(sent | changed), secrets=(SECRET,)) is not None
    assert refusal(WAY, request(sent, body=BODY[:-1]), secrets=(SECRET,)) is not None


def test_a_body_need_not_be_text():
    sent = request(headers("v1,AAAA"), body=b"\xff\xfe")
    assert refusal(WAY, sent, secrets=(SECRET,)) == "the signature in webhook-signature is not ours"


def test_several_signatures_may_be_there_and_one_is_enough():
    good, bad = signature(), signature(OTHER)
    for shown in (f"{bad} {good}", f"v9,later {good}", f"v1a,AAAA {good}", f"nothing {good}"):
        assert refusal(WAY, request(headers(shown)), secrets=(SECRET,)) is None
    for shown in (
        "",
        " ",
        "v1",
        "v1,",
        bad,
        good.replace("v1,", "v2,"),
        good.replace("v1,", ""),
        f"{bad} " * 10 + good,
    ):
        assert refusal(WAY, request(headers(shown)), secrets=(SECRET,)) is not None


def test_without_an_id_or_with_a_secret_that_is_none_nobody_is_let_in():
    assert refusal(WAY, request(headers(signature(), id="")), secrets=(SECRET,)) == "webhook-id is missing"
    for secret in ("", "whsec_", "whsec_no base64!", "whpk_", "whpk_AAAA"):
        assert refusal(WAY, request(headers(signature())), secrets=(secret,)) is not None


def test_a_private_key_can_sign_and_its_public_one_is_not_a_secret():
    key = Ed25519PrivateKey.generate()
    public = base64.b64encode(key.public_key().public_bytes_raw()).decode()
    signed = base64.b64encode(key.sign(f"msg_1.{NOW}.".encode() + BODY)).decode()
    known = ("whpk_" + public,)
    assert refusal(WAY, request(headers(f"v1a,{signed}")), secrets=known) is None
    assert refusal(WAY, request(headers(f"v1a,{signed}"), body=BODY + b" "), secrets=known) is not None
    assert refusal(WAY, request(headers("v1a,AAAA")), secrets=known) is not None
    # Who knows the public key cannot use it as the secret of the other kind.
    forged = signature("whsec_" + public)
    assert refusal(WAY, request(headers(forged)), secrets=known) is not None
