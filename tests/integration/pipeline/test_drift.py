"""Schema drift over real HTTP: told once per source and kind, never as news about a resource, never at first sight."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis

from monitor.errors import Fenced
from monitor.simulator import Simulator
from tests.chaos.dying import Died, dying
from tests.installation import Hands, Installation, installed, listing

NAMES = ("uk", "tax", "ats", "dev")


def config(sim: Simulator) -> str:
    """The four providers."""
    return f"""
sources:
  uk: {{provider: driver_jobs, base_url: "{sim.driver_jobs.base_url}", token: "{sim.driver_jobs.token}"}}
  tax: {{provider: worklayer, base_url: "{sim.worklayer.base_url}", token: "{sim.worklayer.static_token}",
         full_every: 1s}}
  ats: {{provider: bindbee, base_url: "{sim.bindbee.base_url}", token: "{sim.bindbee.token}",
         connector_token: "{sim.bindbee.connector_token}", full_every: 1s}}
  dev: {{provider: devrev, base_url: "{sim.devrev.base_url}", token: "{sim.devrev.token}", full_every: 1s}}
"""


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    """Four providers that change only when told."""
    async with Simulator(seed=12, rate=0, population=8) as running:
        yield running


async def drift(watch: Installation) -> list[dict[str, Any]]:
    """Time passes, every source is scanned; what was told, which must all be drift."""
    watch.hands.pass_(minutes=1)
    for name in NAMES:
        report = await watch.scan(name)
        assert report.reason is None, report.error
    events = await watch.news()
    assert {event["type"] for event in events} <= {"jobwire.source.schema_drift"}, events
    return [{"source": event["data"]["source"], **event["data"]["details"]} for event in events]


async def test_a_new_field_is_one_notice_and_no_event(redis: Redis, store_url: str, sim: Simulator) -> None:
    """P12: a field added to every item of every provider is told once for each, whatever is scanned afterwards."""
    servers = (sim.driver_jobs, sim.worklayer, sim.bindbee, sim.devrev)
    async with installed(store_url, config(sim), Hands(sim.worklayer.now())) as watch:
        for name in NAMES:
            await watch.scan(name)
        await watch.news()
        assert await drift(watch) == []
        for server in servers:
            server.fault(extra_field="surcharge", path="*job*", times=None)
        told = await drift(watch)
        assert [(one["source"], one["what"], one["field"], one["was"], one["now"]) for one in told] == [
            (name, "new_field", "surcharge", None, "object") for name in NAMES
        ]
        assert await drift(watch) == []
        for server in servers:
            server.clear_faults()
        assert {(one["what"], one["field"]) for one in await drift(watch)} <= {("vanished_field", "surcharge")}


async def test_a_changed_type_and_a_lost_field_are_told_once(redis: Redis, store_url: str, sim: Simulator) -> None:
    """A field that is not tracked turns from number into text, another is left out of every item."""
    async with installed(store_url, config(sim), Hands(sim.worklayer.now())) as watch:
        for name in NAMES:
            await watch.scan(name)
        await watch.news()
        sim.worklayer.fault(set_rows={"workspace_id": 91}, unset_rows=["short_id"], times=None)
        found = sorted((one["what"], one["field"], one["was"], one["now"]) for one in await drift(watch))
        assert found == [
            ("changed_type", "workspace_id", "string", "number"),
            ("vanished_field", "short_id", "string", None),
        ]
        assert await drift(watch) == []
        sim.worklayer.clear_faults()
        assert await drift(watch) == []


async def test_a_field_that_is_left_out_keeps_its_value_and_null_is_a_value(
    redis: Redis, store_url: str, sim: Simulator
) -> None:
    """P13: tracked fields that an answer leaves out are no change, nor is their return; null is one."""
    job = next(id for id, item in sim.worklayer.items.items() if item["total_amount"] is not None)
    amount = sim.worklayer.items[job]["total_amount"]
    async with installed(store_url, config(sim), Hands(sim.worklayer.now())) as watch:
        for name in NAMES:
            await watch.scan(name)
        await watch.news()
        sim.worklayer.fault(unset_rows=["total_amount", "members"], times=None)
        assert {one["what"] for one in await drift(watch)} == {"vanished_field"}
        (document,) = await watch.services.store.items.documents("tax", [job])
        assert document is not None
        assert document.known[f"job/{job}"].resource.fields["total_amount"] == amount
        sim.worklayer.clear_faults()
        assert await drift(watch) == []

        sim.worklayer.patch(job, {"total_amount": None})
        watch.hands.pass_(minutes=1)
        await watch.scan("tax")
        (event,) = await watch.news()
        assert event["data"]["changes"] == [{"field": "total_amount", "before": amount, "after": None}]


def jobs(*fields: dict[str, Any]) -> dict[str, Any]:
    """A Worklayer list."""
    return {"data": [{"id": f"j{n}", "status": "UNCLAIMED", **one} for n, one in enumerate(fields)]}


async def test_a_notice_is_not_lost_with_the_worker(redis: Redis, store_url: str) -> None:
    """Whichever command of the scan a worker dies at, the new field is told once, and nothing else is."""
    points = 0
    for at in range(1, 60):
        await redis.flushall()
        async with listing(jobs({"pay": 1}, {"pay": 2})) as (url, shown):
            text = f'sources: {{tax: {{provider: worklayer, base_url: "{url}", token: t, full_every: 1s}}}}\n'
            async with installed(store_url, text) as before:
                await before.scan()
            shown.body = jobs({"pay": 1, "bonus": 5}, {"pay": 2})
            died = False
            try:
                async with installed(store_url, text, door=dying(at, answered=at % 2 == 0)) as mortal:
                    mortal.slots = 5
                    await mortal.scan()
            except (Died, BaseExceptionGroup):
                died = True
            await redis.delete("jobwire:lease:tax")
            async with installed(store_url, text) as after:
                after.slots = 10
                await after.scan()
                told = [event["data"]["details"] for event in await after.news() if "drift" in event["type"]]
            assert [one["field"] for one in told] == ["bonus"], f"died at command {at}"
            points += died
            if not died:
                break
    assert points > 5


async def test_a_worker_without_its_lease_learns_and_tells_nothing(redis: Redis, store_url: str) -> None:
    """P21: the shape and its news are fenced like everything else that a scan writes."""
    async with listing(jobs({"pay": 1})) as (url, _):
        text = f'sources: {{tax: {{provider: worklayer, base_url: "{url}", token: t}}}}\n'
        async with installed(store_url, text) as watch:
            sources = watch.services.store.sources
            lease = await sources.claim("tax", owner="w", slot=1, ttl_ms=15_000)
            assert not isinstance(lease, str)
            await redis.set("jobwire:lease:tax", "2:other")
            with pytest.raises(Fenced):
                await sources.learn(lease, {"job": b"{}"}, [])
            assert await sources.shapes("tax") == {}


async def test_other_options_make_other_fields_no_news(redis: Redis, store_url: str) -> None:
    """Asking for more is our doing, not the provider's."""
    async with listing(jobs({"pay": 1})) as (url, shown):
        text = f'sources: {{tax: {{provider: worklayer, base_url: "{url}", token: t, full_every: 1s%s}}}}\n'
        async with installed(store_url, text % "") as before:
            await before.scan()
            await before.news()
            place = before.place
        shown.body = jobs({"pay": 1, "bonus": 5})
        async with installed(store_url, text % ", page_size: 50, every: 5s") as after:
            after.slots, after.place = 5, place
            await after.scan()
            assert await after.told() == []
