"""Who may see which rows, in plain Python: nothing of it is shared with what is tested."""

import re
from collections import defaultdict

from resolvers.caller import Permission


def covers(grant, name):
    """Whether a grant is for all that a name or a pattern stands for."""
    if grant.namespace == "*":
        return True
    if grant.namespace[-1:] == "*":
        return name.startswith(grant.namespace[:-1])
    return name == grant.namespace


def may(caller, permission, name):
    """Whether the caller has a permission in a namespace."""
    return any(grant.permission is permission and covers(grant, name) for grant in caller.grants)


def acts(caller, name):
    """Whether the caller may read or do something to issues there."""
    return any(grant.permission is not Permission.ADMIN and covers(grant, name) for grant in caller.grants)


def may_read(caller):
    """`readable(namespace)`."""
    return lambda namespace: may(caller, Permission.READ, namespace)


def visible(rows, readable):
    """Of all rows, by table, those that one may see who may read where `readable` says."""
    issues = [row for row in rows["issue"] if readable(row["namespace"])]
    ids, scopes = {row["id"] for row in issues}, {row["scope_id"] for row in issues}
    seen = {
        "event_log": rows["event_log"],
        "issue": issues,
        "scope": [row for row in rows["scope"] if row["id"] in scopes],
        "relation": [row for row in rows["relation"] if {row["source_id"], row["target_id"]} <= ids],
        "issue_event": [
            row
            for row in rows["issue_event"]
            if readable(row["namespace"]) and (row["other_namespace"] is None or readable(row["other_namespace"]))
        ],
    }
    for name in ("link", "label", "occurrence"):
        seen[name] = [row for row in rows[name] if row["issue_id"] in ids]
    return seen


def visible_tokens(rows, caller):
    """The ids of the tokens all of whose grants are where the caller is an administrator."""
    outside = {row["token_id"] for row in rows["token_grant"] if not may(caller, Permission.ADMIN, row["namespace"])}
    return {row["id"] for row in rows["token"]} - outside


def visible_audit(rows, caller):
    """The ids of what the audit tells of namespaces where the caller is an administrator."""
    return {row["id"] for row in rows["audit_event"] if may(caller, Permission.ADMIN, row["namespace"])}


def visible_webhooks(rows, caller):
    """The names of the webhooks all of whose namespaces are where the caller has MANAGE."""
    outside = {
        row["webhook_id"] for row in rows["webhook_namespace"] if not may(caller, Permission.MANAGE, row["namespace"])
    }
    return {row["name"] for row in rows["webhook"] if row["id"] not in outside}


def visible_deliveries(concerned, caller):
    """The ids of the deliveries all of whose namespaces are where the caller has MANAGE; `concerned` tells of each."""
    return {id for id, where in concerned.items() if all(may(caller, Permission.MANAGE, each) for each in where)}


def misplaced(rows, homes):
    """The lines of the log with a text that was meant for a namespace where their issue had not been until then."""
    been = defaultdict(set)
    found = []
    for line in rows["issue_event"]:
        been[line["issue_id"]].add(line["namespace"])
        if line["relation_id"]:
            # For who sees both ends: a reason is of either.
            assert line["other_namespace"] is not None
            continue
        marks = re.findall(r"m[0-9]+m", " ".join((line["title"], line["actor_name"], line["changes"])))
        if {homes[mark] for mark in marks} - been[line["issue_id"]]:
            found.append(line)
    return found
