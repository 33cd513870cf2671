"""Kite's issue routes: bare ASGI callables that read by the planner and write by commands."""

import logging
import re
from collections.abc import Mapping
from typing import Any

from resolvers.caller import Caller, Permission
from resolvers.errors import Forbidden, Overloaded, TimedOut, TooLarge, Unavailable
from resolvers.mutation import DeleteIssue, Outcome, RelateIssues, ResolveIssue, UnrelateIssues, Writer
from resolvers.mutation.outcome import LeftIssue
from resolvers.query import Planner, Size
from webhooks.http import Answer, Refused, namespace_of
from webhooks.idempotency import Keyed, checked, keyed
from webhooks.kite_http import NO_ACCESS, NOT_FOUND, Endpoint, Request, check_namespace
from webhooks.kite_json import ALONE, MANY, ONE, PAGE, issue_json, left_json
from webhooks.kite_loader import IssueLoader
from webhooks.kite_payload import WORDS, CreateBody, UpdateBody, related_id

log = logging.getLogger(__name__)

DEFAULT_LIMIT = 50
MAX_LIMIT = 1_000
_MAX_OFFSET = 2**31 - 1  # an Int of GraphQL
_MAX_GO_INT = 2**63 - 1
# An issue alone is not worth counting that has no more in its texts, and of what an answer may have so small a part.
SMALL_CHARACTERS = 10_000
SMALL_PART = 100
_GO_INT = re.compile(r"[+-]?[0-9]{1,40}", re.ASCII)
_RESOURCE_FILTERS = ("resourceType", "resourceName")


