"""The one writer of the process: takes the commands that wait, commits them together, and only then answers."""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress

from models import database as storage
from models.database import Database
from resolvers.caller import Caller
from resolvers.errors import Overloaded, Unavailable
from resolvers.mutation.batch import Batch
from resolvers.mutation.command import Command
from resolvers.mutation.counts import Counts
from resolvers.mutation.memory import Memory
from resolvers.mutation.outcome import Outcome
from resolvers.mutation.queue import Queue, Waiting
from resolvers.mutation.retention import Retention
from resolvers.mutation.statements import Statements

log = logging.getLogger(__name__)

MAX_BATCH_COMMANDS = 256
QUEUE_LIMIT = 10_000
QUEUE_BYTES = 64_000_000
# How long a batch whose commit was lost on the way is asked for before its callers are told that nobody knows.
IN_DOUBT_SECONDS = 30.0
RETRY_PAUSE_SECONDS = 0.2
# Plans made for empty tables are bad ones: statistics are taken when the log gets this long.
ANALYZE_AT_LINES = (2_000, 20_000, 200_000, 2_000_000)


class Writer:
    """Carries out the commands of a caller in the order in which they come, and those of several in turns.

    `on_commit` is called with the end of the log after every commit that made it longer, `around_batch` with the number
    of commands for what is entered around each transaction. `occurrences_kept` of an issue, `run_memory_days` of a
    run; the log for `log_retention_days` after its issue, the audit for `audit_retention_days`, deployments and changes
    for `deployment_retention_days` after they were told last, deliveries for `delivery_days` and what they brought for
    `delivery_body_hours`. At most `queue_limit` commands wait, of `queue_bytes` bytes together.
    """

    def __init__(
        self,
        database: Database,
        *,
        on_commit: Callable[[int], None] | None = None,
        around_batch: Callable[[int], AbstractContextManager[None]] | None = None,
        occurrences_kept: int = 100,
        run_memory_days: int = 400,
        log_retention_days: int = 400,
        audit_retention_days: int = 400,
        deployment_retention_days: int = 800,
        delivery_body_hours: int = 48,
        delivery_days: int = 30,
        queue_limit: int = QUEUE_LIMIT,
        queue_bytes: int = QUEUE_BYTES,
    ) -> None:
        self._database = database
        self._on_commit = on_commit
        self._around_batch = around_batch
        self._occurrences_kept = occurrences_kept
        self._statements = Statements(database, occurrences_kept=occurrences_kept)
        self._memory = Memory()
        self._retention = Retention(
            database,
            run_memory_days=run_memory_days,
            log_retention_days=log_retention_days,
            audit_retention_days=audit_retention_days,
            deployment_retention_days=deployment_retention_days,
            delivery_body_hours=delivery_body_hours,
            delivery_days=delivery_days,
        )
        self._waiting = Queue(max_commands=queue_limit, max_bytes=queue_bytes)
        self._wake = asyncio.Event()
        self.counts = Counts()
        self._closing = False
        self._task: asyncio.Task[None] | None = None
        self._analyzing: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> tuple[int, int]:
        """How many commands wait, and of how many bytes together."""
        return len(self._waiting), self._waiting.bytes

    async def start(self) -> None:
        """Begins to take commands."""
        self._task = asyncio.create_task(self._run(), name="writer")

    async def close(self) -> None:
        """Takes no more commands, and returns when those that wait are answered."""
        self._closing = True
        self._wake.set()
        if self._task is not None:
            await self._task
        if self._analyzing is not None:
            self._analyzing.cancel()
            await asyncio.gather(self._analyzing, return_exceptions=True)

    async def submit(self, command: Command, caller: Caller, *, body_bytes: int | None = None) -> Outcome:
        """What came of the command, once it is committed.

        `body_bytes` is what the request behind it holds while it waits; by default the length of the command's texts.
        Raises Forbidden, Overloaded when too much waits already, and Unavailable when the database cannot be written;
        then nothing was acknowledged. Raises models.database.Refused for a command that the database has no place for.
        """
        command.check(caller)
        if self._closing or self._task is None:
            raise Unavailable("the server is closing")
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        size = len(repr(command)) if body_bytes is None else body_bytes
        try:
            self._waiting.put(Waiting(command, caller, answer, size, getattr(command, "weight", 1)))
        except Overloaded as problem:
            self.counts.answered(command, problem)
            raise
        self._wake.set()
        return await answer

    async def _run(self) -> None:
        while self._waiting or not self._closing:
            if self._waiting:
                await self._commit(self._take())
            due_in = self._retention.due_in
            if not due_in:
                await self._prune()
            elif not self._waiting:
                await self._sleep(due_in)

    async def _sleep(self, seconds: float) -> None:
        """Until there is a command, or the writer is closed."""
        self._wake.clear()
        if not self._closing:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._wake.wait()

    async def _prune(self) -> None:
        try:
            await self._database.transact(self._retention.work)
        except storage.Unavailable as error:
            log.warning("old rows were not deleted: %s", error)
            self._retention.put_off()
        except Exception:
            # Whatever it was: the commands go on.
            log.exception("old rows were not deleted")
            self._retention.put_off()

    def _take(self) -> list[Waiting]:
        # Nobody waits for the answer any more, and nobody was told anything.
        return [waiting for waiting in self._waiting.take(MAX_BATCH_COMMANDS) if not waiting.answer.cancelled()]

    async def _commit(self, waiting: list[Waiting]) -> None:
        """Carries out commands in their order, in as few transactions as can be."""
        while waiting:
            batch = Batch(
                self._statements,
                self._memory,
                [(item.command, item.caller) for item in waiting],
                occurrences_kept=self._occurrences_kept,
            )
            try:
                with self._around_batch(len(waiting)) if self._around_batch else nullcontext():
                    await self._transact(batch)
            except storage.Unavailable as error:
                log.warning("%s", error)
                for item in waiting:
                    self._answer(item, Unavailable("the database cannot be written now"))
                return
            except Exception as error:
                if len(waiting) == 1:
                    self._answer(waiting[0], error)
                    return
                # One of them is refused. Halves keep the order, and leave it alone in the end.
                half = len(waiting) // 2
                await self._commit(waiting[:half])
                waiting = waiting[half:]
                continue
            batch.remember()
            for item, answer in zip(waiting, batch.answers, strict=False):
                self._answer(item, answer)
            self.counts.committed(len(batch.answers), batch.events)
            waiting = waiting[len(batch.answers) :]
            self._after_commit(batch)

    def _answer(self, waiting: Waiting, answer: Outcome | BaseException) -> None:
        self.counts.answered(waiting.command, answer)
        if waiting.answer.done():
            return
        if isinstance(answer, Outcome):
            waiting.answer.set_result(answer)
        else:
            waiting.answer.set_exception(answer)

    async def _transact(self, batch: Batch) -> None:
        """Runs a batch until it is known whether it was committed. Raises what Database.transact raises."""
        begun = time.monotonic()
        may_retry = True
        while True:
            try:
                await self._database.transact(batch.work)
            except storage.Unavailable as error:
                batch.in_doubt = batch.in_doubt or error.in_doubt
                # A connection that was lost while nothing happened is worth one more try.
                if (not may_retry and not batch.in_doubt) or time.monotonic() - begun > IN_DOUBT_SECONDS:
                    raise
                may_retry = False
                await asyncio.sleep(RETRY_PAUSE_SECONDS)
            except storage.Refused:
                raise
            except Exception:
                # An error of ours. What went wrong after the commit must not have it done again.
                if not await self._is_committed(batch):
                    raise
                log.exception("after a commit")
                return
            else:
                return

    async def _is_committed(self, batch: Batch) -> bool:
        return bool(await self._database.fetch(self._statements.batch, {"id": batch.id}))

    def _after_commit(self, batch: Batch) -> None:
        if batch.end == batch.start:
            return
        if self._on_commit is not None:
            try:
                self._on_commit(batch.end)
            except Exception:
                log.exception("after a commit")
        is_due = any(batch.start < lines <= batch.end for lines in ANALYZE_AT_LINES)
        if is_due and (self._analyzing is None or self._analyzing.done()):
            self._analyzing = asyncio.create_task(self._analyze(), name="statistics")

    async def _analyze(self) -> None:
        """Beside the commands: it may wait long for what others do with the tables."""
        try:
            await self._database.analyze()
        except Exception:
            log.exception("statistics were not taken")
