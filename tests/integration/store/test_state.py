"""The version of what is stored, and the prefix under which it is: nobody reads what is not theirs to read."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from monitor.errors import StateRefused
from monitor.store.connect import connect
from tests.installation import Hands, installed, listing
from tests.integration.store.redis_servers import run

JOBS = {"data": [{"id": id, "status": "UNCLAIMED", "name": id} for id in ("a", "b")], "next_page_token": ""}


async def test_a_new_store_gets_its_version_and_state_of_before_keeps_being_read(redis: Redis, store_url: str) -> None:
    """State that has no version yet is read as the first."""
    await run(redis, "HSET", "jobwire:source:tax", "epoch", "7")
    for _ in range(2):
        await (await connect(store_url)).close()

    assert await redis.get("jobwire:state") == b"1"


@pytest.mark.parametrize("version", [b"2", b"0", b"what"])
async def test_state_of_another_version_is_refused_in_one_clear_line(
    redis: Redis, store_url: str, version: bytes
) -> None:
    """Newer or unknown: it is left as it is, and the text says where it is and what to do."""
    await redis.set("jobwire:state", version)
    with pytest.raises(StateRefused, match=rf"`jobwire:` has version {version.decode()}.*reads version 1: start"):
        await connect(store_url)

    assert await redis.get("jobwire:state") == version
    await (await connect(store_url, "other")).close()


async def test_two_installations_on_one_redis_do_not_meet(redis: Redis, store_url: str) -> None:
    """Each has its `store.prefix`: the same source is scanned by both, and neither sees what the other keeps."""
    async with listing(JOBS) as (url, _):
        source = f'sources: {{tax: {{provider: worklayer, base_url: "{url}", token: t, every: 1h}}}}\n'
        hands = Hands()
        async with installed(store_url, f"store: {{prefix: one}}\n{source}", hands) as one:
            await one.scan()
            before = {key: await redis.dump(key) for key in await redis.keys("*")}
            async with installed(store_url, f"store: {{prefix: two}}\n{source}", hands) as two:
                report = await two.scan()
                assert (report.epoch, report.baseline) == (1, True)
            after = set(await redis.keys("*"))

        assert {key.split(b":")[0] for key in before} == {b"one"}
        assert {key.split(b":")[0] for key in after - set(before)} == {b"two"}
        # What is left of a budget is reported a moment later, by whoever spent it.
        assert [key for key in before if b":budget:" not in key and await redis.dump(key) != before[key]] == []
