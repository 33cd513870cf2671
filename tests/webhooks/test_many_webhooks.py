"""As many webhooks of users as a server takes: each is answered, and a change of one is a change of one."""

import pytest

from models import Webhook, WebhookNamespace, WebhookVersion
from models.database import Write
from models.values import new_id, now
from resolvers.access import AuditLog, PageArguments
from resolvers.access.storage import insert_row
from resolvers.caller import Permission
from resolvers.errors import Invalid
from resolvers.webhooks.registry import Registry
from resolvers.webhooks.secrets import Secrets
from resolvers.webhooks.store import Webhooks as Store
from resolvers.webhooks.wanted import Wanted
from tests.resolvers.mutation.house import ADA, caller
from tests.webhooks.doors import open_door
from tests.webhooks.test_turns import no_answer
from webhooks.catalog import Catalog
from webhooks.deliver import Webhooks
from webhooks.engine import Definitions
from webhooks.kept import MOST
from webhooks.verification import Verifier

MANY = 10_000
DEFINITION = """\
title: Tool {number}
rules:
  - when: body.ok == false
    report:
      title: Tool {number} says ${{body.name}} failed
      description: x
      severity: minor
      issueType: build
      scope: {{resourceType: component, resourceName: "${{body.name}}"}}
"""


def rows():
    at = now()
    for number in range(MANY):
        yield {
            "id": new_id(),
            "name": f"tool-{number}",
            "title": f"Tool {number}",
            "definition": DEFINITION.format(number=number),
            "version": 1,
            "enabled": True,
            "keep_bodies": True,
            "secrets": None,
            "created_at": at,
            "updated_at": at,
            "updated_by_kind": "PERSON",
            "updated_by_id": "ada",
            "updated_by_name": "Ada",
        }


def version_of(row):
    same = {name: row[name] for name in ("version", "definition", "enabled", "keep_bodies")}
    by = {"by_kind": row["updated_by_kind"], "by_id": row["updated_by_id"], "by_name": row["updated_by_name"]}
    return {"webhook_id": row["id"], "namespaces": '["team"]', "at": row["updated_at"], **same, **by}


class Crowd:
    """The ASGI callable of all of them, by the names in the path."""

    def __init__(self, door):
        self.registry = Registry(door.database, Secrets(()))
        self.catalog = Catalog([], self.registry)
        engine = Definitions(self.catalog)
        audit = AuditLog(door.database)
        self.store = Store(door.database, audit, engine, Secrets(()), most=MANY, on_change=self.registry.refresh)
        self._webhooks = Webhooks(self.catalog, door.deliveries, Verifier(no_answer), public_url="http://here")

    async def __call__(self, scope, receive, send):
        scope["path_params"] = {"name": scope["path"].rpartition("/")[2]}
        await self._webhooks(scope, receive, send)


@pytest.fixture
async def door(database_url):
    async with open_door(database_url, Crowd) as door:
        webhooks = list(rows())
        namespaces = [{"webhook_id": row["id"], "namespace": "team"} for row in webhooks]
        versions = [version_of(row) for row in webhooks]
        models = (Webhook, WebhookNamespace, WebhookVersion)
        statements = [door.database.compile(insert_row(model)) for model in models]

        def work():
            yield Write(statements[0], webhooks)
            yield Write(statements[1], namespaces)
            yield Write(statements[2], versions)

        await door.database.transact(work)
        await door.app.registry.refresh()
        yield door


async def test_each_of_ten_thousand_webhooks_is_answered_and_one_change_is_one_change(door):
    crowd, door.who = door.app, caller(team=[Permission.REPORT])
    assert len(crowd.registry.names) == MANY
    for number in (0, 4_711, MANY - 1):
        status, answer = await door.post(f"/api/v1/webhooks/tool-{number}", {"ok": False, "name": f"part-{number}"})
        assert (status, answer["items"][0]["action"]) == (201, "created")
    status, _ = await door.post(f"/api/v1/webhooks/tool-{MANY}", {})
    assert status == 404

    before = {name: crowd.registry.find(name) for name in crowd.registry.names}
    changed = DEFINITION.format(number="of mine")
    await crowd.store.update("tool-4711", 1, Wanted(definition=changed), ADA)
    after = {name: crowd.registry.find(name) for name in crowd.registry.names}
    assert [name for name in before if after[name] is not before[name]] == ["tool-4711"]
    _, answer = await door.post("/api/v1/webhooks/tool-4711", {"ok": False, "name": "another"})
    assert answer["items"][0]["action"] == "created"

    page = await crowd.store.page(ADA, PageArguments())
    assert (page.total, page.has_next) == (MANY, True)
    with pytest.raises(Invalid):
        await crowd.store.create("one-more", Wanted(definition=changed, namespaces=("team",)), ADA)


async def test_what_is_kept_compiled_does_not_grow_with_their_number(door):
    crowd, door.who = door.app, caller(team=[Permission.REPORT])
    first = crowd.registry.find("tool-0")
    for name in crowd.registry.names[: MOST + 1]:
        crowd.catalog.definition_of(crowd.registry.find(name))
    assert not crowd.catalog.is_compiled(first)
    status, _ = await door.post("/api/v1/webhooks/tool-0", {"ok": False, "name": "part"})
    assert status == 201
    assert crowd.catalog.is_compiled(first)
