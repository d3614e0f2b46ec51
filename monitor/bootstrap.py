"""From settings to a working installation: the only place that constructs. Tests wire as production does."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from monitor import __version__
from monitor.callers import Sharing, open_callers
from monitor.clock import Clock
from monitor.egress import Egress
from monitor.http import Sender, source_session, target_session
from monitor.http.paced import PacedSender
from monitor.pipeline.allowance import Allowance
from monitor.pipeline.attempt import Attempts
from monitor.pipeline.attention import Attention
from monitor.pipeline.backlog import CatchingUp
from monitor.pipeline.caretaker import Caretaker
from monitor.pipeline.consumer import Consumer
from monitor.pipeline.deliver import Deliverer
from monitor.pipeline.digest_content import DigestContent
from monitor.pipeline.digesting import Digesting
from monitor.pipeline.relay import Relay
from monitor.pipeline.ring import Ringer
from monitor.pipeline.rotation import Rotation
from monitor.pipeline.scan import Scanner
from monitor.pipeline.source import Source, assemble
from monitor.pipeline.standing import StandingBySources
from monitor.pipeline.target import TargetRuntime
from monitor.pipeline.timetable import Timetable
from monitor.pipeline.traces import Traces
from monitor.pipeline.turns import Turns
from monitor.pipeline.watch import Watch
from monitor.providers import PROVIDERS
from monitor.routing import Router
from monitor.settings import Settings
from monitor.settings.tree import routes_of
from monitor.status import Replaying
from monitor.store.backlog import Backlog
from monitor.store.clock import SharedClock
from monitor.store.conditions import Conditions
from monitor.store.connect import connect
from monitor.store.db import Db
from monitor.store.deadlines import Deadlines
from monitor.store.digests import Digests
from monitor.store.eventlog import EventLog
from monitor.store.fleet import Fleet
from monitor.store.groups import Groups
from monitor.store.items import Items
from monitor.store.lanes import Lanes
from monitor.store.minutes import Minutes
from monitor.store.once import Once
from monitor.store.pages import Pages
from monitor.store.reading import Reading
from monitor.store.replay import Replays
from monitor.store.retention import Retention
from monitor.store.secrets import Secrets
from monitor.store.silences import SilenceStore
from monitor.store.sources import Sources
from monitor.store.spending import Spending
from monitor.store.switch import Switch
from monitor.store.totals import Totals
from monitor.store.upkeep import Upkeep
from monitor.store.vault import Vault, key_bytes
from monitor.targets import TARGETS
from monitor.telemetry import Exporter, open_exporter

Door: TypeAlias = Callable[[str, str], Awaitable[Db]]


@dataclass(frozen=True, slots=True)
class Store:
    """The store's structures over one pool of connections."""

    db: Db
    items: Items
    sources: Sources
    deadlines: Deadlines
    log: EventLog
    lanes: Lanes
    upkeep: Upkeep
    reading: Reading
    switch: Switch
    conditions: Conditions
    groups: Groups
    silences: SilenceStore
    digests: Digests
    replays: Replays
    once: Once
    totals: Totals
    minutes: Minutes
    fleet: Fleet


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a worker or a command works with."""

    settings: Settings
    store: Store
    sources: Mapping[str, Source]
    targets: Mapping[str, TargetRuntime]
    scanner: Scanner
    timetable: Timetable
    rotation: Rotation
    attention: Attention
    consumer: Consumer
    clock: SharedClock
    stopping: asyncio.Event
    exporter: Exporter | None = None


def store_of(db: Db, retention: Retention | None = None) -> Store:
    """The structures of one installation on an open store."""
    keep = retention or Retention()
    log, lanes = EventLog(db, keep), Lanes(db, keep)
    return Store(
        db=db,
        items=Items(db, keep),
        sources=Sources(db, keep),
        deadlines=Deadlines(db),
        log=log,
        lanes=lanes,
        upkeep=Upkeep(db, log, lanes, keep),
        reading=Reading(db),
        switch=Switch(db),
        conditions=Conditions(db),
        groups=Groups(db),
        silences=SilenceStore(db),
        digests=Digests(db, keep),
        replays=Replays(db),
        once=Once(db),
        totals=Totals(db),
        minutes=Minutes(db),
        fleet=Fleet(db),
    )


def replaying(running: Services) -> Replaying:
    """A wired installation in, what sends again in it out."""
    grouped = {name for name, one in running.targets.items() if one.target.grouped}
    return Replaying(running.store.reading, running.store.replays, list(running.settings.targets), grouped)


@asynccontextmanager
async def services(
    settings: Settings, store_url: str, clock: Clock | None = None, door: Door = connect
) -> AsyncIterator[Services]:
    """Settings and the URL of a running store in, everything wired out; all connections end with the block.

    Scans and deadlines go by the store's clock, so that workers whose own clocks differ agree; a `clock`
    that is given counts for everything. `door` opens the store; tests hand in one that loses replies.
    """
    host = clock or Clock()
    async with AsyncExitStack() as stack:
        db = await door(store_url, settings.store.prefix)
        stack.push_async_callback(db.close)
        store = store_of(db, Retention(events_ms=round(settings.store.retention * 1000)))
        shared = SharedClock(db, host.now)
        if clock is None:
            await shared.sync()
        worker = owner_name()
        sources = await open_sources(settings, host, stack, Sharing(db, worker, settings.store.key))
        targets = await open_targets(settings, host, stack, Spending(db))
        exporter = open_exporter(settings.telemetry.otlp, settings.telemetry.given, settings.store.prefix, worker)
        if exporter is not None:
            stack.push_async_callback(asyncio.to_thread, exporter.close)
        wired = _wire(settings, store, sources, targets, host, shared, worker=worker, exporter=exporter)
        await wired.rotation.look()
        yield wired


def _wire(
    settings: Settings,
    store: Store,
    sources: Mapping[str, Source],
    targets: Mapping[str, TargetRuntime],
    host: Clock,
    shared: SharedClock,
    *,
    worker: str,
    exporter: Exporter | None,
) -> Services:
    stopping = asyncio.Event()
    router = router_of(settings)
    standing = StandingBySources(sources)
    traces = Traces(exporter)
    relay = Relay(
        store.log, store.lanes, router, targets, store.conditions, store.silences, standing, shared.now, traces
    )
    attempts = Attempts(host.now, host.random, traces=traces)
    turns = Turns(attempts, store.groups, store.conditions, store.silences, router, shared.now)
    catching_up = CatchingUp(attempts, turns, store.lanes, Backlog(store.db), shared.now)
    deliverer = Deliverer(store.lanes, attempts, turns, catching_up, host.now, stopping)
    ringer = Ringer(store.items, store.deadlines, sources, shared.now)
    watch = Watch(store.sources, sources, shared.now)
    caretaker = Caretaker(
        store.conditions,
        store.groups,
        store.silences,
        store.items,
        store.sources,
        store.reading,
        sources,
        frozenset(targets),
        standing,
        shared.now,
    )
    rotation = rotation_of(settings, store.db, targets, shared.now)
    content = DigestContent(store.items, store.deadlines, store.log, store.reading, store.conditions, sources, router)
    digesting = Digesting(store.db, store.digests, content, targets, shared.now)
    return Services(
        settings=settings,
        store=store,
        sources=sources,
        targets=targets,
        scanner=Scanner(store.items, store.sources, Pages(store.db), worker, shared.now, traces=traces),
        timetable=Timetable(store.sources, sources),
        rotation=rotation,
        consumer=Consumer(
            store.db, store.log, store.lanes, relay, deliverer, ringer, watch, caretaker, rotation, digesting, stopping
        ),
        attention=Attention(store.conditions, store.silences, shared.now),
        clock=shared,
        stopping=stopping,
        exporter=exporter,
    )


async def open_sources(
    settings: Settings, clock: Clock, stack: AsyncExitStack, sharing: Sharing | None = None
) -> dict[str, Source]:
    """The sources of the settings, ready to be scanned; their connections end with the stack.

    With `sharing` they spend from the budgets and use the tokens that all workers share.
    """
    session = await stack.enter_async_context(source_session(f"jobwire/{__version__}"))
    ladders = {type_: one.timing for type_, one in settings.deadlines.items()}
    stuck = [one.rule for one in settings.stuck]
    providers = {
        name: (setting, PROVIDERS[setting.provider].build(name, setting.options))
        for name, setting in settings.sources.items()
    }
    callers = open_callers(providers, session, clock, stack, sharing)
    return {
        name: assemble(name, setting.options, provider, callers[name], ladders, stuck)
        for name, (setting, provider) in providers.items()
    }


async def open_targets(
    settings: Settings, clock: Clock, stack: AsyncExitStack, spending: Spending | None = None
) -> dict[str, TargetRuntime]:
    """The targets of the settings, ready to be sent to; their connections end with the stack.

    With `spending` they keep what receivers allow together with everybody else who sends to them.
    """
    egress = Egress(settings.egress.allow)
    built = {}
    for name, setting in settings.targets.items():
        options = setting.options
        session = await stack.enter_async_context(target_session(egress, options.concurrency))
        target = TARGETS[setting.type].build(name, options)
        if spending is None:
            sender = Sender(session, options.timeout, clock=clock)
        else:
            sender = PacedSender(session, options.timeout, clock, spending)
        built[name] = TargetRuntime(name, options, target, sender, Allowance(options.rate, clock.monotonic))
    return built


def rotation_of(
    settings: Settings, db: Db, targets: Mapping[str, TargetRuntime], now: Callable[[], datetime]
) -> Rotation:
    """What rotates the secrets of these targets; without `store.key` it refuses to."""
    key = settings.store.key
    return Rotation(Secrets(db, Vault(key_bytes(key.get_secret_value())) if key else None), targets, now)


def router_of(settings: Settings) -> Router:
    """The routes of a config in, the router out."""
    return Router(routes_of(settings))


def owner_name() -> str:
    """A name for this process that no other has: in leases and logs."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
