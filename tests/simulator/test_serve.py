from __future__ import annotations

import asyncio
import re

import aiohttp
import pytest
import yaml

from monitor.simulator.serve import address, serve


@pytest.mark.parametrize(
    ("listen", "expected"),
    [
        ("127.0.0.1:21000", ("127.0.0.1", (21000, 21001, 21002, 21003, 21004))),
        ("127.0.0.1:0", ("127.0.0.1", (0, 0, 0, 0, 0))),
        ("localhost", ("localhost", (0, 0, 0, 0, 0))),
        (":21000", ("127.0.0.1", (21000, 21001, 21002, 21003, 21004))),
        ("[::1]:21000", ("::1", (21000, 21001, 21002, 21003, 21004))),
    ],
)
def test_one_address_gives_five_ports(listen: str, expected: object) -> None:
    """The four providers and the control server listen on consecutive ports, or on any free ones."""
    assert address(listen) == expected


@pytest.mark.parametrize("listen", ["127.0.0.1:http", "127.0.0.1:65535", "127.0.0.1:-1"])
def test_an_impossible_address_is_refused(listen: str) -> None:
    """A port that is no number or leaves no room is a ValueError that quotes it."""
    with pytest.raises(ValueError, match=re.escape(listen)):
        address(listen)


async def test_serving_tells_how_to_watch_it_and_what_happens() -> None:
    """The printed config names four sources that answer, the control works, and changes are told until the end."""
    told: list[str] = []
    task = asyncio.create_task(serve("127.0.0.1:0", seed=1, rate=100, write=told.append))
    while len(told) < 5:
        assert not task.done()
        await asyncio.sleep(0.01)
    guide = told[0]
    block = re.search(r"^    sources:\n(?:    .*\n)+", guide, re.MULTILINE)
    assert block is not None
    sources = yaml.safe_load(block.group(0))["sources"]
    assert {source["provider"] for source in sources.values()} == {"driver_jobs", "worklayer", "bindbee", "devrev"}
    async with aiohttp.ClientSession() as http:
        headers = {"Authorization": f"Bearer {sources['drivers']['token']}"}
        url = f"{sources['drivers']['base_url']}/api/v1/job_drivers?by_state=accepted"
        async with http.get(url, headers=headers) as answer:
            assert answer.status == 200
        control = re.search(r"control +(http://\S+)", guide)
        assert control is not None
        async with http.post(f"{control.group(1)}/step") as answer:
            assert answer.status == 200
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert re.match(r"\d\d:\d\d:\d\d \w+ +\w+", told[1])
