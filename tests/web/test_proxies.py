"""Whom a request comes from behind a proxy that is trusted, whatever clients make it pass on."""

import pytest

from web.proxies import behind

PROXY = ("10.0.0.7", 40_000)


async def nothing(*_):
    raise AssertionError("nobody is to be asked")


async def client_seen(proxies, peer, forwarded):
    seen = []

    async def app(scope, receive, send):
        seen.append(scope["client"])

    headers = [] if forwarded is None else [(b"x-forwarded-for", forwarded.encode("latin-1"))]
    scope = {"type": "http", "client": peer, "headers": headers, "scheme": "http"}
    await behind(proxies, app)(scope, nothing, nothing)
    (client,) = seen
    return client


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ("192.0.2.5", "192.0.2.5"),
        ("192.0.2.5:5000", "192.0.2.5"),
        ("2001:DB8:0::5", "2001:db8::5"),
        ("[2001:db8::5]:5000", "2001:db8::5"),
        ("198.51.100.1, 192.0.2.5", "192.0.2.5"),
        ("10.0.0.7", "10.0.0.7"),
        ("a" * 9_000, "10.0.0.7"),
        ('evil"}{', "10.0.0.7"),
        ("fe80::1%" + "a" * 9_000, "10.0.0.7"),
        ("192.0.2.5:evil", "10.0.0.7"),
        ("192.0.2.5, evil", "10.0.0.7"),
        ("\x00", "10.0.0.7"),
        ("", "10.0.0.7"),
        (None, "10.0.0.7"),
    ],
)
async def test_only_an_address_is_believed(forwarded, client):
    found = await client_seen(["10.0.0.0/8"], PROXY, forwarded)
    assert found[0] == client


async def test_who_is_not_trusted_is_who_connects():
    assert await client_seen(["10.0.0.8"], PROXY, "192.0.2.5") == PROXY
    assert await client_seen([], PROXY, "192.0.2.5") == PROXY
