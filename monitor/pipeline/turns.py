"""A group's turn: look at what stands in it, say what is to be said in one message, and note what the target knows.

What is decided here is decided anew at each turn from what the store holds, so a worker may die at any moment: the
next turn finds what was not told. The book is written by the same step that records the attempt.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import msgspec

from monitor.events import decode
from monitor.grouping.plan import Plan, plan
from monitor.pipeline.attempt import Attempts, Made
from monitor.pipeline.groupview import GroupView, standing_in
from monitor.pipeline.hushing import Hushing, explaining_keys
from monitor.pipeline.speaking import Speech, needless, speak
from monitor.pipeline.target import TargetRuntime
from monitor.routing import Router
from monitor.silences import Silences
from monitor.store.conditions import Conditions
from monitor.store.groups import ESCALATED, HELD, Groups, StoredGroup, Turn
from monitor.store.lanes import ClaimedLane, Settled
from monitor.store.silences import SilenceStore

GIVEN_UP = timedelta(hours=4)
"""So long after its message was given up a group that is open is told again."""


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
        now = self.clock()
        stored = await self.groups.load(lane.target, lane.lane)
        view = await self._view(runtime, lane, stored, now)
        found = plan(stored.book, view.standing, view.arrivals, view.stance, view.hush, now)
        gone = view.gone(found)
        turn = Turn(stored.dirty, found.unsent, gone=gone, full=lane.more)
        if found.reason is None:
            made = Made(Settled(lane, "quiet", 0.0, ()))
            return _with(made, {**found.drop, **needless(view, None)}, view.timed(turn, found.next_at, found.unsent))
        speech = speak(found, found.reason, view)
        made = await self.attempts.make(runtime, replace(lane, waiting=speech.waiting), speech.message)
        turn = replace(turn, reason=str(found.reason), record=speech.record)
        memory = dict(made.remember) if made.remember is not None else stored.book.memory
        drop = {**found.drop, **needless(view, speech)}
        return _with(made, drop, self._after(made, found, speech, memory, turn, view))

    def _after(
        self, made: Made, found: Plan, speech: Speech, memory: dict[str, Any], turn: Turn, view: GroupView
    ) -> Turn:
        """What became of the group after an attempt."""
        if made.settled.verdict == "delivered":
            book = msgspec.structs.replace(found.sent, memory=memory)
            return view.timed(replace(turn, book=book, flushed_ms=view.now_ms), found.next_at, book)
        again = made.settled.verdict == "retry"
        book = msgspec.structs.replace(
            found.unsent,
            memory=memory,
            tries=found.unsent.tries + 1 if again and speech.alone else 0,
            tried_at=(found.unsent.tried_at or view.now) if again else None,
            owed=speech.owed if again else "",
        )
        later = view.now + GIVEN_UP if view.standing else None
        kept = replace(turn, book=book, gone=view.gone_unsent(turn, found))
        return view.timed(kept, later, book)

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


def _with(made: Made, drop: Mapping[str, str], turn: Turn) -> Made:
    return replace(made, settled=replace(made.settled, quiet=drop, turn=turn))


def takes_turns(runtime: TargetRuntime, lane: ClaimedLane) -> bool:
    """Whether a claimed lane is a group's."""
    return runtime.target.grouped or lane.lane.startswith((ESCALATED, HELD))
