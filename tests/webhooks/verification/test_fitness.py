"""Secrets that no sender could ever show are known when a webhook is saved."""

import base64

import pytest

from tests.webhooks.verification.signing import read
from webhooks.head import head_of, unfit_secrets
from webhooks.verification.fitness import misfit

KEY = base64.b64encode(bytes(24)).decode()
PUBLIC = "whpk_" + base64.b64encode(bytes(32)).decode()
TOPIC = "arn:aws:sns:eu-west-1:123456789012:alarms"
NOT_BASE64 = "not base64 at all!!"


@pytest.mark.parametrize(
    ("way", "good", "bad"),
    [
        ("{type: standard-webhooks}", [f"whsec_{KEY}", KEY, PUBLIC], [NOT_BASE64, f"whsec_{NOT_BASE64}", "whpk_AAAA"]),
        ("{type: sns}", [TOPIC, TOPIC + ".fifo", "arn:aws-cn:sns:cn-north-1:123456789012:a"], ["notanarn-1", KEY]),
        ("{type: hmac, header: x, key: base64}", [KEY], [NOT_BASE64, PUBLIC]),
        ("{type: hmac, header: x}", [NOT_BASE64, KEY], [PUBLIC]),
        ("{type: token, header: x}", [NOT_BASE64], [PUBLIC, " a secret"]),
        ("{type: token, query: x}", [NOT_BASE64, " a secret"], [PUBLIC]),
        ("{type: bearer}", [NOT_BASE64], [PUBLIC, "a secret "]),
        ("{type: basic}", [NOT_BASE64, "a:b"], [PUBLIC]),
        ("{type: buildkite}", [NOT_BASE64], [PUBLIC]),
    ],
)
def test_each_way_has_its_secrets(way, good, bad):
    (one,) = read(f"[{way}]")
    assert [misfit(one, secret) for secret in good] == [None] * len(good)
    assert all(misfit(one, secret) for secret in bad)


def test_a_secret_is_good_if_one_of_the_ways_can_show_it_and_the_lines_are_told_if_none_can():
    head = head_of("title: x\nverify:\n  - type: standard-webhooks\n  - {type: token, header: x}\nrules: []")
    assert list(unfit_secrets(head, [NOT_BASE64, KEY])) == []
    ((index, why),) = unfit_secrets(head, [KEY, " odd one"])
    assert index == 1
    assert "line 3 wants whsec_ and a key in base64; line 4 wants a secret without spaces" in why
    assert " odd one" not in why
    ((index, why),) = unfit_secrets(head_of("title: x"), [KEY])
    assert (index, "has no `verify`" in why) == (0, True)
