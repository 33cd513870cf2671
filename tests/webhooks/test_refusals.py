"""How many refused deliveries are kept, whoever sends them."""

from types import SimpleNamespace

from webhooks import refusals
from webhooks.refusals import KEPT_A_DAY, KEPT_A_MINUTE, Refusals


def counted(kept, webhook, times):
    return sum(kept.keeps(webhook) for _ in range(times))


def test_of_each_webhook_so_many_a_minute_and_a_day(monkeypatch):
    monkeypatch.setattr(refusals, "KEPT_A_DAY_OF_ALL", KEPT_A_DAY + 100)
    clock = SimpleNamespace(seconds=1_800_000_000.0 // 86_400 * 86_400)
    kept = Refusals(lambda: clock.seconds)
    assert counted(kept, "tool", 500) == KEPT_A_MINUTE
    assert counted(kept, "other", 30) == 30
    found = KEPT_A_MINUTE
    for _ in range(60):
        clock.seconds += 60
        found += counted(kept, "tool", 500)
    assert found == KEPT_A_DAY
    # One that is flooded leaves the others some, and all together have an end.
    assert counted(kept, "other", 30) == 30
    assert counted(kept, "third", 60) == 40
    assert counted(kept, "fourth", 60) == 0
    clock.seconds += 86_400
    assert counted(kept, "tool", 500) == KEPT_A_MINUTE
