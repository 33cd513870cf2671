"""GraphQL over HTTP as somebody else reads the specification: the server audits of npm's graphql-http, all of them."""

from tests.resolvers.subscription.test_clients import play
from tests.serving import Server


async def test_every_audit_passes(sqlite_url, tmp_path):
    with Server(sqlite_url, tmp_path) as server:
        results = await play(server, "audits.mjs")
    assert [result for result in results if result[2] != "ok"] == []
    assert len(results) == 61
