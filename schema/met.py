"""The issues that the items of a trial would meet: asked of all at once, and only when a field wants to know."""

import asyncio
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from resolvers.webhooks.meeting import Met, Report
from schema.entities import Planned, found_by_id
from schema.request import Info, Request


class MetIssues:
    """Of the items of one trial, by their places."""

    def __init__(self, request: Request, reports: Sequence[Report | None]) -> None:
        self._request = request
        self._reports = reports
        # By the nodes that select of them.
        self._selected: dict[tuple[int, ...], asyncio.Future[dict[str, Any]]] = {}

    async def of(self, place: int) -> Met | None:
        """What a report would meet. Raises TimedOut and Unavailable."""
        return (await self._met)[place]

    async def issue(self, info: Info, place: int) -> Any:
        """The issue, as the field of `info` selects it; None for one that the caller may not read."""
        met = await self.of(place)
        if met is None:
            return None
        nodes = tuple(map(id, info._raw_info.field_nodes))
        if nodes not in self._selected:
            ids = list(dict.fromkeys(each.issue_id for each in await self._met if each is not None))
            self._selected[nodes] = asyncio.ensure_future(found_by_id(info, "Issue", ids))
        return Planned((await self._selected[nodes])[met.issue_id])

    @cached_property
    def _met(self) -> "asyncio.Future[list[Met | None]]":
        request = self._request
        return asyncio.ensure_future(request.webhooks.meeting.of(self._reports, request.caller))
