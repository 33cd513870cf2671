"""Processes with a writer each on one database, told what to do through pipes."""

import asyncio
import multiprocessing
from contextlib import ExitStack, contextmanager

from tests.resolvers.mutation.house import house as open_house

ANSWER_SECONDS = 60


@contextmanager
def writers(url, count):
    """`count` processes, ready: objects with `send(pieces)` and `answers()`."""
    spawn = multiprocessing.get_context("spawn")
    with ExitStack() as stack:
        processes = [stack.enter_context(_process(spawn, url)) for _ in range(count)]
        for process in processes:
            assert process.answers() == "ready"
        yield processes


class _Process:
    def __init__(self, pipe):
        self._pipe = pipe

    def send(self, pieces):
        """Lists of commands; those of one piece are submitted at once, the next piece when all are answered."""
        self._pipe.send(pieces)

    def answers(self):
        """The outcomes of all commands sent last, in order."""
        assert self._pipe.poll(ANSWER_SECONDS), "a process does not answer"
        return self._pipe.recv()


@contextmanager
def _process(spawn, url):
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_serve, args=(url, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        yield _Process(ours)
    finally:
        # The end of the pipe is the end of the process.
        ours.close()
        process.join(ANSWER_SECONDS)
        if process.is_alive():
            process.kill()
            process.join()


def _serve(url, pipe):
    asyncio.run(_write(url, pipe))


async def _write(url, pipe):
    async with open_house(url) as house:
        pipe.send("ready")
        while True:
            try:
                pieces = await asyncio.to_thread(pipe.recv)
            except EOFError:
                return
            outcomes = []
            for piece in pieces:
                outcomes += await asyncio.gather(*(house.do(command) for command in piece))
            pipe.send(outcomes)
