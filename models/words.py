"""The words that columns hold: the REST contract's own (`info`, `pipeline`, `ACTIVE`)."""

SEVERITIES = ("info", "minor", "major", "critical")  # in rising order
ISSUE_TYPES = ("build", "test", "release", "dependency", "pipeline", "incident")
ISSUE_STATES = ("ACTIVE", "RESOLVED")
RELATION_KINDS = ("RELATED", "CAUSED_BY", "DUPLICATE_OF", "RECURRENCE_OF")
EVENT_KINDS = (
    "CREATED",
    "OCCURRED",
    "UPDATED",
    "ACKNOWLEDGED",
    "UNACKNOWLEDGED",
    "RESOLVED",
    "REOPENED",
    "RELATED",
    "UNRELATED",
    "DELETED",
)
ACTOR_KINDS = ("PERSON", "TOKEN", "WEBHOOK", "RULE", "SYSTEM")
DELIVERY_OUTCOMES = ("HANDLED", "UNMATCHED", "PARTLY_FAILED", "FAILED", "REFUSED")
PERMISSIONS = ("READ", "REPORT", "RESPOND", "MANAGE", "ADMIN")
