"""A group's turn: look at what stands in it, say what is to be said in one message, and note what the target knows.

What is decided here is decided anew at each turn from what the store holds, so a worker may die at any moment: the
next turn finds what was not told. The book is written by the same step that records the attempt.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from monitor.events import decode
from monitor.grouping.plan import plan
from monitor.pipeline.attempt import Attempts, Made
from monitor.pipeline.groupview import GroupView, standing_in
from monitor.pipeline.hushing import Hushing, explaining_keys
from monitor.pipeline.looked import Looked
from monitor.pipeline.speaking import speak
from monitor.pipeline.target import TargetRuntime
from monitor.routing import Router
from monitor.silences import Silences
from monitor.store.conditions import Conditions
from monitor.store.groups import ESCALATED, HELD, Groups, StoredGroup
from monitor.store.lanes import ClaimedLane
from monitor.store.silences import SilenceStore


@dataclass(frozen=True, slots=True)
class Turns:
    """Takes turns of groups; `clock` is the store's, with zone."""

    attempts: Attempts
    groups: Groups
    conditions: Conditions
    silences: SilenceStore
    router: Router
    clock: Callable[[], datetime]

    async def take(self, runtime: TargetRuntime, lane: ClaimedLane) -> Made:
        """One turn of a claimed group: a message that was sent or not, or nothing to say; what to record."""
        looked = await self.look(runtime, lane)
        speech = looked.speech
        if speech is None:
            return Made(looked.quiet())
        made = await self.attempts.make(runtime, replace(lane, waiting=speech.waiting), speech.message)
        tried = bool(made.settled.attempts)
        turn = looked.after(speech, made.settled.verdict, made.remember, tried=tried, perhaps=made.perhaps)
        return replace(made, settled=replace(made.settled, quiet=looked.drop, turn=turn))

    async def look(self, runtime: TargetRuntime, lane: ClaimedLane) -> Looked:
        """A claimed group in, what it has to say now out; nothing is sent."""
        now = self.clock()
        stored = await self.groups.load(lane.target, lane.lane)
        view = await self._view(runtime, lane, stored, now)
        found = plan(view.book, view.standing, view.arrivals, view.stance, view.hush, now)
        return Looked(view, found, speak(found, found.reason, view) if found.reason is not None else None)

    async def _view(self, runtime: TargetRuntime, lane: ClaimedLane, stored: StoredGroup, now: datetime) -> GroupView:
        """Everything that is known about a group at its turn."""
        events = [decode(one.body) for one in lane.waiting]
        keys = {key: None for key, _ in stored.members}
        for event in events:
            keys |= dict.fromkeys(explaining_keys(event))
        ledgers = await self.conditions.ledgers(list(keys))
        standing = standing_in(ledgers, stored, lane)
        facts = {condition.id: decode(condition.event_bytes) for condition, _ in standing}
        sources = {key: None for event in facts.values() for key in explaining_keys(event) if key not in ledgers}
        ledgers |= await self.conditions.ledgers(list(sources))
        hushing = Hushing(self.router, Silences(await self.silences.all()), ledgers, now)
        view = GroupView(runtime, lane, now, lane.health.now_ms, self.router, standing, facts, hushing, stored)
        view.arrivals = [view.arrival(one, event) for one, event in zip(lane.waiting, events, strict=True)]
        return view


def takes_turns(runtime: TargetRuntime, lane: ClaimedLane) -> bool:
    """Whether a claimed lane is a group's."""
    return runtime.target.grouped or lane.lane.startswith((ESCALATED, HELD))
