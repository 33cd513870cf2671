"""A server that other products' clients find, and a key of one of them."""

from contextlib import asynccontextmanager

from pydantic import SecretStr

from models.database import Database
from tests.resolvers.mutation.house import House
from tests.web.client import living
from web.app import create_app
from web.settings import Settings

FIRST = "the-first-token-of-these-tests-0123456789"
CREATE = "mutation($input: CreateTokenInput!) { createToken(input: $input) { secret userErrors { message } } }"


class Clients(House):
    """`key(webhook)` is that of a token for namespace team; `rows` looks into the database."""

    def __init__(self, client, database):
        super().__init__(database)
        self.http = client

    async def key(self, webhook, *namespaces):
        grants = [{"permission": "REPORT", "namespace": each} for each in namespaces or ("team",)]
        token = {"name": webhook, "webhook": webhook, "grants": grants}
        answer = await self.http.post(
            "/graphql",
            {"query": CREATE, "variables": {"input": token}},
            headers={"authorization": f"Bearer {FIRST}"},
        )
        secret = answer.json["data"]["createToken"]["secret"]
        assert secret, answer.text
        return secret


@asynccontextmanager
async def clients(url):
    """A server on the database at `url`, without a network."""
    settings = Settings(database_url=url, bootstrap_token=SecretStr(FIRST))
    async with living(create_app(settings)) as client:
        database = Database(url)
        try:
            yield Clients(client, database)
        finally:
            await database.close()
