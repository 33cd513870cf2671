"""What the machine does to a server: its clock jumps back, its disk is full, its database is an older one."""

import asyncio
import resource
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from sqlalchemy import make_url

from tests.faults import shifted_clock
from tests.faults.scene import scene
from tests.servers import administer, with_database
from tests.serving import ISSUEGRAPH


async def test_the_clock_jumps_back(opened, soak, tell):
    async with opened(program=(sys.executable, "-m", shifted_clock.__name__)) as scene:
        load = await scene.begin()
        for number in soak.rounds(3):
            await load.acknowledges(100)
            # Once in a while forward, or it would be yesterday.
            scene.server.signal(signal.SIGUSR2 if number % 3 == 2 else signal.SIGUSR1)
        await load.acknowledges(100)
        # A process that begins a day before what is there.
        await asyncio.to_thread(scene.server.kill)
        scene.server.environment["FAULTS_CLOCK_SECONDS"] = str(-24 * shifted_clock.STEP_SECONDS)
        await asyncio.to_thread(scene.server.start)
        await load.acknowledges(200)
        tell(await scene.settle())
        times = [line["at"] for line in scene.log]
        assert times != sorted(times)


async def test_the_disk_is_full(sqlite_url, tmp_path, soak, tell):
    async with scene(sqlite_url, tmp_path) as full:
        load = await full.begin(words=2_000)
        pid = full.server.process.pid
        wal = Path(f"{make_url(sqlite_url).database}-wal")
        for _ in soak.rounds(2, share=0.5):
            await load.acknowledges(100)
            refused = load.refused
            _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            # It begins anew from time to time, so more than it has now it may never need.
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (wal.stat().st_size // 2, hard))
            async with asyncio.timeout(30):
                while load.refused < refused + 20:
                    await asyncio.sleep(0.02)
            # It says so, and answers who only reads.
            assert "issues" in await asyncio.to_thread(full.server.ask, "{ issues { totalCount } }")
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))
            await load.acknowledges(100)
        tell(await full.settle())


def run(command, environment):
    """`issuegraph` with this command, which must not fail."""
    subprocess.run([ISSUEGRAPH, command], env=environment, check=True, stdout=subprocess.DEVNULL)


def back_up(url):
    """What brings this state back. The server must not run."""
    address = make_url(url)
    if address.get_backend_name() == "postgresql":
        own, kept = address.database, f"{address.database}_kept"
        server = with_database(url, "postgres")
        administer(server, f'CREATE DATABASE "{kept}" TEMPLATE "{own}"')

        def restore():
            administer(server, f'DROP DATABASE "{own}" WITH (FORCE)')
            administer(server, f'ALTER DATABASE "{kept}" RENAME TO "{own}"')

        return restore

    path = Path(str(address.database))
    copy = path.with_suffix(".copy")
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)

    def restore_file():
        for beside in ("-wal", "-shm"):
            Path(f"{path}{beside}").unlink(missing_ok=True)
        copy.rename(path)

    return restore_file


async def test_the_database_is_restored_from_a_backup(opened, tell):
    async with opened() as scene:
        before = await scene.begin()
        await before.acknowledges(100)
        await before.stop()
        await scene.settle()
        await asyncio.to_thread(scene.server.stop)
        restore = await asyncio.to_thread(back_up, scene.url)
        await asyncio.to_thread(scene.server.start)
        gone = await scene.begin()
        await gone.acknowledges(100)
        await gone.stop()
        await scene.settle()

        await asyncio.to_thread(scene.server.stop)
        await asyncio.to_thread(restore)
        # On SQLite it is noticed.
        if scene.url.startswith("postgresql"):
            await asyncio.to_thread(run, "restored", scene.server.environment)
        await asyncio.to_thread(scene.server.start)
        scene.loads.remove(gone)
        # As many lines as were lost and more: a position of before would point into them.
        after = await scene.begin()
        await after.acknowledges(300)
        counts = await scene.settle()
        assert [watcher.expired for watcher in scene.watchers] == [1] * len(scene.watchers)
        assert not [marker for marker in scene.markers() if marker in gone.acknowledged]
        tell(counts)
