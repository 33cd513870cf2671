"""Filters as Python: what they say of an image, and what a line means for a list (query/test_where has the SQL)."""

import pytest

from resolvers.errors import BadRequest
from resolvers.query.where import issue_where
from resolvers.subscription.line import Line, Match
from resolvers.subscription.predicate import image_matcher, matcher, predicate

IMAGE = {
    "id": "0198c0de-0000-7000-8000-000000000001",
    "namespace": "team",
    "namespace_folded": "team",
    "title": "Öl leak",
    "title_folded": "öl leak",
    "description": "100%",
    "description_folded": "100%",
    "source": None,
    "source_folded": None,
    "severity": "major",
    "severity_rank": 2,
    "issue_type": "build",
    "state": "ACTIVE",
    "detected_at": "2026-01-01T00:00:00.000000Z",
    "resolved_at": None,
    "occurrence_count": 3,
    "scope_id": "0198c0de-0000-7000-8000-000000000002",
    "resource_name": "api",
    "resource_name_folded": "api",
    "labels": [
        {"name": "team", "value": "A", "value_folded": "a"},
        {"name": "team", "value": "b", "value_folded": "b"},
    ],
}
ADA = {"actor_kind": "PERSON", "actor_id": "ada", "actor_name": "Ada", "actor_name_folded": "ada"}
NOBODY = dict.fromkeys(ADA)


def line(before=IMAGE, after=IMAGE, actor=ADA, **values):
    """A line about the image."""
    own = {"position": 1, "kind": "UPDATED", "at": "2026-01-02T00:00:00.000000Z", "issue_id": IMAGE["id"]}
    return Line(
        **{**own, "namespace": "team", "other_namespace": None, "before": before, "after": after, **actor, **values}
    )


def holds(**where):
    """Whether an IssueWhere holds for the image."""
    return predicate(issue_where(where))(IMAGE)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({}, True),
        ({"or": []}, False),
        ({"and": []}, True),
        ({"not": {}}, False),
        ({"title": {"contains": "ÖL"}}, True),
        ({"title": {"startsWith": "LEAK"}}, False),
        ({"title": {"eq": "öl leak"}}, False),
        ({"description": {"contains": "%"}}, True),
        ({"description": {"contains": "_"}}, False),
        ({"source": {"eq": "ci"}}, False),
        ({"source": {"ne": "ci"}}, True),
        ({"not": {"source": {"contains": ""}}}, True),
        ({"severity": {"gte": "major", "lte": "critical"}}, True),
        ({"severity": {"lte": "minor"}}, False),
        ({"resolvedAt": {"isNull": True}}, True),
        ({"resolvedAt": {"lt": "2030-01-01T00:00:00.000000Z"}}, False),
        ({"occurrenceCount": {"gt": 2, "lt": 4}}, True),
        ({"scope": {"resourceName": {"startsWith": "AP"}}}, True),
        ({"scope": {"id": {"eq": IMAGE["scope_id"].upper()}}}, True),
        ({"id": {"in": ["x", IMAGE["id"]]}}, True),
        ({"id": {"eq": "x"}}, False),
        ({"label": {"name": "team"}}, True),
        ({"label": {"name": "Team"}}, False),
        ({"label": {"name": "team", "value": {"contains": "A", "ne": "b"}}}, True),
        ({"label": {"name": "team", "value": {"contains": "a", "eq": "b"}}}, False),
    ],
)
def test_a_filter_says_of_an_image_what_the_contract_says(where, expected):
    assert holds(**where) is expected
    assert holds(**{"not": where}) is not expected


def test_a_line_says_whether_its_issue_came_stayed_or_went():
    match = image_matcher(issue_where({"state": {"eq": "ACTIVE"}}))
    resolved = {**IMAGE, "state": "RESOLVED"}
    assert match(line(None, IMAGE)) is Match.ENTERED
    assert match(line(resolved, IMAGE)) is Match.ENTERED
    assert match(line(IMAGE, IMAGE)) is Match.STAYED
    assert match(line(IMAGE, resolved)) is Match.LEFT
    assert match(line(IMAGE, None)) is Match.LEFT
    assert match(line(resolved, resolved)) is None
    assert match(line(None, resolved)) is None
    assert match(line(None, None)) is None


def test_what_is_asked_of_the_line_hides_it_whatever_its_issue_is():
    for where, expected in (
        ({"kind": {"eq": "UPDATED"}}, True),
        ({"kind": {"in": []}}, False),
        ({"at": {"gt": "2026-01-02T00:00:00.000000Z"}}, False),
        ({"at": {"gte": "2026-01-02T00:00:00.000000Z", "isNull": False}}, True),
        ({"actor": {"kind": "PERSON", "name": {"contains": "AD"}, "id": {"eq": "ada"}}}, True),
        ({"actor": {"id": {"in": ["Ada"]}}}, False),
        ({"kind": None, "actor": None, "issue": None, "search": None}, True),
    ):
        assert (matcher(where)(line()) is Match.STAYED) is expected, where


def test_a_line_of_nobody_is_in_no_filter_of_actors():
    for where in ({}, {"name": {"ne": "x"}}, {"kind": "PERSON"}, {"id": None}):
        assert matcher({"actor": where})(line(actor=NOBODY)) is None, where
    assert matcher(None)(line(actor=NOBODY)) is Match.STAYED


def test_search_narrows_lines_by_their_issue():
    assert matcher({"search": "LEAK severity:major"})(line()) is Match.STAYED
    assert matcher({"search": "leak -severity:major"})(line()) is None
    assert matcher({"search": "leak", "issue": {"state": {"eq": "RESOLVED"}}})(line()) is None
    with pytest.raises(BadRequest):
        matcher({"search": "x" * 1001})


@pytest.mark.parametrize(
    "where",
    [
        {"issue": {"title": {"contains": "a\0b"}}},
        {"issue": {"or": [{"label": {"name": "a\0b"}}]}},
        {"actor": {"name": {"in": ["a", "\ud800"]}}},
    ],
)
def test_what_no_row_can_hold_is_refused_as_in_a_query(where):
    with pytest.raises(BadRequest):
        matcher(where)
