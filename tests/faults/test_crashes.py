"""What ends or stands still under load: the server, its database, its wake-ups, one of two replicas."""

import asyncio
import random
import signal
import time
from statistics import median

from models.postgresql import WRITE_SILENCE_SECONDS
from resolvers.subscription.tailer import POLL_SECONDS
from tests.faults.scene import scene
from tests.faults.watch import Watcher

# What a busy machine adds to the poll interval.
SLACK_SECONDS = 1.5
# PostgreSQL ends the commit of a replica that stands still in the middle of it.
GOES_ON_SECONDS = WRITE_SILENCE_SECONDS + 10


async def test_the_server_is_killed(opened, soak, tell):
    async with opened() as scene:
        load = await scene.begin()
        for _ in soak.rounds(3):
            await load.acknowledges(random.randrange(1, 200))
            await asyncio.to_thread(scene.server.kill)
            await asyncio.to_thread(scene.server.start)
        await load.acknowledges(50)
        counts = await scene.settle()
        assert counts.resumed >= len(scene.watchers)
        tell(counts)


async def test_postgresql_is_restarted(own_postgres, tmp_path, soak, tell):
    postgres, url = own_postgres
    async with scene(url, tmp_path, replicas=2) as of_two:
        load = await of_two.begin()
        for _ in soak.rounds(1, share=0.2):
            for mode in (signal.SIGINT, signal.SIGQUIT):  # fast, immediate
                await load.acknowledges(random.randrange(50, 200))
                await asyncio.to_thread(postgres.stop, mode)
                await asyncio.sleep(random.random())
                await asyncio.to_thread(postgres.start)
        await load.acknowledges(200)
        counts = await of_two.settle()
        assert counts.refused + counts.unanswered
        tell(counts)


def all_say(servers, *, connected):
    """Whether health and metrics of all servers say of wake-ups that they arrive, or that they do not."""
    health = [server.get("/api/v1/health") for server in servers]
    # They serve on, whatever they say.
    assert {status for status, _ in health} == {200}
    told = {answer["components"]["wakeups"]["status"] == "UP" for _, answer in health}
    metric = f"issuegraph_wakeups_connected {float(connected)}"
    return told == {connected} and all(metric in server.get("/metrics")[1].splitlines() for server in servers)


async def until_all_say(servers, *, connected, seconds=30):
    async with asyncio.timeout(seconds):
        while not await asyncio.to_thread(all_say, servers, connected=connected):
            await asyncio.sleep(0.1)


async def test_redis_is_away_for_a_while(postgresql_url, servers, tmp_path, soak, tell):
    with servers.own_redis() as redis:
        async with scene(postgresql_url, tmp_path, replicas=2, WAKEUPS_URL=redis.url) as of_two:
            await until_all_say(of_two.servers, connected=True)
            here, there = of_two.servers
            # Only there: a report here would wake the watcher here.
            load = await of_two.begin(ports=[there.port], reporters=4, pause=0.05)
            watcher = Watcher(here.port)
            await of_two.watch(watcher)
            away = []
            for _ in soak.rounds(1, share=0.2):
                await load.acknowledges(50)
                await asyncio.to_thread(redis.stop, signal.SIGKILL)
                begin = time.monotonic()
                await until_all_say(of_two.servers, connected=False)
                await load.acknowledges(100)
                away.append((begin, time.monotonic()))
                await asyncio.to_thread(redis.start)
                await until_all_say(of_two.servers, connected=True)
            back = time.monotonic()
            await load.acknowledges(100)
            counts = await of_two.settle()
            lags = of_two.lags(watcher, load)
        lags_away = [lag for at, lag in lags if any(begin < at < end for begin, end in away)]
        lags_after = [lag for at, lag in lags if at > back]
        assert max(lags_away) < POLL_SECONDS + SLACK_SECONDS
        assert median(lags_after) < POLL_SECONDS / 4 < median(lags_away)
        assert (counts.refused, counts.unanswered) == (0, 0)
        tell(counts)


async def test_a_replica_stands_still(postgresql_url, tmp_path, soak, tell):
    async with scene(postgresql_url, tmp_path, replicas=2) as of_two:
        load = await of_two.begin()
        paused, other = of_two.servers
        alone = await of_two.begin(ports=[other.port], reporters=1)
        for _ in soak.rounds(1, share=0.1):
            await load.acknowledges(200)
            paused.signal(signal.SIGSTOP)
            await asyncio.sleep(soak.seconds(3, 20))
            await alone.acknowledges(1, GOES_ON_SECONDS)
            paused.signal(signal.SIGCONT)
        await load.acknowledges(200)
        tell(await of_two.settle())
