"""The servers that are watched: how each is started, and how an event is published."""

import json
import sys
from dataclasses import dataclass, replace

from tests.bench.contestants import Contestant
from tests.bench.contestants import issuegraph as asked
from tests.bench.watch.watchers import NUMBER

WATCH = """subscription {name} {{
  issueEvents(where: {{issue: {{namespace: {{eq: "watched"}}}}}}) {{
    position caughtUp
    events {{ match event {{
      position kind at issueId
      issue {{ id title severity state occurrenceCount scope {{ resourceType resourceName }} }}
    }} }}
  }}
}}"""

REPORT = {"namespace": "watched", "pipelineName": "watched", "failureReason": "again", "runId": NUMBER}


@dataclass(frozen=True, slots=True)
class Watched:
    """A server, and the request that publishes an event."""

    contestant: Contestant
    path: str
    body: str

    @property
    def name(self) -> str:
        """The contestant's."""
        return self.contestant.name


def documents(count: int) -> list[str]:
    """So many subscriptions that are not the same, and are answered alike."""
    return [WATCH.format(name=f"Watch{number}") for number in range(count)]


def _server(name: str, title: str, module: str) -> Contestant:
    command = [sys.executable, "-m", f"tests.bench.watch.{module}"]
    return Contestant(name=name, title=title, command=command, questions={}, database="none")


def _issuegraph(contestant: Contestant, **settings: str) -> Watched:
    environment = {**contestant.environment, **{f"ISSUEGRAPH_{key}": value for key, value in settings.items()}}
    return Watched(
        contestant=replace(contestant, questions={}, environment=environment),
        path="/api/v1/webhooks/pipeline-failure?namespace=watched",
        body=json.dumps(REPORT),
    )


ON_SQLITE = _issuegraph(asked.ON_SQLITE)
ON_POSTGRESQL = _issuegraph(asked.ON_POSTGRESQL)

FLOOR = Watched(
    contestant=_server("floor", "the floor: uvicorn sends one text to each socket", "raw_server"),
    path="/graphql",
    body="{}",
)

PLAIN = Watched(
    contestant=_server("plain", "Strawberry's subscriptions, the plain way", "plain_server"),
    path="/graphql",
    body=json.dumps(
        {
            "query": 'mutation ($runId: String!) { report(namespace: "watched", runId: $runId) }',
            "variables": {"runId": NUMBER},
        }
    ),
)

ALL = (ON_SQLITE, ON_POSTGRESQL, FLOOR, PLAIN)


def on_replicas(wakeups_url: str) -> Watched:
    """A server that has others beside it, on one PostgreSQL; they hear of each other so."""
    return _issuegraph(asked.ON_POSTGRESQL, WAKEUPS_URL=wakeups_url)
