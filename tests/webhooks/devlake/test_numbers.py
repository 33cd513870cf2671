"""Numbers and truths in what DevLake's clients post: read as weakly as its decoder does, and refused where it does."""

import pytest

from models import Change, Label
from tests.webhooks.devlake.test_issues import SAMPLE, issues
from webhooks.devlake.numbers import number_text

WHOLE = ("leadTimeMinutes", "originalEstimateMinutes", "timeSpentMinutes", "timeRemainingMinutes")
PULL_REQUEST = {"id": "1", "displayTitle": "t", "pullRequestKey": 7, "createdDate": "2026-11-01T12:00:00Z"}


def pull_requests(devlake):
    return f"/rest/plugins/webhook/connections/{devlake.id}/pull_requests"


@pytest.mark.parametrize("name", ["storyPoint", *WHOLE])
@pytest.mark.parametrize("value", ["abc", "x", "1 ", [], {"minutes": 1}])
async def test_what_is_no_number_in_an_issue_is_400_with_a_text(devlake, name, value):
    status, told = await devlake.post(issues(devlake), {**SAMPLE, name: value})
    assert status == 400
    assert told.startswith(f"1 error(s) decoding:\n\n* error decoding '{name[0].upper()}{name[1:]}': ")
    assert devlake.deliveries.received[-1].refused == told


@pytest.mark.parametrize("name", ["pullRequestKey", "additions", "deletions", "isDraft"])
async def test_nor_in_a_pull_request(devlake, name):
    status, told = await devlake.post(pull_requests(devlake), {**PULL_REQUEST, name: "abc"})
    assert (status, type(told)) == (400, str)
    assert await devlake.rows(Change) == []


async def test_numbers_and_truths_come_as_texts_and_as_each_other(devlake):
    given = {"storyPoint": "2.5", "leadTimeMinutes": "12", "timeSpentMinutes": 90.7, "timeRemainingMinutes": True}
    status, _ = await devlake.post(issues(devlake), {**SAMPLE, **given, "originalEstimateMinutes": ""})
    labels = {row["name"]: row["value"] for row in await devlake.rows(Label)}
    del labels["type"], labels["originalStatus"]
    told = {"storyPoint": "2.5", "leadTimeMinutes": "12", "timeSpentMinutes": "90", "timeRemainingMinutes": "1"}
    assert (status, labels) == (200, told)
    weak = {**PULL_REQUEST, "pullRequestKey": "9", "additions": "3", "deletions": None, "isDraft": "true"}
    status, _ = await devlake.post(pull_requests(devlake), weak)
    assert (status, [row["external_id"] for row in await devlake.rows(Change)]) == (200, ["9"])


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("integer", "+7", "7"),
        ("integer", "-0x1f", "-31"),
        ("integer", "007", "7"),
        ("integer", "0b11", "3"),
        ("integer", "1_000", "1000"),
        ("integer", -3.7, "-3"),
        ("integer", "9223372036854775807", "9223372036854775807"),
        ("unsigned", "18446744073709551615", "18446744073709551615"),
        ("unsigned", -1, "-1"),
        ("number", "1e5", "1e5"),
        ("number", ".5", ".5"),
        ("number", 3.0, "3"),
        ("number", "NaN", "NaN"),
        ("boolean", "T", "1"),
        ("boolean", "", ""),
        ("boolean", 0.5, "1"),
    ],
)
def test_each_kind_is_read_as_go_does(kind, value, text):
    assert number_text("field", kind, value) == text


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("integer", "08"),
        ("integer", "1.0"),
        ("integer", "9223372036854775808"),
        ("integer", 1e30),
        ("integer", "٣"),
        ("unsigned", "-1"),
        ("unsigned", "+1"),
        ("number", "1,5"),
        ("number", float("inf")),
        ("boolean", "yes"),
        ("boolean", []),
    ],
)
def test_and_refused_as_go_does(kind, value):
    with pytest.raises(ValueError, match=r"'field' as|expected type"):
        number_text("field", kind, value)
