"""How every field that is no column of its own name is selected, type by type."""

from collections.abc import Mapping
from typing import Any

import orjson
from sqlalchemy import ColumnElement, FromClause, and_, bindparam, literal_column

from models import Issue, Label, Link, Relation, Scope
from models.database import Steps
from models.dialect import ListOf, any_of
from resolvers.query import graph, lists, stats
from resolvers.query.connection import connection
from resolvers.query.objects import child, make_actor, make_json, make_of, make_optional, picker
from resolvers.query.plan import Build, Make, Run, Special
from resolvers.query.selection import Field
from resolvers.query.source import Keyed, Source


def _actor(prefix: str) -> Special:
    return lambda source, table, field: make_actor(source, table, prefix, field)


def _json(column: str) -> Special:
    return lambda source, table, field: make_json(source, table, column, field)


def _url(source: Source, issue: FromClause, field: Field) -> Make:
    place, pages = source.column(issue.c.id), f"{source.build.setting.public_url}/issues/"
    return lambda row, groups: pages + row[place]


def _fingerprint(source: Source, issue: FromClause, field: Field) -> Make:
    key, parts = source.column(issue.c.fingerprint), source.column(issue.c.fingerprint_parts)
    pick = picker(field)
    return lambda row, groups: pick({"key": row[key], "parts": orjson.loads(row[parts])})


def _scope(source: Source, issue: FromClause, field: Field) -> Make:
    return make_of(source, lists.scope_of(source, issue), field.fields())


def _previous(source: Source, issue: FromClause, field: Field) -> Make:
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


def _owned(model: Any, *order: str) -> Special:
    """A short list that belongs to an issue: all of it."""

    def special(source: Source, issue: FromClause, field: Field) -> Make:
        build = source.build
        below = Source(build, model.__table__.alias(build.name(model.__tablename__)))
        table, keys = below.table, build.name("keys")
        make, key_place = make_of(below, table, field.fields()), below.column(table.c.issue_id)
        owned = any_of(table.c.issue_id, bindparam(keys, type_=ListOf(table.c.issue_id.type)))
        ordered = below.select(owned).order_by(table.c.issue_id, *(table.c[name] for name in order))
        fetch = Keyed(build.compile(ordered), keys, key_place, below.children, make)
        return child(source, issue.c.id, fetch.lists, default=list)

    return special


def _occurrences(source: Source, issue: FromClause, field: Field) -> Make:
    listing, occurrence = lists.occurrences(source.build)
    fetch = connection(field, listing, lambda below, fields: make_of(below, occurrence, fields))
    return child(source, issue.c.id, fetch)


def _timeline(source: Source, issue: FromClause, field: Field) -> Make:
    listing, line = lists.timeline(source.build)
    return child(source, issue.c.id, connection(field, listing, lambda below, fields: make_of(below, line, fields)))


def _relations(near: str, far: str) -> Special:
    def special(source: Source, issue: FromClause, field: Field) -> Make:
        listing, relation = lists.relations(source.build, field, near, far)
        fetch = connection(field, listing, lambda below, fields: make_of(below, relation, fields))
        return child(source, issue.c.id, fetch)

    return special


def _related(source: Source, issue: FromClause, field: Field) -> Make:
    listing, step, other = lists.related(source.build, field)

    def direction(below: Source, field: Field) -> Make:
        place = below.column(step.c.direction)
        return lambda row, groups: row[place]

    def relation(below: Source, field: Field) -> Make:
        drawn = below.join(step, "relation", Relation, lambda drawn: drawn.c.id == step.c.relation_id)
        return make_of(below, drawn, field.fields())

    fetch = connection(
        field,
        listing,
        lambda below, fields: make_of(below, other, fields),
        {"direction": direction, "relation": relation},
    )
    return child(source, issue.c.id, fetch)


