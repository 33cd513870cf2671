"""What a caller may try: every mutation and every route that changes something, with the ids and names of others."""

import json
from dataclasses import dataclass, field
from typing import Any

from models.values import new_id
from resolvers.caller import Permission
from tests.leaks import documents
from tests.leaks.world import NAMESPACES, PATTERNS, TYPES

REPORT, RESPOND, MANAGE, ADMIN = (Permission(word) for word in ("REPORT", "RESPOND", "MANAGE", "ADMIN"))
_PLACES = ("shared", *NAMESPACES)


@dataclass(frozen=True)
class Act:
    """One request, the permission that it needs, and the ids that it names."""

    permission: Permission
    ids: tuple[str, ...]
    # A mutation and its input, or a method and a path with query and body.
    name: str
    values: Any
    query: dict[str, str] = field(default_factory=dict)

    @property
    def text(self):
        """All that the caller says itself."""
        return json.dumps([self.name, self.values, self.query])

    async def send(self, side, caller):
        """The answer, as bytes."""
        method, _, path = self.name.partition(" ")
        if path:
            body = b"" if self.values is None else json.dumps(self.values).encode()
            status, text = await side.rest(method, path, caller, body, **self.query)
            return f"{status} {text}".encode()
        mutation = documents.mutation(self.name)
        return await side.ask(mutation, caller, {"input": self.values})


def random_act(dice, world, rows):
    """Anything that there is."""
    return dice.choice(ACTS)(dice, world, _Known(dice, rows))


class _Known:
    """Ids, most of them of something that is there."""

    def __init__(self, dice, rows):
        self._dice, self._rows = dice, rows

    def issue(self):
        ids = [row["id"] for row in self._rows["issue"]]
        return self._dice.choice([*ids, *ids, *ids, new_id()])

    def webhook(self):
        return self._dice.choice([*(row["name"] for row in self._rows["webhook"]), "w-9"])

    def delivery(self):
        return self._dice.choice([*(row["id"] for row in self._rows["delivery"]), new_id()])

    def token(self):
        return self._dice.choice([*(row["id"] for row in self._rows["token"]), new_id()])

    def pair(self):
        """The two ends of a relation that is there, or could be."""
        ends = [(row["source_id"], row["target_id"]) for row in self._rows["relation"]]
        return self._dice.choice([*ends, (self.issue(), self.issue()), (self.issue(), self.issue())])


def _report(dice, world):
    place = {"resourceType": "component", "resourceName": dice.choice(("api", "web"))}
    other = dice.choice((None, None, *_PLACES))
    return {
        "namespace": dice.choice(NAMESPACES),
        "title": world.mark("Title", None),
        "description": world.mark("Description", None),
        "scope": place if other is None else place | {"resourceNamespace": other},
    }


def _of_issue(name, permission, **more):
    def act(dice, world, known):
        id = known.issue()
        return Act(permission, (id,), name, {"id": id, **more})

    return act


def _of_issues(name, permission):
    def act(dice, world, known):
        ids = (known.issue(), known.issue())
        return Act(permission, ids, name, {"ids": [*ids]})

    return act


def _of_pair(name, **more):
    def act(dice, world, known):
        source, target = known.pair()
        return Act(RESPOND, (source, target), name, {"sourceId": source, "targetId": target, **more})

    return act


def _create_issue(dice, world, known):
    values = {**_report(dice, world), "severity": "MAJOR", "issueType": dice.choice(TYPES).upper()}
    return Act(REPORT, (), "createIssue", values)


def _resolve_scope(dice, world, known):
    given = _report(dice, world)
    return Act(REPORT, (), "resolveScope", {name: given[name] for name in ("namespace", "scope")})


def _update_issue(dice, world, known):
    id = known.issue()
    values = {"id": id, "title": world.mark("title", None), "issueType": dice.choice(TYPES).upper()}
    return Act(RESPOND, (id,), "updateIssue", values)


def _create_token(dice, world, known):
    grants = [{"permission": "READ", "namespace": dice.choice(PATTERNS)}]
    return Act(ADMIN, (), "createToken", {"name": world.mark("Token", None), "grants": grants})


def _of_token(name):
    def act(dice, world, known):
        id = known.token()
        return Act(ADMIN, (id,), name, {"id": id})

    return act


def _create_webhook(dice, world, known):
    given = {"name": f"n-{dice.randrange(10**9)}", "definition": f"title: {world.mark('Webhook', None)}"}
    return Act(MANAGE, (), "createWebhook", {**given, "namespaces": [dice.choice(PATTERNS)]})


