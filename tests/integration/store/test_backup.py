"""A backup that is restored: nothing is told twice under another id, and what it does not know is found again."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

import pytest

from tests import stores
from tests.installation import Hands, Installation, installed, listing
from tests.integration.store.redis_servers import redis_server

DURABLE = ("--appendonly", "yes", "--appendfsync", "everysec", "--save", "")


def jobs(**states: str) -> bytes:
    """A page of Worklayer jobs by id and status."""
    return json.dumps({"data": [{"id": i, "status": s} for i, s in states.items()], "next_page_token": ""}).encode()


async def log(watch: Installation) -> list[str]:
    """The ids of all events that are stored, in their order."""
    return [one.id for one in await watch.services.store.log.after("0-0", 1000)]


async def take_backup(url: str, source: Path, backup: Path, how: str) -> None:
    """A backup of a running server, as docs/running/redis.md says it is taken."""
    async with stores.client(url) as redis:
        if how == "snapshot":
            await redis.save()
            shutil.copy(source / "dump.rdb", backup)
            return
        await redis.config_set("auto-aof-rewrite-percentage", 0)
        shutil.copytree(source / "appendonlydir", backup / "appendonlydir")
        await redis.config_set("auto-aof-rewrite-percentage", 100)


@pytest.mark.parametrize("how", ["snapshot", "append-only file"])
async def test_a_restored_backup_goes_on_where_it_was(how: str) -> None:
    """The next scan is no baseline, tells nothing again, and makes the events that were lost under the ids they had."""
    program = (await stores.programs())[0]
    with stores.short_directory() as first, stores.short_directory() as second:
        hands = Hands()
        async with listing(jobs(a="UNCLAIMED", b="UNCLAIMED")) as (url, provider):
            config = f'sources: {{tax: {{provider: worklayer, base_url: "{url}", token: t, every: 1h}}}}\n'
            async with redis_server(program, first, *DURABLE) as store, installed(store, config, hands) as watch:
                await watch.scan()
                provider.body = jobs(a="CLAIMED", b="UNCLAIMED")
                await watch.scan()
                kept = await log(watch)
                await take_backup(store, first, second, how)
                provider.body = jobs(a="CLAIMED", b="CLAIMED")
                await watch.scan()
                everything = await log(watch)
            assert len(everything) == len(kept) + 1

            options = ("--appendonly", "no") if how == "snapshot" else DURABLE
            async with redis_server(program, second, *options) as store:
                if how == "snapshot":
                    async with stores.client(store) as redis:
                        await redis.config_set("appendonly", "yes")
                        async with asyncio.timeout(stores.PATIENCE):
                            while (await redis.info("persistence"))["aof_rewrite_in_progress"]:
                                await asyncio.sleep(0.02)
                async with installed(store, config, hands) as watch:
                    assert await log(watch) == kept
                    watch.slots = 2
                    report = await watch.scan()
                    assert not report.baseline
                    assert await log(watch) == everything
                    await watch.scan()
                    assert await log(watch) == everything
