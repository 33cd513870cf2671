"""The key `verify` of a definition, and which of several ways decides."""

import base64
import re
from pathlib import Path

import pytest

from tests.webhooks.verification.signing import BODY, NOW, SECRET, WRONG, digest, read, refusal, request
from webhooks.verification import NotVerified, Verifier, reading
from webhooks.verification.signature import ALGORITHMS, ENCODINGS, KEYS
from webhooks.yaml_reader import DefinitionError

PAGE = (Path(__file__).parents[3] / "docs" / "webhooks.md").read_text()
GITLAB = "[{type: standard-webhooks}, {type: token, header: x-gitlab-token}]"
BOTH = (
    "[{type: hmac, header: x-signed, timestamp: x-time, signed: '{timestamp}:{body}'}, {type: hmac, header: x-signed}]"
)


async def nobody(url):
    raise AssertionError(url)


async def check(ways, sent, secrets=(SECRET,)):
    await Verifier(nobody).check(read(ways), sent, secrets, NOW)


async def test_the_first_way_that_applies_decides():
    token = SECRET.encode().decode("latin-1")
    await check(GITLAB, request({"x-gitlab-token": token}))
    with pytest.raises(NotVerified, match="webhook-id is missing"):
        await check(GITLAB, request({"x-gitlab-token": token, "webhook-signature": "v1,AAAA"}))
    with pytest.raises(NotVerified, match="the delivery is not signed, and has no secret"):
        await check(GITLAB, request({"x-other": token}))


async def test_leaving_out_the_time_does_not_make_an_old_signature_new():
    signed = digest(SECRET, f"{NOW - 301}:".encode() + BODY).hexdigest()
    with pytest.raises(NotVerified, match="older"):
        await check(BOTH, request({"x-signed": signed, "x-time": str(NOW - 301)}))
    with pytest.raises(NotVerified, match="not ours"):
        await check(BOTH, request({"x-signed": signed}))
    await check(BOTH, request({"x-signed": digest(SECRET, BODY).hexdigest()}))


async def test_a_public_key_is_no_secret_that_can_be_shown():
    with pytest.raises(NotVerified, match="not ours"):
        await check(GITLAB, request({"x-gitlab-token": "whpk_abc"}), secrets=("whpk_abc",))


def test_what_proves_something_is_named_so_that_nobody_else_sees_it():
    ways = read(
        "[{type: hmac, header: x-signed}, {type: token, header: x-token}, {type: token, query: key}, {type: bearer},"
        " {type: basic}, {type: buildkite}, {type: standard-webhooks}]"
    )
    assert read("[{type: sns}]")[0].headers == frozenset()
    assert [sorted(way.headers | way.parameters) for way in ways] == [
        ["x-signed"],
        ["x-token"],
        ["key"],
        ["authorization"],
        ["authorization"],
        ["x-buildkite-signature"],
        ["webhook-signature"],
    ]


def test_a_prefix_is_compared_without_case_and_is_no_part_of_the_secret():
    (way,) = read("[{type: token, header: authorization, prefix: 'GenieKey '}]")
    assert refusal(way, request({"authorization": "geniekey abc"}), secrets=("abc",)) is None
    assert refusal(way, request({"authorization": "geniekey abc"}), secrets=(WRONG,)) is not None
    assert not way.applies(request({"authorization": "Basic " + base64.b64encode(b"abc").decode()}))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[]", "verify.yaml:1: must have 1 to 10 ways"),
        ("[" + "{type: basic}, " * 11 + "]", "verify.yaml:1: must have 1 to 10 ways"),
        ("basic", "verify.yaml:1: must be a list"),
        ("- header: x", "verify.yaml:1: [0]: type is missing"),
        ("- type: md5", "verify.yaml:1: [0].type: 'md5' must be one of hmac"),
        ("- {type: sns}\n- {type: basic}", "verify.yaml:1: sns must be the only way"),
        ("- type: basic\n  header: x", "verify.yaml:2: [0].header: is not a key here (type)"),
        ("- type: hmac", "verify.yaml:1: [0]: header is missing"),
        ("- type: hmac\n  header: X-Signed", "verify.yaml:2: [0].header: 'X-Signed' must be the name of a header"),
        ("- {type: hmac, header: x, algorithm: md5}", "[0].algorithm: 'md5' must be one of sha256, sha1, sha512"),
        ("- {type: hmac, header: x, encoding: text}", "[0].encoding: 'text' must be one of hex, base64"),
        ("- {type: hmac, header: x, key: hex}", "[0].key: 'hex' must be one of raw, base64"),
        ("- {type: hmac, header: x, signed: no}", "[0].signed: must have {body} once"),
        ("- {type: hmac, header: x, signed: '{body}{body}'}", "[0].signed: must have {body} once"),
        ("- {type: hmac, header: x, signed: '{timestamp}.{body}'}", "timestamp names a header, and {timestamp} is in"),
        ("- {type: hmac, header: x, timestamp: y}", "timestamp names a header, and {timestamp} is in"),
        ("- {type: hmac, header: x, id: y}", "id names a header, and {id} is in"),
        ("- {type: hmac, header: x, tolerance: 5m}", "[0].tolerance: is nothing without timestamp"),
        ("- {type: buildkite, tolerance: 0s}", "must be a time like 300s"),
        ("- {type: buildkite, tolerance: 25h}", "must be a time like 300s"),
        ("- {type: sns, tolerance: 1 hour}", "must be a time like 300s"),
        ("- {type: token}", "[0]: must have one of header and query"),
        ("- {type: token, header: x, query: y}", "[0]: must have one of header and query"),
        ("- {type: token, query: y, prefix: z}", "[0].prefix: belongs to header"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text, why):
    with pytest.raises(DefinitionError) as refused:
        read(text)
    assert why in str(refused.value)


def test_the_page_tells_of_every_way_and_key():
    section = PAGE.partition("### verify\n")[2].partition("\n### ")[0]
    told = set(re.findall(r"`([\w-]+)`", section))
    assert told >= reading.TYPES.keys() | {"tolerance", *reading.HMAC_KEYS, *ALGORITHMS, *ENCODINGS, *KEYS}
    example = re.search(r"```yaml\nverify:\n(.*?)```", section, re.DOTALL)
    assert example
    assert len(read(example[1])) == 2
