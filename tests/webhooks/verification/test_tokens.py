"""Secrets that are sent as they are."""

import base64

import pytest

from tests.webhooks.verification.signing import OLD, SECRET, WRONG, read, refusal, request

PLAIN = "s3cret"


def basic(pair):
    return request({"authorization": "Basic " + base64.b64encode(pair.encode()).decode()})


def test_a_header_can_be_the_secret():
    (way,) = read("[{type: token, header: x-gitlab-token}]")
    sent = SECRET.encode().decode("latin-1")  # as a server gives a header of UTF-8
    assert refusal(way, request({"x-gitlab-token": sent})) is None
    assert refusal(way, request({"x-gitlab-token": OLD}), secrets=(SECRET, OLD)) is None
    for shown in (WRONG, "", SECRET.upper()):
        assert refusal(way, request({"x-gitlab-token": shown})) == "the secret in x-gitlab-token is not ours"
    assert refusal(way, request({"x-gitlab-token": ""}), secrets=("",)) is not None
    assert not way.applies(request({"x-other": sent}))


def test_a_parameter_of_the_query_can_be_the_secret():
    (way,) = read("[{type: token, query: token}]")
    assert refusal(way, request(query={"token": SECRET})) is None
    assert refusal(way, request(query={"token": WRONG})) == "the secret in ?token is not ours"
    assert refusal(way, request(query={"token": ""}), secrets=("",)) is not None
    assert not way.applies(request({"token": SECRET}))
    assert way.parameters == {"token"}
    assert way.headers == frozenset()


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER  "])
def test_a_bearer_token_can_be_the_secret(scheme):
    (way,) = read("[{type: bearer}]")
    assert way.applies(request({"authorization": scheme + PLAIN}))
    assert refusal(way, request({"authorization": scheme + PLAIN}), secrets=(PLAIN,)) is None
    assert refusal(way, request({"authorization": scheme + WRONG}), secrets=(PLAIN,)) is not None
    assert not way.applies(basic(f"user:{PLAIN}"))
    assert not way.applies(request())


@pytest.mark.parametrize("pair", [f"user:{PLAIN}", f":{PLAIN}", f"{PLAIN}:", PLAIN, "us:er:pass"])
def test_the_password_of_basic_can_be_the_secret_or_name_and_password(pair):
    (way,) = read("[{type: basic}]")
    assert way.applies(basic(pair))
    assert refusal(way, basic(pair), secrets=(PLAIN, "us:er:pass")) is None
    assert refusal(way, basic(pair), secrets=(WRONG, "user")) == "the secret in authorization is not ours"


@pytest.mark.parametrize("shown", ["Basic", "Basic ", "Basic !", "Basic Og==", "Bearer s3cret", ""])
def test_what_is_not_basic_is_not_let_in(shown):
    (way,) = read("[{type: basic}]")
    assert refusal(way, request({"authorization": shown}), secrets=(PLAIN, "")) is not None


def test_the_name_alone_is_nothing():
    (way,) = read("[{type: basic}]")
    assert refusal(way, basic("s3cret:password"), secrets=(PLAIN,)) is not None
