"""A writer on a database of its own, with eyes to look at what it wrote."""

import json
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from unittest.mock import patch

from sqlalchemy import select

from models import IssueEvent
from models.database import Database
from models.values import time_of, to_datetime
from resolvers.caller import Actor, ActorKind, Caller, Grant, Permission, everywhere
from resolvers.mutation import CreateIssue, ResolveScope, Writer
from resolvers.mutation.batch import Batch

ADA = everywhere(Actor(ActorKind.PERSON, "ada", "Ada"))
BOB = everywhere(Actor(ActorKind.PERSON, "bob", "Bob"))
TEKTON = everywhere(Actor(ActorKind.WEBHOOK, "tekton", "Tekton"))


def caller(**grants):
    """`caller(team=["READ", "REPORT"])`."""
    given = tuple(Grant(Permission(word), namespace) for namespace, words in grants.items() for word in words)
    return Caller(Actor(ActorKind.TOKEN, "token", "a token"), given)


def report(**values):
    """A failed build of component api in namespace team, by a run without an id."""
    return CreateIssue(
        **{
            "namespace": "team",
            "title": "Build failed: api",
            "description": "exit code 1",
            "severity": "major",
            "issue_type": "build",
            "resource_type": "component",
            "resource_name": "api",
            **values,
        }
    )


def later(text, **delta):
    """`later(now(), minutes=-5)`."""
    return time_of(to_datetime(text) + timedelta(**delta))


def success(**values):
    """Component api of namespace team is well again."""
    return ResolveScope(**{"namespace": "team", "resource_type": "component", "resource_name": "api", **values})


class House:
    """`do` carries out a command as Ada; the rest looks, and needs no writer."""

    def __init__(self, database, writer=None):
        self.database = database
        self.writer = writer

    async def do(self, command, who=ADA):
        return await self.writer.submit(command, who)

    async def rows(self, model, *conditions):
        """As dicts, by primary key."""
        columns = model.__table__.columns
        statement = select(*columns).where(*conditions).order_by(*model.__table__.primary_key)
        rows = await self.database.fetch(self.database.compile(statement))
        return [dict(zip(columns.keys(), row, strict=True)) for row in rows]

    async def row(self, model, *conditions):
        """The only one."""
        (row,) = await self.rows(model, *conditions)
        return row

    async def log(self, after=0):
        """The lines after a position, JSON read."""
        lines = await self.rows(IssueEvent, IssueEvent.position > after)
        for line in lines:
            line["changes"] = json.loads(line["changes"])
            for image in ("before", "after"):
                line[image] = line[image] and json.loads(line[image])
        return lines


@asynccontextmanager
async def house(url, **settings):
    """A started writer."""
    database = Database(url)
    writer = Writer(database, **settings)
    await writer.start()
    try:
        yield House(database, writer)
    finally:
        await writer.close()
        await database.close()


def changes(line):
    """A line's changes as {field: (old, new)}."""
    return {change["field"]: (change["old"], change["new"]) for change in line["changes"]}


def kinds(lines):
    """What happened, in order."""
    return [line["kind"] for line in lines]


async def made(house, **values):
    """The id of the issue that a report makes."""
    outcome = await house.do(report(**values))
    assert outcome.action == "CREATED"
    return outcome.issue_ids[0]


@contextmanager
def count_transactions(house):
    """A list that gets an item for each transaction that is tried; what deletes old rows is not counted."""
    tried = []
    transact = house.database.transact

    async def counted(work):
        if isinstance(getattr(work, "__self__", None), Batch):
            tried.append(work.__self__)
        return await transact(work)

    with patch.object(house.database, "transact", counted):
        yield tried
