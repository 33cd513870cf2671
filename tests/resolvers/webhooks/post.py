"""A post office: takes deliveries, and looks at what was kept of them."""

import json
from contextlib import asynccontextmanager

from models import Delivery, DeliveryNamespace
from models.values import new_id, now
from resolvers.caller import Actor, ActorKind, Caller, Grant, Permission
from resolvers.webhooks.deliveries import Deliveries
from resolvers.webhooks.plan import Plan, Received
from tests.resolvers.mutation.house import house as open_house
from tests.resolvers.mutation.house import report


def tool(*namespaces, name="github"):
    """A sender that may report there."""
    grants = tuple(Grant(Permission.REPORT, namespace) for namespace in namespaces or ("*",))
    return Caller(Actor(ActorKind.WEBHOOK, name, name.title()), grants, tool=name)


GITHUB = tool("team", "team-*")


def received(**values):
    """A delivery of two kilobytes or less."""
    return Received(
        **{
            "id": new_id(),
            "webhook": "github",
            "at": now(),
            "headers": {"x-github-event": "workflow_run"},
            "query": {"a": "1"},
            "content_type": "application/json",
            "body": b'{"n":1}',
            "body_bytes": 7,
            **values,
        }
    )


def plan(index=0, **values):
    """A failed build of component api in namespace team."""
    return Plan(index=index, rule="a failed run", command=report(**values))


def plans(*commands):
    """An item for each command."""
    return [Plan(index=index, rule="a rule", command=command) for index, command in enumerate(commands)]


class Office:
    def __init__(self, house):
        self.house = house
        self.deliveries = Deliveries(house.writer)

    async def take(self, plans, who=GITHUB, **values):
        """The results of a delivery, each checked to be what was kept."""
        delivery = received(**values)
        results = await self.deliveries.carry_out(delivery, plans, who)
        row = await self.row(delivery.id)
        assert [item["index"] for item in row["items"]] == [result.index for result in results]
        assert [item["action"] for item in row["items"]] == [result.action for result in results]
        assert [tuple(item["issue_ids"]) for item in row["items"]] == [result.issue_ids for result in results]
        return results

    async def rows(self):
        """All deliveries, the oldest first, JSON read."""
        rows = await self.house.rows(Delivery)
        for row in rows:
            row["items"] = json.loads(row["items"])
            row["request"] = row["request"] and json.loads(row["request"])
            row["sender"] = json.loads(row["sender"])
        return rows

    async def row(self, id=None):
        """The one with this id, or the only one."""
        (row,) = [row for row in await self.rows() if id in (None, row["id"])]
        return row

    async def concerned(self, row):
        """The namespaces that a delivery is about."""
        several = await self.house.rows(DeliveryNamespace, DeliveryNamespace.delivery_id == row["id"])
        assert (row["namespace"] is None) is bool(several)
        return [each["namespace"] for each in several] or [row["namespace"]]


@asynccontextmanager
async def post(url, **settings):
    async with open_house(url, **settings) as house:
        yield Office(house)
