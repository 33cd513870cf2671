"""Tokens of an identity provider: which are good, which are not, and what is asked of it meanwhile."""

import asyncio
import base64
import json
import time

import pytest

from resolvers.caller import Actor, ActorKind, Caller, Grant, Permission
from resolvers.errors import Unavailable
from tests.web.issuer import CLIENT_ID, GRANTS, FakeIssuer, new_key, public_of, rsa_key
from tests.web.issuer import NAME as ISSUER
from web.identity import keys, oidc
from web.identity.fetch import get_object
from web.identity.grants import granted, mapping_digest, parse_grants
from web.identity.keys import Provider
from web.identity.oidc import LEEWAY_SECONDS, Client, Issuer


@pytest.fixture
def fake():
    return FakeIssuer()


@pytest.fixture
async def issuer(fake):
    async with fake.client() as http:
        yield issuer_of(fake, http)


def issuer_of(fake, http, **more):
    given = {"audiences": frozenset({CLIENT_ID}), "groups_claim": "groups", "grants": parse_grants(GRANTS), **more}
    fake.ends = []
    return Issuer(Provider(ISSUER, http), Client(id=CLIENT_ID, **given), note_end=fake.ends.append)


async def test_somebody_with_a_token_of_the_provider_has_the_rights_of_their_groups(fake, issuer):
    claims = fake.claims()
    known = await issuer.find(fake.sign(claims))
    assert known.caller.actor == Actor(ActorKind.PERSON, "u-1", "ada")
    assert known.caller.grants == (Grant(Permission.READ, "team-a"), Grant(Permission.RESPOND, "team-a"))
    assert known.webhook is None
    assert known.expires_at == known.caller.expires_at == claims["exp"] + LEEWAY_SECONDS
    assert fake.ends == [known.expires_at]


async def test_the_provider_is_asked_once_and_a_token_verified_once(fake, issuer):
    token = fake.token()
    known = await issuer.find(token)
    fake.down = True
    assert await issuer.find(token) is known
    assert (await issuer.find(fake.token(sub="u-2"))).caller.actor.id == "u-2"
    assert fake.asked == {"openid-configuration": 1, "keys": 1}


@pytest.mark.parametrize("address", ["https://[bad/keys", "https://a\0b/keys", "https://xn--/keys", "https:///", 7, ""])
async def test_a_provider_with_an_odd_address_gives_no_answer_and_is_asked_again(fake, issuer, monkeypatch, address):
    monkeypatch.setattr(keys, "LOOK_SECONDS", 0.0)
    good, fake.metadata["jwks_uri"] = fake.metadata["jwks_uri"], address
    with pytest.raises(Unavailable):
        await issuer.find(fake.token())
    fake.metadata["jwks_uri"] = good
    assert await issuer.find(fake.token()) is not None


async def test_whatever_goes_wrong_tokens_are_looked_at_again(fake, issuer, monkeypatch, caplog):
    monkeypatch.setattr(oidc, "VERIFIED_SECONDS", 0.1)
    token, look = fake.token(), issuer.provider.look_again
    held = (await issuer.find(token)).caller
    failed = asyncio.Event()

    async def fails():
        failed.set()
        raise LookupError

    monkeypatch.setattr(issuer.provider, "look_again", fails)
    looking = asyncio.create_task(issuer.keep_looking())
    async with asyncio.timeout(20):
        await failed.wait()
        monkeypatch.setattr(keys, "LOOK_SECONDS", 0.0)
        monkeypatch.setattr(issuer.provider, "look_again", look)
        fake.rotate("second")
        while issuer.admits(held):
            await asyncio.sleep(0.02)
    assert "cannot be looked at" in caplog.text
    looking.cancel()


async def test_a_question_that_was_cut_off_was_none(fake, issuer, monkeypatch):
    go_on = asyncio.Event()

    async def slow(*given):
        await go_on.wait()
        return await get_object(*given)

    monkeypatch.setattr(keys, "get_object", slow)
    first = asyncio.create_task(issuer.find(fake.token()))
    await asyncio.sleep(0.05)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    go_on.set()
    assert await issuer.find(fake.token()) is not None


@pytest.mark.parametrize(
    "sub", ["local", "nobody", "command-line:root", "kubernetes:system:admin", "sender at 192.0.2.7"]
)
async def test_nobody_is_known_by_a_name_of_our_own(fake, issuer, sub):
    assert await issuer.find(fake.token(sub=sub)) is None


