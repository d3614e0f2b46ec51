from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from monitor.simulator import Simulator
from monitor.simulator.driver_jobs import REJECTED
from tests.simulator.calls import Client, Clock


@asynccontextmanager
async def living(seed: int = 1, **options: Any) -> AsyncIterator[Client]:
    """A simulator with people in it, and a client."""
    async with Simulator(seed=seed, now=Clock(), **options) as sim, aiohttp.ClientSession() as http:
        yield Client(sim, http)


def state(sim: Simulator) -> str:
    """Everything the four providers hold, as text."""
    return json.dumps({name: list(server.items.values()) for name, server in sim.servers.items()})


async def listed(client: Client) -> dict[str, dict[Any, Any]]:
    """What a poller sees: every document of every list, by provider and id."""
    drivers = [
        row
        for by_state in ("accepted", "application", "all_rejected")
        for row in (await client.drivers(by_state, per_page=100)).json["job_drivers"]
    ]
    pages = {
        "driver_jobs": drivers,
        "worklayer": (await client.worklayer(page_size=100)).json["data"],
        "bindbee": (await client.bindbee(page_size=100)).json["items"],
        "devrev": (await client.devrev(limit=100)).json["jobs"],
    }
    return {provider: {row["id"]: row for row in rows} for provider, rows in pages.items()}


def test_the_same_seed_is_the_same_life() -> None:
    """Two simulators with one seed and one clock begin alike and do the same 300 things; another seed does not."""
    one, two, other = (Simulator(seed=seed, now=Clock()) for seed in (5, 5, 6))
    assert state(one) == state(two)
    assert [one.step() for _ in range(300)] == [two.step() for _ in range(300)]
    assert state(one) == state(two)
    assert state(one) != state(other)


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_every_change_is_visible_to_the_next_poll(seed: int) -> None:
    """After each of 100 steps exactly one document of the named provider has changed, come or gone."""
    async with living(seed) as client:
        client.sim.bindbee.limits.limit = None
        before = await listed(client)
        for _ in range(100):
            change = client.sim.step()
            after = await listed(client)
            for provider, rows in after.items():
                ids = rows.keys() | before[provider].keys()
                moved = [key for key in ids if rows.get(key) != before[provider].get(key)]
                assert moved == ([change.item_id] if provider == change.provider else []), change
            before = after


@pytest.mark.parametrize("seed", range(10, 14))
def test_every_change_is_more_than_a_new_stamp(seed: int) -> None:
    """Over 400 steps each change moves a field that is not a mere stamp, even while the clock stands still."""
    sim = Simulator(seed=seed, now=Clock())
    stamps = ("updated_at", "update_time", "modified_at", "remote_updated_at", "modified_date", "object_version")
    dull = {*stamps, "modified_by"}
    for _ in range(400):
        before = {name: copy.deepcopy(server.items) for name, server in sim.servers.items()}
        change = sim.step()
        old, new = before[change.provider].get(change.item_id), sim.servers[change.provider].items.get(change.item_id)
        if old is None or new is None:
            assert old != new, change
            continue
        assert {key for key in old | new if old.get(key) != new.get(key)} - dull, change


def test_the_world_neither_dries_up_nor_overflows() -> None:
    """After 3,000 changes each provider holds about as many documents as in the beginning, and something happens."""
    sim = Simulator(seed=2, now=Clock(), population=10)
    texts = [sim.step().text for _ in range(3000)]
    assert all(5 <= len(server.items) <= 15 for server in sim.servers.values())
    assert "nothing could happen" not in texts


