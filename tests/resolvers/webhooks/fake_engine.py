"""An engine whose definitions are lines: `title: ...`, `mask: field`, and what it makes of each item."""

import json
from dataclasses import replace
from datetime import timedelta

from resolvers.mutation.fingerprint import all_parts
from resolvers.webhooks.engine import (
    DefinitionProblem,
    DryItem,
    DryRun,
    Evaluated,
    NoSuchWebhook,
    Template,
    TriedRule,
)
from resolvers.webhooks.plan import Plan
from resolvers.webhooks.secrets import Secrets
from resolvers.webhooks.services import services_of
from tests.resolvers.mutation.house import report, success

SECRET_KEY = "A" * 43 + "="
SHIPPED = "title: GitHub\nreport: body.name\n"


class FakeEngine:
    """A body is a list of {"name", "is", "namespace"}: one that `is` "well" resolves, one that `is` unknown to the
    definition (`knows: word`) is unmatched. `fails: yes` is a definition that was broken."""

    def __init__(self, find=lambda name: None):
        self.find = find

    def is_reserved(self, name):
        return name in ("github", "issues")

    def problems(self, name, definition):
        if "bad" not in definition:
            return []
        line = definition[: definition.index("bad")].count("\n") + 1
        return [DefinitionProblem(message="no such function", line=line, column=3, path="rules.0", expression="bad()")]

    def title(self, name, definition):
        return self._words(definition).get("title", [name])[0]

    def unfit_secrets(self, definition, secrets, new):
        odd = [(index, "is odd") for index, secret in enumerate(secrets) if "odd" in secret and "odd" not in definition]
        weak = [secret for secret in secrets[:new] if "weak" in secret and "weak" not in definition]
        return odd + [(secrets.index(secret), "is weak") for secret in weak]

    def notices(self, definition, has_secrets):
        return self._words(definition).get("notice", [])

    def curl(self, definition, url, namespaces, has_secrets):
        return f"curl {url} {' '.join(namespaces)} {has_secrets}"

    def templates(self):
        return [Template(name="github", title="GitHub", docs="https://docs.github.com/webhooks", definition=SHIPPED)]

    async def plans(self, received, caller):
        return self._plans(self._definition(received.webhook), received)

    async def masked(self, received):
        body = json.loads(received.body) if received.body else None
        masks = self._words(self._definition(received.webhook)).get("mask", [])
        if body is not None:
            body = [{key: "***" if key in masks else value for key, value in item.items()} for item in body]
        return replace(received, body=None if body is None else json.dumps(body).encode())

    def dry_run(self, definition, request, caller, name="webhook"):
        if problems := self.problems("test", definition):
            return DryRun(problems=tuple(problems))
        plans = self._plans(definition, None, request.payload)
        return DryRun(
            items=tuple(self._dry(plan) for plan in plans),
            notices=(f"a notice of {name}",),
            event=request.headers.get("x-event"),
            delivery_key=request.query.get("id"),
        )

    def definition_of_filters(self, triggers, resolves):
        return f"title: {len(triggers)} and {len(resolves)}"

    def _dry(self, plan):
        value = Evaluated(path="report.title", expression="body.name", value=["a"])
        tried = TriedRule(name="first", matched=False, message="no such member", values=(value,))
        if not hasattr(plan.command, "fingerprint_parts"):
            return DryItem(plan=plan, rules=(tried,))
        command = plan.command
        parts = tuple((part.name, part.value) for part in all_parts(command.fingerprint_parts))
        return DryItem(
            plan=plan,
            rules=(tried, TriedRule(name="second", matched=True)),
            values=(value,),
            fields={"title": command.title},
            fingerprint=parts,
            fingerprint_key=command._fingerprint.key,
        )

    def _definition(self, name):
        stored = self.find(name)
        if stored is None and name != "github":
            raise NoSuchWebhook
        return SHIPPED if stored is None else stored.definition

    def _words(self, definition):
        words = {}
        for line in definition.splitlines():
            key, _, value = line.partition(":")
            words.setdefault(key.strip(), []).append(value.strip())
        return words

    def _plans(self, definition, received, payload=None):
        words = self._words(definition)
        items = json.loads(received.body) if received else payload
        at = received.at if received else None
        plans = []
        for index, item in enumerate(items):
            namespace = item.get("namespace", "team")
            name = item["name"]
            if item.get("is") == "well":
                command = success(namespace=namespace, resource_name=name, at=at)
            else:
                failed = {"detected_at": item.get("at", at), "run_id": item.get("run")}
                within = timedelta(hours=item["reopens"]) if "reopens" in item else None
                command = report(namespace=namespace, resource_name=name, reopen_within=within, **failed)
            if "fails" in words:
                plan = Plan(index=index, rule="broken", action="failed", message="it is broken", namespace=namespace)
            elif item.get("is", "ill") not in ("ill", "well", *words.get("knows", ())):
                plan = Plan(index=index, action="unmatched", namespace=namespace)
            else:
                plan = Plan(index=index, rule="first", command=command, namespace=namespace)
            plans.append(plan)
        return plans


def fake_services(database, writer, audit, registry, on_change=None):
    """All about webhooks, by this engine."""
    return services_of(
        database,
        writer,
        audit,
        FakeEngine(registry.find),
        registry,
        Secrets([SECRET_KEY]),
        most=100,
        public_url="http://issuegraph.test",
        on_change=on_change or registry.refresh,
    )
