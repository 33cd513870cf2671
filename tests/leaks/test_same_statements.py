"""An id of what is not for the caller is answered as one of nothing: the same bytes, by the same statements."""

import random
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from unittest.mock import patch

import pytest

from models.database import Fetch, Write
from models.values import new_id
from resolvers.access import NewToken
from resolvers.caller import Actor, ActorKind, Caller, Grant, Permission
from resolvers.mutation import RelateIssues
from resolvers.webhooks.wanted import Wanted
from tests.leaks import documents
from tests.leaks.scene import Side, side
from tests.leaks.world import World, tables
from tests.resolvers.mutation.house import ADA, report
from tests.resolvers.webhooks.post import plans, received, tool

# Everything, but not there.
NEIGHBOUR = Caller(
    Actor(ActorKind.TOKEN, "neighbour", "neighbour"),
    tuple(Grant(permission, namespace) for permission in Permission for namespace in ("team", "te_m", "x*")),
)
READS = ("node", "nodes", "issue", "scope", "issueGraph")
INPUTS = {
    "updateIssue": {"id": "$", "title": "t", "issueType": "TEST"},
    "resolveIssue": {"id": "$"},
    "resolveIssues": {"ids": ["$", "$"]},
    "acknowledgeIssue": {"id": "$"},
    "acknowledgeIssues": {"ids": ["$"]},
    "unacknowledgeIssue": {"id": "$"},
    "reopenIssue": {"id": "$"},
    "deleteIssue": {"id": "$"},
    "relateIssues": {"sourceId": "$", "targetId": "MINE"},
    "unrelateIssues": {"sourceId": "MINE", "targetId": "$"},
    "rotateToken": {"id": "$"},
    "revokeToken": {"id": "$"},
    "updateWebhook": {"name": "$", "expectedVersion": 1, "enabled": False},
    "deleteWebhook": {"name": "$"},
    "testWebhook": {"webhook": "$", "payload": []},
    "replayDelivery": {"id": "$"},
}
ERRORS = "position userErrors { code field message issue { id } }"
# What they answer tells of no place in the log.
WITHOUT_POSITION = {"updateWebhook", "deleteWebhook", "testWebhook", "replayDelivery"}
# What names nothing by an id.
WITHOUT_IDS = {"createIssue", "resolveScope", "createToken", "createWebhook", "replayDeliveries"}
ROUTES = [
    ("GET", "/api/v1/issues/$", b""),
    ("PUT", "/api/v1/issues/$", b'{"title": "t"}'),
    ("PUT", "/api/v1/issues/$", b'{"namespace": "team", "scope": {"resourceName": "other"}}'),
    ("PUT", "/api/v1/issues/$", b'{"state": "ACTIVE"}'),
    ("DELETE", "/api/v1/issues/$", b""),
    ("POST", "/api/v1/issues/$/resolve", b""),
    ("POST", "/api/v1/issues/$/related", b'{"relatedId": "MINE"}'),
    ("POST", "/api/v1/issues/MINE/related", b'{"relatedId": "$"}'),
    ("DELETE", "/api/v1/issues/$/related/MINE", b""),
    ("DELETE", "/api/v1/issues/MINE/related/$", b""),
]


@contextmanager
def recorded(database):
    """A list that gets the texts of the statements of each transaction, on their way to the driver."""
    seen: list[list[str]] = []

    def watched(work, own):
        own.clear()  # work may be begun twice
        steps, rows = work(), None
        while True:
            try:
                step = steps.send(rows)
            except StopIteration as end:
                return end.value
            assert isinstance(step, Fetch | Write)
            own.append(step.statement.sql)
            rows = yield step

    def begun(work):
        seen.append([])
        return partial(watched, work, seen[-1])

    read, transact = database.read, database.transact
    with (
        patch.object(database, "read", lambda work, **more: read(begun(work), **more)),
        patch.object(database, "transact", lambda work: transact(begun(work))),
    ):
        yield seen


def with_id(value, id, mine):
    """A value with an id in the place of `$`."""
    if isinstance(value, dict):
        return {name: with_id(member, id, mine) for name, member in value.items()}
    if isinstance(value, list):
        return [with_id(member, id, mine) for member in value]
    return value.replace("$", id).replace("MINE", mine) if isinstance(value, str) else value


