"""At every command that a worker sends to the store something goes wrong; nothing is lost, doubled or invented.

Everything a worker leaves behind goes through the store, so dying between two awaits is dying before a
command or after its effect. The oracle is a run without trouble, which tells what was written down by hand: the same
events under the same ids, all of them arrived in order, and nothing recorded as delivered that was not.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import TypeAlias

import pytest
from redis.asyncio import Redis

from tests.chaos.dying import Death, LostReply, Pause, Trouble
from tests.chaos.jumping import Jump
from tests.chaos.worlds import Story, facts, heal, mutate, recover, work, world
from tests.installation import Hands, installed
from tests.stores import PATIENCE

Making: TypeAlias = Callable[[int], Trouble]

KINDS: dict[str, Making] = {
    "dies before": lambda at: Death(at, answered=False),
    "dies after": lambda at: Death(at, answered=True),
    "command lost": lambda at: LostReply(at, done=False),
    "reply lost": lambda at: LostReply(at, done=True),
}


async def everywhere(story: Story, make: Making, stride: int = 1, begin: int = 1) -> int:
    """One life after the other, in trouble at each command in turn (or every so many); how many there were."""
    expected = await story.undisturbed()
    for number, at in enumerate(itertools.count(begin, stride)):
        trouble = make(at)
        hands = trouble.hands if isinstance(trouble, Jump) else None
        life = await story.live(trouble, hands)
        if not trouble.happened:
            return number
        assert life.told == expected, f"trouble at command {at}"
    raise AssertionError("no life has an end")


@pytest.mark.parametrize("baseline", [False, True], ids=["later", "baseline"])
@pytest.mark.parametrize("kind", KINDS)
async def test_no_trouble_loses_doubles_or_invents_an_event(
    kind: str, baseline: bool, redis: Redis, store_url: str
) -> None:
    """P10, P20, P22, W25: whatever command a worker dies or is cut off at, the same events come out, once, in order."""
    points = await everywhere(Story(redis, store_url, baseline=baseline), KINDS[kind], stride=4, begin=1 + baseline)
    assert points >= 6


@pytest.mark.parametrize("minutes", [-10, 10])
@pytest.mark.parametrize("baseline", [False, True], ids=["later", "baseline"])
async def test_clocks_that_are_wrong_or_jump_change_nothing(
    baseline: bool, minutes: int, redis: Redis, store_url: str
) -> None:
    """P24: ten minutes wrong for a life, with a death in it, or all of a sudden at some command: the same events."""
    right = Story(redis, store_url, baseline=baseline)
    wrong = Story(redis, store_url, baseline=baseline, wrong=minutes)
    expected = await right.undisturbed()
    assert (await wrong.live()).told == expected
    assert await everywhere(right, lambda at: Jump(at, minutes), stride=12, begin=3) >= 3
    for at in range(4, 40, 12):
        assert (await wrong.live(Death(at, answered=True))).told == expected


@pytest.mark.chaos
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("baseline", [False, True], ids=["later", "baseline"])
async def test_a_thousand_troubles(baseline: bool, redis: Redis, store_url: str) -> None:
    """P20: the same at every command and with longer lists: five hundred lives here and five hundred there."""
    points = 0
    jumps: dict[str, Making] = {"jumps on": lambda at: Jump(at, 10), "jumps back": lambda at: Jump(at, -10)}
    for count in (6, 18, 30):
        for make in (KINDS | jumps).values():
            points += await everywhere(Story(redis, store_url, baseline=baseline, count=count), make)
    assert points >= 500


@pytest.mark.parametrize("baseline", [False, True], ids=["later", "baseline"])
async def test_a_worker_paused_at_any_command_changes_nothing(baseline: bool, redis: Redis, store_url: str) -> None:
    """P21, W12: stopped past all its leases while another does the work, it is fenced at whatever it goes on with."""
    assert await paused_everywhere(redis, store_url, baseline=baseline, stride=6) >= 6


@pytest.mark.chaos
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("baseline", [False, True], ids=["later", "baseline"])
async def test_a_worker_paused_at_every_command_changes_nothing(baseline: bool, redis: Redis, store_url: str) -> None:
    """P21: the same at each in turn."""
    assert await paused_everywhere(redis, store_url, baseline=baseline, stride=1) >= 30


async def paused_everywhere(redis: Redis, store_url: str, *, baseline: bool, stride: int) -> int:
    """A worker stopped at every command in turn (or every so many); how many there were."""
    for number, at in enumerate(itertools.count(1, stride)):
        if not await paused(redis, store_url, at, baseline=baseline):
            return number
    raise AssertionError("no life has an end")


async def paused(redis: Redis, store_url: str, at: int, *, baseline: bool) -> bool:
    """One worker is stopped at that command while another finds more news; what is told then must stay so."""
    await redis.flushall()
    async with world(sick=True) as scene:
        right, told = Hands(), []
        if not baseline:
            async with installed(store_url, scene.config, right) as before:
                await work(before, redis)
        mutate(scene.rows)

        async def meanwhile() -> None:
            async with installed(store_url, scene.config, right) as other:
                for name in ("renamed again", "and again"):
                    await heal(redis)
                    scene.rows[2]["name"] = name
                    other.slots += 50
                    await recover(other, redis)
                told.extend(await facts(other))

        trouble = Pause(at, meanwhile)
        async with installed(store_url, scene.config, right, trouble) as stopped:
            stopped.slots = 5
            await work(stopped, redis)
            if told:
                assert await facts(stopped) == told, f"paused at command {at}"
        return trouble.happened


async def test_a_worker_paused_in_its_scan_is_fenced(redis: Redis, store_url: str) -> None:
    """P21: a worker sleeps in its scan while another takes over; what it saw is refused when it wakes."""
    async with world() as scene, installed(store_url, scene.config) as first:
        await work(first, redis)
        mutate(scene.rows)
        scene.gate = asyncio.Event()
        sleeping = asyncio.create_task(first.scan())
        await asyncio.wait_for(scene.asleep.wait(), PATIENCE)
        await redis.delete("jobwire:lease:tax")
        async with installed(store_url, scene.config) as second:
            second.slots = 60
            scene.rows[2]["name"] = "renamed again"
            await work(second, redis)
            told = await facts(second)
            scene.gate.set()
            report = await sleeping

            assert report.reason == "fenced"
            assert await facts(second) == told
