"""A random past of many namespaces: every text that a command brings has a number that no other has."""

import asyncio
import json
from dataclasses import replace
from itertools import count
from typing import Any

from sqlalchemy import bindparam as given
from sqlalchemy import delete, insert, select, update

from models import Base, EventLog, Issue, Relation
from models.database import Fetch, Write
from models.values import new_id
from resolvers.caller import Actor, ActorKind, Caller, Grant, Permission, everywhere
from resolvers.mutation import (
    AcknowledgeIssue,
    CreateIssue,
    DeleteIssue,
    LabelValue,
    LinkValue,
    PartValue,
    RelateIssues,
    ReopenIssue,
    ResolveIssue,
    ResolveScope,
    UnrelateIssues,
    UpdateIssue,
)
from resolvers.webhooks.engine import NoSuchWebhook
from resolvers.webhooks.plan import Received
from resolvers.webhooks.wanted import Wanted

# Beginnings of each other, cases of each other, two ways to write one letter, signs that patterns are made of.
NAMESPACES = (
    "team",
    "team-1",
    "team-10",
    "team-2",
    "Team",
    "TEAM-1",
    "t\u00e9am",
    "te\u0301am",
    "团队",
    "te_m",
    "te%",
    "team-*",
    "*",
)
PATTERNS = (*NAMESPACES, "team*", "team-1*", "te*", "T*", "te\u0301*", "t\u00e9*", "团*", "te_*", "x*")
TYPES = ("build", "test", "incident")
KINDS = ("RELATED", "CAUSED_BY", "DUPLICATE_OF")
# These stay when all else is removed.
KEPT_TABLES = {"event_log", "access"}


class World:
    """What was done, in a database that `database` reads and `do` writes."""

    def __init__(self, dice, database, do):
        self.dice = dice
        self.database = database
        self._do = do
        self._numbers = count(1)
        # Of each marked text the namespace for which it was meant.
        self.homes = {}
        # Of each delivery the namespaces that it is about.
        self.concerned = {}

    def mark(self, word, namespace):
        """A text that can be found again."""
        number = next(self._numbers)
        self.homes[f"m{number}m"] = namespace
        return f"{word} m{number}m"

    def actor(self, namespace):
        """Somebody of a namespace."""
        name = self.mark("Somebody", namespace)
        return everywhere(Actor(ActorKind.PERSON, name.lower().replace(" ", "-"), name))

    def report(self, namespace):
        """A failure: of few things, so that reports meet."""
        dice = self.dice
        return CreateIssue(
            namespace=namespace,
            title=self.mark("Title", namespace),
            description=self.mark("Description", namespace),
            severity=dice.choice(("minor", "critical")),
            issue_type=dice.choice(TYPES),
            resource_type="component",
            resource_name=dice.choice(("api", "web")),
            resource_namespace=dice.choice((None, "shared", *NAMESPACES)),
            links=(LinkValue("log", "https://ci/" + self.mark("x", namespace).replace(" ", "/")),),
            labels=(LabelValue("label", self.mark("value", namespace)), LabelValue("label", "same")),
            source=dice.choice((None, "ci", self.mark("Source", namespace))),
            run_id=self.mark("run", namespace),
            detected_at=f"2026-01-0{1 + dice.randrange(9)}T00:00:00.000000Z",
            fingerprint=dice.choice(((), (PartValue("part", self.mark("part", namespace)),))),
        )

    async def happen(self):
        """All of it."""
        dice = self.dice
        reports = [self.report(dice.choice(NAMESPACES)) for _ in range(3 + dice.randrange(9))]
        await self._each((each, each.namespace) for each in reports)
        for _ in range(1 + dice.randrange(3)):
            await self._meanwhile()
            await self._each((each, each.namespace) for each in self._again(reports))
        await self._meanwhile()

    def _again(self, reports):
        for each in reports:
            if self.dice.random() < 0.3:
                more = {name: self.mark(name, each.namespace) for name in ("title", "description", "run_id")}
                yield replace(each, **more)

    async def deliver(self, webhooks):
        """Webhooks, and what they got."""
        dice = self.dice
        nobody = everywhere(Actor(ActorKind.RULE, "nobody", "nobody"))
        for number in range(dice.randrange(3)):
            namespaces = tuple(dice.choice(PATTERNS) for _ in range(1 + dice.randrange(2)))
            wanted = Wanted(definition=f"title: {self.mark('Webhook', None)}", namespaces=namespaces)
            await webhooks.store.create(f"w-{number}", wanted, nobody)
        for _ in range(dice.randrange(5)):
            # Every case of which namespaces a delivery is about: one, several, one that is not the sender's.
            grants = sorted({*dice.sample(NAMESPACES, 3)})
            sender = Caller(
                Actor(ActorKind.WEBHOOK, "ci", "ci"),
                tuple(Grant(Permission.REPORT, namespace) for namespace in grants),
            )
            items = [
                {
                    "name": dice.choice(("api", "web")),
                    "is": dice.choice(("ill", "well", "odd")),
                    "namespace": dice.choice((*grants, dice.choice(NAMESPACES))),
                    "text": self.mark("body", None),
                }
                for _ in range(dice.randrange(4))
            ]
            webhook = dice.choice(("github", "w-0", "w-1"))
            delivery = Received(
                id=new_id(),
                webhook=webhook,
                at="2026-01-05T00:00:00.000000Z",
                delivery_key=self.mark("key", None),
                body=json.dumps(items).encode(),
            )
            try:
                plans = await webhooks.engine.plans(delivery, sender)
            except NoSuchWebhook:
                plans = []
            await webhooks.deliveries.carry_out(delivery, plans, sender)
            where = {item["namespace"] for item in items} if plans else set(grants)
            self.concerned[delivery.id] = {
                each for name in where for each in ((name,) if name in sender.namespaces(Permission.REPORT) else grants)
            }

    async def _meanwhile(self):
        dice, issues = self.dice, await self.issues()
        if not issues:
            return
        commands: list[tuple[Any, str]] = []
        for issue in issues:
            id, namespace = issue["id"], issue["namespace"]
            kind = dice.randrange(8)
            if kind == 0:
                commands.append((AcknowledgeIssue(id=id), namespace))
            elif kind == 1:
                reason = self.mark("Reason", namespace)
                commands.append((ResolveIssue(id=id, at="2026-02-01T00:00:00.000000Z", reason=reason), namespace))
            elif kind == 2:
                commands.append((ReopenIssue(id=id), namespace))
            elif kind == 3:
                commands.append(
                    (UpdateIssue(id=id, resource_namespace=dice.choice(("shared", *NAMESPACES))), namespace)
                )
            elif kind == 4:
                kind, name = "component", "api"
                success = ResolveScope(
                    namespace=namespace, resource_type=kind, resource_name=name, resource_namespace="shared"
                )
                commands.append((success, namespace))
        await self._each(commands)
        pairs = [dice.sample(issues, 2) for _ in range(dice.randrange(8)) if len(issues) > 1]
        relations: list[tuple[Any, None]] = []
        for source, target in pairs:
            # Who sees a relation sees both ends.
            home = dice.choice((source, target))["namespace"]
            ends = {"source_id": source["id"], "target_id": target["id"]}
            if dice.random() < 0.15:
                relations.append((UnrelateIssues(**ends), None))
            else:
                reason = self.mark("Reason", home)
                relations.append((RelateIssues(**ends, kind=dice.choice(KINDS), reason=reason), None))
        await self._each(relations)
        for issue in issues:
            chance = dice.random()
            if chance < 0.2:
                await self._move(issue["id"])
            elif chance < 0.27:
                await self._each([(DeleteIssue(id=issue["id"]), issue["namespace"])])

    async def _move(self, id):
        namespace = self.dice.choice(NAMESPACES)
        texts = {name: self.mark(name, namespace) for name in ("title", "description")}
        labels = (LabelValue("label", self.mark("value", namespace)),)
        await self._each([(UpdateIssue(id=id, namespace=namespace, labels=labels, **texts), None)])

    async def _each(self, commands):
        """At once. Who acts on several namespaces is nobody's."""
        nobody = everywhere(Actor(ActorKind.RULE, "nobody", "nobody"))
        await asyncio.gather(
            *(self._do(command, nobody if home is None else self.actor(home)) for command, home in commands)
        )

    async def issues(self):
        """As they are."""
        return (await tables(self.database, Issue))["issue"]

    async def relations(self):
        """As they are."""
        return (await tables(self.database, Relation))["relation"]


