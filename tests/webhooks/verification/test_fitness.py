"""Secrets that no sender could ever show are known when a webhook is saved."""

import base64

import pytest

from tests.webhooks.verification.signing import read
from webhooks.head import head_of, unfit_secrets
from webhooks.verification.fitness import misfit, weakness

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
    assert list(unfit_secrets(head, [NOT_BASE64, KEY], 2)) == []
    ((index, why),) = unfit_secrets(head, [KEY, " odd one"], 2)
    assert index == 1
    assert "line 3 wants whsec_ and a key in base64; line 4 wants a secret without spaces" in why
    assert " odd one" not in why
    ((index, why),) = unfit_secrets(head_of("title: x"), [KEY], 1)
    assert (index, "has no `verify`" in why) == (0, True)


WEAK = ["elevenchars", "123456789012345"]


@pytest.mark.parametrize(
    "way", ["{type: token, header: x}", "{type: token, query: x}", "{type: bearer}", "{type: basic}"]
)
def test_a_secret_that_is_sent_as_it_stands_is_long_enough_to_be_hidden(way):
    (one,) = read(f"[{way}]")
    assert weakness(one, "twelve-chars") is None
    assert ["at least 12 characters" in (weakness(one, secret) or "") for secret in WEAK] == [True, True]
    of_pairs = [weakness(one, f"a long user:{secret}") for secret in ("twelve-chars", *WEAK)]
    is_basic = "basic" in way
    assert [(why or "").startswith("a password of") for why in of_pairs] == [False, is_basic, is_basic]


@pytest.mark.parametrize("way", ["{type: hmac, header: x}", "{type: buildkite}", "{type: standard-webhooks}"])
def test_a_secret_that_only_signs_may_be_short(way):
    (one,) = read(f"[{way}]")
    assert [weakness(one, secret) for secret in WEAK] == [None, None]


def test_of_kept_secrets_weak_ones_go_on_and_a_new_one_is_weak_if_any_way_would_show_it():
    verify = "[{type: buildkite}, {type: token, header: x}]"
    head = head_of(f"title: x\nverify: {verify}\nrules: []")
    ((index, why),) = unfit_secrets(head, WEAK, 1)
    assert (index, why.startswith("it could not be hidden")) == (0, True)
    assert WEAK[0] not in why
    assert list(unfit_secrets(head, WEAK, 0)) == []
