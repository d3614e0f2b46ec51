"""`jobwire web`, alone and beside workers: it answers, has scans made, and ends when it is asked to."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
from contextlib import closing

from aiohttp import ClientSession

from monitor.simulator import Receiver
from tests.integration.cli.commands import Jobwire, ended, started


async def address(process: asyncio.subprocess.Process) -> str:
    """The URL that `web` says it answers at."""
    assert process.stdout is not None
    while line := await asyncio.wait_for(process.stdout.readline(), 60):
        if found := re.search(rb"jobwire answers at (http://\S+)", line):
            return found[1].decode()
    raise AssertionError("it ended before it answered")


async def test_web_answers_beside_a_worker_and_ends_when_told(shared: Jobwire, receiver: Receiver) -> None:
    """One asks for a scan, the other makes it; SIGTERM: exit code 0."""
    shared.configure(shared.config.read_text().replace("every: 1s", "every: 1h"))
    async with started(shared, "worker"), started(shared, "web") as process, ClientSession() as http:
        url = await address(process)
        await receiver.wait_for(lambda all_: sum(one.type == "jobwire.source.baselined" for one in all_) == 4, 60)

        async def begun() -> int:
            async with http.get(f"{url}/metrics") as answer:
                found = re.search(r'jobwire_scan_started_total\{source="tax"\} (\d+)', await answer.text())
                return int(found[1]) if found else 0

        async with http.post(f"{url}/api/v1/sources/tax/poll") as answer:
            assert answer.status == 202
        async with asyncio.timeout(60):
            while await begun() < 2:
                await asyncio.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        done = await ended(process)

    assert done.code == 0
    assert "Traceback" not in done.err


async def test_web_alone_shows_an_embedded_store(jobwire: Jobwire) -> None:
    """It runs the store itself while nothing else does."""
    async with started(jobwire, "web") as process, ClientSession() as http:
        url = await address(process)
        async with http.get(f"{url}/api/v1/sources") as answer:
            assert {one["name"] for one in (await answer.json())["items"]} == {"drivers", "tax", "ats", "dev"}
        async with http.get(f"{url}/healthz") as answer:
            assert answer.status == 200


async def test_a_taken_port_is_said_and_up_goes_on_without_it(jobwire: Jobwire, receiver: Receiver) -> None:
    """In one line of the greeting; `web` alone ends with it."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        jobwire.configure(jobwire.config.read_text().replace("127.0.0.1:0", f"127.0.0.1:{port}"))
        alone = await jobwire("web")
        async with started(jobwire, "up") as process:
            await receiver.wait_for(lambda all_: any(one.type == "jobwire.source.baselined" for one in all_), 60)
            process.send_signal(signal.SIGTERM)
            done = await ended(process)

    assert alone.code == 2
    assert f"web.listen: 127.0.0.1:{port} cannot be listened on" in alone.err
    assert done.code == 0
    assert [line for line in done.lines if line.startswith("  web      none: web.listen: ")]


async def test_a_new_config_file_is_taken_up(jobwire: Jobwire) -> None:
    """A token that is added counts within seconds."""
    async with started(jobwire, "web") as process, ClientSession() as http:
        url = await address(process)
        async with http.get(f"{url}/api/v1/sources") as answer:
            assert answer.status == 200
        port = url.rpartition(":")[2]
        text = jobwire.config.read_text()
        jobwire.configure(text.replace('"127.0.0.1:0"', f'"127.0.0.1:{port}", tokens: [{json.dumps("t0ken")}]'))
        assert await address(process) == url
        async with http.get(f"{url}/api/v1/sources") as answer:
            assert answer.status == 401
