"""What an export has beside issues: deployments, changes, and issues of other trackers."""

from collections.abc import Callable, Generator
from typing import Any

import orjson
from sqlalchemy import bindparam, select

from models import Change, Deployment, DeploymentChange, TrackedIssue
from models.base import Id, Word
from models.database import Database, Fetch, Row, Statement
from models.dialect import ListOf, any_of

RECORDS_AT_ONCE = 100
BEFORE_ALL = "00000000-0000-0000-0000-000000000000"
# Of use to the writer alone.
_HIDDEN = frozenset({"key", "digest", "deployment_id", "ordinal"})

Object = dict[str, Any]
WriteLine = Callable[..., None]
Model = type[Deployment | Change | TrackedIssue]
Reading = Generator[Fetch, list[Row], int]


class Records:
    """Each method writes all of a namespace, in the order in which they came, and says how many there were."""

    def __init__(self, database: Database) -> None:
        self._deployments, self._changes, self._tracked = (
            database.compile(_select(model)) for model in (Deployment, Change, TrackedIssue)
        )
        self._deployed = database.compile(
            select(*DeploymentChange.__table__.columns)
            .where(any_of(DeploymentChange.deployment_id, bindparam("ids", type_=ListOf(Id()))))
            .order_by(DeploymentChange.deployment_id, DeploymentChange.ordinal)
        )

    def deployments(self, namespace: str, write: WriteLine) -> Reading:
        """With their changes."""
        return (yield from self._all(Deployment, self._deployments, namespace, write))

    def changes(self, namespace: str, write: WriteLine) -> Reading:
        """Commits and pull requests."""
        return (yield from self._all(Change, self._changes, namespace, write))

    def tracked(self, namespace: str, write: WriteLine) -> Reading:
        """Issues of other trackers."""
        return (yield from self._all(TrackedIssue, self._tracked, namespace, write))

    def _all(self, model: Model, statement: Statement, namespace: str, write: WriteLine) -> Reading:
        count, after = 0, BEFORE_ALL
        while rows := (yield Fetch(statement, {"namespace": namespace, "after": after})):
            shown = {row[0]: _shown(model, row) for row in rows}
            if model is Deployment:
                for each in shown.values():
                    each["changes"] = []
                for row in (yield Fetch(self._deployed, {"ids": list(shown)})):
                    shown[row[0]]["changes"].append(_shown(DeploymentChange, row))
            for each in shown.values():
                write(**each)
            count += len(rows)
            after = rows[-1][0]
        return count


def _select(model: Model) -> Any:
    namespace, after = bindparam("namespace", type_=Word()), bindparam("after", type_=Id())
    columns = model.__table__.columns
    place = (model.namespace == namespace, model.id > after)
    return select(*columns).where(*place).order_by(model.id).limit(RECORDS_AT_ONCE)


def _shown(model: Model | type[DeploymentChange], row: Row) -> Object:
    names = model.__table__.columns.keys()
    values = {_camel(name): value for name, value in zip(names, row, strict=True) if name not in _HIDDEN}
    if "labels" in values:
        values["labels"] = orjson.Fragment(values["labels"])
    return values


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))