@dataclass
class Asked:
    """One server, where all ids are of a namespace that `NEIGHBOUR` has nothing to do with, but `mine`."""

    server: Side
    mine: str
    token: str
    # Its name is as an id: so it is asked for like the others.
    webhook: str
    deliveries: list[str]
    issues: list[str]
    scopes: list[str]
    relations: list[str]

    @property
    def background(self):
        """What the server looks at by itself."""
        house = self.server.house
        return {house.tailer._state.sql, house.keyring._select_versions.sql}

    async def same(self, send, hidden, told):
        """Sends an unknown id and the hidden ones."""
        unknown = new_id()
        answers, statements = [], []
        for id in (unknown, unknown, *hidden):
            with recorded(self.server.house.database) as seen:
                text = await send(id)
            answers.append((text if isinstance(text, bytes) else repr(text).encode()).replace(id.encode(), b"$"))
            statements.append([text for each in seen for text in each if text not in self.background])
        assert set(answers[1:]) == {answers[0]}, told
        # The first may have been the first of its kind.
        for each in statements[2:]:
            assert each == statements[1], told
        assert statements[1], told


@pytest.fixture
async def asked(database_url):
    """A busy namespace, and its neighbour's."""
    async with side(database_url) as server:
        house = server.house
        mine = (await house.writer.submit(report(), ADA)).issue_ids[0]
        world = World(random.Random(3), house.database, house.writer.submit)
        for number in range(3):
            other = [await house.writer.submit(report(namespace=f"team-{number}", run_id=run), ADA) for run in "ab"]
            await house.writer.submit(RelateIssues(source_id=mine, target_id=other[0].issue_ids[0]), ADA)
        await world.happen()
        grants = (Grant(Permission.READ, "team-1"),)
        token = (await house.tokens.create(NewToken(name="hidden", grants=grants), ADA)).token.id
        webhook = new_id()
        wanted = Wanted(definition="title: hidden", namespaces=("team-1",))
        await server.webhooks.store.create(webhook, wanted, ADA)
        deliveries = []
        for namespaces in (("team-1",), ("team", "team-1"), ("te_m", "team-2")):
            delivery = received()
            sender = tool(*namespaces)
            items = plans(*(report(namespace=namespace) for namespace in namespaces))
            await server.webhooks.deliveries.carry_out(delivery, items, sender)
            deliveries.append(delivery.id)
        rows = await tables(house.database)
        seen = ("team", "te_m")
        visible = {row["scope_id"] for row in rows["issue"] if row["namespace"] in seen}
        found = Asked(
            server,
            mine,
            token,
            webhook,
            deliveries,
            issues=[row["id"] for row in rows["issue"] if row["namespace"] not in seen],
            scopes=[row["id"] for row in rows["scope"] if row["id"] not in visible],
            relations=[row["id"] for row in rows["relation"]],
        )
        assert min(map(len, (found.issues, found.scopes, found.relations))) > 2
        yield found


async def test_in_queries(asked):
    for name in READS:
        (text, *_) = (text for text in documents.queries() if f"{{ {name}(id" in text)
        hidden = (*asked.issues, *asked.scopes, *asked.relations)
        variables = {"id": lambda id: id, "ids": lambda id: [id, asked.mine]}
        used = {key: make for key, make in variables.items() if f"${key}:" in text}

        async def send(id, text=text, used=used):
            return await asked.server.ask(text, NEIGHBOUR, {key: make(id) for key, make in used.items()})

        await asked.same(send, hidden[:20], name)


async def test_in_mutations(asked):
    assert {*INPUTS, *WITHOUT_IDS} == set(documents.SCHEMA.mutation_type.fields)
    for name, given in INPUTS.items():
        told = ERRORS.removeprefix("position ") if name in WITHOUT_POSITION else ERRORS
        text = f"mutation ($input: {name[0].upper()}{name[1:]}Input!) {{ {name}(input: $input) {{ {told} }} }}"

        async def send(id, text=text, given=given):
            return await asked.server.ask(text, NEIGHBOUR, {"input": with_id(given, id, asked.mine)})

        others = {"Token": [asked.token], "Webhook": [asked.webhook], "Delivery": asked.deliveries}
        hidden = next((ids for word, ids in others.items() if word in name), asked.issues)
        await asked.same(send, hidden, name)


async def test_in_what_managers_ask(asked):
    for name, argument, hidden in (("webhook", "name", [asked.webhook]), ("delivery", "id", asked.deliveries)):
        text = documents.named(name, argument)

        async def send(id, text=text):
            return await asked.server.ask(text, NEIGHBOUR, {"given": id})

        await asked.same(send, hidden, name)


async def test_in_rest(asked):
    for method, path, body in ROUTES:

        async def send(id, method=method, path=path, body=body):
            sent = with_id(body.decode(), id, asked.mine).encode()
            return await asked.server.rest(method, with_id(path, id, asked.mine), NEIGHBOUR, sent)

        await asked.same(send, asked.issues, (method, path, body))
