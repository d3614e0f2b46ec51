"""`jobwire replay` and the filters of `jobwire deliveries`, as operators use them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from monitor.simulator import Receiver, Simulator
from tests.installation import Hands, Installation, installed
from tests.integration.cli.commands import Jobwire


@pytest.fixture
async def running(shared: Jobwire) -> AsyncIterator[Installation]:
    """The installation behind the command line, worked by hand, after its first look at one source."""
    text, hands = shared.config.read_text().replace("retry: [1s, 1s]", "retry: []"), Hands(datetime.now(UTC))
    shared.configure(text)
    async with installed(shared.environ["JOBWIRE_STORE_URL"], text, hands) as one:
        await one.scan("tax")
        await work(one)
        yield one


async def work(running: Installation) -> None:
    """What a worker would do by itself."""
    await running.services.consumer.relay.relay()
    await running.services.consumer.deliverer.deliver(running.services.targets["hook"])


async def claimed(running: Installation, sim: Simulator, amount: int) -> None:
    """So many jobs are claimed, seen and told."""
    jobs = [id for id, item in sim.worklayer.items.items() if item["status"] == "UNCLAIMED"][:amount]
    assert len(jobs) == amount
    for job in jobs:
        sim.worklayer.patch(job, {"status": "CLAIMED"})
    await running.scan("tax")
    await work(running)


async def test_what_failed_is_counted_and_sent_again(
    running: Installation, shared: Jobwire, sim: Simulator, receiver: Receiver
) -> None:
    """W21: the count first; nobody to ask and no --yes is bad usage; --yes sends the failed ones, once each."""
    receiver.script([], then=500)
    await claimed(running, sim, 2)
    receiver.script([], then=204)
    chosen = ("replay", "--target", "hook", "--since", "1h", "--failed", "--type", "worklayer.**")
    count, refused, too_long = await asyncio.gather(
        shared(*chosen, "--dry-run", "--json"), shared(*chosen), shared(*chosen[:4], "15d")
    )
    sent = await shared(*chosen, "--yes")
    before = len(receiver.deliveries)
    await work(running)
    failed, listed = await asyncio.gather(
        shared(*chosen, "--dry-run"),
        shared("deliveries", "--status", "delivered", "--type", "worklayer.**", "--since", "1h", "--json"),
    )

    assert (count.json[0]["count"], count.json[0]["statuses"]) == (2, {"failed": 2})
    assert (refused.code, "--yes" in refused.err, "2 deliveries" in refused.out) == (2, True, True)
    assert (too_long.code, "14 days" in too_long.err) == (2, True)
    assert (sent.code, sent.lines[1]) == (0, "2: goes again as soon as may be")
    assert len(receiver.deliveries) == before + 2
    assert "nothing to send again" in failed.out
    assert [[attempt["status"] for attempt in one["attempts"]] for one in listed.json] == [[500, 204]] * 2


async def test_deliveries_and_events_are_sent_again_by_id(
    running: Installation, shared: Jobwire, sim: Simulator, receiver: Receiver
) -> None:
    """W17: an event stands for its deliveries; unknown ids and disabled targets say what to do, and exit with 1."""
    await claimed(running, sim, 1)
    event = (await running.services.store.log.last(1))[0].id
    by_event = await shared("deliveries", "--event", event, "--json")
    both, misuse = await asyncio.gather(
        shared("replay", event, "dlv_unknown", "--json"),
        shared("replay", "--failed"),
    )
    await work(running)
    await running.services.store.switch.off("hook")
    disabled = await shared("replay", event)

    (delivery,) = by_event.json
    assert (delivery["event_id"], delivery["target"], delivery["status"]) == (event, "hook", "delivered")
    assert {one["id"]: one["result"] for one in both.json} == {"dlv_unknown": "unknown", delivery["id"]: "queued"}
    assert (both.code, misuse.code) == (1, 2)
    assert "--target NAME --since T" in misuse.err
    assert (disabled.code, "jobwire target enable" in disabled.out) == (1, True)
