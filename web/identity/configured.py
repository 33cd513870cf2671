"""What the settings say of others who know people: made once, closed at the end."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from resolvers.access import Keyring
from web.settings import Settings

if TYPE_CHECKING:
    from web.identity.kubernetes import Kubernetes
    from web.identity.oidc import Issuer


@asynccontextmanager
async def open_issuer(settings: Settings, keyring: Keyring) -> "AsyncIterator[Issuer | None]":
    """`async with open_issuer(settings, keyring) as issuer`: the identity provider, if there is one."""
    if not settings.oidc_issuer:
        yield None
        return
    # Read when it is needed: all that cryptography would take a tenth of a start.
    from web.identity import fetch
    from web.identity.grants import parse_grants
    from web.identity.keys import Provider
    from web.identity.oidc import Client, Issuer

    client = Client(
        id=settings.oidc_client_id,
        audiences=frozenset({settings.oidc_client_id, *settings.oidc_audiences}),
        groups_claim=settings.oidc_groups_claim,
        grants=parse_grants(settings.oidc_grants),
    )
    async with fetch.new_client() as http:
        provider = Provider(settings.oidc_issuer, http)
        issuer = Issuer(provider, client, note_end=keyring.note_end, on_change=lambda: keyring.on_change())
        looking = asyncio.create_task(issuer.keep_looking(), name="identity provider")
        try:
            yield issuer
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)


class BadAuthorities(Exception):
    """The certificates that vouch for the API server cannot be read; the message names the setting."""


def authorities_of(settings: Settings) -> ssl.SSLContext | None:
    """Who vouches for the API server of the cluster, if there is one that somebody must. Raises BadAuthorities."""
    if not settings.kubernetes_url.lower().startswith("https:"):
        return None
    try:
        return ssl.create_default_context(cafile=settings.kubernetes_ca_file)
    except OSError as error:
        why = error.strerror or str(error)
        raise BadAuthorities(f"ISSUEGRAPH_KUBERNETES_CA_FILE: {settings.kubernetes_ca_file}: {why}") from None


@asynccontextmanager
async def open_kubernetes(
    settings: Settings, keyring: Keyring, issuer: "Issuer | None"
) -> "AsyncIterator[Kubernetes | None]":
    """`async with open_kubernetes(settings, keyring, issuer) as kubernetes`: the cluster, if there is one.

    Raises BadAuthorities when the certificates that vouch for it cannot be read.
    """
    if not settings.kubernetes_url:
        yield None
        return
    from web.identity import fetch
    from web.identity.kubernetes import Kubernetes

    async with fetch.new_client(authorities_of(settings) or True) as http:
        kubernetes = Kubernetes(
            settings.kubernetes_url,
            http,
            token_file=Path(settings.kubernetes_token_file),
            audiences=settings.kubernetes_audiences,
            selector=settings.kubernetes_selector,
            is_of_others=issuer.is_named_by if issuer else lambda secret: False,
            on_change=lambda: keyring.on_change(),
        )
        looking = asyncio.create_task(kubernetes.keep_looking(), name="kubernetes")
        try:
            yield kubernetes
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
