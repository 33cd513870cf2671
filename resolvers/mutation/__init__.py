"""The way of Report: commands, and the one writer of the process that carries them out."""

from resolvers.mutation.acknowledge_issues import AcknowledgeIssue, AcknowledgeIssues, UnacknowledgeIssue
from resolvers.mutation.acknowledge_scope import AcknowledgeScope
from resolvers.mutation.create_issue import CreateIssue
from resolvers.mutation.delete_issue import DeleteIssue
from resolvers.mutation.outcome import Outcome
from resolvers.mutation.record_change import RecordChange
from resolvers.mutation.record_deployment import DeployedChange, RecordDeployment
from resolvers.mutation.relate_issues import RelateIssues
from resolvers.mutation.reopen_issue import ReopenIssue
from resolvers.mutation.resolve_issues import ResolveIssue, ResolveIssues
from resolvers.mutation.resolve_scope import ResolveScope
from resolvers.mutation.track_issue import CloseTrackedIssue, TrackIssue
from resolvers.mutation.unrelate_issues import UnrelateIssues
from resolvers.mutation.update_issue import UpdateIssue
from resolvers.mutation.values import LabelValue, LinkValue, PartValue
from resolvers.mutation.writer import Writer

__all__ = [
    "AcknowledgeIssue",
    "AcknowledgeIssues",
    "AcknowledgeScope",
    "CloseTrackedIssue",
    "CreateIssue",
    "DeleteIssue",
    "DeployedChange",
    "LabelValue",
    "LinkValue",
    "Outcome",
    "PartValue",
    "RecordChange",
    "RecordDeployment",
    "RelateIssues",
    "ReopenIssue",
    "ResolveIssue",
    "ResolveIssues",
    "ResolveScope",
    "TrackIssue",
    "UnacknowledgeIssue",
    "UnrelateIssues",
    "UpdateIssue",
    "Writer",
]