def _all_relations(near: str, far: str) -> Special:
    """For REST, which shows all relations of an issue."""

    def special(source: Source, issue: FromClause, field: Field) -> Make:
        build = source.build
        below = Source(build, Relation.__table__.alias(build.name("relation")))
        relation, keys = below.table, build.name("keys")
        other = _end_of(below, relation, far)
        make, key_place = make_of(below, relation, field.fields()), below.column(relation.c[near])
        near_end = any_of(relation.c[near], bindparam(keys, type_=ListOf(relation.c[near].type)))
        wanted = below.select(near_end, *build.visible(other.c.namespace)).order_by(relation.c.id)
        fetch = Keyed(build.compile(wanted), keys, key_place, below.children, make)
        return child(source, issue.c.id, fetch.lists, default=list)

    return special


def _graph(source: Source, issue: FromClause, field: Field) -> Make:
    return child(source, issue.c.id, graph.graphs(source.build, field))


def _end(column: str) -> Special:
    """The issue at one end of a relation."""

    def special(source: Source, relation: FromClause, field: Field) -> Make:
        return make_of(source, _end_of(source, relation, column), field.fields())

    return special


def _end_of(source: Source, relation: FromClause, column: str) -> FromClause:
    return source.join(relation, column.removesuffix("_id"), Issue, lambda end: end.c.id == relation.c[column])


def _scope_issues(source: Source, scope: FromClause, field: Field) -> Make:
    listing, issue = lists.issues(source.build, field, partition="scope_id")
    return child(source, scope.c.id, connection(field, listing, lambda below, fields: make_of(below, issue, fields)))


def _scope_stats(source: Source, scope: FromClause, field: Field) -> Make:
    return child(source, scope.c.id, stats.stats(source.build, field, of_scopes=True))


def _line_position(source: Source, line: FromClause, field: Field) -> Make:
    # Only a run knows how clients see positions.
    def texts(run: Run, keys: list[Any]) -> Steps[Mapping[Any, Any]]:
        yield from ()
        return {key: run.text_of_position(key) for key in keys}

    return child(source, line.c.position, texts)


def _line_issue(source: Source, line: FromClause, field: Field) -> Make:
    build = source.build
    issue = source.join(
        line,
        "issue",
        Issue,
        lambda issue: and_(issue.c.id == line.c.issue_id, *build.visible(issue.c.namespace)),
        outer=True,
    )
    return make_optional(source, issue, field.fields())


def _line_relation(source: Source, line: FromClause, field: Field) -> Make:
    key = source.column(line.c.relation_id)
    entries: list[tuple[str, Make]] = []
    for each in field.fields():
        if each.name == "__typename":
            entries.append((each.key, lambda row, groups: "RelationRef"))
        elif each.name == "relation":
            entries.append((each.key, child(source, line.c.relation_id, _relations_by_id(source, each))))
        else:
            column = {"id": "relation_id", "kind": "relation_kind", "sourceId": "source_id", "targetId": "target_id"}
            entries.append((each.key, _column(source, line, column[each.name])))

    def make(row: Any, groups: Any) -> Any:
        return None if row[key] is None else {name: of(row, groups) for name, of in entries}

    return make


def _column(source: Source, table: FromClause, name: str) -> Make:
    place = source.column(table.c[name])
    return lambda row, groups: row[place]


def _relations_by_id(source: Source, field: Field) -> Any:
    return entities(source.build, Relation, "Relation", field).single


def entities(build: Build, model: Any, type_name: str, field: Field) -> Keyed:
    """Issues, scopes or relations by their ids, those that the caller may read."""
    source = Source(build, model.__table__.alias(build.name(model.__tablename__)))
    table, keys = source.table, build.name("keys")
    conditions: list[ColumnElement[bool]] = [any_of(table.c.id, bindparam(keys, type_=ListOf(table.c.id.type)))]
    if model is Issue:
        conditions += build.visible(table.c.namespace)
    elif model is Scope:
        conditions.append(lists.visible_scope(build, table))
    elif not build.everywhere:
        for column in ("source_id", "target_id"):
            conditions += build.visible(_end_of(source, table, column).c.namespace)
    make, key_place = make_of(source, table, field.fields(type_name)), source.column(table.c.id)
    return Keyed(build.compile(source.select(*conditions)), keys, key_place, source.children, make)


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