def random_caller(dice, name="caller"):
    """Somebody with some permissions in some namespaces."""
    grants = [Grant(Permission.READ, dice.choice(PATTERNS)) for _ in range(dice.randrange(4))]
    if dice.random() < 0.1:
        grants.append(Grant(Permission.READ, "*"))
    grants += [Grant(dice.choice([*Permission]), dice.choice(PATTERNS)) for _ in range(dice.randrange(7))]
    return Caller(Actor(ActorKind.TOKEN, name, name), tuple(grants))


# Tables as they are


async def tables(database, *models):
    """Rows as dicts, by the name of the table, in the order of their keys; without models all that there are."""
    wanted = [model.__table__ for model in models] or Base.metadata.sorted_tables

    def work():
        found = {}
        for table in wanted:
            statement = select(*table.columns).order_by(*table.primary_key)
            rows = yield Fetch(database.compile(statement))
            found[table.name] = [dict(zip(table.columns.keys(), row, strict=True)) for row in rows]
        return found

    return await database.read(work)


async def put(database, rows):
    """Makes these rows all that there are; the log is that of the rows and ends where it says."""
    (log,) = rows["event_log"]

    def work():
        for table in reversed(Base.metadata.sorted_tables):
            if table.name not in KEPT_TABLES:
                yield Write(database.compile(delete(table)), [{}])
        for table in Base.metadata.sorted_tables:
            if table.name in KEPT_TABLES or not rows.get(table.name):
                continue
            columns = [column for column in table.columns if column.computed is None]
            names = [column.name for column in columns]
            statement = insert(table).values({c: given(c.name, type_=c.type) for c in columns})
            values = [{name: row[name] for name in names} for row in rows[table.name]]
            yield Write(database.compile(statement), values)
        changed = update(EventLog).values(identity=given("identity"), end=given("end"), pruned_to=given("pruned_to"))
        yield Write(database.compile(changed), [{name: log[name] for name in ("identity", "end", "pruned_to")}])

    await database.transact(work)