async def test_a_token_that_was_good_is_none_once_its_key_was_withdrawn(fake, issuer, monkeypatch):
    token = fake.token()
    known = await issuer.find(token)
    monkeypatch.setattr(oidc, "VERIFIED_SECONDS", 0.0)
    assert await issuer.find(token) is known
    monkeypatch.setattr(keys, "FRESH_SECONDS", 0.0)
    monkeypatch.setattr(keys, "LOOK_SECONDS", 0.0)
    fake.published = [public_of(new_key("second"))]
    assert await issuer.find(token) is None
    fake.published = [public_of(fake.key)]
    assert (await issuer.find(token)).caller == known.caller
    # Nobody can say whether it still is good.
    monkeypatch.setattr(keys, "GOOD_SECONDS", 0.0)
    fake.down = True
    with pytest.raises(Unavailable):
        await issuer.find(token)


class Seconds(int):
    """So many seconds from when a test runs, which may be long after it was collected."""


def told(claims):
    """The claims with times in the place of Seconds."""
    return {name: int(time.time()) + value if isinstance(value, Seconds) else value for name, value in claims.items()}


@pytest.mark.parametrize(
    "more",
    [
        {"iss": "https://evil.example.com"},
        {"iss": ISSUER + "/"},
        {"iss": None},
        {"iss": [ISSUER]},
        {"aud": "another"},
        {"aud": None},
        {"aud": []},
        {"aud": 5},
        {"aud": {CLIENT_ID: 1}},
        {"aud": [[CLIENT_ID], None]},
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": True},
        {"exp": 1e300},
        {"exp": -1},
        {"exp": Seconds(-60)},
        {"nbf": Seconds(600)},
        {"nbf": "now"},
        {"iat": Seconds(600)},
        {"sub": None},
        {"sub": ""},
        {"sub": "a\0b"},
        {"sub": 5},
        {"sub": "x" * 256},
        {"sub": "\ud800"},
        {"groups": ["nobody"]},
        {"groups": None},
        {"groups": 5},
        {"groups": [["platform"], {"platform": 1}, None]},
        {"groups": {"platform": True}},
        {"cnf": {"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}},
        {"cnf": {"x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}},
        {"aud": [CLIENT_ID, "x"], "azp": "x"},
        {"aud": [CLIENT_ID, "x"], "azp": [CLIENT_ID]},
        {"aud": [CLIENT_ID, "x"], "azp": ""},
        {"events": {"http://schemas.openid.net/event/backchannel-logout": {}}},
    ],
)
async def test_claims_that_let_nobody_in(fake, issuer, more):
    assert await issuer.find(fake.token(**told(more))) is None
    assert await issuer.find(fake.token()) is not None


@pytest.mark.parametrize(
    ("more", "name"),
    [
        ({"aud": ["x", CLIENT_ID]}, "ada"),
        ({"aud": ["x", CLIENT_ID], "azp": CLIENT_ID}, "ada"),
        ({"aud": [CLIENT_ID], "azp": "x"}, "ada"),
        ({"aud": CLIENT_ID, "azp": "x"}, "ada"),
        ({"exp": Seconds(-5)}, "ada"),
        ({"nbf": Seconds(5)}, "ada"),
        ({"preferred_username": None, "name": "Ada L."}, "Ada L."),
        ({"preferred_username": "a\nb", "email": "a@b"}, "a@b"),
        ({"preferred_username": 5}, "u-1"),
        ({"preferred_username": "x" * 500}, "x" * 200),
        ({"groups": "team-a"}, "ada"),
        ({"groups": ["cn=qa,ou=groups"]}, "ada"),
    ],
)
async def test_claims_that_let_somebody_in(fake, issuer, more, name):
    assert (await issuer.find(fake.token(**told(more)))).caller.actor.name == name


async def test_a_token_for_several_may_have_been_given_to_any_client_whose_tokens_are_taken(fake):
    async with fake.client() as http:
        issuer = issuer_of(fake, http, audiences=frozenset({CLIENT_ID, "ci"}))
        assert await issuer.find(fake.token(aud=[CLIENT_ID, "account"], azp="ci")) is not None
        assert await issuer.find(fake.token(aud=[CLIENT_ID, "account"], azp="account")) is None


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "None"},
        {"alg": None},
        {"alg": 5},
        {"alg": ["ES256"]},
        {"typ": "logout+jwt"},
        {"kid": 5},
    ],
)
async def test_a_header_that_lets_nobody_in(fake, issuer, header):
    head, body, signature = fake.token().split(".")
    told = {"alg": "ES256", "kid": "first"} | header
    head = base64.urlsafe_b64encode(json.dumps(told).encode()).decode().rstrip("=")
    for ending in (signature, ""):
        assert await issuer.find(f"{head}.{body}.{ending}") is None


async def test_a_signature_by_whoever_lets_nobody_in(fake, issuer):
    stranger = new_key("first")
    assert await issuer.find(fake.sign(fake.claims(), key=stranger)) is None
    # The key comes with the token: so does everybody's.
    carried = {"jwk": stranger.as_dict(private=False), "jku": "https://evil.example.com/keys"}
    assert await issuer.find(fake.sign(fake.claims(), key=stranger, header=carried)) is None
    head, body, signature = fake.token().split(".")
    other = fake.token(groups=["platform"]).split(".")[1]
    assert await issuer.find(f"{head}.{other}.{signature}") is None
    assert await issuer.find(f"{head}.{body}.{signature[:-4]}AAAA") is None


async def test_a_secret_that_everybody_knows_signs_nothing(fake, issuer):
    key = rsa_key("rsa")
    fake.published.append(public_of(key))
    shared = b"0" * 32
    fake.published.append({"kty": "oct", "kid": "shared", "k": base64.urlsafe_b64encode(shared).decode().rstrip("=")})
    for secret, kid in ((key.as_pem(private=False), "rsa"), (shared, "shared"), (b"", "rsa")):
        assert await issuer.find(fake.sign_with_secret(fake.claims(), secret, kid)) is None
    assert await issuer.find(fake.sign(fake.claims(), key=key, header={"alg": "RS256"})) is not None


async def test_a_key_for_another_purpose_signs_nothing(fake, issuer):
    other = new_key("enc")
    fake.published.append({**public_of(other), "use": "enc"})
    assert await issuer.find(fake.sign(fake.claims(), key=other)) is None


@pytest.mark.parametrize("secret", ["", "..", "a.b.c", "x" * 20_000, "é.é.é", "igt_x", "a.e30.b", "a.W10.b", ". ."])
async def test_what_is_no_jwt_asks_nobody(fake, issuer, secret):
    assert await issuer.find(secret) is None
    assert fake.asked == {}


async def test_a_rotated_key_is_found_and_the_one_before_is_no_longer_good(fake, issuer, monkeypatch):
    before, held = fake.key, fake.token()
    assert await issuer.find(held) is not None
    fake.rotate("second")
    # Whoever makes keys up makes us ask no more often.
    assert await issuer.find(fake.token(sub="u-2")) is None
    assert fake.asked["keys"] == 1
    monkeypatch.setattr(keys, "LOOK_SECONDS", 0.0)
    assert (await issuer.find(fake.token(sub="u-2"))).caller.actor.id == "u-2"
    assert await issuer.find(fake.sign(fake.claims(sub="u-3"), key=before)) is None
    # What was verified is good until it ends.
    assert await issuer.find(held) is not None


async def test_who_stays_connected_is_looked_at_again_with_the_keys_of_today(fake, issuer, monkeypatch):
    told = []
    issuer._on_change = lambda: told.append(1)
    monkeypatch.setattr(keys, "LOOK_SECONDS", 0.0)
    caller = (await issuer.find(fake.token())).caller
    # Nothing is due.
    await issuer.look_again()
    assert fake.asked["keys"] == 1
    monkeypatch.setattr(oidc, "VERIFIED_SECONDS", 0.0)
    await issuer.look_again()
    assert (fake.asked["keys"], issuer.admits(caller), told) == (2, True, [])
    # A provider that is away for a while ends nobody.
    fake.down = True
    await issuer.look_again()
    assert (issuer.admits(caller), told) == (True, [])
    # Nor one that shows a page without keys.
    fake.down, published, fake.published = False, fake.published, []
    await issuer.look_again()
    assert (issuer.admits(caller), told) == (True, [])
    fake.published = published
    fake.rotate("second")
    other = (await issuer.find(fake.token(sub="u-2"))).caller
    await issuer.look_again()
    assert (issuer.admits(caller), issuer.admits(other), told) == (False, True, [1])
    # Those whom others let in are none of its business.
    assert issuer.admits(Caller(caller.actor, caller.grants))


async def test_more_tokens_than_can_be_remembered_end_those_that_came_first(fake, issuer, monkeypatch):
    monkeypatch.setattr(oidc, "MAX_REMEMBERED", 10)
    callers = [(await issuer.find(fake.token(sub=f"u-{number}"))).caller for number in range(11)]
    assert [issuer.admits(caller) for caller in callers] == [False] + [True] * 10


async def test_a_token_without_a_kid_is_tried_with_every_key(fake, issuer):
    fake.published.insert(0, public_of(new_key("another")))
    assert await issuer.find(fake.sign(fake.claims(), header={"kid": None})) is not None


async def test_while_the_provider_is_away_nobody_new_comes_in_and_then_they_do(fake, issuer, monkeypatch):
    fake.down = True
    for _ in range(3):
        with pytest.raises(Unavailable):
            await issuer.find(fake.token())
    assert fake.asked == {"openid-configuration": 1}
    monkeypatch.setattr(keys, "LOOK_SECONDS", 0.0)
    fake.down = False
    assert await issuer.find(fake.token()) is not None
    # What nobody could look at for a day is no longer good.
    fake.down = True
    monkeypatch.setattr(keys, "FRESH_SECONDS", -1.0)
    assert await issuer.find(fake.token(sub="u-2")) is not None
    monkeypatch.setattr(keys, "GOOD_SECONDS", -1.0)
    with pytest.raises(Unavailable):
        await issuer.find(fake.token(sub="u-3"))


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://other.example.com"},
        {"issuer": None},
        {"jwks_uri": "http://sso.example.com/realms/ci/keys"},
        {"jwks_uri": 5},
        {"jwks_uri": "https://sso.example.com/realms/ci/nothing"},
    ],
)
async def test_a_provider_that_says_odd_things_lets_nobody_in(fake, issuer, metadata):
    fake.metadata |= metadata
    with pytest.raises(Unavailable):
        await issuer.find(fake.token())


