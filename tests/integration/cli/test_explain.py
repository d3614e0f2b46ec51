"""`jobwire explain`: where an event came from, and where it went."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from monitor.simulator import Receiver, Simulator
from tests.installation import SECRET, Hands, installed
from tests.integration.cli.commands import Jobwire


async def test_an_event_is_explained_from_change_to_attempt(
    shared: Jobwire, sim: Simulator, receiver: Receiver
) -> None:
    """Before and after, looks and rule, the route that took it, the matcher that missed, attempts; and what changed."""
    text = shared.config.read_text()
    other = f'  far: {{type: webhook, url: "http://127.0.0.1:9/x", secret: "{SECRET}"}}\n'
    route = "  - {name: big, match: {where: {resource.fields.total_amount: {gte: 1e9}}}, to: [far], continue: true}\n"
    text = text.replace("routes:\n", f"{other}routes:\n{route}")
    shared.configure(text)
    async with installed(shared.environ["JOBWIRE_STORE_URL"], text, Hands(datetime.now(UTC))) as one:
        await one.scan("tax")
        job = next(id for id, item in sim.worklayer.items.items() if item["status"] == "UNCLAIMED")
        sim.worklayer.patch(job, {"status": "CLAIMED"})
        await one.scan("tax")
        event = (await one.services.store.log.last(1))[0].id
        receiver.script([], then=500)
        consumer = one.services.consumer
        await consumer.relay.relay()
        await consumer.deliverer.deliver(one.services.targets["hook"])

    people, unknown = await asyncio.gather(shared("explain", event), shared("explain", "evt_none"))
    shared.configure(text.replace("name: jobs, match: {type: ", "name: work, match: {type: "))
    programs = await shared("explain", event, "--json")

    assert f"{event}" in people.lines[0]
    assert "the state went from UNCLAIMED to CLAIMED" in people.out
    assert "the state is now `CLAIMED`" in people.out
    assert "hook: taken by jobs, info" in people.lines
    assert "    1. " in people.out
    assert "500" in people.out
    assert "far: not taken" in people.lines
    assert "big: where resource.fields.total_amount gte wants" in people.out
    assert (unknown.code, "jobwire events --json" in unknown.err) == (2, True)
    (found,) = programs.json
    fates = {one["target"]: one for one in found["targets"]}
    assert (fates["hook"]["route"], fates["hook"]["sent_by"]) == ("work", "jobs")
    assert fates["hook"]["delivery"]["attempts"][0]["status"] == 500
    assert fates["far"]["nearest"]["failures"][0]["matcher"] == "where resource.fields.total_amount gte"
    assert [one["outcome"] for one in found["routes"]] == ["no match", "took", "not reached"]
