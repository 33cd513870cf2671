"""A tool that delivers to definitions' paths, and a writer's house behind them."""

import json
from types import SimpleNamespace

from resolvers.mutation import Outcome
from tests.resolvers.mutation.house import TEKTON
from webhooks.definition import load
from webhooks.receive import Receiver

PREFIX = "/api/v1/webhooks/"


class Recorder:
    """A writer that only remembers; `answer` is an Outcome, or what is raised."""

    def __init__(self, answer=None):
        self.answer = answer or Outcome(position=1, issue_ids=("an-id",), action="CREATED", count=3)
        self.commands = []
        self.body_bytes = []

    async def submit(self, command, caller, *, body_bytes=None):
        command.check(caller)
        self.commands.append(command)
        self.body_bytes.append(body_bytes)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


async def show_id(id, caller, left):
    return {"id": id, "for": caller.actor.id}


class Tool:
    """`post` delivers to a path's ASGI callable and tells status and JSON."""

    def __init__(self, writer=None, definitions=None, show_issue=show_id, caller=TEKTON, **settings):
        self.writer = writer or Recorder()
        self.caller = caller
        self.receiver = Receiver(load() if definitions is None else definitions, self.writer, show_issue, **settings)

    @property
    def command(self):
        """The only one."""
        (command,) = self.writer.commands
        return command

    async def post(self, path, payload=None, query="", *, body=None, method="POST", headers=(), chunk=1 << 20):
        body = json.dumps(payload).encode() if body is None else body
        chunks = [body[at : at + chunk] for at in range(0, len(body), chunk)] or [b""]
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "headers": list(headers),
            "caller": self.caller,
        }
        incoming = [
            {"type": "http.request", "body": part, "more_body": number < len(chunks)}
            for number, part in enumerate(chunks, 1)
        ]
        sent = []

        async def receive():
            return incoming.pop(0)

        async def send(message):
            sent.append(message)

        path = path if path.startswith("/") else PREFIX + path
        await self.receiver.routes[path](scope, receive, send)
        start, end = sent
        headers = {name.decode(): value.decode() for name, value in start["headers"]}
        assert int(headers["content-length"]) == len(end["body"])
        assert headers["content-type"] == "application/json; charset=utf-8"
        return SimpleNamespace(status=start["status"], json=json.loads(end["body"]), headers=headers)


def definition(directory, text, name="tool.yaml"):
    """Loads a directory with one more definition in it."""
    (directory / name).write_text(text)
    return load(directory)
