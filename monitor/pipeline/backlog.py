"""Catching up with the groups of a channel: claimed part by part, told in one message, settled part by part.

Nothing is taken out of a group's lane before the message has arrived, and what is said is decided anew at each try.
A worker that dies leaves leases behind: what it had not settled is told again, at most in a second catch-up message.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from monitor.errors import Fenced, StoreUnavailable
from monitor.events import decode
from monitor.grouping.backlog import AT_MOST, FOLD_ABOVE, CatchUp, Tally, Why, folds
from monitor.grouping.book import unsure
from monitor.pipeline.attempt import Attempts, Made
from monitor.pipeline.looked import Looked
from monitor.pipeline.speaking import Speech
from monitor.pipeline.target import TargetRuntime
from monitor.pipeline.turns import Turns
from monitor.routing import gravest
from monitor.store.backlog import PART, Backlog, Claimed, Place
from monitor.store.groups import Turn
from monitor.store.lanes import Attempt, ClaimedLane, Lanes, Settled, Waiting
from monitor.store.queued import GATHER_MS
from monitor.targets.base import CatchesUp, Message
from monitor.targets.beside import occurrences

NOT_WORTH, REFUSED = 60.0, 600.0
"""Seconds without a catch-up message after one that would have told too little, and after one that was refused."""

_VERDICTS, _PUT_OFF = ("delivered", "retry", "failed"), "put off"


@dataclass(frozen=True, slots=True)
class _Kept:
    """A group that is told along, without its events: what is recorded of it by what becomes of the message."""

    lane: ClaimedLane
    deliveries: tuple[str, ...]
    drop: Mapping[str, str]
    after: Mapping[str, Turn]
    shown: tuple[str, ...]

    def settled(self, verdict: str, delay: float, attempt: Attempt | None, reason: str, *, perhaps: bool) -> Settled:
        """As it is recorded after the attempt; None: it was put off, nothing was sent."""
        turn = self.after[verdict if attempt else _PUT_OFF]
        if perhaps:
            turn = replace(turn, book=unsure(turn.book, self.shown))
        return Settled(
            lane=self.lane,
            verdict=verdict,
            delay=delay,
            attempts=[(id, attempt) for id in self.deliveries] if attempt else (),
            quiet=self.drop,
            turn=replace(turn, reason=reason),
            along=True,
        )


@dataclass(slots=True)
class _Gathered:
    """What was found: the sum of what is told, and its groups; `held` are the lanes that are claimed, by score.

    `sent`: its message is on its way, or was.
    """

    tally: Tally = field(default_factory=Tally)
    kept: list[_Kept] = field(default_factory=list)
    held: dict[str, str] = field(default_factory=dict)
    first: Waiting | None = None
    tries: int | None = None
    since_ms: int | None = None
    sent: bool = False

    @property
    def claimed(self) -> list[tuple[str, str]]:
        """Every group that was claimed and is not settled."""
        return list(self.held.items())

    @property
    def spare(self) -> list[tuple[str, str]]:
        """Those of them that are told by themselves."""
        kept = {one.lane.lane for one in self.kept}
        return [(lane, score) for lane, score in self.held.items() if lane not in kept]

    def keep(self, one: ClaimedLane, looked: Looked, speech: Speech) -> None:
        """A group that is told along."""
        message, waiting = speech.message, speech.waiting
        assert message.group is not None  # noqa: S101 - the target tells groups
        types = [str(decode(body)["type"]) for body in occurrences(message)]
        self.tally.add(message.group, message.severity or "info", 0 if speech.alone else len(waiting), types)
        self.first = self.first or waiting[0]
        self.tries = min(self.tries if self.tries is not None else waiting[0].attempts, waiting[0].attempts)
        self.since_ms = min(self.since_ms or waiting[0].made_ms, *(each.made_ms for each in waiting))
        after = {verdict: looked.after(speech, verdict) for verdict in _VERDICTS}
        after[_PUT_OFF] = looked.after(speech, "retry", tried=False)
        bare = replace(one, waiting=())
        self.kept.append(_Kept(bare, tuple(each.id for each in waiting), looked.drop, after, looked.found.shown))


@dataclass(frozen=True, slots=True)
class CatchingUp:
    """Tells backlogs; `clock` is the store's, with zone, `at_most` the groups of one message."""

    attempts: Attempts
    turns: Turns
    lanes: Lanes
    backlog: Backlog
    clock: Callable[[], datetime]
    at_most: int = AT_MOST

    async def take(self, runtime: TargetRuntime, lane: ClaimedLane) -> Made:
        """A claimed backlog: one message about its groups, sent or not; what to record of the lane in its stead."""
        gathered = _Gathered()
        try:
            async for part in self._parts(lane, gathered):
                await self._look(runtime, part, gathered)
            if gathered.tally.groups <= FOLD_ABOVE:
                await self.backlog.give_back(lane, gathered.claimed, NOT_WORTH)
                return Made(Settled(lane, "quiet", 0.0, ()))
            return await self._tell(runtime, lane, gathered)
        except Fenced:  # somebody else has it now
            return Made(Settled(lane, "quiet", 0.0, ()))
        except asyncio.CancelledError:
            await asyncio.shield(self.backlog.give_back(lane, gathered.claimed, untold=not gathered.sent))
            raise

    async def _parts(self, lane: ClaimedLane, gathered: _Gathered) -> AsyncIterator[Sequence[Claimed]]:
        """The groups that wait, part by part, while there is room and time."""
        place: Place | None = Place()
        while place is not None and len(gathered.held) < self.at_most:
            part = await self.backlog.gather(lane, place)
            gathered.held |= {one.lane.lane: one.score for one in part.groups}
            yield part.groups
            place = part.next if part.now_ms - lane.health.now_ms < GATHER_MS else None

    async def _look(self, runtime: TargetRuntime, part: Sequence[Claimed], gathered: _Gathered) -> None:
        """Look at some groups: tell them along, or record that they are quiet; the others are told by themselves."""
        looks = await asyncio.gather(*(self.turns.look(runtime, one.lane) for one in part), return_exceptions=True)
        quiet: list[Settled] = []
        for one, looked in zip(part, looks, strict=True):
            if isinstance(looked, Looked):
                if looked.speech is None:
                    quiet.append(looked.quiet())
                elif _folds(runtime, looked.speech):
                    gathered.keep(one.lane, looked, looked.speech)
            elif isinstance(looked, StoreUnavailable) or not isinstance(looked, Exception):
                raise looked
            else:  # one group that cannot be read must not hold up the others: it is told, or fails, by itself
                structlog.get_logger().error("catch_up.group_broken", lane=one.lane.lane, exc_info=looked)
        if quiet:
            await self.lanes.settle(runtime.name, quiet)
            for settled in quiet:
                del gathered.held[settled.lane.lane]

    async def _tell(self, runtime: TargetRuntime, lane: ClaimedLane, gathered: _Gathered) -> Made:
        """Send what was gathered, and record what became of each group."""
        assert gathered.first is not None  # noqa: S101 - there are groups
        assert gathered.since_ms is not None  # noqa: S101
        told = await self._catch_up(runtime, lane, gathered, gathered.since_ms)
        grade = gravest(gathered.tally.grades)
        message = Message(told.id, (), 1, self.clock(), grade, catch_up=told)
        own = replace(gathered.first, id=told.id, attempts=gathered.tries or 0, severity=grade)
        gathered.sent = True
        made = await self.attempts.make(runtime, replace(lane, waiting=(own,)), message)
        await self.backlog.give_back(lane, gathered.spare)
        events, verdict = made.settled.events, made.settled.verdict
        if verdict == "failed" and (made.disable or own.attempts < len(runtime.options.retry)):
            # It is this message that was refused for good, or the target that is stopped: each group stays as it was.
            pause = 0.0 if made.disable else REFUSED
            await self.backlog.give_back(lane, gathered.claimed, pause, untold=not made.perhaps)
            events = [one for one in events if not one.type.endswith(".exhausted")]
        else:
            await self._settle(runtime, gathered.kept, made, told)
        structlog.get_logger().info(
            "catch_up.attempted",
            target=runtime.name,
            catch_up=told.id,
            groups=told.groups,
            events=told.events,
            late=round(told.late),
            why=str(told.why),
            outcome=verdict,
        )
        # The lane is done with: what is still to be told is claimed anew, when its groups are due.
        return replace(made, settled=replace(made.settled, lane=lane, delay=0.0, events=events))

    async def _settle(self, runtime: TargetRuntime, kept: Sequence[_Kept], made: Made, told: CatchUp) -> None:
        """Record with each group what became of the message that told it along, in their order."""
        outcome = made.settled
        attempt = outcome.attempts[0][1] if outcome.attempts else None
        reason = f"catch-up message {told.id} of {told.groups} groups"
        for at in range(0, len(kept), PART):
            settled = [
                one.settled(outcome.verdict, outcome.delay + index / 1000, attempt, reason, perhaps=made.perhaps)
                for index, one in enumerate(kept[at : at + PART], at)
            ]
            standing = await self.lanes.settle(runtime.name, settled)
            if standing.stale:
                structlog.get_logger().warning("delivery.lease_lost", target=runtime.name, lanes=standing.stale)

    async def _catch_up(self, runtime: TargetRuntime, lane: ClaimedLane, gathered: _Gathered, since_ms: int) -> CatchUp:
        """The sum of what was gathered, with how late it is and why."""
        ids = sorted(id for one in gathered.kept for id in one.deliveries)
        mark = hashlib.blake2b("\x1f".join((runtime.name, *ids)).encode(), digest_size=12).hexdigest()
        why, error = Why.UNKNOWN, ""
        trouble = await self.backlog.trouble(runtime.name)
        if trouble is not None and trouble[0] >= since_ms:
            why, error = _why(trouble[1])
        late = max(0.0, (lane.health.now_ms - since_ms) / 1000)
        since = self.clock() - timedelta(seconds=late)
        return gathered.tally.catch_up(f"cat_{mark}", since, late, why, error, await self.backlog.left(lane))


def _folds(runtime: TargetRuntime, speech: Speech) -> bool:
    """Whether what a group says is told along: not what stands in a message of its own, and not what was asked for."""
    group, target = speech.message.group, runtime.target
    if group is None or not folds(group) or any(one.replays for one in speech.waiting):
        return False
    return isinstance(target, CatchesUp) and not target.stands(group)


def _why(attempt: Attempt) -> tuple[Why, str]:
    """The last attempt that failed in; the receiver's rate or an outage out, with what it said."""
    error = attempt.error or ""
    rate = attempt.status == 429 or "(rate)" in error or error.startswith("not sent: the budget")
    return (Why.RATE if rate else Why.OUTAGE), error


def catches_up(runtime: TargetRuntime) -> int:
    """Above how many late groups this target is told of all in one message; 0: it never is."""
    return FOLD_ABOVE if runtime.target.grouped and isinstance(runtime.target, CatchesUp) else 0
