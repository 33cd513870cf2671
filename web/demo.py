"""`issuegraph demo`: believable data to look at, and with --live failures and recoveries that never end."""

import asyncio
import json
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from models.values import time_of
from resolvers.caller import Actor, ActorKind, Caller, everywhere
from resolvers.mutation import (
    AcknowledgeIssue,
    CreateIssue,
    LabelValue,
    LinkValue,
    PartValue,
    RelateIssues,
    ResolveScope,
    Writer,
)
from web.demo_stories import KINDS, RELATIONS, STORIES, Story
from web.house import open_database
from web.settings import Settings

LIVE_SECONDS = 1.5  # between two reports, on average
REQUEST_TIMEOUT_SECONDS = 10.0


async def load(settings: Settings) -> int:
    """Tells the stories to the database, and returns how many issues that made.

    Each is told once: a story whose first failure is known is left alone. Raises resolvers.errors.Unavailable.
    """
    database = open_database(settings)
    writer = Writer(database)
    await writer.start()
    try:
        teller = _Teller(writer, datetime.now(UTC))
        told = [(namespace, story) for namespace, stories in STORIES.items() for story in stories]
        await asyncio.gather(*(teller.tell(namespace, story) for namespace, story in told))
        for relation in RELATIONS:
            await teller.relate(*relation)
        return teller.issues
    finally:
        await writer.close()
        await database.close()


class _Teller:
    """Carries out stories. `last_issue` is the newest issue of each that was new."""

    def __init__(self, writer: Writer, now: datetime) -> None:
        self._writer = writer
        self._now = now
        self.issues = 0
        self.last_issue: dict[str, str] = {}

    async def tell(self, namespace: str, story: Story) -> None:
        kind = KINDS[story.kind]
        tool = everywhere(Actor(ActorKind.WEBHOOK, kind.source, kind.source))
        issue = ""
        number = 0
        for episode in story.episodes:
            for hours in episode.failed:
                number += 1
                report = self._report(namespace, story, number, hours)
                outcome = await self._writer.submit(report, tool)
                if number == 1 and outcome.action == "UNCHANGED":
                    return
                (issue,) = outcome.issue_ids
                self.issues += outcome.action == "CREATED"
            if episode.repaired is not None:
                repair = ResolveScope(
                    namespace=namespace,
                    resource_type=kind.resource_type,
                    resource_name=story.name,
                    issue_type=kind.issue_type,
                    fingerprint=_parts(story),
                    at=self._time(episode.repaired),
                    reason="The next run succeeded",
                )
                await self._writer.submit(repair, tool)
        self.last_issue[story.key] = issue
        if story.acknowledged_by:
            await self._writer.submit(AcknowledgeIssue(id=issue), _person(story.acknowledged_by))

    async def relate(self, source: str, kind: str, target: str, reason: str | None) -> None:
        if source in self.last_issue and target in self.last_issue:
            source_id, target_id = self.last_issue[source], self.last_issue[target]
            command = RelateIssues(source_id=source_id, target_id=target_id, kind=kind, reason=reason)
            await self._writer.submit(command, _person("Maria"))

    def _report(self, namespace: str, story: Story, number: int, hours: float) -> CreateIssue:
        kind = KINDS[story.kind]
        run = f"demo-{story.key}-{number}"
        title, url = kind.link
        return CreateIssue(
            namespace=namespace,
            title=kind.title.format(name=story.name),
            description=story.reasons[min(number, len(story.reasons)) - 1],
            severity=kind.severity,
            issue_type=kind.issue_type,
            resource_type=kind.resource_type,
            resource_name=story.name,
            links=(LinkValue(title, url.format(name=story.name, run=run)),),
            labels=(LabelValue("demo", "yes"), *(LabelValue(name, value) for name, value in story.labels)),
            detected_at=self._time(hours),
            source=kind.source,
            run_id=run,
            fingerprint=_parts(story),
        )

    def _time(self, hours_ago: float) -> str:
        return time_of(self._now - timedelta(hours=hours_ago))


