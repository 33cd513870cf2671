"""A planner and a writer on one database: commands in, answers of the published schema out."""

from contextlib import asynccontextmanager

import schema
from models.database import Database
from resolvers.access import AuditLog, Tokens
from resolvers.mutation import Writer
from resolvers.query import DocumentLimits, Planner
from resolvers.subscription.log import Log
from resolvers.webhooks.registry import Registry
from resolvers.webhooks.secrets import Secrets
from schema.executor import Executor
from tests.resolvers.mutation.house import ADA
from tests.resolvers.webhooks.fake_engine import SECRET_KEY, fake_services


class Asking:
    """`do` carries out a command, `ask` runs a document as a caller."""

    def __init__(self, database, log, writer, planner):
        self.database = database
        self.log = log
        self.writer = writer
        self.planner = planner
        audit = AuditLog(database)
        self.webhooks = fake_services(database, writer, audit, Registry(database, Secrets([SECRET_KEY])))
        self.tokens = Tokens(database, audit)
        self.executor = Executor(schema.schema, planner, writer, log, self.tokens, audit, self.webhooks)

    async def do(self, command, who=ADA):
        return await self.writer.submit(command, who)

    async def answer(self, text, variables=None, who=ADA):
        """The whole answer: data and errors."""
        return await self.executor.execute(self.planner.documents.operation(text, None, variables), who)

    async def ask(self, text, who=ADA, **variables):
        """The data of an answer without errors."""
        answer = await self.answer(text, variables, who)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    async def refusal(self, text, who=ADA, **variables):
        """Code and message of the only error of an answer."""
        (error,) = (await self.answer(text, variables, who))["errors"]
        return error["extensions"]["code"], error["message"]


@asynccontextmanager
async def asking(url, database=None, **settings):
    """All of it, started, on `database` if there is one already."""
    database = database or Database(url)
    log = await Log.load(database)
    writer = Writer(database)
    limits = DocumentLimits(tokens=200_000, fields=100_000, cost=10**12, conditions=10**12)
    settings = {"document_limits": limits, **settings}
    planner = Planner(schema.schema._schema, database, log, public_url="http://issuegraph.test", **settings)
    await writer.start()
    try:
        yield Asking(database, log, writer, planner)
    finally:
        await writer.close()
        await database.close()
