"""The tables and their types, the databases under them, and the migrations."""

from models.base import Base
from models.batch import Batch, IdempotencyKey
from models.event import EventLog, IssueEvent
from models.issue import Issue, Label, Link
from models.occurrence import Occurrence, Run
from models.relation import Relation
from models.scope import Scope

__all__ = [
    "Base",
    "Batch",
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
]
