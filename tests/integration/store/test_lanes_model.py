"""Lanes against a small model: whatever is relayed, claimed, lost and settled, in whatever order."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import uuid4

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from redis.asyncio import Redis

from monitor.store.db import Db
from monitor.store.eventlog import FIRST, EventLog
from monitor.store.keys import Keys
from monitor.store.lanes import Assignment, ClaimedLane, Lanes, delivery_id
from monitor.store.retention import Retention
from tests.integration.store.makers import publish, scores, settled

T = TypeVar("T")
TARGETS = ("hook", "chat")
NEVER = 3600.0
LEASE = 600_000


@dataclass(slots=True)
class Lane:
    """A lane as the model knows it: when it is due, and what waits in it."""

    due: int
    queue: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Delivery:
    """A delivery as the model knows it."""

    status: str = "pending"
    attempts: int = 0
    last: tuple[int, bool] | None = None


class LaneMachine(RuleBasedStateMachine):
    """Relay, claim, settle: the store and the model must agree after every step."""

    url = ""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.client = Redis.from_url(self.url)
        self.db = Db(self.client, Keys(f"m{uuid4().hex}"))
        self.lanes = Lanes(self.db, Retention())
        self.log = EventLog(self.db, Retention())
        self.model: dict[tuple[str, str], Lane] = {}
        self.deliveries: dict[str, Delivery] = {}
        self.claims: list[ClaimedLane] = []
        self.relayed: list[Assignment] = []
        self.lapses = 0

    def do(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run one call of the store to its end."""
        return self.loop.run_until_complete(coroutine)

    def teardown(self) -> None:
        """Nothing of this run stays open."""
        self.do(self.client.aclose())
        self.loop.close()

    @initialize()
    def begin(self) -> None:
        """An empty store."""
        assert self.do(self.lanes.next_ms()) is None

    @rule(
        to=st.lists(st.tuples(st.sampled_from(TARGETS), st.sampled_from("abc")), min_size=1, max_size=4),
        wait=st.sampled_from([0.0, 0.0, NEVER]),
    )
    def relay(self, to: list[tuple[str, str]], wait: float) -> None:
        """New events come into lanes; a lane that has work already keeps its time."""
        self.do(publish(self.db, len(to), first=len(self.relayed) + 1))
        cursor = self.do(self.lanes.cursor())
        stored = self.do(self.log.after(cursor, 100))
        new = [
            Assignment(target, lane, wait, one.id, one.place, one.type, "k", "r", "info")
            for one, (target, lane) in zip(stored, to, strict=True)
        ]
        assert self.do(self.lanes.relay(cursor, stored[-1].place, new)) == len(new)
        self.relayed += new
        for one in new:
            id = delivery_id(one.target, one.event)
            self.deliveries[id] = Delivery()
            if (one.target, one.lane) not in self.model:
                due = self.do(scores(self.db, one.target))[one.lane]
                assert abs(due - self.do(self.db.now_ms()) - wait * 1000) < 60_000
                self.model[one.target, one.lane] = Lane(due)
            self.model[one.target, one.lane].queue.append(id)

    @precondition(lambda self: self.relayed)
    @rule(overtaken=st.booleans())
    def relay_again(self, overtaken: bool) -> None:
        """A relay that lost its place, or was overtaken, makes nothing."""
        end = self.do(self.lanes.cursor())
        if overtaken:
            assert self.do(self.lanes.relay(FIRST, end, self.relayed)) == -1
            return
        self.do(self.db.run("DEL", self.db.keys.relay))
        assert self.do(self.lanes.relay(FIRST, end, self.relayed)) == 0

    @rule(
        of=st.sampled_from(TARGETS),
        limit=st.integers(1, 3),
        take=st.sampled_from([1, 2, 100]),
        lapses=st.booleans(),
    )
    def claim(self, of: str, limit: int, take: int, lapses: bool) -> None:
        """What is due comes, longest due first, and is hidden until its lease ends; a lapsed one is due again."""
        self.lapses += 1
        lease = -self.lapses * LEASE if lapses else LEASE
        now = self.do(self.db.now_ms())
        due = sorted(
            (lane.due, name) for (target, name), lane in self.model.items() if target == of and lane.due <= now
        )
        claimed = self.do(self.lanes.claim(of, lease_ms=lease, limit=limit, take=take))
        assert [one.lane for one in claimed] == [name for _, name in due[:limit]]
        for one in claimed:
            lane = self.model[of, one.lane]
            assert [(waiting.id, waiting.attempts) for waiting in one.waiting] == [
                (id, self.deliveries[id].attempts) for id in lane.queue[:take]
            ]
            assert 0 <= int(one.fence) - now - lease < 60_000
            lane.due = int(one.fence)
        self.claims += claimed

    @precondition(lambda self: self.claims)
    @rule(
        which=st.integers(0, 100),
        verdict=st.sampled_from(["delivered", "retry", "failed"]),
        delay=st.sampled_from([0.0, NEVER]),
        again=st.booleans(),
    )
    def settle(self, which: int, verdict: str, delay: float, again: bool) -> None:
        """Ours: freed, put off or ended. Not ours any more: only recorded, and that once."""
        claim = self.claims[which % len(self.claims)]
        if not again:
            self.claims.remove(claim)
        lane = self.model.get((claim.target, claim.lane))
        ours = lane is not None and lane.due == int(claim.fence)
        standing = self.do(self.lanes.settle(claim.target, [settled(claim, verdict, delay)]))
        assert standing.stale == (not ours)
        for waiting in claim.waiting:
            delivery = self.deliveries[waiting.id]
            attempt = (waiting.attempts + 1, verdict == "delivered")
            if not ours and delivery.last == attempt:
                continue
            delivery.attempts, delivery.last = delivery.attempts + 1, attempt
            if verdict == "delivered" or (verdict == "failed" and ours and delivery.status != "delivered"):
                delivery.status = verdict
        if lane is None or not ours:
            return
        if verdict != "retry":
            done = {waiting.id for waiting in claim.waiting}
            lane.queue = [id for id in lane.queue if id not in done]
        if not lane.queue:
            del self.model[claim.target, claim.lane]
            return
        lane.due = self.do(scores(self.db, claim.target))[claim.lane]
        assert abs(lane.due - self.do(self.db.now_ms()) - delay * 1000) < 60_000

    @invariant()
    def the_store_is_the_model(self) -> None:
        """Every lane is due when it should be and holds what it should, in order, and so does the index of targets."""
        for target in TARGETS:
            mine = {name: lane for (of, name), lane in self.model.items() if of == target}
            assert self.do(scores(self.db, target)) == {name: lane.due for name, lane in mine.items()}
            for name in "abc":
                queue = self.do(self.db.run("LRANGE", self.db.keys.of("lane", target, name), 0, -1))
                assert [id.decode() for id in queue] == (mine[name].queue if name in mine else [])
            first = min((lane.due for lane in mine.values()), default=None)
            assert self.do(self.db.run("ZSCORE", self.db.keys.due, target)) == first
        first = min((lane.due for lane in self.model.values()), default=None)
        assert self.do(self.lanes.next_ms()) == first

    @invariant()
    def every_delivery_is_accounted_for(self) -> None:
        """What is pending waits in exactly one lane; what has ended waits in none."""
        waiting = [id for lane in self.model.values() for id in lane.queue]
        assert len(waiting) == len(set(waiting))
        for id, delivery in self.deliveries.items():
            status, n = self.do(self.db.run("HMGET", self.db.keys.delivery(id), "status", "n"))
            assert (status.decode(), int(n)) == (delivery.status, delivery.attempts)
            assert delivery.status != "pending" or id in waiting


def test_lanes_behave_as_the_model_whatever_happens(server_url: str) -> None:
    """Order per lane, claims hidden under lease, lapsed ones back, stale settlements harmless, the due index exact."""
    machine = type("Machine", (LaneMachine,), {"url": server_url})
    run_state_machine_as_test(machine, settings=settings(max_examples=15, stateful_step_count=25, deadline=None))
