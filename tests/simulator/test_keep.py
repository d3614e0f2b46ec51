from __future__ import annotations

import json
from typing import Any

import pytest

from monitor.simulator import Simulator
from monitor.simulator.keep import dump, restore
from tests.simulator.calls import Clock


@pytest.mark.parametrize("steps", [0, 1, 7, 150])
def test_a_restored_world_goes_on_as_the_first_would_have(steps: int) -> None:
    """After any number of changes, what was kept as JSON lives the same 200 changes and ends in the same state."""
    first = Simulator(seed=4, now=Clock(), candidates=True)
    for _ in range(steps):
        first.step()
    second = Simulator(seed=4, now=Clock(), candidates=True)
    restore(second, json.loads(json.dumps(dump(first))))
    assert dump(second) == dump(first)
    assert [second.step() for _ in range(200)] == [first.step() for _ in range(200)]
    assert dump(second) == dump(first)


def test_what_was_done_by_hand_is_kept() -> None:
    """Documents that were put, patched or removed from outside come back as they were left."""
    first = Simulator(seed=1, now=Clock())
    job, gone = list(first.worklayer.items)[:2]
    first.worklayer.patch(job, {"status": "CLOSED", "made_up": {"deep": [1, None]}})
    first.worklayer.remove(gone)

    second = Simulator(seed=1, now=Clock())
    restore(second, json.loads(json.dumps(dump(first))))

    assert second.worklayer.items == first.worklayer.items
    assert second.driver_jobs.items == first.driver_jobs.items


def test_a_restored_life_keeps_its_listener_and_its_own_rate() -> None:
    """Who listens and how fast it lives is for the one who starts it, not for the one who kept it."""
    heard: list[Any] = []
    second = Simulator(seed=1, now=Clock(), rate=0.5)
    second.life.on_change = heard.append
    restore(second, dump(Simulator(seed=1, now=Clock(), rate=9)))
    second.step()
    assert second.life.rate == 0.5
    assert len(heard) == 1


@pytest.mark.parametrize(
    "spoil",
    [
        lambda kept: kept | {"version": 0},
        lambda kept: kept | {"servers": {}},
        lambda kept: kept | {"life": None},
        lambda kept: kept | {"servers": kept["servers"] | {"devrev": {"items": [{}], "dice": {}}}},
        lambda _: {},
    ],
)
def test_something_else_is_refused(spoil: Any) -> None:
    """What was not kept by this version of the simulator is a ValueError, not half a world."""
    sim = Simulator(seed=1, now=Clock())
    with pytest.raises(ValueError, match="kept world"):
        restore(sim, spoil(dump(sim)))
