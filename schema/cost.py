"""What fields cost, as data: an object is 1, most leaves 0, and a list is as many times its item as it may be long."""

from collections.abc import Mapping

from graphql import GraphQLObjectType, GraphQLSchema

from resolvers.query.cost import EXTENSION, FieldCost, ListLength

# As `first` or `last` says, or the page that is given without a word.
_PAGE = ListLength(("first", "last"), 50, of=("edges", "nodes"))
_NEIGHBOURS = ListLength(("maxNodes",), 200, of=("nodes", "edges"))

# How long lists may be. Of those that no argument bounds, how long they usually are.
SIZES: Mapping[str, tuple[ListLength, ...]] = {
    "Query.nodes": (ListLength(("ids",)),),
    "Query.issues": (_PAGE,),
    "Query.scopes": (_PAGE,),
    "Query.issueEvents": (_PAGE,),
    "Query.tokens": (_PAGE,),
    "Query.auditEvents": (_PAGE,),
    "Query.webhooks": (_PAGE,),
    "Query.webhookTemplates": (ListLength(default=40),),
    "Query.deliveries": (_PAGE,),
    "Query.issueGraph": (_NEIGHBOURS, ListLength(("ids",), of=("roots",))),
    "Scope.issues": (_PAGE,),
    "Issue.occurrences": (_PAGE,),
    "Issue.related": (_PAGE,),
    "Issue.relatedFrom": (_PAGE,),
    "Issue.relatedTo": (_PAGE,),
    "Issue.timeline": (_PAGE,),
    "Issue.graph": (_NEIGHBOURS, ListLength(of=("roots",))),
    "Issue.labels": (ListLength(default=5),),
    "Issue.links": (ListLength(default=5),),
    "Occurrence.links": (ListLength(default=5),),
    "Fingerprint.parts": (ListLength(default=5),),
    "IssueEvent.changes": (ListLength(default=5),),
    "IssueStats.byState": (ListLength(default=2),),
    "IssueStats.bySeverity": (ListLength(default=4),),
    "IssueStats.byType": (ListLength(default=6),),
    "IssueStats.byNamespace": (ListLength(("first",), 50),),
    "IssueStats.byScope": (ListLength(("first",), 20),),
    "IssueStats.byLabel": (ListLength(("first",), 20),),
    "IssueStats.bySource": (ListLength(("first",), 20),),
    "IssueStats.series": (ListLength(default=50),),
    "Viewer.grants": (ListLength(default=5),),
    "Token.grants": (ListLength(default=5),),
    "Webhook.versions": (ListLength(default=10),),
    "Delivery.items": (ListLength(("first",), 50),),
    "DeliveryItem.issues": (ListLength(default=1),),
    "DeliveryItem.fingerprint": (ListLength(default=5),),
    "CreateWebhookPayload.problems": (ListLength(default=5),),
    "UpdateWebhookPayload.problems": (ListLength(default=5),),
    "TestWebhookPayload.problems": (ListLength(default=5),),
    "TestWebhookPayload.items": (ListLength(default=5),),
    "TestedItem.rules": (ListLength(default=5),),
    "TestedItem.values": (ListLength(default=5),),
    "TestedItem.fingerprint": (ListLength(default=5),),
    "TriedWebhookRule.values": (ListLength(default=5),),
    "Mutation.acknowledgeIssues": (ListLength(("input.ids",), of=("issues",)),),
    "Mutation.resolveIssues": (ListLength(("input.ids",), of=("issues",)),),
    "Mutation.replayDeliveries": (ListLength(("input.first",), 100),),
    "Mutation.resolveScope": (ListLength(default=5, of=("issues",)),),
    # A batch has as many events as happened at once.
    "Subscription.deliveryEvents": (ListLength(default=10, of=("deliveries",)),),
    "Subscription.issueEvents": (ListLength(default=10, of=("events",)),),
}

# What a field costs beside its objects: counting looks at all that a filter lets through, not only at a page.
_COUNT = 5
# The body of a delivery may have a megabyte, as many as 16 descriptions; so may the items, which are looked through.
_CONTENT = 20
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
    "Delivery.items": _CONTENT,
    "Delivery.request": _CONTENT,
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
# Of those after which every process looks through all tokens again.
_TOKENS = 2_000
MUTATION_WEIGHTS: Mapping[str, int] = {"createToken": _TOKENS, "rotateToken": _TOKENS}


def set_costs(schema: GraphQLSchema) -> None:
    """Tells each field of the schema what it costs."""
    for type_ in schema.type_map.values():
        if isinstance(type_, GraphQLObjectType):
            for name, field in type_.fields.items():
                path = f"{type_.name}.{name}"
                if type_ is schema.mutation_type:
                    weight = MUTATION_WEIGHTS.get(name, MUTATION_WEIGHT)
                else:
                    weight = WEIGHTS.get(path, 0)
                if weight or path in SIZES:
                    field.extensions[EXTENSION] = FieldCost(weight, SIZES.get(path, ()))
