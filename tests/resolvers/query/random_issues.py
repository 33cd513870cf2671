"""Random issues with many equal values, made by commands, and eyes to look at what is in the tables and in the log."""

import asyncio
from datetime import UTC, datetime, timedelta

from models import Issue
from models.values import time_of
from resolvers.mutation import AcknowledgeIssue, LabelValue, PartValue, ResolveIssue
from resolvers.subscription.line import line_of, select_lines
from tests.resolvers.mutation.house import House, report

START = datetime(2026, 1, 1, tzinfo=UTC)
NAMESPACES = ("team", "team-a", "Team_b", "other%")
TITLES = ("Öl", "öl", "STRASSE", "Straße", "İstanbul", "i", "100% of_it", "one", "One two", "-")
SOURCES = (None, "Tekton", "tekton", "GitHub_1")
SEVERITIES = ("info", "minor", "major", "critical")
TYPES = ("build", "test", "release", "dependency", "pipeline", "incident")
RESOURCES = (("component", "api"), ("component", "Äpi_1"), ("pipelinerun", "api-50%"), ("Application", "api"))
LABELS = tuple(LabelValue(name, value) for name in ("team", "Team") for value in ("", "a", "Ä", "ß%"))


def moment(number):
    """A time some hours after the start of all."""
    return time_of(START + timedelta(hours=number, microseconds=number))


def random_report(dice, number, **values):
    """A report that is no repeat of another number's."""
    kind, name = dice.choice(RESOURCES)
    return report(
        **{
            "namespace": dice.choice(NAMESPACES),
            "title": dice.choice(TITLES),
            "description": dice.choice(TITLES),
            "severity": dice.choice(SEVERITIES),
            "issue_type": dice.choice(TYPES),
            "resource_type": kind,
            "resource_name": name,
            "resource_namespace": dice.choice((None, "team", "SHARED")),
            "source": dice.choice(SOURCES),
            "labels": tuple(dice.sample(LABELS, dice.randrange(4))),
            "detected_at": moment(dice.randrange(5)),
            "fingerprint": (PartValue("number", str(number)),),
            **values,
        }
    )


async def populate(house, dice, count, **values):
    """The ids of `count` new issues, some seen several times, resolved or acknowledged."""
    numbers = [dice.randrange(10**9) for _ in range(count)]
    reports = [random_report(dice, number, **values) for number in numbers]
    outcomes = await asyncio.gather(*map(house.do, reports))
    made = [outcome.issue_ids[0] for outcome in outcomes]
    again = [each for each in reports if dice.random() < 0.4]
    acknowledged = [AcknowledgeIssue(id=id) for id in made if dice.random() < 0.3]
    await asyncio.gather(*map(house.do, [*again, *acknowledged]))
    resolved = [ResolveIssue(id=id, at=moment(dice.randrange(5, 8))) for id in made if dice.random() < 0.5]
    await asyncio.gather(*map(house.do, resolved))
    return made


async def rows(house, model=Issue, *conditions):
    """As dicts, by primary key."""
    return await House(house.database, house.writer).rows(model, *conditions)


async def lines(house):
    """Every line of the log as subscriptions see it."""
    statement = house.database.compile(select_lines())
    found = await house.database.fetch(statement, {"after": 0, "upto": 10**9, "count": 10**6})
    return list(map(line_of, found))


async def images(house):
    """The newest image of every issue that is still there, by its id."""
    newest = {line.issue_id: line.after for line in await lines(house)}
    return {id: image for id, image in newest.items() if image is not None}
