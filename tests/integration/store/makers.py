"""What the store is given in these tests: commits of the made-up provider, events, deliveries, and a look at it all."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from monitor.deadlines import next_due, rules_of
from monitor.events import Event, monitor_event
from monitor.moments import stamp, to_millis
from monitor.resources import Document, Resource
from monitor.rules import Judgement, judge_removal
from monitor.store.db import Db
from monitor.store.deadlines import Armed
from monitor.store.eventlog import EventLog
from monitor.store.groups import Entry
from monitor.store.items import ItemCommit, Items
from monitor.store.lanes import Assignment, Attempt, ClaimedLane, Lanes, Settled
from monitor.store.retention import Retention
from monitor.store.sources import Sources
from tests.unit.acme import NOW, VOCABULARY, clockwork, look, setting

NOW_MS = to_millis(NOW)
HOOK = [("hook", "a")]


def digest(text: str) -> bytes:
    """16 bytes that stand for an item's raw bytes."""
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def arms(id: str, document: Document) -> list[tuple[int, str]]:
    """When each deadline of a document is due next, and its member."""
    found = []
    for ref, one in document.known.items():
        for rule in rules_of(one, VOCABULARY.kinds[one.resource.kind]):
            due = next_due(one, rule, clockwork())
            if due is not None:
                found.append((to_millis(due), Armed("shop", id, ref, rule.type).member))
    return found


def commit_of(
    id: str, raw: str | None, before: Document | None, judgement: Judgement, expected: bytes = b""
) -> ItemCommit:
    """An item whose raw bytes are now `raw` (None: removed), judged as it was."""
    armed = arms(id, judgement.document)
    old = arms(id, before) if before else []
    return ItemCommit(
        id=id,
        expected=expected,
        digest=None if raw is None else digest(raw),
        before=before,
        after=judgement.document,
        revisions=judgement.revisions,
        disarm=[member for _, member in old if member not in {name for _, name in armed}],
        arm=armed,
    )


def created(id: str, *resources: Resource, raw: str = "1") -> ItemCommit:
    """An item that nobody knew."""
    return commit_of(id, raw, None, look(None, *resources))


async def change(items: Items, id: str, raw: str | None, *resources: Resource, at: datetime = NOW) -> ItemCommit:
    """The commit of an item as it is stored now and as a provider shows it now; no resources: it is removed."""
    (stored,), (document,) = await items.stored("shop", [id]), await items.documents("shop", [id])
    if resources:
        return commit_of(id, raw, document, look(document, *resources, at=setting(at)), stored or b"")
    assert document is not None
    roots = [ref for ref, one in document.known.items() if one.resource.parent is None]
    return commit_of(id, None, document, judge_removal(document, roots, setting(at)), stored or b"")


async def take(items: Items, *commits: ItemCommit, fence: str = "") -> list[str]:
    """Commit without a lease; the ids in conflict."""
    return await items.commit("shop", commits, fence=fence, now_ms=NOW_MS)


def news(number: int, what: str = "failing") -> Event:
    """An event about the source, one of many."""
    return monitor_event("source", "shop", what, count=number, time=stamp(NOW), details={"n": number}, provider="acme")


async def publish(db: Db, count: int, first: int = 1) -> list[str]:
    """Put events into the log; their ids."""
    events = [news(number) for number in range(first, first + count)]
    sources = Sources(db, Retention())
    for event in events:
        await sources.tell_once("shop", event.id, event)
    return [event.id for event in events]


async def relay(
    lanes: Lanes, log: EventLog, to: Sequence[tuple[str, str]], *, wait: float = 0.0, interval: float = 0.0
) -> int:
    """Relay all that is new: the n-th event goes to the n-th target and lane of `to`, again from its beginning."""
    cursor = await lanes.cursor()
    stored = await log.after(cursor, 1000)
    assignments = [
        Assignment(
            target=to[number % len(to)][0],
            lane=to[number % len(to)][1],
            wait=wait,
            grouped=interval > 0,
            event=one.id,
            place=one.place,
            type=one.type,
            key="source/shop",
            route="routes[0]",
            severity="info",
        )
        for number, one in enumerate(stored)
    ]
    groups = [Entry(one.target, one.lane, wait, interval) for one in assignments if one.grouped]
    return await lanes.relay(cursor, stored[-1].place if stored else cursor, assignments, groups)


def settled(lane: ClaimedLane, verdict: str = "delivered", delay: float = 0.0, *events: Event) -> Settled:
    """What became of a claimed lane: one attempt at each of its deliveries."""
    status = 200 if verdict == "delivered" else 500
    attempts = [(one.id, attempt(one.attempts + 1, status)) for one in lane.waiting]
    return Settled(lane, verdict, delay, attempts, events)


def attempt(n: int, status: int = 200) -> Attempt:
    """The n-th attempt, with that status."""
    return Attempt(n=n, at=stamp(NOW), status=status, ms=12, error=None, response="ok", address="203.0.113.7")


async def counted(items: Items) -> dict[str, dict[str, int]]:
    """How many resources there are by kind and state, counted one by one in the documents."""
    found: dict[str, dict[str, int]] = {}
    async for _, document in items.all_documents("shop"):
        for one in document.known.values():
            if not one.gone:
                states = found.setdefault(one.resource.kind, {})
                state = one.resource.state or "-"
                states[state] = states.get(state, 0) + 1
    return found


async def everything(db: Db) -> dict[bytes, bytes]:
    """Every key of the store with its dumped value: equal exactly when nothing was written."""
    return {key: await db.run("DUMP", key) for key in sorted(await db.run("KEYS", "*"))}


async def scores(db: Db, target: str = "hook") -> dict[str, int]:
    """When each lane of a target is due."""
    pairs = await db.run("ZRANGE", db.keys.lanes(target), 0, -1, "WITHSCORES")
    return {lane.decode(): int(score) for lane, score in zip(pairs[::2], pairs[1::2], strict=True)}
