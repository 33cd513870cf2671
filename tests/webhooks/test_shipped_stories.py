"""What the senders of the shipped definitions tell in turn, and what is open after it."""

from models import Label
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


async def test_of_jenkins_builds_side_by_side_the_one_that_ended_last_tells_in_whatever_order_they_come(database_url):
    async with open_house(database_url) as house:
        story = Story(house, "jenkins", "a build in a folder fails")
        older = jenkins(1, "COMPLETED", "SUCCESS", NOW - MINUTE, 9 * MINUTE)
        assert await story.tell(**jenkins(2, "COMPLETED", "FAILURE", NOW, MINUTE)) == "CREATED"
        assert await story.tell(**older) == 0
        assert await story.open("detected_at") == ["2026-11-20T10:01:00.000000Z"]
        assert await story.tell(**jenkins(3, "COMPLETED", "SUCCESS", NOW + SECOND, MINUTE)) == 1


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


def pagerduty(kind, service, minute, status="triggered", **data):
    return {
        "event__id": f"01{minute}",
        "event__event_type": f"incident.{kind}",
        "event__occurred_at": f"2026-11-20T10:{minute}:00Z",
        "event__data__status": status,
        "event__data__service": {"id": service, "summary": service},
        **{f"event__data__{name}": value for name, value in data.items()},
    }


async def test_a_pagerduty_incident_that_moves_to_another_service_stays_one(database_url):
    async with open_house(database_url) as house:
        story = Story(house, "pagerduty", "an incident is triggered")
        assert await story.tell(**pagerduty("triggered", "shop", 10)) == "CREATED"
        assert await story.tell(**pagerduty("service_updated", "database", 11)) == "UPDATED"
        assert await story.tell(**pagerduty("acknowledged", "database", 12, "acknowledged")) == 1
        assert ("service", "database") in [(each["name"], each["value"]) for each in await house.rows(Label)]
        assert await story.tell(**pagerduty("resolved", "database", 13, "resolved")) == 1
        assert await story.tell(**pagerduty("service_updated", "shop", 14, "resolved")) == "ignored"
        assert await story.open("id") == []
        assert await story.tell(**pagerduty("reopened", "cart", 15)) == "CREATED"
        assert len(await story.open("id")) == 1
        assert await story.tell(**pagerduty("resolved", "elsewhere", 16, "resolved")) == 1
        assert await story.open("id") == []


async def test_a_pagerduty_incident_whose_priority_changes_takes_it_and_stays_acknowledged(database_url):
    async with open_house(database_url) as house:
        story = Story(house, "pagerduty", "an incident is triggered")
        assert await story.tell(**pagerduty("triggered", "shop", 10, priority=None, urgency="low")) == "CREATED"
        assert await story.tell(**pagerduty("acknowledged", "shop", 11, "acknowledged")) == 1
        worse = pagerduty("priority_updated", "shop", 12, "acknowledged", priority={"summary": "P1"})
        assert await story.tell(**worse) == "UPDATED"
        ((severity, acknowledged_at),) = await story.open("severity", "acknowledged_at")
        assert (severity, acknowledged_at is None) == ("critical", False)


async def test_an_argo_cd_application_can_be_degraded_while_its_last_sync_failed(database_url):
    async with open_house(database_url) as house:
        story = Story(house, "argocd", "a sync fails")
        assert await story.tell() == ["CREATED", 0]
        assert await story.tell(health="Degraded", sentAt="2026-11-20T11:00:00Z") == ["UNCHANGED", "CREATED"]
        assert await story.open("issue_type") == ["release", "incident"]
        assert await story.tell(health="Healthy", sentAt="2026-11-20T12:00:00Z") == ["UNCHANGED", 1]
        assert await story.open("issue_type") == ["release"]
        assert await story.tell(health="Degraded", sentAt="2026-11-20T13:00:00Z") == ["UNCHANGED", "CREATED"]
        synced = {"phase": "Succeeded", "finishedAt": "2026-11-20T14:00:00Z"}
        assert await story.tell(**synced, health="Progressing", sentAt="2026-11-20T14:00:00Z") == ["ignored", "ignored"]
        assert await story.tell(**synced, health="Healthy", sentAt="2026-11-20T14:01:00Z") == [1, 1]
        assert await story.open("id") == []
