"""A server that other products' clients find, and a key of one of them."""

from contextlib import asynccontextmanager

from pydantic import SecretStr

from models.database import Database, Write
from tests.resolvers.mutation.house import House
from tests.web.client import living
from web.app import create_app
from web.settings import Settings

FIRST = "the-first-token-of-these-tests-0123456789"
KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
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

    async def ask(self, query, **variables):
        """The data that whoever may do everything is answered."""
        given = {"query": query, "variables": variables}
        answer = await self.http.post("/graphql", given, headers={"authorization": f"Bearer {FIRST}"})
        assert "errors" not in answer.json, answer.json
        return answer.json["data"]

    async def write(self, statement):
        """Changes the database behind the server's back."""

        def work():
            yield Write(self.database.compile(statement), [{}])

        await self.database.transact(work)


@asynccontextmanager
async def clients(url):
    """A server on the database at `url`, without a network."""
    settings = Settings(database_url=url, bootstrap_token=SecretStr(FIRST), secret_key=SecretStr(KEY))
    async with living(create_app(settings)) as client:
        database = Database(url)
        try:
            yield Clients(client, database)
        finally:
            await database.close()
