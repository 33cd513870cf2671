"""Ids and times are the strings that JSON shows, in order as text."""

import multiprocessing
import time
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.values import fold, new_id, parse_id, parse_time, time_of


def test_ids_are_uuid_version_7_and_rise():
    ids = [new_id() for _ in range(10_000)]
    assert ids == sorted(set(ids))
    assert {UUID(one).version for one in ids} == {7}
    assert {UUID(one).variant for one in ids} == {"specified in RFC 4122"}


def random_part(id):
    return id.replace("-", "")[13:16] + id.replace("-", "")[17:]


def test_processes_that_are_forked_make_other_ids():
    new_id()
    forked = multiprocessing.get_context("fork")
    with forked.Pool(2, initializer=new_id) as pool:
        made = [random_part(id) for id in pool.map(made_in_child, range(2), chunksize=1)]
    assert len({*made, random_part(new_id())}) == 3


def made_in_child(_):
    # So long that each child makes one.
    time.sleep(0.2)
    return new_id()


def test_an_id_tells_the_millisecond_of_its_making():
    before = datetime.now(UTC)
    made = datetime.fromtimestamp(int(new_id().replace("-", "")[:12], 16) / 1000, UTC)
    assert timedelta(milliseconds=-2) < made - before < timedelta(seconds=1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("01A1FCD1-B980-787A-B6E6-DC9E41921E5B", "01a1fcd1-b980-787a-b6e6-dc9e41921e5b"),
        ("01a1fcd1-b980-787a-b6e6-dc9e41921e5b", "01a1fcd1-b980-787a-b6e6-dc9e41921e5b"),
        ("01a1fcd1b980787ab6e6dc9e41921e5b", None),
        ("{1a1fcd1-b980-787a-b6e6-dc9e41921e5}", None),
        ("01a1fcd1-b980-787a-b6e6-dc9e41921e5g", None),
        ("01a1fcd1-b980-787a-b6e6dc-9e41921e5b", None),
        ("", None),
        ("\x00" * 36, None),
    ],
)
def test_malformed_ids_are_none(text, expected):
    assert parse_id(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000000Z"),
        ("2026-01-01t00:00:00z", "2026-01-01T00:00:00.000000Z"),
        ("2026-01-01T00:30:00.5+01:00", "2025-12-31T23:30:00.500000Z"),
        ("2026-01-01T00:00:00.123456789Z", "2026-01-01T00:00:00.123456Z"),
    ],
)
def test_times_with_any_offset_become_utc(text, expected):
    assert parse_time(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-01-01",
        "2026-01-01T00:00:00",
        "2026-13-01T00:00:00Z",
        "2026-W01-1T00:00:00Z",
        "0001-01-01T00:00:00+09:00",
        "2026-01-01T00:00:00+0000",
        "٢٠٢٦-01-01T00:00:00Z",
        "1767225600",
    ],
)
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ValueError, match="RFC 3339"):
        parse_time(text)


zones = st.integers(-14, 14).map(lambda hours: timezone(timedelta(hours=hours)))
moments = st.datetimes(timezones=zones).filter(lambda moment: 1 < moment.year < 9999)


@given(moments, moments)
def test_times_sort_as_text_and_survive_parsing(moment, other):
    text = time_of(moment)
    assert len(text) == 27
    assert parse_time(text) == text
    assert (text < time_of(other)) == (moment < other)


def test_folding_is_pythons():
    assert fold("ÖSTERREICH Straße") == fold("österreich STRASSE")
