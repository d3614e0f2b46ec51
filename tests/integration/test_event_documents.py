"""Whatever the stand-ins' life makes happen fits the published schemas: JSON Schema and AsyncAPI."""

from __future__ import annotations

from collections import Counter
from typing import Any

import jsonschema
from redis.asyncio import Redis

from monitor import __version__
from monitor.asyncapi import asyncapi_document
from monitor.cli.schemas import vocabularies
from monitor.eventschema import catalogue, events_schema
from monitor.simulator import Simulator
from tests.installation import Hands, installed

TURNS, STEPS = 6, 15
"""How many scans there are, and how often something happens at each provider before each."""


def config(sim: Simulator) -> str:
    """All four, with every deadline there is and a target that nobody reads."""
    return f"""
sources:
  drivers: {{provider: driver_jobs, base_url: "{sim.driver_jobs.base_url}", token: "{sim.driver_jobs.token}",
            timezone: Europe/London, confirm_removal: 1}}
  tax: {{provider: worklayer, base_url: "{sim.worklayer.base_url}", token: "{sim.worklayer.static_token}",
        confirm_removal: 1}}
  ats: {{provider: bindbee, base_url: "{sim.bindbee.base_url}", token: "{sim.bindbee.token}",
        connector_token: "{sim.bindbee.connector_token}", confirm_removal: 1}}
  dev: {{provider: devrev, base_url: "{sim.devrev.base_url}", token: "{sim.devrev.token}", track: [progress]}}
"""


async def life(sim: Simulator, hands: Hands, store_url: str) -> list[dict[str, Any]]:
    """Everything that is told while much happens, days pass, and a provider refuses our credentials for a while."""
    async with installed(store_url, config(sim), hands) as watch:
        for turn in range(TURNS):
            for name in sim.servers:
                for _ in range(STEPS):
                    sim.step(name)
            if turn == 2:
                sim.worklayer.fault(status=401, times=None)
            if turn == 3:
                sim.worklayer.clear_faults()
            for name in watch.services.sources:
                await watch.scan(name)
            await watch.services.consumer.watch.look()
            await watch.services.consumer.ringer.ring()
            hands.pass_(days=2, hours=5)
        return await watch.news()


async def test_every_event_of_a_busy_life_fits_its_schema(redis: Redis, store_url: str) -> None:
    """Of every provider and every family; each documented type by its own definition."""
    hands = Hands()
    async with Simulator(seed=23, now=hands.now, population=20) as sim:
        events = await life(sim, hands, store_url)
    shapes = jsonschema.Draft202012Validator(events_schema(vocabularies()))
    document = asyncapi_document(vocabularies(), __version__)
    known = {one.name for one in catalogue(vocabularies())}
    kinds = Counter[str]()
    complaints = []
    for event in events:
        kinds[event["type"]] += 1
        name = event["type"] if event["type"] in known else "undocumented_state"
        payload = {**document["components"]["messages"][name]["payload"], "components": document["components"]}
        # The schema of all events tries one type after the other, which takes time: some events of each type do.
        for validator in (jsonschema.Draft7Validator(payload), shapes)[: 2 if kinds[event["type"]] <= 3 else 1]:
            complaints += [f"{event['type']}: {error.message[:300]}" for error in validator.iter_errors(event)]

    assert complaints == []
    assert len(events) > 100
    assert {event["type"].partition(".")[0] for event in events} == {*sim.servers, "jobwire"}
    assert len(set(kinds) & known) > 25