def _parts(story: Story) -> tuple[PartValue, ...]:
    part = KINDS[story.kind].part
    return () if part is None else (PartValue(*part),)


def _person(name: str) -> Caller:
    return everywhere(Actor(ActorKind.PERSON, name.lower(), name))


@dataclass(frozen=True, slots=True)
class _Target:
    """Something that fails and is repaired over the REST routes: `{name}` in bodies stands for it."""

    word: str
    failing: dict[str, str]
    passing: dict[str, str]
    run_field: str
    names: tuple[tuple[str, str], ...]


_REASONS = (
    "out of disk",
    "unit tests failed",
    "timed out after 60 minutes",
    "cannot pull the base image",
    "exit code 137",
)
_TARGETS = (
    _Target(
        "pipeline",
        {"pipelineName": "{name}", "failureReason": "{reason}"},
        {"pipelineName": "{name}"},
        "runId",
        (("team-payments", "payment-api-on-push"), ("team-web", "shop-frontend-on-push"), ("team-data", "orders-etl")),
    ),
    _Target(
        "build",
        {"componentName": "{name}", "errorMessage": "{reason}"},
        {"componentName": "{name}"},
        "buildId",
        (("team-payments", "ledger"), ("team-web", "search-ui"), ("platform", "base-image")),
    ),
    _Target(
        "deployment",
        {"applicationName": "{name}", "failureReason": "{reason}"},
        {"applicationName": "{name}"},
        "deploymentId",
        (("team-payments", "payments"), ("team-web", "shop"), ("team-data", "event-stream")),
    ),
)


def play(
    url: str,
    *,
    token: str | None = None,
    stop: threading.Event | None = None,
    tell: Callable[[str], None] | None = None,
) -> None:
    """Reports failures and recoveries to the server at `url` until `stop` or Ctrl-C; `tell` gets a line for each.

    Raises OSError when the server is not there, or goes away.
    """
    stop = stop or threading.Event()
    tell = tell or _say
    chance = random.Random()
    for path, namespace, body in _happenings(chance):
        status = _post(f"{url}/api/v1/webhooks/{path}?{urlencode({'namespace': namespace})}", body, token)
        tell(f"{status} {path:<20} {namespace:<14} {next(iter(body.values()))}")
        if stop.wait(chance.uniform(0.2, 2 * LIVE_SECONDS)):
            return


def _say(line: str) -> None:
    print(line, flush=True)


def _happenings(chance: random.Random) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Path, namespace and body of one report after another: what fails is repaired some time later."""
    broken: list[tuple[_Target, str, str]] = []
    while True:
        if broken and chance.random() < len(broken) / 8:
            target, namespace, name = broken.pop(chance.randrange(len(broken)))
            yield f"{target.word}-success", namespace, _filled(target.passing, name, "", namespace)
            continue
        target = chance.choice(_TARGETS)
        namespace, name = chance.choice(target.names)
        if (target, namespace, name) not in broken:
            broken.append((target, namespace, name))
        body = _filled(target.failing, name, chance.choice(_REASONS), namespace)
        yield f"{target.word}-failure", namespace, {**body, target.run_field: f"live-{chance.getrandbits(48):012x}"}


def _filled(body: dict[str, str], name: str, reason: str, namespace: str) -> dict[str, str]:
    filled = {field: text.format(name=name, reason=reason) for field, text in body.items()}
    return {**filled, "namespace": namespace}


def _post(url: str, body: dict[str, str], token: str | None) -> int:
    shown = {} if token is None else {"Authorization": f"Bearer {token}"}
    request = Request(url, json.dumps(body).encode(), {"Content-Type": "application/json", **shown})
    try:
        with urlopen(request, timeout=REQUEST_TIMEOUT_SECONDS) as response:
            status: int = response.status
            return status
    except HTTPError as error:
        error.close()
        return error.code
