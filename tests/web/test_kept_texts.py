"""What a client sends may be long; whatever a process keeps of it, to answer the next one sooner, is short."""

import dataclasses
import functools
import gc

import pytest

from tests.web.client import living
from web.app import create_app
from web.settings import Settings
from webhooks.devlake.plans import repository_name
from webhooks.head import head_of
from webhooks.times import time_at
from webhooks.verification.sns import _is_of_sns

MARK = "long-and-kept"
LONG = MARK * 2_400  # 31,200 characters
MOST = 21_000  # characters
CREATE = "mutation ($input: CreateIssueInput!) { createIssue(input: $input) { userErrors { code field } } }"
ISSUE = {
    "namespace": "team-a",
    "title": "t",
    "description": "d",
    "severity": "MAJOR",
    "issueType": "BUILD",
    "scope": {"resourceType": "c", "resourceName": "x"},
}


@pytest.fixture
async def client(database_url):
    async with living(create_app(Settings(dev=True, database_url=database_url))) as client:
        yield client


def characters(kept, depth=6):
    """Of all texts with the mark within something that is kept."""
    if isinstance(kept, bytes):
        kept = kept.decode("latin-1")
    if isinstance(kept, str):
        return len(kept) if MARK in kept else 0
    if dataclasses.is_dataclass(kept) and not isinstance(kept, type):
        kept = [getattr(kept, field.name) for field in dataclasses.fields(kept)]
    elif isinstance(kept, dict):
        kept = [*kept, *kept.values()]
    if not depth or not isinstance(kept, list | tuple | set | frozenset):
        return 0
    return sum(characters(each, depth - 1) for each in kept)


def kept_too_much():
    """What caches of functions keep of a call, by function, beyond MOST; those of the standard library too."""
    found = {}
    for cache in gc.get_objects():
        if not isinstance(cache, functools._lru_cache_wrapper):
            continue
        for held in gc.get_referents(cache):
            for each in held.items() if isinstance(held, dict) else [held]:
                if (size := characters(each)) > MOST:
                    found[cache.__wrapped__.__qualname__] = size
    return found


@functools.lru_cache
def keeps(text):
    return [text]


def test_what_is_kept_is_found():
    keeps(LONG)
    try:
        assert kept_too_much() == {"keeps": len(LONG)}
    finally:
        keeps.cache_clear()


@pytest.mark.parametrize("header", ["accept", "content-type", "host", "origin", "authorization", "cookie"])
async def test_a_long_header_is_not_kept(client, header):
    value = {
        "accept": "text/html," + ",".join(f"{MARK}/{number}" for number in range(2_000)),
        "content-type": f"application/json; x={LONG}",
        "origin": f"https://{LONG}",
    }.get(header, LONG)
    await client.get("/", headers={header: value})
    await client.post("/graphql", {"query": "{ __typename }"}, headers={header: value})
    assert kept_too_much() == {}


@pytest.mark.parametrize("url", [f"https://h/{LONG}", f"https://ü/{LONG}", f"ftp://{LONG}"])
async def test_a_long_address_is_not_kept(client, url):
    answer = await client.post(
        "/graphql", {"query": CREATE, "variables": {"input": {**ISSUE, "links": [{"title": "l", "url": url}]}}}
    )
    (error,) = answer.json["data"]["createIssue"]["userErrors"]
    assert error == {"code": "TOO_LONG", "field": ["links", "0", "url"]}
    assert not _is_of_sns(f"https://sns.eu-west-1.amazonaws.com/?{LONG}")
    assert repository_name(f"https://git.example/{LONG}.git").endswith(MARK)
    assert kept_too_much() == {}


async def test_a_fingerprint_of_long_parts_is_not_kept(client):
    parts = [{"name": f"{number}", "value": (MARK * 50)[:500]} for number in range(20)]
    answer = await client.post("/graphql", {"query": CREATE, "variables": {"input": {**ISSUE, "fingerprint": parts}}})
    assert answer.json["data"] == {"createIssue": {"userErrors": []}}
    assert kept_too_much() == {}


def test_a_long_definition_and_a_long_zone_are_not_kept():
    assert head_of(f"title: {LONG}").title == LONG
    assert time_at("2026-01-02 03:04:05", LONG) == ""
    assert kept_too_much() == {}