@pytest.mark.parametrize("published", [None, {}, [], [5, None, {}, {"kty": "EC"}, {"kty": "RSA", "n": "x", "e": 5}]])
async def test_keys_that_are_none_let_nobody_in(fake, issuer, published):
    fake.published = published
    with pytest.raises(Unavailable):
        await issuer.find(fake.token())


@pytest.mark.parametrize(
    ("claim", "more"),
    [
        ("realm_access.roles", {"realm_access": {"roles": ["team-a"]}}),
        ("https://example.com/groups", {"https://example.com/groups": ["team-a"]}),
    ],
)
async def test_groups_may_be_told_elsewhere(fake, claim, more):
    async with fake.client() as http:
        issuer = issuer_of(fake, http, groups_claim=claim)
        assert await issuer.find(fake.token(groups=None, **more)) is not None
        assert await issuer.find(fake.token()) is None


def test_grants_are_written_as_text():
    mapping = parse_grants(" platform = all:* ; team-a=READ:team-a, respond:team-a;*=read:public-*;a=b=read:x; ")
    assert set(mapping) == {"platform", "team-a", "*", "a=b"}
    assert set(mapping["platform"]) == {Grant(permission, "*") for permission in Permission}
    assert granted(mapping, ["team-a", "a=b", "unknown"]) == (
        Grant(Permission.READ, "public-*"),
        Grant(Permission.READ, "team-a"),
        Grant(Permission.READ, "x"),
        Grant(Permission.RESPOND, "team-a"),
    )
    assert parse_grants("") == parse_grants(" ; ") == {}


@pytest.mark.parametrize(
    "text", ["team-a", "=read:x", "a=read", "a=read:", "a=write:x", "a=read:x;a=read:y", "a=read:*x", "a=", "a=:x"]
)
def test_grants_that_cannot_be_read_are_refused(text):
    with pytest.raises(ValueError, match=r"."):
        parse_grants(text)


def test_the_digest_of_the_mapping_changes_with_what_people_may_do_and_with_nothing_else():
    given = ("https://sso.example.com", "issuegraph", "groups", "a=read:x,respond:x;b=read:y")
    same = mapping_digest(*given[:3], " b=read:y ; a=respond:x,read:x")
    assert mapping_digest(*given) == same
    others = [
        ("https://other.example.com", *given[1:]),
        (given[0], "other", *given[2:]),
        (*given[:2], "roles", given[3]),
        (*given[:3], "a=read:x;b=read:y"),
        (*given[:3], "a=read:x,respond:x;c=read:y"),
        (*given[:3], "a=read:x;b=read:y,respond:x"),
    ]
    assert len({mapping_digest(*each) for each in (given, *others)}) == 7
