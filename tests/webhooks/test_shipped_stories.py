"""What the senders of the shipped definitions tell in turn, and what is open after it."""

from tests.resolvers.mutation.house import house as open_house
from tests.webhooks.stories import Story

SECOND, MINUTE = 1_000, 60_000
NOW = 1_795_168_860_000


def jenkins(number, phase, status, timestamp, duration):
    """As the plugin's JobListener sends it: COMPLETED with start and duration, FINALIZED with its clock."""
    return {
        "build__full_url": f"https://jenkins.example/job/shop/{number}/",
        "build__number": number,
        "build__queue_id": 40 + number,
        "build__phase": phase,
        "build__status": status,
        "build__timestamp": timestamp,
        "build__duration": duration,
    }


async def test_both_phases_of_a_jenkins_build_are_one_run(database_url):
    async with open_house(database_url) as house:
        story = Story(house, "jenkins", "a build in a folder fails")
        assert await story.tell(**jenkins(1, "COMPLETED", "FAILURE", NOW, 30 * SECOND)) == "CREATED"
        assert await story.tell(**jenkins(1, "FINALIZED", "FAILURE", NOW + 200, 30 * SECOND)) == "UNCHANGED"
        assert await story.open("occurrence_count") == [1]
        assert await story.tell(**jenkins(2, "COMPLETED", "SUCCESS", NOW + MINUTE, 30 * SECOND)) == 1
        assert await story.tell(**jenkins(1, "FINALIZED", "FAILURE", NOW + 200, 30 * SECOND)) == "UNCHANGED"
        assert await story.open("id") == []


async def test_a_short_jenkins_build_after_a_long_one_counts(database_url):
    async with open_house(database_url) as house:
        story = Story(house, "jenkins", "a build in a folder fails")
        assert await story.tell(**jenkins(1, "FINALIZED", "FAILURE", NOW - MINUTE, 4 * MINUTE)) == "CREATED"
        assert await story.tell(**jenkins(2, "FINALIZED", "SUCCESS", NOW, 20 * SECOND)) == 1
        assert await story.tell(**jenkins(3, "FINALIZED", "SUCCESS", NOW + MINUTE, 4 * MINUTE)) == 0
        assert await story.tell(**jenkins(4, "FINALIZED", "FAILURE", NOW + 2 * MINUTE, 20 * SECOND)) == "CREATED"
        assert len(await story.open("id")) == 1


async def test_a_jenkins_job_that_is_made_anew_counts_from_1_and_fails_again(database_url):
    async with open_house(database_url) as house:
        story = Story(house, "jenkins", "a build in a folder fails")
        first = jenkins(1, "FINALIZED", "FAILURE", NOW, MINUTE)
        assert await story.tell(**first) == "CREATED"
        assert await story.tell(**jenkins(2, "FINALIZED", "SUCCESS", NOW + MINUTE, MINUTE)) == 1
        anew = {**first, "build__queue_id": 90, "build__timestamp": NOW + 2 * MINUTE}
        assert await story.tell(**anew) == "CREATED"


async def test_a_buildkite_tag_that_passes_repairs_the_tag_before_and_no_branch(database_url):
    async with open_house(database_url) as house:
        story = Story(house, "buildkite", "a build fails")
        assert await story.tell() == "CREATED"
        assert await story.tell(build__id="2", build__branch="v1.0", build__tag="v1.0") == "CREATED"
        later = {"build__state": "passed", "build__finished_at": "2026-11-20T12:00:00Z"}
        assert await story.tell(build__id="3", build__branch="v1.1", build__tag="v1.1", **later) == 1
        assert await story.open("title") == ["Shop failed on main"]
        assert await story.tell(build__id="4", build__tag=None, **later) == 1
        assert await story.open("title") == []


async def test_a_new_relic_issue_gets_worse_and_better(database_url):
    async with open_house(database_url) as house:
        story = Story(house, "newrelic", "an issue is open")
        assert await story.tell(state="CREATED", priority="MEDIUM") == "CREATED"
        told = [("CRITICAL", 1), ("CRITICAL", 1), ("MEDIUM", 2), ("CRITICAL", 3)]
        seen = []
        for priority, minute in told:
            action = await story.tell(priority=priority, updatedAt=NOW + minute * MINUTE)
            (severity,) = await story.open("severity")
            seen.append((action, severity))
        assert seen == [
            ("UPDATED", "critical"),
            ("UNCHANGED", "critical"),
            ("UPDATED", "minor"),
            ("UPDATED", "critical"),
        ]
        assert await story.tell(state="CLOSED", updatedAt=NOW + 4 * MINUTE) == 1
        assert await story.tell(priority="HIGH", updatedAt=NOW + 2 * MINUTE) == "UNCHANGED"
        assert await story.open("id") == []
