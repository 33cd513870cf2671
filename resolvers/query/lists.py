"""The lists of the schema: which rows each holds, in which order, for whose eyes."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    or_,
    select,
)

from models import Issue, IssueEvent, Occurrence, Relation, Scope
from models.base import Time, Word
from models.dialect import ListOf, any_of
from resolvers.errors import BadRequest
from resolvers.query.condition import Conditions, Image, Rows
from resolvers.query.connection import Listing
from resolvers.query.cursor import Sort
from resolvers.query.owner import Owner
from resolvers.query.plan import Arguments, Build
from resolvers.query.search import search_where
from resolvers.query.selection import Field
from resolvers.query.source import Source
from resolvers.query.where import ALWAYS, Node, both, event_where, issue_where, scope_where, uses_scope

_EPOCH = "1970-01-01T00:00:00.000000Z"
MAX_ORDER_STEPS = 8
_ORDER_COLUMNS = {
    "DETECTED_AT": ("detected_at", "time"),
    "LAST_DETECTED_AT": ("last_detected_at", "time"),
    "CREATED_AT": ("created_at", "time"),
    "UPDATED_AT": ("updated_at", "time"),
    "SEVERITY": ("severity_rank", "number"),
    "OCCURRENCE_COUNT": ("occurrence_count", "number"),
    "TITLE": ("title_folded", "text"),
}


def table_source(build: Build, model: Any) -> Source:
    """A statement on one table."""
    return Source(build, build.alias(model, model.__tablename__))


def scope_of(source: Source, issue: FromClause) -> FromClause:
    """The scope of an issue, joined once."""
    return source.join(issue, "scope", Scope, lambda scope: scope.c.id == issue.c.scope_id)


def filter_issues(source: Source, issue: FromClause, field: Field, argument: str = "where") -> ColumnElement[bool]:
    """`where` and `search` of a field, on an issue; joins its scope where that is needed. Raises BadRequest."""
    prefix = source.build.name("where") + "_"

    def tree(arguments: Arguments) -> Node:
        return both(issue_where(arguments.get(argument)), search_where(arguments.get("search")))

    node = source.build.tree(prefix, field, (argument, "search"), tree)
    tables = (issue, scope_of(source, issue)) if uses_scope(node) else (issue,)
    return Conditions(prefix).of(node, Rows(*tables))


def filter_kinds(source: Source, kind: ColumnElement[str], field: Field) -> list[ColumnElement[bool]]:
    """The `kinds` of a field; without it, every kind."""
    if field.arguments().get("kinds") is None:
        return []
    wanted = source.build.parameter("kinds", ListOf(Word()))
    source.build.bind(field, ["kinds"], lambda arguments: {wanted.key: [str(each) for each in arguments["kinds"]]})
    return [any_of(kind, wanted)]


def issue_sorts(issue: FromClause, given: Sequence[Mapping[str, Any]] | None) -> list[Sort]:
    """The order of an `orderBy`, made total by the id. Raises BadRequest."""
    steps = [(str(step["field"]), str(step["direction"]) == "DESC") for step in given or ()] or [("DETECTED_AT", True)]
    if len(steps) > MAX_ORDER_STEPS:
        raise BadRequest(f"orderBy may have {MAX_ORDER_STEPS} steps at most")
    # A field that comes again has nothing left to decide.
    falling = dict(reversed(steps))
    sorts: list[Sort] = []
    for name in dict.fromkeys(name for name, _ in steps):
        descending = falling[name]
        if name == "RESOLVED_AT":
            # Null comes last in both directions; where it is not null the first step decides nothing.
            column = issue.c.resolved_at
            sorts.append(Sort(case((column.is_(None), literal_column("1")), else_=literal_column("0")), "number"))
            nothing = bindparam("epoch", _EPOCH, type_=Time())
            sorts.append(Sort(func.coalesce(column, nothing, type_=Time()), "time", descending))
        else:
            column_name, kind = _ORDER_COLUMNS[name]
            sorts.append(Sort(issue.c[column_name], kind, descending))
    return [*sorts, Sort(issue.c.id, "id", steps[0][1])]


def issues(build: Build, field: Field, partition: str | None = None) -> tuple[Listing, FromClause]:
    """Issues by `where`, `search` and `orderBy`; `partition` is the column of Issue that a list belongs to."""
    source = table_source(build, Issue)
    issue = source.table
    conditions = [filter_issues(source, issue, field), *build.visible(issue.c.namespace)]
    order = field.arguments().get("orderBy")
    listing = Listing(
        name="issues:" + ",".join(f"{step['field']}" for step in order or ()),
        source=source,
        conditions=conditions,
        sorts=issue_sorts(issue, order),
        partition=None if partition is None else issue.c[partition],
    )
    return listing, issue


def count_of(listing: Listing) -> Select[Any]:
    """How many rows a listing has."""
    return select(func.count()).select_from(listing.source.tables).where(and_(True, *listing.conditions))


def visible_scope(build: Build, scope: FromClause) -> ColumnElement[bool]:
    """A scope is there for who may read an issue about it."""
    issue = build.alias(Issue, "about")
    return exists(select(literal_column("1")).where(issue.c.scope_id == scope.c.id, *build.visible(issue.c.namespace)))


def scopes(build: Build, field: Field) -> tuple[Listing, FromClause]:
    """Scopes by `where`."""
    source = table_source(build, Scope)
    scope = source.table
    prefix = build.name("where") + "_"
    node = build.tree(prefix, field, ["where"], lambda arguments: scope_where(arguments.get("where")))
    condition = Conditions(prefix).of(node, Rows(scope))
    columns = (scope.c.resource_type, scope.c.resource_namespace, scope.c.resource_name)
    sorts = [*(Sort(column, "text") for column in columns), Sort(scope.c.id, "id")]
    return Listing(
        name="scopes", source=source, conditions=[condition, visible_scope(build, scope)], sorts=sorts
    ), scope


def occurrences(build: Build) -> tuple[Listing, FromClause]:
    """Of an issue, newest first."""
    source = table_source(build, Occurrence)
    table = source.table
    sorts = [Sort(table.c.id, "id", descending=True)]
    return Listing(name="occurrences", source=source, conditions=[], sorts=sorts, partition=table.c.issue_id), table


def relations(build: Build, field: Field, near: str, far: str) -> tuple[Listing, FromClause]:
    """Relations by the issue at their `near` end (source_id or target_id), newest first."""
    source = table_source(build, Relation)
    relation = source.table
    other = source.join(relation, far.removesuffix("_id"), Issue, lambda issue: issue.c.id == relation.c[far])
    listing = Listing(
        name=f"relations:{near}",
        source=source,
        conditions=[*filter_kinds(source, relation.c.kind, field), *build.visible(other.c.namespace)],
        sorts=[Sort(relation.c.id, "id", descending=True)],
        partition=relation.c[near],
    )
    return listing, relation


def related(build: Build, field: Field) -> tuple[Listing, FromClause, FromClause]:
    """Related issues of an issue: the listing, `step` (near, direction and the relation's id), and the other issue."""
    wanted = str(field.arguments()["direction"])
    ends = {"OUT": ("source_id", "target_id"), "IN": ("target_id", "source_id")}
    owner = Owner()
    steps = []
    for direction, (near, far) in ends.items():
        if wanted in (direction, "BOTH"):
            edge = build.alias(Relation, "edge")
            steps.append(
                select(
                    edge.c[near].label("near"),
                    edge.c[far].label("far"),
                    edge.c.id.label("relation_id"),
                    edge.c.kind.label("kind"),
                    literal_column(f"'{direction}'", Word()).label("direction"),
                ).where(owner.of(edge.c[near]))
            )
    step = (steps[0] if len(steps) == 1 else steps[0].union_all(steps[1])).subquery(build.name("step"))
    source = Source(build, step)
    issue = source.join(step, "issue", Issue, lambda issue: issue.c.id == step.c.far)
    listing = Listing(
        name=f"related:{wanted}",
        source=source,
        conditions=[
            *filter_kinds(source, step.c.kind, field),
            filter_issues(source, issue, field),
            *build.visible(issue.c.namespace),
        ],
        sorts=[Sort(step.c.relation_id, "id", descending=True)],
        partition=step.c.near,
        owner=owner,
    )
    return listing, step, issue


def visible_line(build: Build, line: FromClause) -> list[ColumnElement[bool]]:
    """Every issue that a line names must be visible."""
    if build.everywhere:
        return []
    (here, there) = build.visible(line.c.namespace, line.c.other_namespace)
    return [here, or_(line.c.other_namespace.is_(None), there)]


def events(build: Build, field: Field) -> tuple[Listing, FromClause]:
    """Lines of the log by `where`, newest first."""
    source = table_source(build, IssueEvent)
    line = source.table
    conditions = [*_filter_line(build, line, field), *visible_line(build, line)]
    sorts = [Sort(line.c.position, "number", descending=True)]
    return Listing(name="events", source=source, conditions=conditions, sorts=sorts), line


def timeline(build: Build) -> tuple[Listing, FromClause]:
    """Lines of an issue, newest first."""
    source = table_source(build, IssueEvent)
    line = source.table
    sorts = [Sort(line.c.position, "number", descending=True)]
    listing = Listing(
        name="timeline",
        source=source,
        conditions=visible_line(build, line),
        sorts=sorts,
        partition=line.c.issue_id,
    )
    return listing, line


def issue_of_line(given: Mapping[str, Any] | None) -> Node:
    """What an IssueEventWhere says of the issue, just before or just after the line. Raises BadRequest and NoLeaf."""
    return both(issue_where((given or {}).get("issue")), search_where((given or {}).get("search")))


def _filter_line(build: Build, line: FromClause, field: Field) -> list[ColumnElement[bool]]:
    on_line = build.name("line") + "_"
    of_line = build.tree(on_line, field, ["where"], lambda arguments: event_where(arguments.get("where")))
    conditions = [Conditions(on_line).of(of_line, Rows(line))]
    moments = []
    for moment in ("before", "after"):
        prefix, image = build.name(moment) + "_", Image(line, moment)
        node = build.tree(prefix, field, ["where"], lambda arguments: issue_of_line(arguments.get("where")))
        if node != ALWAYS:
            moments.append(and_(image.exists, Conditions(prefix).of(node, image)))
    return [*conditions, or_(*moments)] if moments else conditions
