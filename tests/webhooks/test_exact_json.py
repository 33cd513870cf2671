"""Whole numbers of more than 64 bits, wherever a payload is JSON: two of them stay two."""

import json

import pytest

from tests.webhooks.test_deliver import TOOL, Own, serving
from tests.webhooks.test_expressions import value
from webhooks.exact_json import MAX_LARGE, loads
from webhooks.payload import FORM, Unreadable, read_payload

LARGE = 2**64 + 1


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (f'{{"a": {LARGE}, "b": [{LARGE + 1}, -{LARGE}]}}', {"a": str(LARGE), "b": [str(LARGE + 1), f"-{LARGE}"]}),
        (f"[{2**64 - 1}, {2**64}, -{2**63}, -{2**63 + 1}]", [2**64 - 1, str(2**64), -(2**63), str(-(2**63) - 1)]),
        (f"{LARGE}", str(LARGE)),
        ("9" * 300, "9" * 300),
        (f'["{LARGE}", "\\"{LARGE}", "\\\\", {LARGE}]', [str(LARGE), f'"{LARGE}', "\\", str(LARGE)]),
        (
            f"[{LARGE}.5, {LARGE}e0, 0.{LARGE}, 1e-00000000000000000000002]",
            [LARGE + 0.5, float(LARGE), 0.18446744073709551617, 0.01],
        ),
        (f'{{"{LARGE}": -0, "a, {LARGE}": 1}}', {str(LARGE): 0, f"a, {LARGE}": 1}),
    ],
)
def test_a_whole_number_that_no_database_holds_is_its_digits(body, expected):
    for found in (loads(body), loads(body.encode()), read_payload("application/json", body.encode())):
        assert found == expected
        assert [*map(type, found)] == [*map(type, expected)]
    assert read_payload(FORM, b"payload=" + body.encode().replace(b"-", b"%2D")) == expected
    assert value(f"${{json({json.dumps(body)})}}") == expected


def test_it_is_so_in_a_body_that_is_not_quite_json():
    assert read_payload("application/json", f'{{"a": {LARGE}, "b": "\\ud800"}}'.encode()) == {
        "a": str(LARGE),
        "b": "\ufffd",
    }


def test_very_many_are_refused():
    many = ",".join([str(LARGE)] * MAX_LARGE)
    assert read_payload(None, f"[{many}]".encode()) == [str(LARGE)] * MAX_LARGE
    with pytest.raises(Unreadable, match="more than 10,000 whole numbers of more than 64 bits"):
        read_payload(None, f"[{many},{LARGE}]".encode())


async def test_two_ids_are_two_issues(database_url):
    definition = TOOL.replace('{event: "${event}"}', '{id: "${item.id}"}')
    async with serving(database_url, Own(definition=definition)) as server:
        runs = ",".join(f'{{"name": "unit", "ok": false, "id": {LARGE + number}}}' for number in (0, 1, 0))
        answer = await server.post(body=f'{{"runs": [{runs}]}}'.encode())
        assert [item["action"] for item in answer.json["items"]] == ["created", "created", "updated"]
        assert [item["fingerprint"]["id"] for item in answer.json["items"]] == [str(LARGE + each) for each in (0, 1, 0)]
