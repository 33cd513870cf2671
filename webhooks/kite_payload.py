"""Bodies of Kite's issue routes, read into what commands take and refused in Kite's words."""

from collections.abc import Sequence
from typing import Any

from models.values import parse_time
from models.words import ISSUE_STATES, SEVERITIES
from resolvers.mutation import CreateIssue, LinkValue, UpdateIssue
from webhooks.definition import ISSUE_TYPE_WORDS
from webhooks.fields import Field, Fields
from webhooks.fitting import Fitting
from webhooks.go_json import BadBody, read_json
from webhooks.http import Refused

# What REST takes, and the words of the database.
WORDS = {
    "severity": {word: word for word in SEVERITIES},
    "issueType": ISSUE_TYPE_WORDS,
    "state": {word: word for word in ISSUE_STATES},
}
# Go clients send it for a time that they do not have.
_ZERO_TIME = "0001-01-01T00:00:00.000000Z"
_GO_TIME = "2006-01-02T15:04:05Z07:00"
_REQUIRED = ("title", "description", "severity", "issueType", "namespace")
# Far more than an issue keeps; no more are read.
MAX_GIVEN_LINKS = 1_000
_REQUIRED_OF_SCOPE = ("resourceType", "resourceName")


class _Body:
    """A body that may be wrong: tells its namespace at once, and what is wrong with it when asked."""

    def __init__(self, body: bytes, struct: str, *texts: str) -> None:
        payload, self._unreadable = None, None
        try:
            payload = read_json(body)
        except BadBody as error:
            self._unreadable = error
        self._struct = struct
        self._fitting = Fitting()
        others = (Field(name="scope", type="object"), Field(name="links", type="list", items="object"))
        self._fields = Fields([*_texts(*_REQUIRED, "state", *texts), *others], struct)
        self._scope_fields = Fields(_texts(*_REQUIRED_OF_SCOPE, "resourceNamespace"), f"{struct}.scope")
        self._link_fields = Fields(_texts("title", "url"), f"{struct}.links")
        self._payload = payload
        self._values = self._fields.named(payload)
        self._scope = self._scope_fields.named(self._values["scope"])

    @property
    def namespace(self) -> str:
        """The one in the body, or ""."""
        namespace = self._values["namespace"]
        return namespace if isinstance(namespace, str) else ""

    @property
    def notices(self) -> list[str]:
        """What of the body the command is without."""
        return self._fitting.notices

    def _check_types(self) -> None:
        if self._unreadable:
            raise self._unreadable
        self._fields.check(self._payload, self._values)
        self._scope_fields.check(self._values["scope"], self._scope)
        for link in self._given_links:
            self._link_fields.check(link, {})

    @property
    def _given_links(self) -> Sequence[Any]:
        """Those that are looked at: nobody shows more, and each takes its time."""
        links = self._values["links"] or ()
        if len(links) > MAX_GIVEN_LINKS:
            self._fitting.notice(f"links past the first {MAX_GIVEN_LINKS:,} were dropped")
        return links[:MAX_GIVEN_LINKS]

    def _word(self, name: str) -> str | None:
        given = self._values[name]
        if not given:
            return None
        if given not in WORDS[name]:
            raise Refused(400, "Validation failed", f"invalid {name} value")
        return WORDS[name][given]

    def _links(self) -> tuple[LinkValue, ...] | None:
        links = [self._link_fields.named(link) for link in self._given_links]
        for link in links:
            if not link["url"]:
                self._fitting.notice(f"link {link['title'] or ''!r} was dropped: it has no address")
        return self._fitting.links((link["title"] or "", link["url"] or "") for link in links) or None


class CreateBody(_Body):
    """`Kite: POST /issues`."""

    def __init__(self, body: bytes) -> None:
        super().__init__(body, "CreateIssueRequest")

    def command(self, namespace: str) -> CreateIssue:
        """The report. Raises Refused, and Invalid for values that cannot be kept."""
        try:
            self._check_types()
            self._check_required()
        except BadBody as error:
            raise Refused(400, "Invalid request body", str(error)) from error
        severity, issue_type, state = (self._word(name) for name in WORDS)
        assert severity
        assert issue_type
        return CreateIssue(
            namespace=namespace,
            title=self._values["title"],
            description=self._values["description"],
            severity=severity,
            issue_type=issue_type,
            resource_type=self._scope["resourceType"],
            resource_name=self._scope["resourceName"],
            resource_namespace=self._scope["resourceNamespace"] or None,
            links=self._links(),
            state=state or "ACTIVE",
        )

    def _check_required(self) -> None:
        missing = [name for name in _REQUIRED if not self._values[name]]
        missing += [f"scope.{name}" for name in _REQUIRED_OF_SCOPE if not self._scope[name]]
        # One that the query tells is only missed beside others.
        if missing and missing != ["namespace"]:
            raise BadBody("\n".join(_missing(self._struct, name) for name in missing))


class UpdateBody(_Body):
    """`Kite: PUT /issues/:id`; "" is as absent, and so are no links."""

    def __init__(self, body: bytes) -> None:
        super().__init__(body, "UpdateIssueRequest", "resolvedAt")

    def command(self, id: str, *, only_in: str | None = None) -> UpdateIssue:
        """The edit of an issue in `only_in`. Raises Refused, and Invalid for values that cannot be kept."""
        try:
            self._check_types()
            resolved_at = self._resolved_at()
        except BadBody as error:
            raise Refused(400, "Invalid request body", str(error)) from error
        severity, issue_type, state = (self._word(name) for name in WORDS)
        return UpdateIssue(
            id=id,
            only_in=only_in,
            title=self._values["title"] or None,
            description=self._values["description"] or None,
            severity=severity,
            issue_type=issue_type,
            links=self._links(),
            state=state,
            resolved_at=resolved_at if state == "RESOLVED" else None,
            namespace=self.namespace or None,
            resource_type=self._scope["resourceType"] or None,
            resource_name=self._scope["resourceName"] or None,
            resource_namespace=self._scope["resourceNamespace"] or None,
        )

    def _resolved_at(self) -> str | None:
        given = self._values["resolvedAt"]
        if given is None:
            return None
        try:
            time = parse_time(given)
        except ValueError:
            raise BadBody(f'parsing time "{given}" as "{_GO_TIME}": cannot parse "{given}" as "2006"') from None
        return None if time == _ZERO_TIME else time


def related_id(body: bytes) -> str:
    """`Kite: POST /issues/:id/related`. Raises Refused."""
    fields = Fields([Field(name="relatedId", type="text", required=True)], "AddRelatedIssueRequest")
    try:
        payload = read_json(body)
        values = fields.named(payload)
        fields.check(payload, values)
    except BadBody as error:
        raise Refused(400, "Missing relatdId field") from error
    return str(values["relatedId"])


def _texts(*names: str) -> Sequence[Field]:
    return [Field(name=name, type="text") for name in names]


def _missing(struct: str, name: str) -> str:
    path = ".".join(part[0].upper() + part[1:] for part in name.split("."))
    field = path.rsplit(".", 1)[-1]
    return f"Key: '{struct}.{path}' Error:Field validation for '{field}' failed on the 'required' tag"