def _update_webhook(dice, world, known):
    values = {"name": known.webhook(), "expectedVersion": 1, "definition": "knows: odd"}
    return Act(MANAGE, (), "updateWebhook", values)


def _delete_webhook(dice, world, known):
    return Act(MANAGE, (), "deleteWebhook", {"name": known.webhook()})


def _test_webhook(dice, world, known):
    payload = [{"name": "api", "namespace": dice.choice(NAMESPACES)}]
    which = dice.choice(({"webhook": known.webhook()}, {"template": "github"}, {"definition": "title: x"}))
    return Act(MANAGE, (), "testWebhook", {"payload": payload, **which})


def _replay_delivery(dice, world, known):
    return Act(MANAGE, (), "replayDelivery", {"id": known.delivery()})


def _replay_deliveries(dice, world, known):
    return Act(MANAGE, (), "replayDeliveries", dice.choice(({}, {"where": {"webhook": known.webhook()}})))


# One for each field of Mutation.
MUTATIONS = {
    "createIssue": _create_issue,
    "updateIssue": _update_issue,
    "resolveIssue": _of_issue("resolveIssue", RESPOND, reason="fixed"),
    "resolveIssues": _of_issues("resolveIssues", RESPOND),
    "acknowledgeIssue": _of_issue("acknowledgeIssue", RESPOND),
    "acknowledgeIssues": _of_issues("acknowledgeIssues", RESPOND),
    "unacknowledgeIssue": _of_issue("unacknowledgeIssue", RESPOND),
    "reopenIssue": _of_issue("reopenIssue", RESPOND),
    "resolveScope": _resolve_scope,
    "deleteIssue": _of_issue("deleteIssue", MANAGE),
    "relateIssues": _of_pair("relateIssues", reason="same"),
    "unrelateIssues": _of_pair("unrelateIssues"),
    "createToken": _create_token,
    "rotateToken": _of_token("rotateToken"),
    "revokeToken": _of_token("revokeToken"),
    "createWebhook": _create_webhook,
    "updateWebhook": _update_webhook,
    "deleteWebhook": _delete_webhook,
    "testWebhook": _test_webhook,
    "replayDelivery": _replay_delivery,
    "replayDeliveries": _replay_deliveries,
}


def _query(dice):
    namespace = dice.choice((None, None, *NAMESPACES))
    return {} if namespace is None else {"namespace": namespace}


def _post_issue(dice, world, known):
    given = {**_report(dice, world), "severity": "major", "issueType": dice.choice(TYPES)}
    return Act(REPORT, (), "POST /api/v1/issues", given, _query(dice))


def _put_issue(dice, world, known):
    id = known.issue()
    changes = [
        {"title": world.mark("title", None)},
        {"namespace": dice.choice(NAMESPACES)},
        {"scope": {"resourceNamespace": dice.choice(_PLACES)}},
        {"state": dice.choice(("ACTIVE", "RESOLVED"))},
    ]
    return Act(RESPOND, (id,), f"PUT /api/v1/issues/{id}", dice.choice(changes), _query(dice))


def _resolve(dice, world, known):
    id = known.issue()
    return Act(RESPOND, (id,), f"POST /api/v1/issues/{id}/resolve", None, _query(dice))


def _delete(dice, world, known):
    id = known.issue()
    return Act(MANAGE, (id,), f"DELETE /api/v1/issues/{id}", None, _query(dice))


def _relate(dice, world, known):
    source, target = known.pair()
    return Act(RESPOND, (source, target), f"POST /api/v1/issues/{source}/related", {"relatedId": target}, _query(dice))


def _unrelate(dice, world, known):
    source, target = known.pair()
    return Act(RESPOND, (source, target), f"DELETE /api/v1/issues/{source}/related/{target}", None, _query(dice))


def _webhook(dice, world, known):
    kind = dice.choice(("pipeline-failure", "build-failure", "pipeline-success", "build-success"))
    values = {
        "namespace": dice.choice(NAMESPACES),
        "pipelineName": "api",
        "componentName": "api",
        "failureReason": "broken",
        "errorMessage": "broken",
    }
    return Act(REPORT, (), f"POST /api/v1/webhooks/{kind}", values, _query(dice))


REST = (_post_issue, _put_issue, _put_issue, _resolve, _delete, _relate, _unrelate, _webhook)
ACTS = (*MUTATIONS.values(), *REST, _put_issue, _create_issue, _webhook)
