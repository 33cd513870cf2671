"""What fields cost, as data: an object is 1, most leaves 0, and a list is as many times its item as it may be long."""

from collections.abc import Mapping

from graphql import GraphQLObjectType, GraphQLSchema

from resolvers.query.cost import EXTENSION, FieldCost, Size

# As `first` or `last` says, or the page that is given without a word.
_PAGE = Size(("first", "last"), 50, of=("edges", "nodes"))
_NEIGHBOURS = Size(("maxNodes",), 200, of=("nodes", "edges"))

# How long lists may be. Of those that no argument bounds, how long they usually are.
SIZES: Mapping[str, tuple[Size, ...]] = {
    "Query.nodes": (Size(("ids",)),),
    "Query.issues": (_PAGE,),
    "Query.scopes": (_PAGE,),
    "Query.issueEvents": (_PAGE,),
    "Query.tokens": (_PAGE,),
    "Query.auditEvents": (_PAGE,),
    "Query.webhooks": (_PAGE,),
    "Query.webhookTemplates": (Size(default=40),),
    "Query.deliveries": (_PAGE,),
    "Query.issueGraph": (_NEIGHBOURS, Size(("ids",), of=("roots",))),
    "Scope.issues": (_PAGE,),
    "Issue.occurrences": (_PAGE,),
    "Issue.related": (_PAGE,),
    "Issue.relatedFrom": (_PAGE,),
    "Issue.relatedTo": (_PAGE,),
    "Issue.timeline": (_PAGE,),
    "Issue.graph": (_NEIGHBOURS, Size(of=("roots",))),
    "Issue.labels": (Size(default=5),),
    "Issue.links": (Size(default=5),),
    "Occurrence.links": (Size(default=5),),
    "Fingerprint.parts": (Size(default=5),),
    "IssueEvent.changes": (Size(default=5),),
    "IssueStats.byState": (Size(default=2),),
    "IssueStats.bySeverity": (Size(default=4),),
    "IssueStats.byType": (Size(default=6),),
    "IssueStats.byNamespace": (Size(("first",), 50),),
    "IssueStats.byScope": (Size(("first",), 20),),
    "IssueStats.byLabel": (Size(("first",), 20),),
    "IssueStats.bySource": (Size(("first",), 20),),
    "IssueStats.series": (Size(default=50),),
    "Viewer.grants": (Size(default=5),),
    "Token.grants": (Size(default=5),),
    "Webhook.versions": (Size(default=10),),
    "Delivery.items": (Size(("first",), 50),),
    "DeliveryItem.issues": (Size(default=1),),
    "DeliveryItem.fingerprint": (Size(default=5),),
    "CreateWebhookPayload.problems": (Size(default=5),),
    "UpdateWebhookPayload.problems": (Size(default=5),),
    "TestWebhookPayload.problems": (Size(default=5),),
    "TestWebhookPayload.items": (Size(default=5),),
    "TestedItem.rules": (Size(default=5),),
    "TestedItem.values": (Size(default=5),),
    "TestedItem.fingerprint": (Size(default=5),),
    "TriedWebhookRule.values": (Size(default=5),),
    "Mutation.acknowledgeIssues": (Size(("input.ids",), of=("issues",)),),
    "Mutation.resolveIssues": (Size(("input.ids",), of=("issues",)),),
    "Mutation.replayDeliveries": (Size(("input.first",), 100),),
    "Mutation.resolveScope": (Size(default=5, of=("issues",)),),
    # A batch has as many events as happened at once.
    "Subscription.deliveryEvents": (Size(default=10, of=("deliveries",)),),
    "Subscription.issueEvents": (Size(default=10, of=("events",)),),
}

# What a field costs beside its objects: counting looks at all that a filter lets through, not only at a page.
_COUNT = 5
WEIGHTS: Mapping[str, int] = {
    # As long as many others together.
    "Issue.description": 1,
    "Occurrence.description": 1,
    "IssueConnection.totalCount": _COUNT,
    "IssueEventConnection.totalCount": _COUNT,
    "OccurrenceConnection.totalCount": _COUNT,
    "RelatedIssueConnection.totalCount": _COUNT,
    "RelationConnection.totalCount": _COUNT,
    "ScopeConnection.totalCount": _COUNT,
    "TokenConnection.totalCount": _COUNT,
    "AuditEventConnection.totalCount": _COUNT,
    "WebhookConnection.totalCount": _COUNT,
    "DeliveryConnection.totalCount": _COUNT,
    # A statement of its own each.
    "Webhook.health": _COUNT,
    "Webhook.versions": _COUNT,
    "Delivery.itemCount": _COUNT,
    "Delivery.items": _COUNT,
    "Delivery.request": _COUNT,
    "IssueStats.total": _COUNT,
    "IssueStats.byState": _COUNT,
    "IssueStats.bySeverity": _COUNT,
    "IssueStats.byType": _COUNT,
    "IssueStats.byNamespace": _COUNT,
    "IssueStats.byScope": _COUNT,
    "IssueStats.byLabel": _COUNT,
    "IssueStats.bySource": _COUNT,
    "IssueStats.series": _COUNT,
    "IssueStats.timeToResolve": _COUNT,
}
# Of each mutation: it waits for the disk.
MUTATION_WEIGHT = 10


def set_costs(schema: GraphQLSchema) -> None:
    """Tells each field of the schema what it costs."""
    for type_ in schema.type_map.values():
        if isinstance(type_, GraphQLObjectType):
            for name, field in type_.fields.items():
                path = f"{type_.name}.{name}"
                weight = MUTATION_WEIGHT if type_ is schema.mutation_type else WEIGHTS.get(path, 0)
                if weight or path in SIZES:
                    field.extensions[EXTENSION] = FieldCost(weight, SIZES.get(path, ()))
