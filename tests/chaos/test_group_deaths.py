"""A worker dies at any command while it relays or tells a group: conditions count once, and everybody hears of them."""

from __future__ import annotations

from contextlib import suppress

import pytest
from redis.asyncio import Redis

from monitor.conditions.condition import Condition
from monitor.grouping.message import Reason
from monitor.targets.base import Message
from tests.chaos.dying import Death, Died
from tests.integration.pipeline.room import Room, room

ROUTES = "routes: [{to: [chat], group_wait: 0s, group_interval: 60s}]"
COMMANDS = 30
"""More than one round of relay and delivery takes: the walk ends where nobody has to die any more."""


async def condition(here: Room) -> Condition:
    """The one condition that there is."""
    (ledger,) = (await here.services.store.conditions.all()).values()
    (one,) = ledger.conditions.values()
    return one


@pytest.mark.parametrize("answered", [False, True])
async def test_a_worker_that_dies_at_any_command_loses_no_condition_and_doubles_none(
    redis: Redis, store_url: str, answered: bool
) -> None:
    """Failed twice and over: two revisions and an end, told as such; twice only where the word of it was lost."""
    for at in range(1, COMMANDS):
        await redis.flushall()
        death, heard = Death(at, answered=answered), list[Message]()
        async with room(store_url, ROUTES) as well:
            await well.tell("failed")
            await well.tell("failed")
            with suppress(Died):
                async with room(store_url, ROUTES, hands=well.hands, door=death) as dying:
                    heard = dying.heard["chat"].heard
                    await dying.turn()
            before = [one.group.reason for one in heard if one.group]
            await well.wait(seconds=40)
            await well.turn()
            assert (await condition(well)).revision == 2, at
            assert [*before, *well.reasons()] in ([Reason.FIRST], [Reason.FIRST, Reason.FIRST]), at
            await well.tell("queued")
            await well.pass_(minutes=2)
            assert ((await condition(well)).revision, (await condition(well)).ended) == (3, True), at
            assert well.reasons()[-1] is Reason.ALL_RESOLVED, at
            assert {one.status for one in await well.deliveries()} <= {"delivered", "suppressed"}, at
        if not death.happened:
            return
    pytest.fail(f"a round takes more than {COMMANDS} commands")
