"""`jobwire backtest`: stored events through another config's routes."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from monitor.simulator import Simulator
from tests.installation import Hands, installed
from tests.integration.cli.commands import Jobwire


async def test_the_difference_in_messages_is_shown(shared: Jobwire, sim: Simulator) -> None:
    """Per target by type, with an event to look at; nothing is stored or sent by it."""
    text = shared.config.read_text()
    async with installed(shared.environ["JOBWIRE_STORE_URL"], text, Hands(datetime.now(UTC))) as one:
        await one.scan("tax")
        for job in [id for id, item in sim.worklayer.items.items() if item["status"] == "UNCLAIMED"][:2]:
            sim.worklayer.patch(job, {"status": "CLAIMED"})
        await one.scan("tax")
        other = shared.home / "other.yaml"
        other.write_text(text.replace("name: jobs, match: {", 'name: jobs, match: {state: "CLOSED", '))
        people, programs = await asyncio.gather(
            shared("backtest", str(other), "--since", "1h"),
            shared("backtest", str(other), "--since", "1h", "--json"),
        )
        written = await one.services.store.log.written()
        relayed = await one.services.store.db.run("KEYS", "jobwire:deliver*")

    (line,) = programs.json
    assert (line["target"], line["messages"], line["vanish"]) == (
        "hook",
        {"before": 3, "after": 1},
        {"worklayer.job.claimed": 2},
    )
    assert len(line["examples"]["worklayer.job.claimed"]) == 2
    assert (people.code, "hook: messages 3 → 1" in people.out) == (0, True)
    assert "  vanish  2 worklayer.job.claimed" in people.out
    assert (written, relayed) == (3, [])
