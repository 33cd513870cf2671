"""What docs/subscribe.md shows is so: its documents run, its codes are those of the server."""

import re
from pathlib import Path

from tests.resolvers.mutation.house import ADA, made
from tests.resolvers.subscription.watching import events
from web.settings import Settings
from web.socket_messages import CloseCode
from web.sockets import SocketLimits

TEXT = (Path(__file__).parent.parent.parent.parent / "docs" / "subscribe.md").read_text()
LIST, WATCH = re.findall(r"```graphql\n(.*?)```", TEXT, re.DOTALL)


async def test_the_list_and_its_subscription_fit_together(one_house):
    house = one_house
    where = {"severity": {"gte": "MAJOR"}}
    page = (await house.ask(LIST, ADA, where=where))["issues"]
    id = await made(house)
    async with house.watch(WATCH, where=where, after=page["position"]) as watcher:
        assert events(await watcher.next()) == [("ENTERED", "CREATED", id)]


def test_every_close_code_is_told():
    for code in CloseCode:
        assert f"| {code.value} |" in TEXT, code


def test_limits_are_those_of_the_server():
    limits, settings = SocketLimits(), Settings()
    assert f"within {limits.init_seconds:.0f} seconds" in TEXT
    assert f"At most {limits.operations} operations" in TEXT
    assert f"nothing was read for {settings.socket_stall_seconds:.0f} seconds" in TEXT
    assert f"one comes every {settings.socket_ping_seconds:.0f} seconds" in TEXT
    assert (limits.init_seconds, limits.operations) == (settings.socket_init_seconds, settings.max_socket_operations)
