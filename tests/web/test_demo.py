"""The demo: every state is there to be seen, it is loaded once, and it keeps a server busy."""

import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from sqlalchemy import func, select

from models import Issue, IssueEvent, Relation
from models.database import Database
from web import demo
from web.demo_stories import KINDS, RELATIONS, STORIES
from web.settings import Settings


async def counted(url, *columns):
    database = Database(url)
    try:
        statement = database.compile(select(*columns, func.count()).group_by(*columns))
        return {tuple(row[:-1]): row[-1] for row in await database.fetch(statement)}
    finally:
        await database.close()


async def test_the_demo_shows_every_state_and_kind_and_is_loaded_once(database_url):
    settings = Settings(database_url=database_url)
    made = await demo.load(settings)
    by_state = await counted(database_url, Issue.state)
    assert sum(by_state.values()) == made == 41
    assert min(by_state.values()) > 10
    assert len(await counted(database_url, Issue.namespace)) == len(STORIES)
    assert len(await counted(database_url, Issue.severity)) == 4
    assert {kind for (kind,) in await counted(database_url, Issue.issue_type)} == {
        kind.issue_type for kind in KINDS.values()
    }
    relations = await counted(database_url, Relation.kind)
    assert relations.keys() == {("RELATED",), ("CAUSED_BY",), ("DUPLICATE_OF",), ("RECURRENCE_OF",)}
    assert sum(relations.values()) - relations[("RECURRENCE_OF",)] == len(RELATIONS)

    events = await counted(database_url, IssueEvent.kind)
    assert await demo.load(settings) == 0
    assert await counted(database_url, IssueEvent.kind) == events


REPORTS: list[tuple[str, dict[str, str]]] = []


class Listener(BaseHTTPRequestHandler):
    """Takes every report and remembers it."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        REPORTS.append((self.path, body))
        self.send_response(201)
        self.end_headers()

    def log_message(self, *_):
        """Says nothing."""


@pytest.fixture
def listener():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    REPORTS.clear()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


class Impatient(threading.Event):
    """Does not wait."""

    def wait(self, timeout=None):
        return self.is_set()


def test_live_reports_failures_and_recoveries_until_it_is_stopped(listener):
    stop, lines = Impatient(), []

    def tell(line):
        lines.append(line)
        if len(lines) == 200:
            stop.set()

    demo.play(f"http://127.0.0.1:{listener.server_address[1]}", stop=stop, tell=tell)

    assert len(lines) == len(REPORTS) == 200
    words = Counter(path.partition("?")[0].removeprefix("/api/v1/webhooks/") for path, _ in REPORTS)
    assert words.keys() == {
        f"{what}-{outcome}" for what in ("pipeline", "build", "deployment") for outcome in ("failure", "success")
    }
    for path, body in REPORTS:
        assert path.endswith(f"?namespace={body['namespace']}")


def test_without_a_server_live_says_so():
    with pytest.raises(OSError):
        demo.play("http://127.0.0.1:9", tell=lambda line: None)
