"""What becomes of an event of Pulse: deployments and changes are kept, an incident is an issue."""

from collections.abc import Mapping
from typing import Any

from resolvers.mutation import (
    CreateIssue,
    DeployedChange,
    LabelValue,
    PartValue,
    RecordChange,
    RecordDeployment,
    TrackIssue,
    limits,
)
from resolvers.mutation.checks import is_far_ahead
from resolvers.webhooks.plan import Plan
from webhooks.fitting import Fitting
from webhooks.go_json import BadBody, read_json
from webhooks.times import time_at

SOURCE = "pulse"
TYPES = ("deployment", "change", "incident")
# Pulse knows of no other place, and of none that failed.
ENVIRONMENT, RESULT = "PRODUCTION", "SUCCESS"


class BadEvent(Exception):
    """An event that nothing can be made of; `status` is the answer's."""

    def __init__(self, message: str, status: int = 422) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


def read_event(body: bytes) -> Mapping[str, Any]:
    """The members of an event. Raises BadEvent."""
    try:
        value = read_json(body)
    except BadBody as error:
        raise BadEvent(f"the body is no JSON: {error}", 400) from error
    if not isinstance(value, dict):
        raise BadEvent("an event is an object")
    return value


def plans(query: Mapping[str, str], body: bytes) -> list[Plan]:
    """`query` has the namespace, and the system if there is one. Raises BadEvent, and Invalid."""
    event = _Event(query["namespace"], query.get("system", ""), read_event(body))
    command: RecordDeployment | RecordChange | TrackIssue
    match event.type:
        case "deployment":
            command = event.deployment()
        case "change":
            command = event.change()
        case "incident":
            command = event.incident()
        case _:
            raise BadEvent(f"$type must be one of {', '.join(TYPES)}")
    return [Plan(index=0, rule=event.type, command=command, notices=tuple(event.fitting.notices))]


def _is_unset(value: Any) -> bool:
    """The time of Go that stands for none."""
    return isinstance(value, str) and value.startswith("0001-01-01T00:00:00")


class _Event:
    """One event, read as far as it is asked for."""

    def __init__(self, namespace: str, system: str, members: Mapping[str, Any]) -> None:
        self.fitting = Fitting()
        self._namespace = namespace
        self._system = self.fitting.key("system", system, limits.MAX_SYSTEM_LENGTH)
        self._members = members
        self.type = members.get("$type")

    def deployment(self) -> RecordDeployment:
        ids = self._texts("changes")
        kept = self.fitting.first("changes", ids, limits.MAX_DEPLOYED_CHANGES)
        return RecordDeployment(
            namespace=self._namespace,
            source=SOURCE,
            system=self._system,
            external_id=self._id("deploy_id"),
            name=self._system,
            environment=ENVIRONMENT,
            result=RESULT,
            finished_at=self._time("time_created"),
            labels=self._labels,
            changes=tuple(DeployedChange(sha=self._fit_id("changes", id)) for id in kept),
        )

    def change(self) -> RecordChange:
        id = self._id("change_id")
        # One id is one change, whatever else is told of it.
        event_type = self._text("event_type")
        kind = (LabelValue("event_type", self._label("event_type", event_type)),) if event_type else ()
        return RecordChange(
            namespace=self._namespace,
            source=SOURCE,
            system=self._system,
            kind="commit",
            external_id=id,
            sha=id,
            repository=self._system,
            authored_at=self._time("time_created"),
            labels=(*self._labels, *kind),
        )

    def incident(self) -> TrackIssue:
        id, created = self._id("incident_id"), self._time("time_created")
        resolved = self._optional_time("time_resolved")
        is_over = resolved is not None and created is not None and resolved >= created
        title = self._text("title") or f"Incident {id}"
        title = self.fitting.text("title", title, limits.MAX_TITLE_LENGTH)
        description = self._text("description") or title
        of_system = ("component", self._system) if self._system else ("application", self._namespace)
        labels = (LabelValue("system", self._label("system", self._system)),) if self._system else ()
        return TrackIssue(
            namespace=self._namespace,
            source=SOURCE,
            system=self._system,
            external_id=id,
            kind="INCIDENT",
            state="RESOLVED" if is_over else "ACTIVE",
            # Of what is told again after the resolve nothing is newer.
            changed_at=resolved if is_over else created,
            resolved_at=resolved if is_over else None,
            opened_at=created,
            report=CreateIssue(
                namespace=self._namespace,
                title=title,
                description=self.fitting.text("description", description, limits.MAX_DESCRIPTION_LENGTH),
                severity="major",
                issue_type="incident",
                resource_type=of_system[0],
                resource_name=self.fitting.key("system", of_system[1], limits.MAX_RESOURCE_NAME_LENGTH),
                labels=(*labels, *self._labels),
                detected_at=created,
                source=SOURCE,
                fingerprint=(PartValue("incident", id),),
            ),
        )

    @property
    def _labels(self) -> tuple[LabelValue, ...]:
        source = self._text("source")
        teams = self.fitting.first("teams", self._texts("teams"), limits.MAX_LABELS // 2)
        pairs = [("source", source)] * bool(source) + [("team", team) for team in teams if team]
        return tuple(LabelValue(name, self._label(name, value)) for name, value in pairs)

    def _label(self, name: str, value: str) -> str:
        return self.fitting.text(name, value, limits.MAX_LABEL_VALUE_LENGTH)

    def _id(self, name: str) -> str:
        text = self._text(name)
        if not text:
            raise BadEvent(f"{name} is missing")
        return self._fit_id(name, text)

    def _fit_id(self, name: str, text: str) -> str:
        return self.fitting.key(name, text, limits.MAX_EXTERNAL_ID_LENGTH)

    def _text(self, name: str) -> str:
        value = self._members.get(name)
        if value is None:
            return ""
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise BadEvent(f"{name} must be a text")
        return str(value)

    def _texts(self, name: str) -> list[str]:
        value = self._members.get(name)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise BadEvent(f"{name} must be a list of texts")
        return [each for each in value if each]

    def _time(self, name: str) -> str | None:
        at = self._optional_time(name)
        if at is None:
            raise BadEvent(f"{name} must be a time, as RFC 3339 has it")
        if is_far_ahead(at):
            self.fitting.notice(f"{name} was left out: {at} is more than a day in the future")
            return None
        return at

    def _optional_time(self, name: str) -> str | None:
        """None also for the beginning of the clock, which event-cli sends for what is not over."""
        value = self._members.get(name)
        if value in (None, "", 0, "0") and value is not False:
            return None
        at = time_at(value, "UTC") if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
        if not at and not _is_unset(value):
            raise BadEvent(f"{name} must be a time, as RFC 3339 has it")
        return None if not at or at.startswith("1970-01-01T00:00:00") else at
