"""Payloads of one tool after the other, made of a sample of its definition, in a writer's house."""

from dataclasses import replace

import orjson

from models import Issue
from tests.resolvers.mutation.house import TEKTON
from webhooks.definition import load_all
from webhooks.samples import run_sample

SHIPPED = {each.name: each for each in load_all().single}


class Story:
    """Of one definition and one of its samples; `tell` gives what became of a payload, `open` what is active."""

    def __init__(self, house, name, title):
        self._house = house
        self._definition = SHIPPED[name]
        (self._sample,) = (each for each in self._definition.samples if each.name == title)

    async def tell(self, **changes):
        """The sample with other values (`build__status` is `status` in `build`): what each of its items did.

        A report gives its action, a resolve or an acknowledge how many issues it was about, else the plan's action.
        """
        body = orjson.loads(self._sample.body)
        for path, value in changes.items():
            *parents, last = path.split("__")
            place = body
            for name in parents:
                place = place[name]
            place[last] = value
        sample = replace(self._sample, body=orjson.dumps(body), expect=())
        done: list[object] = []
        for plan in run_sample(self._definition, sample).plans:
            if plan.command is None:
                done.append(plan.action)
            else:
                outcome = await self._house.do(plan.command, TEKTON)
                done.append(outcome.action or len(outcome.issue_ids))
        return done[0] if len(done) == 1 else done

    async def open(self, *columns):
        """Of the active issues, by when they were made: these columns of each."""
        rows = await self._house.rows(Issue, Issue.state == "ACTIVE")
        found = [tuple(row[name] for name in columns) for row in sorted(rows, key=lambda row: row["id"])]
        return [one for (one,) in found] if len(columns) == 1 else found