class Kite:
    """`collection`, `item`, `resolve`, `relate` and `unrelate` are the ASGI callables of the routes.

    They read `scope["caller"]` and, from `scope["path_params"]`, `id` and `related_id`.
    """

    def __init__(self, planner: Planner, writer: Writer) -> None:
        self._planner = planner
        self._writer = writer
        self._loader = IssueLoader(self._many)
        self._small = min(SMALL_CHARACTERS, planner.answers.most // SMALL_PART)
        self.collection = Endpoint(
            planner.answers,
            GET=(self._list, "Failed to fetch issues"),
            POST=(self._create, "Failed to create issue"),
        )
        self.item = Endpoint(
            planner.answers,
            GET=(self._get, "failed to fetch issue"),
            PUT=(self._update, "Failed to update issue"),
            DELETE=(self._delete, "Failed to delete issue"),
        )
        self.resolve = Endpoint(planner.answers, POST=(self._resolve, "Failed to resolve issue"))
        self.relate = Endpoint(planner.answers, POST=(self._relate, "Failed to create issue relationship"))
        self.unrelate = Endpoint(planner.answers, DELETE=(self._unrelate, "Failed to delete issue relationship"))

    async def show_issue(self, issue_id: str, caller: Caller, left: LeftIssue | None = None) -> dict[str, Any]:
        """The JSON of an issue for one who has just done something to it; who may not read sees no neighbours.

        `left` need not be read again. Raises LookupError when it is gone, TooLarge, Overloaded and Unavailable.
        """
        if left and _sees_all(caller, left):
            shown = left_json(left, self._planner.public_url)
            if left.relations or left.row.characters > self._small:
                self._check(shown, caller)
            return shown
        issue = await self._loader.issue(issue_id, caller)
        if issue is None:
            issue = (await self._ask(ALONE, caller.as_reader, id=issue_id))["issue"]
        if issue is None:
            raise LookupError(issue_id)
        shown = issue_json(issue)
        self._check(shown, caller)
        return shown

    async def _list(self, request: Request) -> Answer:
        """`Kite: GET /issues`."""
        check_namespace(request, Permission.READ)
        limit = min(_number(request.query, "limit", 1, DEFAULT_LIMIT), MAX_LIMIT)
        offset = min(_number(request.query, "offset", 0, 0), _MAX_OFFSET)
        page: Mapping[str, Any] = {"nodes": [], "totalCount": 0}
        where = _where(request.query)
        if where is not None:
            variables = {"where": where, "limit": limit, "offset": offset}
            page = (await self._ask(PAGE, request.caller, request.size, **variables))["page"]
        data = [issue_json(issue) for issue in page["nodes"]]
        request.size.check(data)
        return Answer(200, {"data": data, "total": page["totalCount"], "limit": limit, "offset": offset})

    async def _create(self, request: Request) -> Answer:
        """`Kite: POST /issues`."""
        body = CreateBody(request.body)
        namespace = namespace_of(request.query, body.namespace)
        if not request.caller.may(Permission.REPORT, namespace):
            raise Forbidden(f"no permission to report in namespace {namespace}")
        outcome = await self._submit(body.command(namespace), request)
        (id,) = outcome.issue_ids
        try:
            shown = await self.show_issue(id, request.caller, outcome.left)
            return Answer(201, shown).with_notices(body.notices)
        except Exception as error:
            # The report is on disk: an error would make the client send it again.
            is_known = isinstance(error, (Overloaded, TimedOut, TooLarge, Unavailable))
            log.warning("issue %s cannot be shown: %s", id, error, exc_info=not is_known)
            return Answer(201, {"id": id})

    async def _get(self, request: Request) -> Answer:
        """`Kite: GET /issues/:id`."""
        check_namespace(request, Permission.READ)
        issue = (await self._ask(ONE, request.caller, request.size, id=request.path["id"]))["issue"]
        _check_place(request, issue)
        shown = issue_json(issue)
        request.size.check(shown)
        return Answer(200, shown)

    async def _update(self, request: Request) -> Answer:
        """`Kite: PUT /issues/:id`."""
        check_namespace(request, Permission.RESPOND)
        id, body = request.path["id"], UpdateBody(request.body)
        # Kite looks at the body before it looks for the issue.
        outcome = await self._submit(body.command(id, only_in=request.namespace or None), request)
        if any(error.code == "CONFLICT" for error in outcome.errors):
            raise Refused(409, "another active issue has this scope and type")
        _check_found(outcome)
        return Answer(200, await self._shown(id, request)).with_notices(body.notices)

    async def _resolve(self, request: Request) -> Answer:
        """`Kite: POST /issues/:id/resolve`."""
        check_namespace(request, Permission.RESPOND)
        id = request.path["id"]
        _check_found(await self._submit(ResolveIssue(id=id, only_in=request.namespace or None), request))
        return Answer(200, await self._shown(id, request))

    async def _delete(self, request: Request) -> None:
        """`Kite: DELETE /issues/:id`."""
        check_namespace(request, Permission.MANAGE)
        command = DeleteIssue(id=request.path["id"], only_in=request.namespace or None)
        _check_found(await self._submit(command, request))

    async def _relate(self, request: Request) -> Answer:
        """`Kite: POST /issues/:id/related`."""
        check_namespace(request, Permission.RESPOND)
        command = RelateIssues(source_id=request.path["id"], target_id=related_id(request.body))
        outcome = await self._submit(command, request)
        for error in outcome.errors:
            if error.code == "NOT_FOUND":
                raise Refused(404, "one or both issues not found")
            raise Refused(400, "Validation failed", f"relatedId: {error.message}")
        if not outcome.created:
            raise Refused(409, "relationship already exists")
        return Answer(201, {"message": "Relationship created"})

    async def _unrelate(self, request: Request) -> None:
        """`Kite: DELETE /issues/:id/related/:relatedId`."""
        check_namespace(request, Permission.RESPOND)
        command = UnrelateIssues(source_id=request.path["id"], target_id=request.path["related_id"], kind="RELATED")
        outcome = await self._submit(command, request)
        if outcome.errors or not outcome.count:
            raise Refused(404, "relationship not found")

    async def _submit(self, command: Keyed, request: Request) -> Outcome:
        """Raises Refused for a key that was another request's."""
        command = keyed(command, request.key)
        return checked(await self._writer.submit(command, request.caller, body_bytes=len(request.body)))

    async def _shown(self, id: str, request: Request) -> dict[str, Any]:
        try:
            return await self.show_issue(id, request.caller)
        except LookupError:
            if request.key is not None:
                return {"id": id}
            raise Refused(404, NOT_FOUND) from None

    async def _many(self, ids: list[str], caller: Caller) -> list[Mapping[str, Any]]:
        nodes: list[Mapping[str, Any]] = (await self._ask(MANY, caller, ids=ids, limit=len(ids)))["page"]["nodes"]
        return nodes

    def _check(self, shown: Any, caller: Caller) -> None:
        with self._planner.answers.begin(caller.line) as size:
            size.check(shown)

    async def _ask(self, text: str, caller: Caller, size: Size | None = None, **variables: Any) -> dict[str, Any]:
        """What a document brings, counted by `size` as long as that is there."""
        operation = self._planner.private_documents.operation(text, None, variables)
        answer = await self._planner.execute(operation, caller, size)
        for problem in answer.errors:
            raise problem.error
        assert answer.data is not None
        return answer.data


def _sees_all(caller: Caller, left: LeftIssue) -> bool:
    """Whether nothing of it has to be left out."""
    return all(row.namespace in caller.readable for row in (left.row, *(other for _, other in left.relations)))


def _check_place(request: Request, issue: Mapping[str, Any] | None) -> None:
    """Raises Refused for no issue, or one that is not in the namespace of the query."""
    if issue is None:
        raise Refused(404, NOT_FOUND)
    if request.namespace and request.namespace != issue["namespace"]:
        raise Refused(403, NO_ACCESS)


def _check_found(outcome: Outcome) -> None:
    if outcome.errors:
        raise Refused(404, NOT_FOUND)


def _number(query: Mapping[str, str], name: str, least: int, default: int) -> int:
    """As Go reads a number; the default for one that is none, or too small."""
    text = query.get(name, "")
    number = int(text) if _GO_INT.fullmatch(text) else least - 1
    return number if least <= number <= _MAX_GO_INT else default


def _where(query: Mapping[str, str]) -> dict[str, Any] | None:
    """The IssueWhere of Kite's filters, or None when nothing can match."""
    # No row holds a NUL.
    if any("\0" in text for text in query.values()):
        return None
    where: dict[str, Any] = {}
    for name, words in WORDS.items():
        given = query.get(name)
        if given:
            if given not in words:
                return None
            where[name] = {"eq": words[given].upper()}
    scope = {name: {"eq": query[name]} for name in _RESOURCE_FILTERS if query.get(name)}
    if scope:
        where["scope"] = scope
    if query.get("namespace"):
        where["namespace"] = {"eq": query["namespace"]}
    if query.get("search"):
        found = {"contains": query["search"]}
        where["or"] = [{"title": found}, {"description": found}]
    return where
