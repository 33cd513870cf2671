"""The root fields with rows behind them: what each of them fetches."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import BigInteger, and_, bindparam

from models import Issue, IssueEvent, Relation, Scope
from models.base import Position, Word
from models.database import Steps
from models.dialect import ListOf, any_of
from models.values import parse_id
from resolvers.errors import BadRequest
from resolvers.query import lists
from resolvers.query.connection import connection
from resolvers.query.fields import entities
from resolvers.query.graph import graph_of_ids
from resolvers.query.objects import column_name, make_of
from resolvers.query.plan import Arguments, Build, Fetch, Run, plain, whole_number
from resolvers.query.selection import Field
from resolvers.query.source import Keyed, groups_of
from resolvers.query.stats import stats
from resolvers.query.where import ids

# The value of a root field in one run.
Root = Callable[[Run], Steps[Any]]

NODE_TYPES: tuple[tuple[str, Any], ...] = (("Issue", Issue), ("Scope", Scope), ("Relation", Relation))


def _of_nothing(fetch: Fetch) -> Root:
    """What a fetch has for the root."""

    def root(run: Run) -> Steps[Any]:
        found = yield from fetch(run, [None])
        return found[None]

    return root


def _node(build: Build, field: Field) -> Root:
    nodes, given = _nodes_by_id(build, field, lambda arguments: [arguments["id"]])

    def root(run: Run) -> Steps[Any]:
        found = yield from nodes(run)
        return found.get(run.values[given][0])

    return root


def _nodes(build: Build, field: Field) -> Root:
    most = build.setting.limits.ids

    def wanted(arguments: Arguments) -> list[str]:
        if len(arguments["ids"]) > most:
            raise BadRequest(f"ids may have {most} items at most")
        return list(arguments["ids"])

    nodes, given = _nodes_by_id(build, field, wanted)
    build.shares = True

    def root(run: Run) -> Steps[Any]:
        found = yield from nodes(run)
        return [found.get(id) for id in run.values[given]]

    return root


def _nodes_by_id(
    build: Build, field: Field, wanted: Callable[[Arguments], list[str]]
) -> tuple[Callable[[Run], Steps[Mapping[Any, Any]]], str]:
    """Issues, scopes and relations by their ids, and where the run holds the ids (None: malformed)."""
    given, keys = build.name("ids"), build.name("keys")

    def bound(arguments: Arguments) -> Mapping[str, Any]:
        parsed = [parse_id(id) for id in wanted(arguments)]
        return {given: parsed, keys: list(dict.fromkeys(id for id in parsed if id))}

    build.bind(field, ("id", "ids"), bound)
    by_type = [entities(build, model, name, field, keys) for name, model in NODE_TYPES]

    def nodes(run: Run) -> Steps[Mapping[Any, Any]]:
        found: dict[Any, Any] = {}
        for keyed in by_type:
            of_type = yield from keyed.single(run, run.values[keys])
            found.update((id, node) for id, node in of_type.items() if node is not None)
        return found

    return nodes, given


def _issue(build: Build, field: Field) -> Root:
    given = build.name("ids")
    build.bind(field, ["id"], lambda arguments: {given: ids([arguments["id"]])})
    return _only(entities(build, Issue, "Issue", field, given), given)


def _only(keyed: Keyed, given: str) -> Root:
    def root(run: Run) -> Steps[Any]:
        keys = run.values[given]
        found = yield from keyed.single(run, keys)
        return found[keys[0]] if keys else None

    return root


def _scope(build: Build, field: Field) -> Root:
    def check(arguments: Arguments) -> tuple[Any, Any]:
        id, key = arguments.get("id"), arguments.get("key")
        if (id is None) == (key is None):
            raise BadRequest("scope needs one of id and key")
        return id, key

    id, _ = check(field.arguments())
    if id is not None:
        given = build.name("ids")
        build.bind(field, ("id", "key"), lambda arguments: {given: ids([check(arguments)[0]])})
        return _only(entities(build, Scope, "Scope", field, given), given)

    names = {name: build.name(name) for name in ("resourceType", "resourceName", "resourceNamespace")}

    def values(arguments: Arguments) -> Mapping[str, Any]:
        _, key = check(arguments)
        return {parameter: plain(key[name]) for name, parameter in names.items()}

    build.bind(field, ("id", "key"), values)
    source = lists.table_source(build, Scope)
    scope = source.table
    make = make_of(source, scope, field.fields()).compiled()
    is_key = and_(*(scope.c[column_name(name)] == bindparam(bound, type_=Word()) for name, bound in names.items()))
    statement = build.ask_first(source.select(is_key, lists.visible_scope(build, scope)))

    def root(run: Run) -> Steps[Any]:
        rows = yield from run.fetch(statement)
        if not rows:
            return None
        groups = yield from groups_of(run, source.children, rows)
        return make(rows[0], groups, run)

    return root


def _issues(build: Build, field: Field) -> Root:
    listing, issue = lists.issues(build, field)
    return _of_nothing(connection(field, listing, lambda source, fields: make_of(source, issue, fields)))


def _scopes(build: Build, field: Field) -> Root:
    listing, scope = lists.scopes(build, field)
    return _of_nothing(connection(field, listing, lambda source, fields: make_of(source, scope, fields)))


def _issue_events(build: Build, field: Field) -> Root:
    listing, line = lists.events(build, field)
    return _of_nothing(connection(field, listing, lambda source, fields: make_of(source, line, fields)))


def _issue_stats(build: Build, field: Field) -> Root:
    return _of_nothing(stats(build, field))


def _issue_graph(build: Build, field: Field) -> Root:
    return _of_nothing(graph_of_ids(build, field))


def _position(build: Build, field: Field) -> Root:
    build.want_position()

    def root(run: Run) -> Steps[Any]:
        yield from ()
        return run.position

    return root


def _issue_page(build: Build, field: Field) -> Root:
    """REST's way of paging: issues newest first from an offset, and how many there are."""
    limit, offset = build.parameter("limit", BigInteger()), build.parameter("offset", BigInteger())
    build.bind(
        field,
        ("limit", "offset"),
        lambda given: {
            limit.key: whole_number("limit", given["limit"], 1, 1_000),
            offset.key: whole_number("offset", given["offset"], 0, 2**31 - 1),
        },
    )
    listing, issue = lists.issues(build, field)
    source = listing.source
    count = None
    make = None
    for each in field.fields():
        if each.name == "nodes":
            make = make_of(source, issue, each.fields()).compiled()
        elif each.name == "totalCount":
            count = build.ask_first(lists.count_of(listing))
    order = [sort.clause(backward=False) for sort in listing.sorts]
    rows = source.select(*listing.conditions).order_by(*order).limit(limit).offset(offset)
    page = build.ask_first(rows, are_many=True)

    def root(run: Run) -> Steps[Any]:
        answer: dict[str, Any] = {}
        if make:
            found = yield from run.fetch(page)
            groups = yield from groups_of(run, source.children, found)
            answer["nodes"] = [make(row, groups, run) for row in found]
        if count is not None:
            ((answer["totalCount"],),) = yield from run.fetch(count)
        return answer

    return root


def lines_by_position(build: Build, field: Field) -> Keyed:
    """Lines of the log, those that the caller may read."""
    source = lists.table_source(build, IssueEvent)
    line, keys = source.table, build.name("keys")
    make, key_place = make_of(source, line, field.fields()).compiled(), source.column(line.c.position)
    wanted = any_of(line.c.position, bindparam(keys, type_=ListOf(Position)))
    statement = build.compile(source.select(wanted, *lists.visible_line(build, line)))
    return Keyed(statement, keys, key_place, source.children, make)


QUERY_ROOTS: Mapping[str, Callable[[Build, Field], Root]] = {
    "node": _node,
    "nodes": _nodes,
    "issue": _issue,
    "issues": _issues,
    "issueStats": _issue_stats,
    "scope": _scope,
    "scopes": _scopes,
    "issueGraph": _issue_graph,
    "issueEvents": _issue_events,
    "position": _position,
    "issuePage": _issue_page,
}
