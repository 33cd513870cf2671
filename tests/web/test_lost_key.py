"""A webhook whose secrets need a key that the server has not got any more: nobody gets in, and its owner is told."""

from pydantic import SecretStr

from tests.web.client import living
from tests.web.test_own_webhooks import FIRST, PATH, create, deliver, graphql
from web.app import create_app
from web.settings import Settings

KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
OTHER = "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="
LOST = "the secrets of this webhook were encrypted with a key that this server does not have"
HEALTH = """{ webhook(name: "builder") { health { deliveries failureRate lastErrorAt lastError } }
    deliveries { nodes { outcome error bodyBytes request { headers body } } } }"""


async def test_a_lost_key_is_told_in_the_webhooks_health(database_url):
    def serving(key):
        settings = Settings(database_url=database_url, bootstrap_token=SecretStr(FIRST), secret_key=SecretStr(key))
        return living(create_app(settings))

    async with serving(KEY) as client:
        await create(client)
    async with serving(OTHER) as client:
        answer = await deliver(client, "api", False, 1)
        assert (answer.status, answer.json) == (503, {"error": "try again later"})
        assert int(answer.headers["retry-after"]) > 0
        metrics = await client.get("/metrics", headers={"authorization": f"Bearer {FIRST}"})
        counted = [line for line in metrics.text.splitlines() if line.startswith("issuegraph_deliveries_total{")]
        assert counted == [f'issuegraph_deliveries_total{{outcome="REFUSED",webhook="{PATH}"}} 1.0']
        found = await graphql(client, HEALTH)
        health = found["webhook"]["health"]
        assert health.pop("lastErrorAt")
        assert health == {"deliveries": 1, "failureRate": 1.0, "lastError": LOST}
        (node,) = found["deliveries"]["nodes"]
        assert node.pop("bodyBytes") > 0
        kept = {"headers": {"x-signature": "[hidden]", "content-type": "application/json"}, "body": None}
        assert node == {"outcome": "REFUSED", "error": LOST, "request": kept}
    async with serving(f"{OTHER},{KEY}") as client:
        assert (await deliver(client, "api", False, 1)).status == 201
        assert (await graphql(client, HEALTH))["webhook"]["health"]["failureRate"] == 0.5
