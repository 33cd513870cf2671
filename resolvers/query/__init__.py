"""The way of Ask: operations are compiled into plans, not executed field by field."""

from resolvers.query.document import Documents, Operation
from resolvers.query.plan import QueryLimits
from resolvers.query.planner import Answer, Planner
from resolvers.query.plans import FieldError
from resolvers.query.roots import QUERY_ROOTS
from resolvers.query.rules import DocumentLimits
from resolvers.query.size import Answers, Size

__all__ = [
    "QUERY_ROOTS",
    "Answer",
    "Answers",
    "DocumentLimits",
    "Documents",
    "FieldError",
    "Operation",
    "Planner",
    "QueryLimits",
    "Size",
]
