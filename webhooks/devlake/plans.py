"""What becomes of a delivery of DevLake's clients: issues, closed issues, deployments, pull requests."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from models.values import now
from resolvers.mutation import (
    CloseTrackedIssue,
    CreateIssue,
    DeployedChange,
    LabelValue,
    PartValue,
    RecordChange,
    RecordDeployment,
    ResolveScope,
    TrackIssue,
    limits,
)
from resolvers.mutation.checks import is_far_ahead
from resolvers.mutation.limits import MAX_LINK_URL_LENGTH
from resolvers.webhooks.plan import Plan
from webhooks.devlake.answers import Refusal
from webhooks.devlake.reading import Field, Values, folded, read_object
from webhooks.devlake.words import severity_of
from webhooks.fitting import Fitting
from webhooks.go_json import word_of

SOURCE = "devlake"
# What is a failure; of all else only its id is remembered.
SHOWN_TYPES = frozenset({"INCIDENT", "BUG"})
STATUSES = ("TODO", "DONE", "IN_PROGRESS")
ENVIRONMENTS = ("PRODUCTION", "STAGING", "TESTING", "DEVELOPMENT")
FAILED, SUCCEEDED = "FAILURE", "SUCCESS"
MAX_LISTED_COMMITS = 20


@dataclass(frozen=True, slots=True)
class Place:
    """Where a connection reports to. `system` is what its ids are known by, `name` what people call it."""

    namespace: str
    system: str
    name: str

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Place":
        """As a kept delivery has it."""
        return cls(query["namespace"], query["connection"], query["connectionName"])

    @property
    def kept(self) -> dict[str, str]:
        """For a delivery that is kept."""
        return {"namespace": self.namespace, "connection": self.system, "connectionName": self.name}


def plans(event: str, query: Mapping[str, str], body: bytes, at: str | None = None) -> list[Plan]:
    """`event`: issues, close, deployments or pull_requests; `query` has the connection, and of a close the issueKey.

    `at`: when it came, if that is not now. Raises Refusal, and Invalid for values that cannot be kept.
    """
    place = Place.of(query)
    match event:
        case "issues":
            return [_issue(place, read_object(body))]
        case "close":
            return [_close(place, query["issueKey"], at)]
        case "deployments":
            return _deployment(place, read_object(body), at or now())
        case "pull_requests":
            return [_pull_request(place, read_object(body))]
    raise ValueError(event)


_ISSUE_FIELDS = (
    Field("issueKey", required=True),
    Field("title", required=True),
    Field("status"),
    # Of DevLake it is needed; an older guide's sample is without it.
    Field("originalStatus"),
    Field("createdDate", "time", required=True),
    Field("resolutionDate", "time"),
    Field("updatedDate", "time"),
    Field("storyPoint", "number"),
    Field("leadTimeMinutes", "unsigned"),
    Field("originalEstimateMinutes", "integer"),
    Field("timeSpentMinutes", "integer"),
    Field("timeRemainingMinutes", "integer"),
    *map(Field, ("url", "description", "epicKey", "type", "parentIssueKey", "priority", "severity", "component")),
    *map(Field, ("creatorId", "creatorName", "assigneeId", "assigneeName")),
)
_ISSUE_LABELS = (
    *("type", "originalStatus", "priority", "severity", "component", "epicKey", "parentIssueKey", "storyPoint"),
    *("leadTimeMinutes", "originalEstimateMinutes", "timeSpentMinutes", "timeRemainingMinutes"),
    *("creatorId", "creatorName", "assigneeId", "assigneeName"),
)


def _issue(place: Place, members: Mapping[str, Any]) -> Plan:
    values = Values(members, _ISSUE_FIELDS, "WebhookIssueRequest")
    if values.text("status") not in STATUSES:
        values.require("status", tag="oneof" if values.text("status") else "required")
    if values.problems:
        raise Refusal(400, "\n".join(values.problems), is_plain=True)
    fitting = Fitting()
    kind = values.text("type").strip().upper()
    is_shown = kind in SHOWN_TYPES
    key = _id(fitting, "issueKey", values.text("issueKey"))
    parent = values.text("parentIssueKey")
    created = _past(fitting, "createdDate", values.time("createdDate"))
    updated = _past(fitting, "updatedDate", values.time("updatedDate"))
    command = TrackIssue(
        namespace=place.namespace,
        source=SOURCE,
        system=place.system,
        external_id=key,
        kind=fitting.text("type", kind, limits.MAX_WORD_LENGTH),
        state="RESOLVED" if values.text("status") == "DONE" else "ACTIVE",
        report=_report(place, values, key, created, fitting) if is_shown else None,
        changed_at=updated,
        resolved_at=_past(fitting, "resolutionDate", values.time("resolutionDate")) or updated,
        parent_id=_id(fitting, "parentIssueKey", parent) if parent else None,
    )
    message = None if is_shown else f"{kind or 'an issue without a type'} is no failure: only its key is remembered"
    return Plan(index=0, rule="issue", command=command, message=message, notices=tuple(fitting.notices))


def _report(place: Place, values: Values, key: str, created: str | None, fitting: Fitting) -> CreateIssue:
    title = fitting.text("title", values.text("title"), limits.MAX_TITLE_LENGTH)
    return CreateIssue(
        namespace=place.namespace,
        title=title,
        description=fitting.text("description", values.text("description"), limits.MAX_DESCRIPTION_LENGTH) or title,
        severity=severity_of(values.text("severity"), values.text("priority")),
        issue_type="incident",
        resource_type="application",
        resource_name=place.name,
        links=fitting.links([("Issue", values.text("url"))]),
        labels=_labels(fitting, values.texts(*_ISSUE_LABELS)),
        detected_at=created,
        source=SOURCE,
        fingerprint=(PartValue("connection", place.system), PartValue("issueKey", key)),
    )


def _close(place: Place, key: str, at: str | None) -> Plan:
    id = _id(Fitting(), "issueKey", key)
    command = CloseTrackedIssue(namespace=place.namespace, source=SOURCE, system=place.system, external_id=id, at=at)
    return Plan(index=0, rule="close", command=command)


_DEPLOYMENT_FIELDS = (
    Field("id", required=True, older=("pipelineId",)),
    Field("environment"),
    *map(Field, ("displayTitle", "name", "result", "originalEnvironment")),
    Field("createdDate", "time", older=("createTime",)),
    Field("startedDate", "time", required=True, older=("startTime",)),
    Field("finishedDate", "time", older=("endTime",)),
)
# Of a body of before there were lists of commits: it needs no id.
_OLD_DEPLOYMENT_FIELDS = (Field("id", older=("pipelineId",)), *_DEPLOYMENT_FIELDS[1:])
_COMMIT_FIELDS = (
    Field("repoUrl", required=True),
    Field("commitSha", required=True),
    Field("createdDate", "time", older=("createTime",)),
    Field("startedDate", "time", older=("startTime",)),
    Field("finishedDate", "time", older=("endTime",)),
    *map(Field, ("repoId", "name", "refName", "commitMsg", "displayTitle", "result", "status")),
)


def _deployment(place: Place, members: Mapping[str, Any], at: str) -> list[Plan]:
    # Its one commit is in it.
    is_old = "commitsha" in members
    values = Values(members, _OLD_DEPLOYMENT_FIELDS if is_old else _DEPLOYMENT_FIELDS, "WebhookDeploymentReq")
    if values.time("finishedDate") is None and not is_old:
        values.require("finishedDate")
    environment = values.text("environment") or "PRODUCTION"
    if environment not in ENVIRONMENTS:
        values.require("environment", tag="oneof")
    listed = _listed(members, is_old=is_old)
    commits = [
        Values(each, _COMMIT_FIELDS, f"WebhookDeploymentReq.DeploymentCommits[{index}]")
        for index, each in enumerate(listed)
    ]
    problems = [problem for each in (values, *commits) for problem in each.problems]
    if problems:
        raise Refusal(400, "input json error", problems)
    if not commits:
        raise Refusal(400, "deployment_commits is empty")

    fitting = Fitting()
    result = (values.text("result") or SUCCEEDED).strip().upper()
    told = _past(fitting, "finishedDate", values.time("finishedDate"))
    finished = told or at
    command = RecordDeployment(
        namespace=place.namespace,
        source=SOURCE,
        system=place.system,
        external_id=_id(fitting, "id", values.text("id") or _id_of_commit(commits[0], environment)),
        name=fitting.text("name", values.text("name"), limits.MAX_TITLE_LENGTH),
        title=fitting.text("displayTitle", values.text("displayTitle"), limits.MAX_TITLE_LENGTH),
        environment=environment,
        result=fitting.text("result", result, limits.MAX_WORD_LENGTH),
        requested_at=_past(fitting, "createdDate", values.time("createdDate")),
        started_at=_past(fitting, "startedDate", values.time("startedDate")),
        finished_at=finished,
        labels=_labels(fitting, values.texts("originalEnvironment")),
        changes=fitting.first(
            "deploymentCommits",
            [_deployed(fitting, values, each) for each in commits],
            limits.MAX_DEPLOYED_CHANGES,
        ),
    )
    run = _run_of(command, told)
    issues = [] if result not in (FAILED, SUCCEEDED) else _consequences(place, command, finished, run, fitting)
    notices = tuple(fitting.notices)
    return [
        Plan(index=0, rule="deployment", command=command, notices=notices),
        *(
            Plan(index=index, rule="deployment failed" if result == FAILED else "deployment succeeded", command=each)
            for index, each in enumerate(issues, 1)
        ),
    ]


def _id_of_commit(commit: Values, environment: str) -> str:
    """What a deployment without an id is known by."""
    return f"{repository_name(commit.text('repoUrl'))}:{commit.text('commitSha')}:{environment}"


def _listed(members: Mapping[str, Any], *, is_old: bool) -> list[Mapping[str, Any]]:
    listed = members.get("deploymentcommits")
    if listed is None or (is_old and not listed):
        return [members] if is_old else []
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        wrong = listed if not isinstance(listed, list) else next(each for each in listed if not isinstance(each, dict))
        error = f"* 'DeploymentCommits' expected a list of maps, got '{word_of(wrong)}'"
        raise Refusal(400, f"1 error(s) decoding:\n\n{error}", is_plain=True)
    return [folded(each) for each in listed]


def _deployed(fitting: Fitting, deployment: Values, commit: Values) -> DeployedChange:
    times = {
        name: _past(fitting, name, commit.time(name) or deployment.time(name))
        for name in ("createdDate", "startedDate", "finishedDate")
    }
    title = commit.text("displayTitle") or commit.text("name")
    return DeployedChange(
        sha=_id(fitting, "commitSha", commit.text("commitSha")),
        repository=fitting.text("repoUrl", commit.text("repoUrl"), limits.MAX_LINK_URL_LENGTH),
        ref_name=fitting.text("refName", commit.text("refName"), limits.MAX_LINK_URL_LENGTH),
        title=fitting.text("displayTitle", title, limits.MAX_LINK_URL_LENGTH),
        message=fitting.text("commitMsg", commit.text("commitMsg"), limits.MAX_REASON_LENGTH),
        result=fitting.text("result", commit.text("result") or SUCCEEDED, limits.MAX_WORD_LENGTH),
        requested_at=times["createdDate"],
        started_at=times["startedDate"],
        finished_at=times["finishedDate"],
    )


def _consequences(
    place: Place, deployment: RecordDeployment, at: str, run: str, fitting: Fitting
) -> Iterator[CreateIssue | ResolveScope]:
    """A deployment that failed is an issue of each application in it, which the next one that succeeds resolves."""
    parts = (PartValue("kind", "deployment"), PartValue("environment", deployment.environment))
    repositories = dict.fromkeys(change.repository for change in deployment.changes)
    names = [deployment.name] if deployment.name else dict.fromkeys(map(repository_name, repositories))
    for given in names:
        name = fitting.key("name", given, limits.MAX_RESOURCE_NAME_LENGTH)
        scope: dict[str, Any] = {
            "namespace": place.namespace,
            "resource_type": "application",
            "resource_name": name,
            "issue_type": "release",
            "fingerprint": parts,
        }
        if deployment.result == SUCCEEDED:
            yield ResolveScope(**scope, at=at, reason=f"deployment {deployment.external_id} succeeded")
            continue
        title = f"Deployment failed: {name} ({deployment.environment})"
        yield CreateIssue(
            **scope,
            title=fitting.text("title", title, limits.MAX_TITLE_LENGTH),
            description=fitting.text("description", _described(deployment), limits.MAX_DESCRIPTION_LENGTH),
            severity="critical" if deployment.environment == "PRODUCTION" else "major",
            links=fitting.links(("Repository", url) for url in repositories),
            detected_at=at,
            source=SOURCE,
            run_id=fitting.key("id", run, limits.MAX_RUN_ID_LENGTH),
        )


def _run_of(deployment: RecordDeployment, finished: str | None) -> str:
    """Its connection and its end are part of it: another connection has other ids, and a pipeline may run again."""
    run = f"{deployment.system}/{deployment.external_id}"
    return f"{run}@{finished}" if finished else run


def _described(deployment: RecordDeployment) -> str:
    lines = [f"Deployment {deployment.external_id}: {deployment.result}", deployment.title]
    lines += [
        " ".join(filter(None, (repository_name(change.repository), change.ref_name, change.sha, change.message)))
        for change in deployment.changes[:MAX_LISTED_COMMITS]
    ]
    if len(deployment.changes) > MAX_LISTED_COMMITS:
        lines.append(f"and {len(deployment.changes) - MAX_LISTED_COMMITS:,} more")
    return "\n".join(filter(None, lines))


def repository_name(url: str) -> str:
    """`org/shop` of `https://git.example/org/shop.git` or `git@git.example:org/shop.git`; else the text itself."""
    path = url.partition("@")[2].partition(":")[2] if url.startswith("git@") else url
    if "://" in path and len(path) <= MAX_LINK_URL_LENGTH:
        try:
            path = urlsplit(path).path
        except ValueError:
            return url
    return path.strip("/").removesuffix(".git") or url


_PULL_REQUEST_FIELDS = (
    Field("id", required=True),
    Field("displayTitle", required=True, older=("title",)),
    Field("pullRequestKey", "integer", required=True),
    Field("status"),
    Field("createdDate", "time", required=True),
    Field("mergedDate", "time"),
    Field("closedDate", "time"),
    *map(Field, ("baseRepoId", "headRepoId", "originalStatus", "description", "url", "authorName", "authorId")),
    *map(Field, ("type", "component", "mergeCommitSha", "headRef", "baseRef", "baseCommitSha", "headCommitSha")),
    Field("additions", "integer"),
    Field("deletions", "integer"),
    Field("isDraft", "boolean"),
)
_PULL_REQUEST_LABELS = ("type", "component", "originalStatus", "authorId", "headCommitSha", "baseCommitSha")
_PULL_REQUEST_STATUSES = ("OPEN", "CLOSED", "MERGED")


def _pull_request(place: Place, members: Mapping[str, Any]) -> Plan:
    values = Values(members, _PULL_REQUEST_FIELDS, "WebhookPullRequestReq")
    if values.text("status") not in ("", *_PULL_REQUEST_STATUSES):
        values.require("status", tag="oneof")
    if values.problems:
        raise Refusal(400, "input json error", values.problems)
    fitting = Fitting()
    sha, author = values.text("mergeCommitSha"), values.text("authorName") or values.text("authorId")
    command = RecordChange(
        namespace=place.namespace,
        source=SOURCE,
        system=place.system,
        kind="pull_request",
        external_id=values.text("pullRequestKey"),
        sha=_id(fitting, "mergeCommitSha", sha),
        repository=fitting.text("baseRepoId", values.text("baseRepoId"), limits.MAX_LINK_URL_LENGTH),
        title=fitting.text("displayTitle", values.text("displayTitle"), limits.MAX_TITLE_LENGTH),
        url=fitting.text("url", values.text("url"), limits.MAX_LINK_URL_LENGTH),
        author=fitting.text("authorName", author, limits.MAX_TITLE_LENGTH),
        status=values.text("status"),
        base_ref=fitting.text("baseRef", values.text("baseRef"), limits.MAX_LINK_URL_LENGTH),
        head_ref=fitting.text("headRef", values.text("headRef"), limits.MAX_LINK_URL_LENGTH),
        authored_at=_past(fitting, "createdDate", values.time("createdDate")),
        merged_at=_past(fitting, "mergedDate", values.time("mergedDate")),
        closed_at=_past(fitting, "closedDate", values.time("closedDate")),
        labels=_labels(fitting, values.texts(*_PULL_REQUEST_LABELS)),
    )
    return Plan(index=0, rule="pull request", command=command, notices=tuple(fitting.notices))


def _id(fitting: Fitting, name: str, text: str) -> str:
    return fitting.key(name, text, limits.MAX_EXTERNAL_ID_LENGTH)


def _past(fitting: Fitting, name: str, at: str | None) -> str | None:
    """A time that may be kept."""
    if at is not None and is_far_ahead(at):
        fitting.notice(f"{name} was left out: {at} is more than a day in the future")
        return None
    return at


def _labels(fitting: Fitting, pairs: Iterable[tuple[str, str]]) -> tuple[LabelValue, ...]:
    return tuple(LabelValue(name, fitting.text(name, value, limits.MAX_LABEL_VALUE_LENGTH)) for name, value in pairs)
