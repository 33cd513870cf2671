"""Documents made from the published schema: whatever field is added to it is asked for by itself."""

import re

from graphql import get_named_type, is_abstract_type, is_leaf_type, is_required_argument

import schema

SCHEMA = schema.schema._schema
# What arguments that must be given are given; a field may be asked for in several ways.
WAYS = {
    "IssueStats.byLabel": ['(name: "label")'],
    # It ends at a time that stands still.
    "IssueStats.series": ['(from: "2026-01-01T00:00:00Z", to: "2026-03-01T00:00:00Z", bucket: WEEK)'],
    "Issue.graph": ["(depth: 3, sameScope: true)", "(maxNodes: 2, direction: OUT, kinds: [RELATED, RECURRENCE_OF])"],
    "Query.node": ["(id: $id)"],
    "Query.nodes": ["(ids: $ids)"],
    "Query.issue": ["(id: $id)"],
    "Query.scope": ["(id: $id)", "(key: $key)"],
    "Query.issues": [
        "",
        "(where: {namespace: {contains: $text}}, orderBy: [{field: TITLE}])",
        "(where: {or: [{scope: {resourceNamespace: {eq: $text}}}, {label: {name: $text}}, {id: {in: $ids}}]})",
        "(where: {not: {namespace: {eq: $text}}}, first: 2, orderBy: [{field: OCCURRENCE_COUNT}])",
        "(search: $search, last: 3)",
    ],
    "Query.issueStats": ["", "(where: {not: {namespace: {eq: $text}}})", "(search: $search)"],
    "Query.scopes": ["", "(where: {resourceNamespace: {startsWith: $text}}, last: 2)"],
    "Query.issueGraph": ["(ids: $ids)", "(ids: $ids, depth: 3, sameScope: true)", "(ids: $ids, maxNodes: 3)"],
    "Query.issueEvents": [
        "",
        "(where: {issue: {namespace: {eq: $text}}}, last: 3)",
        "(where: {search: $search, kind: {in: [UPDATED, RELATED, UNRELATED, DELETED]}})",
        "(where: {actor: {name: {contains: $text}}})",
    ],
}
VARIABLES = {"$id": "ID!", "$ids": "[ID!]!", "$key": "ScopeKey!", "$text": "String!", "$search": "String!"}
# A mutation whose payload is asked for what is around an issue too; the others are answered in the same way.
DEEP = ("updateIssue",)
# What is not about issues, or not about what may be read.
OTHERS = (
    *("viewer", "rateLimit", "tokens", "auditEvents"),
    *("webhook", "webhooks", "webhookTemplates", "delivery", "deliveries"),
)


def ways(parent, name, field):
    """The ways to ask for a field. Raises LookupError for one that this file has to learn of."""
    found = WAYS.get(f"{parent}.{name}", [""])
    needed = [key for key, each in field.args.items() if is_required_argument(each)]
    if "" in found and needed:
        raise LookupError(f"{parent}.{name} must be given {needed}")
    return found


def is_entity(type_):
    """Whether it stands for itself: a step of depth. What is not only holds such things together."""
    return "id" in type_.fields and type_.name not in ("Actor", "RelationRef", "Link")


def selection(type_, depth, prefix=""):
    """Every field, so many entities deep. `prefix`: what keys begin with."""
    if is_abstract_type(type_):
        kinds = SCHEMA.get_possible_types(type_)
        return " ".join(f"... on {each.name} {{ {selection(each, depth, each.name)} }}" for each in kinds)
    parts = ["__typename"]
    for name, field in type_.fields.items():
        below = get_named_type(field.type)
        if is_leaf_type(below):
            text = ""
        elif not is_entity(below):
            text = selection(below, depth)
        elif depth:
            text = selection(below, depth - 1)
        else:
            continue
        parts += asked(type_.name, name, field, text, prefix)
    return " ".join(parts)


def asked(parent, name, field, below, prefix=""):
    """The field, once for each way to ask for it."""
    for number, given in enumerate(ways(parent, name, field)):
        key = f"{prefix}{name}{number or ''}"
        yield ("" if key == name else f"{key}: ") + name + given + (f" {{ {below} }}" if below else "")


def queries(*, deep=False):
    """Each root field of Query that tells of issues, each way, as a document of its own.

    `nodes` asks every type for all that is one step from it; the lists do that too when they are `deep`.
    """
    found = []
    for name, field in SCHEMA.query_type.fields.items():
        if name in OTHERS:
            continue
        below = get_named_type(field.type)
        for number, given in enumerate(ways("Query", name, field)):
            is_list = not (is_leaf_type(below) or is_entity(below))
            depth = is_list + (name == "nodes" or (deep and number == 0))
            text = "" if is_leaf_type(below) else f" {{ {selection(below, depth)} }}"
            found.append(document("query", f"{name}{given}{text}"))
    return found


def subscriptions():
    """Each subscription with every field, by its name."""
    found = {}
    for name, field in SCHEMA.subscription_type.fields.items():
        (given,) = ways("Subscription", name, field)
        found[name] = document("subscription", f"{name}{given} {{ {selection(get_named_type(field.type), 2)} }}")
    return found


def of(name):
    """A root field of Query that needs no arguments, with every field below it."""
    return document("query", f"{name} {{ {selection(get_named_type(SCHEMA.query_type.fields[name].type), 1)} }}")


def named(name, argument):
    """A root field of Query that needs one argument, `$given`, with every field below it."""
    field = SCHEMA.query_type.fields[name]
    below = selection(get_named_type(field.type), 1)
    type_ = field.args[argument].type
    return f"query ($given: {type_}) {{ {name}({argument}: $given) {{ {below} }} }}"


def payload(field):
    """What a mutation answers, every field of it."""
    below = get_named_type(field.type)
    return selection(below, 1)


def document(kind, selected):
    """An operation with the variables that are used."""
    names = set(re.findall(r"\$\w+", selected))
    used = ", ".join(f"{name}: {type_}" for name, type_ in VARIABLES.items() if name in names)
    return f"{kind} {f'({used})' if used else ''} {{ {selected} }}"


def mutation(name):
    """A mutation of `$input`, with every field of what it answers."""
    field = SCHEMA.mutation_type.fields[name]
    below = selection(get_named_type(field.type), 2 if name in DEEP else 1)
    return f"mutation ($input: {field.args['input'].type}) {{ {name}(input: $input) {{ {below} }} }}"
