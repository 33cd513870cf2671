"""Messages of Amazon SNS: signed by SNS, of a topic that is listened to, and nothing asked of anybody else."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from resolvers.errors import Unavailable
from tests.webhooks.verification.signing import NOW, read, request
from webhooks.verification import NotVerified, Verifier
from webhooks.verification.sns import LOOK_AGAIN_SECONDS, MAX_FAILURES, MAX_FAILURES_OF_ONE

WAYS = read("[{type: sns}]")
TOPIC = "arn:aws:sns:eu-central-1:123456789012:alarms"
CERTIFICATE_URL = "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0a1b.pem"
SUBSCRIBE_URL = "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&Token=t"
KEY = rsa.generate_private_key(65537, 2048)
ORDER = {
    "Notification": ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"],
    "SubscriptionConfirmation": ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"],
    "UnsubscribeConfirmation": ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"],
}


def certificate(key=KEY, begins=-1, ends=1):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    moment = datetime.fromtimestamp(NOW, UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(moment + timedelta(days=begins))
        .not_valid_after(moment + timedelta(days=ends))
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )


def message(type="Notification", *, version="2", key=KEY, **changed):
    told = {
        "Type": type,
        "MessageId": "m-1",
        "TopicArn": TOPIC,
        "Message": '{"AlarmName": "disk"}',
        "Timestamp": datetime.fromtimestamp(NOW, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "SignatureVersion": version,
        "SigningCertURL": CERTIFICATE_URL,
    }
    if type != "Notification":
        told |= {"SubscribeURL": SUBSCRIBE_URL, "Token": "t"}
    told |= changed
    signed = "".join(f"{name}\n{told[name]}\n" for name in ORDER[type] if name in told).encode()
    algorithm = hashes.SHA1() if version == "1" else hashes.SHA256()
    return told | {"Signature": base64.b64encode(key.sign(signed, padding.PKCS1v15(), algorithm)).decode()}


class Amazon:
    """Answers with a certificate, and remembers what it was asked."""

    def __init__(self, answer=None):
        self.asked = []
        self.answer = answer or certificate()
        self.verifier = Verifier(self.fetch)

    async def fetch(self, url):
        self.asked.append(url)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def check(self, told, secrets=(TOPIC,), now=NOW, source="192.0.2.1"):
        body = told if isinstance(told, bytes) else json.dumps(told).encode()
        delivery = request({"x-amz-sns-message-type": "any"}, body=body, source=source)
        await self.verifier.check(WAYS, delivery, secrets, now)


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("changed", [{}, {"Subject": "ALARM: disk"}, {"Message": "caf\u00e9 \u2713"}])
async def test_a_message_of_a_topic_that_is_listened_to_is_let_in_and_the_certificate_fetched_once(version, changed):
    amazon = Amazon()
    await amazon.check(message(version=version, **changed))
    await amazon.check(message(version=version, **changed), secrets=("arn:aws:sns:other", TOPIC))
    assert amazon.asked == [CERTIFICATE_URL]


@pytest.mark.parametrize("name", ["Message", "MessageId", "Timestamp"])
async def test_a_message_that_was_changed_is_not(name):
    later = datetime.fromtimestamp(NOW + 1, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    with pytest.raises(NotVerified, match="the signature of the message is not of SNS"):
        await Amazon().check(message() | {name: later})


async def test_a_message_of_another_topic_is_not_and_nobody_is_asked():
    amazon = Amazon()
    for secrets in ((), ("",), ("arn:aws:sns:eu-central-1:123456789012:other",)):
        with pytest.raises(NotVerified, match="another topic"):
            await amazon.check(message(), secrets)
    assert amazon.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0a1b.pem",
        "https://sns.eu-central-1.amazonaws.com.evil.example/SimpleNotificationService-0a1b.pem",
        "https://evil.example/SimpleNotificationService-0a1b.pem",
        "https://sns.evil.example/sns.eu-central-1.amazonaws.com/SimpleNotificationService-0a1b.pem",
        "https://sns.eu-central-1.amazonaws.com@evil.example/SimpleNotificationService-0a1b.pem",
        "https://user@sns.eu-central-1.amazonaws.com/SimpleNotificationService-0a1b.pem",
        "https://sns.eu-central-1.amazonaws.com:8443/SimpleNotificationService-0a1b.pem",
        "https://s3.eu-central-1.amazonaws.com/SimpleNotificationService-0a1b.pem",
        "https://sns.a.b.amazonaws.com/SimpleNotificationService-0a1b.pem",
        "https://sns.eu-central-1.amazonaws.com/other.pem",
        "https://sns.eu-central-1.amazonaws.com/a/SimpleNotificationService-0a1b.pem",
        "https://sns.eu-central-1.amazonaws.com/../SimpleNotificationService-0a1b.pem",
        "https://[::1/SimpleNotificationService-0a1b.pem",
        "file:///etc/passwd",
        "",
        None,
    ],
)
async def test_a_certificate_elsewhere_is_not_looked_at(url):
    amazon = Amazon()
    with pytest.raises(NotVerified, match="not at an address of SNS"):
        await amazon.check(message(SigningCertURL=url))
    assert amazon.asked == []


@pytest.mark.parametrize("host", ["sns.us-gov-west-1.amazonaws.com", "sns.cn-north-1.amazonaws.com.cn"])
async def test_each_part_of_the_world_has_its_own(host):
    await Amazon().check(message(SigningCertURL=f"https://{host}/SimpleNotificationService-0a1b.pem"))


async def test_a_subscription_is_confirmed_at_sns_and_only_after_its_signature_was_good():
    amazon = Amazon()
    await amazon.check(message("SubscriptionConfirmation"))
    assert amazon.asked == [CERTIFICATE_URL, SUBSCRIBE_URL]
    with pytest.raises(NotVerified):
        await amazon.check(message("SubscriptionConfirmation") | {"Token": "forged"})
    with pytest.raises(NotVerified, match="not to be confirmed"):
        await amazon.check(message("SubscriptionConfirmation", SubscribeURL="https://evil.example/?Token=t"))
    await amazon.check(message("UnsubscribeConfirmation"))
    assert amazon.asked == [CERTIFICATE_URL, SUBSCRIBE_URL]


async def test_a_message_is_good_for_an_hour():
    await Amazon().check(message(), now=NOW + 3_600)
    for now in (NOW + 3_601, NOW - 3_601):
        with pytest.raises(NotVerified, match="older than 3600 seconds"):
            await Amazon().check(message(), now=now)


NO_MESSAGES = {
    "nothing": b"",
    "a list": b"[]",
    "null": b"null",
    "bytes": b"\xff",
    "very deep": b"[" * 100_000,
    "another type": {"Type": "Other"},
    "another version": message(SignatureVersion="3"),
    "another time": message(Timestamp="soon"),
    "no signature": message() | {"Signature": ""},
    "no base64": message() | {"Signature": "!"},
    "a short signature": message() | {"Signature": "AAAA"},
    "null as signature": message() | {"Signature": None},
    "a number as signature": message() | {"Signature": 1},
}


@pytest.mark.parametrize("told", NO_MESSAGES.values(), ids=NO_MESSAGES)
async def test_what_is_no_message_is_not_let_in(told):
    with pytest.raises(NotVerified):
        await Amazon().check(told)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"no certificate", "cannot be read"),
        (certificate(begins=-2, ends=-1), "not valid now"),
        (certificate(begins=1, ends=2), "not valid now"),
        (certificate(rsa.generate_private_key(65537, 2048)), "not of SNS"),
        (certificate(ec.generate_private_key(ec.SECP256R1())), "not of SNS"),
    ],
    ids=["text", "old", "early", "another", "curve"],
)
async def test_a_certificate_that_is_not_good_lets_nobody_in(answer, why):
    with pytest.raises(NotVerified, match=why):
        await Amazon(answer).check(message())


async def test_while_sns_cannot_be_asked_nobody_is_refused_for_good_and_it_is_not_asked_all_the_time():
    amazon = Amazon(ConnectionError())
    for _ in range(3):
        with pytest.raises(Unavailable):
            await amazon.check(message())
    assert len(amazon.asked) == 1
    amazon.answer = certificate()
    await amazon.check(message(), now=NOW + LOOK_AGAIN_SECONDS)
    assert len(amazon.asked) == 2


MADE_UP = message()


def made_up(number):
    return MADE_UP | {"SigningCertURL": CERTIFICATE_URL.replace("0a1b", f"{number}")}


async def test_made_up_addresses_of_certificates_do_not_make_us_ask_without_end():
    amazon = Amazon(ConnectionError())
    for number in range(MAX_FAILURES_OF_ONE + 5):
        with pytest.raises(Unavailable):
            await amazon.check(made_up(number))
    assert len(amazon.asked) == MAX_FAILURES_OF_ONE


async def test_who_makes_up_addresses_of_certificates_keeps_out_nobody_who_comes_from_elsewhere():
    amazon = Amazon(ConnectionError())
    for number in range(MAX_FAILURES_OF_ONE + 5):
        with pytest.raises(Unavailable):
            await amazon.check(made_up(number))
    amazon.answer = certificate()
    with pytest.raises(Unavailable):
        await amazon.check(message())
    await amazon.check(message(), source="192.0.2.2")
    # What is known is asked for nobody.
    await amazon.check(message())


async def test_from_however_many_places_they_come_we_do_not_ask_without_end():
    amazon = Amazon(ConnectionError())
    for number in range(MAX_FAILURES + 5):
        with pytest.raises(Unavailable):
            await amazon.check(made_up(number), source=f"192.0.2.{number}")
    assert len(amazon.asked) == MAX_FAILURES
    amazon.answer = certificate()
    await amazon.check(message(), now=NOW + LOOK_AGAIN_SECONDS)
