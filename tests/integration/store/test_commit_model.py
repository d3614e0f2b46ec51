"""Commits in any order, late and repeated: whatever was written, everything that is stored still fits together."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Coroutine
from itertools import count
from typing import Any, TypeVar
from uuid import uuid4

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from redis.asyncio import Redis

from monitor.events import decode
from monitor.resources import Document, Resource
from monitor.store.db import Db
from monitor.store.deadlines import Deadlines
from monitor.store.eventlog import FIRST, EventLog
from monitor.store.items import ItemCommit, Items
from monitor.store.keys import Keys
from monitor.store.retention import Retention
from monitor.store.sources import Sources
from tests.integration.store.makers import arms, change, counted, take
from tests.unit.acme import contract, job, post

T = TypeVar("T")
DATES = st.sampled_from([None, "2026-02-04", "2026-03-04"])
CONTRACTS = st.lists(
    st.builds(contract, st.sampled_from(["active", "expired"]), id=st.sampled_from("89"), end_date=DATES),
    max_size=2,
    unique_by=lambda one: one.id,
)
FAMILIES = st.tuples(st.builds(post, st.sampled_from(["open", "filled"])), CONTRACTS).map(lambda one: [one[0], *one[1]])
JOBS = st.builds(job, st.sampled_from(["OPEN", "DONE", None]), amount=st.integers(0, 1)).map(lambda one: [one])


class CommitMachine(RuleBasedStateMachine):
    """Commits are made from what is stored, and written at once, late, or twice."""

    url = ""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.client = Redis.from_url(self.url)
        self.db = Db(self.client, Keys(f"m{uuid4().hex}"))
        self.items = Items(self.db, Retention())
        self.log = EventLog(self.db, Retention())
        self.made: list[tuple[ItemCommit, int]] = []
        self.versions: dict[str, int] = defaultdict(int)
        self.raws = count()

    def do(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run one call of the store to its end."""
        return self.loop.run_until_complete(coroutine)

    def teardown(self) -> None:
        """Nothing of this run stays open."""
        self.do(self.client.aclose())
        self.loop.close()

    @rule(shown=FAMILIES | JOBS, late=st.booleans())
    def see(self, shown: list[Resource], late: bool) -> None:
        """A provider shows an item; what it left out of a family is as it was."""
        id = shown[0].id
        self.write(self.do(change(self.items, id, str(next(self.raws)), *shown)), late=late)

    @precondition(lambda self: self.versions)
    @rule(which=st.sampled_from("71"), late=st.booleans())
    def remove(self, which: str, late: bool) -> None:
        """An item that is there is removed."""
        if self.do(self.items.stored("shop", [which])) != [None]:
            self.write(self.do(change(self.items, which, None)), late=late)

    @precondition(lambda self: self.made)
    @rule(which=st.integers(0, 100))
    def write_again(self, which: int) -> None:
        """A commit that waited, or was written before: a conflict as soon as the item is another one."""
        commit, version = self.made[which % len(self.made)]
        fits = version == self.versions[commit.id]
        if not fits and not commit.expected:
            return  # the item may have come and gone since: only the lease keeps such a commit out
        assert self.do(take(self.items, commit)) == ([] if fits else [commit.id])
        self.versions[commit.id] += fits

    def write(self, commit: ItemCommit, *, late: bool) -> None:
        """Write a commit now, or keep it for later."""
        self.made.append((commit, self.versions[commit.id]))
        if not late:
            assert self.do(take(self.items, commit)) == []
            self.versions[commit.id] += 1

    async def documents(self) -> dict[str, Document]:
        """Everything known."""
        return {id: document async for id, document in self.items.all_documents("shop")}

    @invariant()
    def counts_and_indexes_fit_the_documents(self) -> None:
        """Counts by state, what is there, what is gone, and exactly the deadlines that live."""
        documents = self.do(self.documents())
        assert self.do(Sources(self.db, Retention()).counts("shop")) == self.do(counted(self.items))
        gone = {id for id, one in documents.items() if all(known.gone for known in one.known.values())}
        stored = self.do(self.items.stored("shop", sorted(documents)))
        assert {id for id, value in zip(sorted(documents), stored, strict=True) if value is None} == gone
        removed = self.do(self.db.run("ZRANGE", self.db.keys.gone("shop"), 0, -1))
        assert {id.decode() for id in removed} == gone
        armed = {(one.member) for one in self.do(Deadlines(self.db).due(2**50, 100))}
        assert armed == {member for id, one in documents.items() for _, member in arms(id, one)}

    @invariant()
    def every_event_is_there_once_and_in_order(self) -> None:
        """Per resource: sequences without a gap, revisions that rise, each state from where the last one led."""
        events = [decode(stored.body) for stored in self.do(self.log.after(FIRST, 1000))]
        assert len({event["id"] for event in events}) == len(events)
        documents = self.do(self.documents())
        for id, document in documents.items():
            for ref, known in document.known.items():
                mine = [event for event in events if event["subject"] == ref]
                assert [int(event["sequence"]) for event in mine] == list(range(1, known.sequence + 1)), id
                revisions = [event["data"]["revision"] for event in mine]
                assert revisions == sorted(set(revisions))
                assert revisions[-1:] <= [known.revision]


def test_everything_stored_fits_together_whatever_is_committed(server_url: str) -> None:
    """Counts, indexes, deadlines and the log, after each of many commits."""
    machine = type("Machine", (CommitMachine,), {"url": server_url})
    run_state_machine_as_test(machine, settings=settings(max_examples=15, stateful_step_count=25, deadline=None))
