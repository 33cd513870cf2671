"""The tables and their types, the databases under them, and the migrations."""

from models.audit import AuditEvent
from models.base import Base
from models.batch import Batch, IdempotencyKey
from models.change import Change
from models.delivery import Delivery, DeliveryNamespace
from models.deployment import Deployment, DeploymentChange
from models.devlake_connection import DevlakeConnection
from models.event import EventLog, IssueEvent
from models.issue import Issue, Label, Link
from models.occurrence import Occurrence, Run
from models.relation import Relation
from models.scope import Scope
from models.session import Session
from models.success import Success
from models.token import Access, Token, TokenGrant
from models.tracked_issue import TrackedIssue
from models.webhook import Webhook, WebhookNamespace, WebhookVersion

__all__ = [
    "Access",
    "AuditEvent",
    "Base",
    "Batch",
    "Change",
    "Delivery",
    "DeliveryNamespace",
    "Deployment",
    "DeploymentChange",
    "DevlakeConnection",
    "EventLog",
    "IdempotencyKey",
    "Issue",
    "IssueEvent",
    "Label",
    "Link",
    "Occurrence",
    "Relation",
    "Run",
    "Scope",
    "Session",
    "Success",
    "Token",
    "TokenGrant",
    "TrackedIssue",
    "Webhook",
    "WebhookNamespace",
    "WebhookVersion",
]