@pytest.mark.parametrize("seed", range(1, 9))
def test_everything_worth_watching_happens_soon(seed: int) -> None:
    """Within 200 changes each provider shows its main turns, so a short demo is never dull."""
    sim = Simulator(seed=seed, now=Clock())
    told = "\n".join(str(sim.step()) for _ in range(200))
    for words in (
        "is claimed by", "is closed", "enters the pool", "gets a deadline", "is dropped back",
        "is invited to an interview", "accepts the interview", "another interview time", "now ends in",
        "signs the contract", "is offered a renewal", "marked as ended",
        "is complete", "fails:", "is tried again", " starts", "is queued",
        " opens", " closes", "is archived", "is drafted",
    ):  # fmt: skip
        assert words in told, words


def test_states_follow_the_life_of_each_provider() -> None:
    """No change takes a document along an edge the provider does not have."""
    sim = Simulator(seed=4, now=Clock())
    allowed = {
        "worklayer": {
            ("UNDER_CONSTRUCTION", "INFO_GATHERING"),
            ("INFO_GATHERING", "UNCLAIMED"),
            ("UNCLAIMED", "CLAIMED"),
            ("CLAIMED", "UNCLAIMED"),
            ("CLAIMED", "CLOSED"),
        },
        "devrev": {
            ("queued", "started"),
            ("started", "in_progress"),
            ("in_progress", "completed"),
            ("started", "failed"),
            ("in_progress", "failed"),
            ("failed", "queued"),
        },
    }
    fields = {"worklayer": "status", "devrev": "state"}
    for _ in range(1000):
        before = {name: {k: d[fields[name]] for k, d in sim.servers[name].items.items()} for name in allowed}
        change = sim.step()
        if change.provider not in allowed:
            continue
        old = before[change.provider].get(change.item_id)
        new = sim.servers[change.provider].items.get(change.item_id, {}).get(fields[change.provider])
        assert old is None or new is None or old == new or (old, new) in allowed[change.provider]


def test_documents_hold_together() -> None:
    """After a long life contracts, interviews and drivers still fit each other as in the service."""
    sim = Simulator(seed=9, now=Clock(), candidates=True)
    for _ in range(1500):
        sim.step()
    for doc in sim.driver_jobs.items.values():
        contracts = [doc[name] for name in ("last_contract", "pending_contract") if doc.get(name)]
        assert all(contract["job_driver_id"] == doc["id"] for contract in contracts)
        assert all(interview["interviewee_id"] == doc["id"] for interview in doc["interviews"])
        assert all((i["status"] == "amended") == bool(i["amend_start_at"]) for i in doc["interviews"]) or (
            doc["kind"] in REJECTED
        )
    for doc in sim.devrev.items.values():
        assert (doc["state"] == "completed") == (doc["progress"] == 100)
    assert all(any(member["role"] == "CLIENT" for member in doc["members"]) for doc in sim.worklayer.items.values())
    assert all(sim.bindbee.others[kind] for kind in sim.bindbee.others)


@pytest.mark.parametrize("provider", ["driver_jobs", "worklayer", "bindbee", "devrev"])
def test_one_provider_can_be_made_to_change(provider: str) -> None:
    """step with a name changes that provider."""
    sim = Simulator(seed=1, now=Clock())
    assert {sim.step(provider).provider for _ in range(5)} == {provider}


async def test_a_rate_makes_things_happen_by_themselves() -> None:
    """With a rate changes come without anybody asking; at rate 0 they stop; listeners are told of each."""
    told: list[str] = []
    async with Simulator(seed=1, rate=200) as sim:
        sim.life.on_change = lambda change: told.append(change.text)
        while len(told) < 20:
            await asyncio.sleep(0.01)
        sim.life.set_rate(0)
        await asyncio.sleep(0)
        count = len(sim.life.history)
        await asyncio.sleep(0.05)
        assert len(sim.life.history) == count
    assert len(told) >= 20


@pytest.mark.parametrize("rate", [-1, 5000])
def test_an_impossible_rate_is_refused(rate: float) -> None:
    """A rate below 0 or above 1,000 changes a second is a ValueError."""
    with pytest.raises(ValueError, match="rate"):
        Simulator(now=Clock()).life.set_rate(rate)
