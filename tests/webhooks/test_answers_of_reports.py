"""What a report answers is the issue as a GET shows it then, whether the writer knew all of it or it was read."""

import random
from unittest.mock import patch

import pytest

from tests.resolvers.mutation.house import caller
from tests.webhooks.test_kite_house import client as open_client


@pytest.fixture
async def kite(database_url):
    async with open_client(database_url) as client:
        yield client


@pytest.mark.parametrize("seed", range(3))
async def test_the_answer_is_what_get_shows(kite, seed):
    chance = random.Random(seed)
    issues = {}
    for number in range(60):
        match chance.choice(["report", "report", "report", "resolve", "relate", "edit", "delete"]):
            case "report":
                values = {
                    "namespace": chance.choice(["team", "other"]),
                    "title": f"Build {number} failed",
                    "state": chance.choice(["ACTIVE", "ACTIVE", "RESOLVED"]),
                    "links": [
                        {"title": "log", "url": f"https://ci.example.com/{n}"} for n in range(chance.randrange(3))
                    ],
                }
                issue = await kite.report(chance.choice("ab"), **values)
                issues[issue["id"]] = issue
                assert issue == await kite.shown(issue)
            case "resolve" if issues:
                await kite.post(f"/{chance.choice([*issues])}/resolve")
            case "relate" if len(issues) > 1:
                one, other = chance.sample([*issues], 2)
                await kite.post(f"/{one}/related", {"relatedId": other})
            case "edit" if issues:
                await kite.put(f"/{chance.choice([*issues])}", {"title": f"Edited {number}", "severity": "minor"})
            case "delete" if issues and chance.random() < 0.3:
                id = chance.choice([*issues])
                del issues[id]
                await kite.delete(f"/{id}")


async def test_a_neighbour_that_the_caller_may_not_read_is_not_shown(kite):
    hidden, issue = await kite.report("b", namespace="other"), await kite.report()
    await kite.post(f"/{issue['id']}/related", {"relatedId": hidden["id"]})
    assert [drawn["target"]["id"] for drawn in (await kite.report())["relatedFrom"]] == [hidden["id"]]

    kite.who = caller(team=["READ", "REPORT"])
    assert (await kite.report())["relatedFrom"] == []
    kite.who = caller(team=["REPORT"])
    answered = await kite.report()
    assert (answered["occurrenceCount"], answered["relatedFrom"], answered["relatedTo"]) == (4, [], [])


async def test_what_the_writer_knows_is_not_read_again(kite):
    first = await kite.report()
    await kite.post(f"/{first['id']}/resolve")
    with patch.object(kite.kite, "_ask", side_effect=AssertionError("asked")):
        again = await kite.report()
    assert [drawn["target"]["id"] for drawn in again["relatedFrom"]] == [first["id"]]
    assert again["relatedFrom"][0]["target"]["state"] == "RESOLVED"
