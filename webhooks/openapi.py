"""The OpenAPI document of REST: openapi.yaml, with the webhooks of definitions and words that are kept elsewhere."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

from models.words import ISSUE_STATES, ISSUE_TYPES, SEVERITIES
from resolvers.mutation.limits import MAX_NAMESPACE_LENGTH
from webhooks.definition import ISSUE_TYPE_WORDS, SEVERITY_WORDS, Definition, Ignore, Report, Shipped, Webhook
from webhooks.fields import Field

Document = dict[str, Any]

_FILE = Path(__file__).with_name("openapi.yaml")
_TYPES = {"text": "string", "number": "number", "boolean": "boolean", "list": "array", "object": "object"}
_SECURITY: list[Document] = [{scheme: []} for scheme in ("bearer", "apiKey", "basic", "urlToken", "urlApiKey")]
# What may come of every request, and of every one that is checked for its token, its body and its issue.
_ALWAYS = {"405": "MethodNotAllowed"}
_GUARDED = {"401": "Unauthorized", "403": "Forbidden", "429": "TooManyRequests"}
_READING = {"400": "BadRequest", "503": "Unavailable"}
_WRITING = {**_READING, "413": "TooLarge", "422": "KeyMismatch"}


def document(shipped: Shipped, *, version: str, url: str) -> Document:
    """The document, for a server of this version that is found at `url`."""
    found: Document = yaml.safe_load(_FILE.read_text())
    found["info"]["version"] = version
    found["servers"] = [{"url": url}]
    found["components"]["schemas"] |= {
        "Severity": {"type": "string", "enum": list(SEVERITIES)},
        "IssueType": {"type": "string", "enum": list(ISSUE_TYPES)},
        "GivenIssueType": {"type": "string", "enum": list(ISSUE_TYPE_WORDS)},
        "State": {"type": "string", "enum": list(ISSUE_STATES)},
    }
    for part in sorted(_FILE.parent.glob("*/openapi.yaml")):
        _merge(found, yaml.safe_load(part.read_text()))
    for definition in shipped.listed:
        for webhook in definition.webhooks:
            found["paths"][webhook.path] = {"post": _delivery(definition, webhook)}
    for path, item in found["paths"].items():
        for method in item.keys() & {"get", "put", "post", "patch", "delete"}:
            _add_refusals(path, method, item[method])
    return found


def _merge(document: Document, part: Mapping[str, Any]) -> None:
    """Adds what a part has; names that both have are put together."""
    for name, value in part.items():
        if isinstance(value, dict):
            _merge(document.setdefault(name, {}), value)
        elif isinstance(value, list):
            document[name] = [*document.get(name, ()), *value]
        else:
            document[name] = value


def _delivery(definition: Definition, webhook: Webhook) -> Document:
    name = webhook.path.rsplit("/", 1)[1]
    reports = [rule for rule in webhook.rules if isinstance(rule.action, Report)]
    statuses = sorted({rule.status for rule in webhook.rules} | ({200} if _may_do_nothing(webhook) else set()))
    return {
        "tags": ["webhooks"],
        "operationId": f"webhook-{webhook.path.removeprefix('/api/v1/webhooks/').replace('/', '-')}",
        "summary": f"{name}: {'a failure becomes an issue' if reports else 'a success resolves issues'}",
        "description": f"REPORT is needed. Belongs to the definition `{definition.name}`.",
        "security": deepcopy(_SECURITY),
        "parameters": [{"$ref": "#/components/parameters/idempotencyKey"}],
        "requestBody": {"required": True, "content": {"application/json": {"schema": _body(webhook)}}},
        "responses": {
            str(status): {
                "description": "What was done. `notices` tells what of the body could not be kept.",
                "content": {"application/json": {"schema": {"type": "object"}}},
            }
            for status in statuses
        },
    }


def _may_do_nothing(webhook: Webhook) -> bool:
    return all(rule.when is not None for rule in webhook.rules) or any(
        isinstance(rule.action, Ignore) for rule in webhook.rules
    )


def _body(webhook: Webhook) -> Document:
    if webhook.fields is None:
        return {"type": "object"}
    required = [field.name for field in webhook.fields if field.required]
    schema: Document = {
        "type": "object",
        "properties": {field.name: _field(field) for field in webhook.fields} | dict(_worded(webhook)),
    }
    return {**schema, "required": required} if required else schema


def _worded(webhook: Webhook) -> Iterator[tuple[str, Document]]:
    """The fields that a severity or a type is taken from, whatever else a delivery says."""
    for rule in () if _may_do_nothing(webhook) else webhook.rules:
        if isinstance(rule.action, Report):
            for template, words in ((rule.action.severity, SEVERITY_WORDS), (rule.action.issue_type, ISSUE_TYPE_WORDS)):
                for name in {name for expression in template.expressions for name in expression.compiled.body_fields}:
                    yield name, {"enum": [*words, "", None]}


def _field(field: Field) -> Document:
    if field.name == "namespace":
        told = "May be left out where the query has it (`?namespace=`); the two must not differ."
        return {"type": "string", "minLength": 1, "maxLength": MAX_NAMESPACE_LENGTH, "description": told}
    kind = _TYPES[field.type]
    schema: Document = {"type": kind if field.required else [kind, "null"]}
    if field.required and field.type == "text":
        schema["minLength"] = 1
    if field.items:
        schema["items"] = {"type": [_TYPES[field.items], "null"]}
    return schema


def _add_refusals(path: str, method: str, operation: Mapping[str, Any]) -> None:
    refusals = dict(_ALWAYS)
    if operation.get("security") != []:
        refusals |= _GUARDED
    if "/health" not in path and "/version" not in path:
        refusals |= _READING if method == "get" else _WRITING
    if "{id}" in path:
        refusals["404"] = "NotFound"
    responses = operation["responses"]
    for status, name in refusals.items():
        responses.setdefault(status, {"$ref": f"#/components/responses/{name}"})
