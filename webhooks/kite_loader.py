"""Issues for many answers at once: who asks at the same moment is served by one query."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from resolvers.caller import Caller
from resolvers.errors import TooLarge

Issue = Mapping[str, Any]
# The issues with these ids, those that the caller may read, in any order.
Fetch = Callable[[list[str], Caller], Awaitable[list[Issue]]]

MAX_IDS = 500  # of one query, and half as many where those are too much for one answer


class IssueLoader:
    """Reports are committed by the batch, so their answers are asked for by the batch too."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._asked: dict[int, tuple[Caller, dict[str, asyncio.Future[Issue | None]]]] = {}
        self._loading: set[asyncio.Task[None]] = set()

    async def issue(self, issue_id: str, caller: Caller) -> Issue | None:
        """The issue as it is now or a little later, or None. Raises what `fetch` raises."""
        loop = asyncio.get_running_loop()
        if not self._asked:
            # After everybody who is ready now has asked.
            loop.call_soon(self._load_all)
        # By identity: callers are kept, and comparing all of their grants would cost more than it saves.
        _, asked = self._asked.setdefault(id(caller), (caller, {}))
        answer = asked.get(issue_id)
        if answer is None:
            answer = asked[issue_id] = loop.create_future()
        # Others may be waiting for the same one when this one is cancelled.
        return await asyncio.shield(answer)

    def _load_all(self) -> None:
        asked, self._asked = self._asked, {}
        for caller, answers in asked.values():
            ids = list(answers)
            for start in range(0, len(ids), MAX_IDS):
                part = {id: answers[id] for id in ids[start : start + MAX_IDS]}
                task = asyncio.create_task(self._load(caller, part))
                self._loading.add(task)
                task.add_done_callback(self._loading.discard)

    async def _found(self, ids: list[str], caller: Caller) -> dict[str, Issue]:
        try:
            return {issue["id"]: issue for issue in await self._fetch(ids, caller)}
        except TooLarge:
            if len(ids) == 1:
                raise
        half = len(ids) // 2
        return await self._found(ids[:half], caller) | await self._found(ids[half:], caller)

    async def _load(self, caller: Caller, answers: dict[str, asyncio.Future[Issue | None]]) -> None:
        try:
            found = await self._found([*answers], caller)
        except asyncio.CancelledError:
            for answer in answers.values():
                answer.cancel()
            raise
        except Exception as error:
            for answer in answers.values():
                answer.set_exception(error)
                answer.exception()  # whoever asked may have gone
        else:
            for id, answer in answers.items():
                answer.set_result(found.get(id))
