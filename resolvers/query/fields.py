"""How every field that is no column of its own name is selected, type by type."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, bindparam, literal_column

from models import Issue, Label, Link, Relation, Scope
from models.dialect import ListOf, any_of
from resolvers.query import graph, lists, stats
from resolvers.query.connection import connection_below
from resolvers.query.made import Made, at, first_of, unless_none
from resolvers.query.objects import make_actor, make_json, make_of, make_optional, object_of
from resolvers.query.plan import Build, Special
from resolvers.query.selection import Field
from resolvers.query.source import Keyed, Source, list_of

# The conditions under which the caller is shown what belongs to these namespaces.
Shown = Callable[..., list[ColumnElement[bool]]]


def _actor(prefix: str) -> Special:
    return lambda source, table, field: make_actor(source, table, prefix, field)


def _json(column: str) -> Special:
    return lambda source, table, field: make_json(source, table, column, field)


def _url(source: Source, issue: FromClause, field: Field) -> Made:
    pages = f"{source.build.setting.public_url}/issues/"
    return Made(f"{pages!r} + row[{source.column(issue.c.id)}]")


def _fingerprint(source: Source, issue: FromClause, field: Field) -> Made:
    def make(each: Field) -> Made:
        if each.name == "key":
            return at(source.column(issue.c.fingerprint))
        return make_json(source, issue, "fingerprint_parts", each)

    return object_of(field.fields(), make)


def _scope(source: Source, issue: FromClause, field: Field) -> Made:
    return make_of(source, lists.scope_of(source, issue), field.fields())


def _previous(source: Source, issue: FromClause, field: Field) -> Made:
    build = source.build
    step = source.join(
        issue,
        "recurrence",
        Relation,
        lambda step: and_(step.c.source_id == issue.c.id, step.c.kind == literal_column("'RECURRENCE_OF'")),
        outer=True,
    )
    earlier = source.join(
        issue,
        "previous",
        Issue,
        lambda earlier: and_(earlier.c.id == step.c.target_id, *build.visible(earlier.c.namespace)),
        outer=True,
    )
    return make_optional(source, earlier, field.fields())


def _owned(model: Any, *order_by: str) -> Special:
    """A short list that belongs to an issue: all of it."""

    def special(source: Source, issue: FromClause, field: Field) -> Made:
        below = lists.table_source(source.build, model)
        table = below.table
        made = make_of(below, table, field.fields())
        order = [table.c[name] for name in order_by]
        return list_of(source, issue.c.id, below, table.c.issue_id, made, order)

    return special


def _occurrences(source: Source, issue: FromClause, field: Field) -> Made:
    listing, occurrence = lists.occurrences(source.build)
    return connection_below(
        source, issue.c.id, field, listing, lambda below, fields: make_of(below, occurrence, fields)
    )


def _timeline(source: Source, issue: FromClause, field: Field) -> Made:
    listing, line = lists.timeline(source.build)
    return connection_below(source, issue.c.id, field, listing, lambda below, fields: make_of(below, line, fields))


def _relations(near: str, far: str) -> Special:
    def special(source: Source, issue: FromClause, field: Field) -> Made:
        listing, relation = lists.relations(source.build, field, near, far)
        make = lambda below, fields: make_of(below, relation, fields)  # noqa: E731
        return connection_below(source, issue.c.id, field, listing, make)

    return special


def _related(source: Source, issue: FromClause, field: Field) -> Made:
    listing, step, other = lists.related(source.build, field)

    def direction(below: Source, field: Field) -> Made:
        return at(below.column(step.c.direction))

    def relation(below: Source, field: Field) -> Made:
        drawn = below.join(step, "relation", Relation, lambda drawn: drawn.c.id == step.c.relation_id)
        return make_of(below, drawn, field.fields())

    return connection_below(
        source,
        issue.c.id,
        field,
        listing,
        lambda below, fields: make_of(below, other, fields),
        {"direction": direction, "relation": relation},
    )


def _all_relations(near: str, far: str) -> Special:
    """For REST, which shows all relations of an issue."""

    def special(source: Source, issue: FromClause, field: Field) -> Made:
        build = source.build
        below = lists.table_source(build, Relation)
        relation = below.table
        visible = build.visible(_end_of(below, relation, far).c.namespace)
        made = make_of(below, relation, field.fields())
        return list_of(source, issue.c.id, below, relation.c[near], made, [relation.c.id], *visible)

    return special


def _graph(source: Source, issue: FromClause, field: Field) -> Made:
    return source.child(issue.c.id, graph.graphs(source.build, field))


def _end(column: str) -> Special:
    """The issue at one end of a relation."""

    def special(source: Source, relation: FromClause, field: Field) -> Made:
        return make_of(source, _end_of(source, relation, column), field.fields())

    return special


def _end_of(source: Source, relation: FromClause, column: str) -> FromClause:
    return source.join(relation, column.removesuffix("_id"), Issue, lambda end: end.c.id == relation.c[column])


def _scope_issues(source: Source, scope: FromClause, field: Field) -> Made:
    listing, issue = lists.issues(source.build, field, partition="scope_id")
    return connection_below(source, scope.c.id, field, listing, lambda below, fields: make_of(below, issue, fields))


def _scope_stats(source: Source, scope: FromClause, field: Field) -> Made:
    return source.child(scope.c.id, stats.stats(source.build, field, of_scopes=True))


def _line_position(source: Source, line: FromClause, field: Field) -> Made:
    return Made(f"run.text_of_position(row[{source.column(line.c.position)}])")


def _line_issue(source: Source, line: FromClause, field: Field) -> Made:
    build = source.build
    issue = source.join(
        line,
        "issue",
        Issue,
        lambda issue: and_(issue.c.id == line.c.issue_id, *build.visible(issue.c.namespace)),
        outer=True,
    )
    return make_optional(source, issue, field.fields())


def _line_relation(source: Source, line: FromClause, field: Field) -> Made:
    columns = {"id": "relation_id", "kind": "relation_kind", "sourceId": "source_id", "targetId": "target_id"}

    def make(each: Field) -> Made:
        if each.name == "relation":
            return _relation_by_id(source, line, each)
        return at(source.column(line.c[columns[each.name]]))

    return unless_none(source.column(line.c.relation_id), object_of(field.fields(), make))


def _relation_by_id(source: Source, line: FromClause, field: Field) -> Made:
    """Null when it is gone, or an end of it is not for the caller."""
    below = lists.table_source(source.build, Relation)
    relation = below.table
    conditions = _visible_relation(below, relation, source.build.visible)
    made = make_of(below, relation, field.fields())
    return first_of(list_of(source, line.c.relation_id, below, relation.c.id, made, [relation.c.id], *conditions))


def _visible_relation(source: Source, relation: FromClause, shown: Shown) -> list[ColumnElement[bool]]:
    if not shown(relation.c.id):
        return []
    ends = [_end_of(source, relation, column) for column in ("source_id", "target_id")]
    return shown(*(end.c.namespace for end in ends))


def entities(
    build: Build, model: Any, type_name: str, field: Field, given: str | None = None, shown: Shown | None = None
) -> Keyed:
    """Issues, scopes or relations by their ids, those that the caller may read.

    `given` names the parameter that has the ids when a run starts, if they are known then. `shown` has other conditions
    than `Build.visible` for the issues and relations themselves; what is around them is what the caller may read.
    """
    shown = shown or build.visible
    source = lists.table_source(build, model)
    table, keys = source.table, given or build.name("keys")
    ask = build.ask_first if given else build.compile
    conditions: list[ColumnElement[bool]] = [any_of(table.c.id, bindparam(keys, type_=ListOf(table.c.id.type)))]
    if model is Issue:
        conditions += shown(table.c.namespace)
    elif model is Scope:
        conditions.append(lists.visible_scope(build, table))
    else:
        conditions += _visible_relation(source, table, shown)
    made, key_place = make_of(source, table, field.fields(type_name)), source.column(table.c.id)
    return Keyed(ask(source.select(*conditions)), keys, key_place, source.children, made.compiled())


SPECIAL: dict[tuple[str, str], Special] = {
    ("Issue", "resolvedBy"): _actor("resolved_by"),
    ("Issue", "acknowledgedBy"): _actor("acknowledged_by"),
    ("Issue", "editedFields"): _json("edited_fields"),
    ("Issue", "url"): _url,
    ("Issue", "fingerprint"): _fingerprint,
    ("Issue", "scope"): _scope,
    ("Issue", "previous"): _previous,
    ("Issue", "links"): _owned(Link, "ordinal"),
    ("Issue", "labels"): _owned(Label, "name", "value"),
    ("Issue", "occurrences"): _occurrences,
    ("Issue", "timeline"): _timeline,
    ("Issue", "related"): _related,
    ("Issue", "relatedFrom"): _relations("source_id", "target_id"),
    ("Issue", "relatedTo"): _relations("target_id", "source_id"),
    ("Issue", "allRelatedFrom"): _all_relations("source_id", "target_id"),
    ("Issue", "allRelatedTo"): _all_relations("target_id", "source_id"),
    ("Issue", "graph"): _graph,
    ("Scope", "issues"): _scope_issues,
    ("Scope", "stats"): _scope_stats,
    ("Relation", "source"): _end("source_id"),
    ("Relation", "target"): _end("target_id"),
    ("Relation", "createdBy"): _actor("created_by"),
    ("Occurrence", "links"): _json("links"),
    ("Occurrence", "actor"): _actor("actor"),
    ("IssueEvent", "id"): _line_position,
    ("IssueEvent", "position"): _line_position,
    ("IssueEvent", "actor"): _actor("actor"),
    ("IssueEvent", "issue"): _line_issue,
    ("IssueEvent", "relation"): _line_relation,
    ("IssueEvent", "changes"): _json("changes"),
}
