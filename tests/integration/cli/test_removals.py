"""`jobwire removals`: what is held, and an operator's word on it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from monitor.simulator import Simulator
from tests.installation import Hands, Installation, installed
from tests.integration.cli.commands import Jobwire

FIELDS = ["key", "source", "kind", "id", "title", "state", "missed", "last_seen"]


@pytest.fixture
async def held(shared: Jobwire, sim: Simulator) -> AsyncIterator[tuple[Installation, list[str]]]:
    """A source of which all but one item are gone since its last scan, and the ids of those."""
    hands = Hands(datetime.now(UTC))
    async with installed(shared.environ["JOBWIRE_STORE_URL"], shared.config.read_text(), hands) as one:
        await one.scan("drivers")
        gone = [str(id) for id in list(sim.driver_jobs.items)[1:]]
        for id in gone:
            sim.driver_jobs.remove(id)
        hands.pass_(seconds=30)
        await one.scan("drivers")
        await one.news()
        yield one, gone


async def test_held_removals_are_listed_with_titles_and_since_when(
    held: tuple[Installation, list[str]], shared: Jobwire
) -> None:
    """By item, in JSON and for people; `sources` counts them."""
    _, gone = held
    listed, people, sources, table = [
        await shared(*words)
        for words in (
            ("removals", "list", "drivers", "--json"),
            ("removals", "list", "drivers"),
            ("sources", "--json"),
            ("sources",),
        )
    ]

    assert all(list(one) == FIELDS for one in listed.json)
    assert sorted(one["id"] for one in listed.json) == sorted(gone)
    assert {(one["kind"], one["missed"]) for one in listed.json} == {("job_driver", 1)}
    assert all(one["title"] and one["last_seen"].endswith("Z") for one in listed.json)
    assert people.lines[0].split() == ["KEY", "STATE", "TITLE", "LAST", "SEEN", "SCANS", "MISSED"]
    assert f"drivers/job_driver/{gone[0]} " in people.out
    assert people.lines[-1].startswith(f"{len(gone)} removals held; tell them with jobwire removals release drivers")
    found = {one["name"]: one for one in sources.json}
    assert (found["drivers"]["held"], "held" in found["tax"]) == (len(gone), False)
    assert f"({len(gone)} missing, held)" in table.out


@pytest.mark.parametrize(("decision", "told"), [("release", "driver_jobs.job_driver.removed"), ("discard", "")])
async def test_a_decision_counts_from_the_next_complete_scan(
    decision: str, told: str, held: tuple[Installation, list[str]], shared: Jobwire
) -> None:
    """Release tells each removal, discard none; afterwards nothing is held."""
    running, gone = held
    done = await shared("removals", decision, "drivers")
    waiting = await shared("removals", "list", "drivers")
    for _ in range(2):
        running.hands.pass_(seconds=30)
        await running.scan("drivers")
    events = await running.told()
    after = await shared("removals", "list", "drivers")
    again = await shared("removals", decision, "drivers")

    assert done.code == 0
    assert done.out.startswith(f"drivers: {len(gone)} removals to {decision}: the next complete scan ")
    assert "the next complete scan " in waiting.lines[-1]
    assert events == ([told] * len(gone) if told else [])
    assert after.lines == ["drivers: no removal is held"]
    assert (again.code, "nothing was done" in again.err) == (1, True)
    assert await running.services.store.items.size("drivers") == 1


async def test_an_unknown_source_is_bad_usage(shared: Jobwire) -> None:
    """With the names there are."""
    unknown = await shared("removals", "list", "driver")
    assert (unknown.code, "did you mean drivers?" in unknown.err) == (2, True)
