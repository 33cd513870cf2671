"""The image of an issue in a line of the log: the columns that one can filter by, in one flat JSON object."""

# Members bear the names of the columns of `Issue` and `Scope`, so that one filter reads rows and images alike.
# `labels` is a list of {name, value, value_folded}.
ISSUE_MEMBERS = (
    "id",
    "namespace",
    "namespace_folded",
    "title",
    "title_folded",
    "description",
    "description_folded",
    "source",
    "source_folded",
    "severity",
    "severity_rank",
    "issue_type",
    "state",
    "detected_at",
    "last_detected_at",
    "resolved_at",
    "acknowledged_at",
    "created_at",
    "updated_at",
    "occurrence_count",
)
SCOPE_MEMBERS = (
    "resource_type",
    "resource_type_folded",
    "resource_name",
    "resource_name_folded",
    "resource_namespace",
    "resource_namespace_folded",
)
IMAGE_MEMBERS = (*ISSUE_MEMBERS, "scope_id", *SCOPE_MEMBERS, "labels")
