"""Questions answered from the store, with those that change something, or that try something out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import msgspec

from monitor.answers.preview import digest_of, preview_given, preview_stored
from monitor.answers.routetree import route_tree
from monitor.answers.routing import decided, decisions_view, sample_event
from monitor.answers.scanning import scan_dry, scan_now
from monitor.answers.trying import try_target
from monitor.bootstrap import open_targets, replaying, rotation_of
from monitor.cli import session
from monitor.cli.desk.asked import (
    DIGEST,
    Attention,
    Decision,
    EventGiven,
    Line,
    ReplayWanted,
    SampleWanted,
    SilenceWanted,
    Tried,
)
from monitor.cli.desk.stored import Asked, lines
from monitor.clock import Clock
from monitor.errors import UsageError
from monitor.moments import to_millis
from monitor.pipeline.target import TargetRuntime
from monitor.routing import type_glob
from monitor.silences import parse_matcher
from monitor.status import Choice, condition_view, decide_removals, silence_view
from monitor.status.replay import done, within_reach
from monitor.store.connect import connect
from monitor.targets.signature import Kind
from monitor.values import parse_duration


@asynccontextmanager
async def stored(config: Path) -> AsyncIterator[Stored]:
    """A config file in, its desk out, for the time of the block."""
    async with AsyncExitStack() as stack:
        yield Stored(session.read(config), stack)


class Stored(Asked):
    """Everything that commands ask, answered from the store."""

    async def attend(self, named: str, word: Attention) -> Sequence[Line]:
        """The conditions as they are now; none where nothing open is named so."""
        running = await self.running()
        attention, now = running.attention, running.clock.now()
        if word.undo:
            found = await attention.reopen(named, by=word.by, comment=word.comment)
        elif word.until is not None or word.until_change:
            found = await attention.snooze(named, until=word.until, by=word.by, comment=word.comment)
        else:
            found = await attention.acknowledge(named, by=word.by, comment=word.comment)
        return lines(condition_view(one, now) for one in found)

    async def silence(self, wanted: SilenceWanted) -> Line:
        """A new silence."""
        running = await self.running()
        now = running.clock.now()
        made = await running.attention.silence(
            [parse_matcher(one) for one in wanted.matchers],
            starts_at=wanted.starts_at or now,
            ends_at=wanted.ends_at,
            by=wanted.by,
            comment=wanted.comment,
            until_change=wanted.until_change,
        )
        return msgspec.json.encode(silence_view(made, now))

    async def expire(self, named: str) -> Literal["over", "over already"] | None:
        """End a silence; None where there is none of this id."""
        running = await self.running()
        before = await running.store.silences.get(named)
        over = before is not None and before.state(running.clock.now()) == "expired"
        if await running.attention.unsilence(named) is None:
            return None
        return "over already" if over else "over"

    async def decide(self, source: str, decision: Decision) -> int | None:
        """Release or discard what is held; how many, None where nothing is."""
        made = await decide_removals((await self.running()).store.sources, source, decision)
        return made.count if made is not None else None

    async def switch(self, target: str, *, on: bool) -> Line:
        """A target enabled or disabled."""
        store = (await self.running()).store
        changed = await (store.switch.on(target) if on else store.switch.off(target))
        waiting = (await store.reading.backlog(target)).size
        state = "enabled" if on else "disabled"
        return msgspec.json.encode({"target": target, "state": state, "changed": changed, "backlog": waiting})

    async def disabled(self, target: str) -> int | None:
        """How many wait for a target that is disabled; None where it is not."""
        reading = (await self.running()).store.reading
        return (await reading.backlog(target)).size if "disabled" in await reading.target(target) else None

    async def rotate(self, target: str, overlap: str, kind: Kind | None) -> Line:
        """A new signing secret."""
        made = await (await self.running()).rotation.rotate(target, parse_duration(overlap), kind)
        return msgspec.json.encode(made.told())

    async def forget(self, target: str) -> bool:
        """Forget the secrets that rotation made; whether there were any."""
        return await (await self.running()).rotation.forget(target)

    async def replay(self, ids: Sequence[str], target: str | None, *, dry_run: bool) -> Sequence[Line]:
        """Deliveries by their ids, or those of events, and what became of each."""
        again = replaying(await self.running())
        return lines(await (again.find(ids, target) if dry_run else again.named(ids, target)))

    async def count(self, wanted: ReplayWanted) -> Line:
        """How much of a choice would be sent again."""
        running, choice = await self.running(), _choice(wanted)
        within_reach(choice.since, await running.store.db.now_ms(), running.store.log.kept_ms)
        return msgspec.json.encode(await replaying(running).count(choice))

    async def replay_since(self, wanted: ReplayWanted) -> Line:
        """Send a choice again; what became of it."""
        again = replaying(await self.running())
        return msgspec.json.encode(await done(wanted.target, again.run(_choice(wanted))))

    async def poll(self, source: str, *, dry_run: bool) -> Line:
        """A scan now, in this process, or what it would make."""
        made = await (scan_dry if dry_run else scan_now)(await self.running(), source)
        return msgspec.json.encode(made.view())

    async def routes(self) -> Sequence[Line]:
        """The route tree as it works."""
        return lines(one.view() for one in route_tree(self.settings))

    async def routed(self, event: EventGiven | SampleWanted) -> Line:
        """Which targets would get an event."""
        facts: Mapping[str, Any] = (
            event.values
            if isinstance(event, EventGiven)
            else sample_event(self.settings, event.type, event.source, event.state)
        )
        return msgspec.json.encode(decisions_view(decided(self.settings, facts)))

    async def types(self) -> Mapping[str, str]:
        """The type of each target."""
        return {name: one.type for name, one in self.settings.targets.items()}

    async def preview(self, event: EventGiven | str, target: str) -> Line:
        """The message that a target would get about an event, or DIGEST."""
        clock, settings = Clock(), self.settings
        body = await self._body(event, target) if isinstance(event, str) else b""
        async with AsyncExitStack() as stack:
            found = (await open_targets(settings, clock, stack))[target].target
            if isinstance(event, EventGiven):
                return msgspec.json.encode(preview_given(settings, found, target, event.values, clock.now()))
            return msgspec.json.encode(await preview_stored(await self.running(), found, target, body, clock.now()))

    async def send_test(self, target: str) -> Tried:
        """A message to a target, marked as a test."""
        clock = Clock()
        async with AsyncExitStack() as stack:
            targets = await open_targets(self.settings, clock, stack)
            await self._with_rotated_secrets(targets, clock, stack)
            found = await try_target(targets[target], clock)
            return Tried(msgspec.json.encode(found), targets[target].target.address())

    async def _body(self, event: str, target: str) -> bytes:
        running = await self.running()
        if event == DIGEST:
            return await digest_of(running, target)
        found = await running.store.log.get(event)
        if found is None:
            raise UsageError(f"no event has the id {event!r}: `jobwire events` lists them; or give a file")
        return found.body

    async def _with_rotated_secrets(
        self, targets: Mapping[str, TargetRuntime], clock: Clock, stack: AsyncExitStack
    ) -> None:
        """The store is asked only where it may hold rotated secrets: with a key."""
        if self.settings.store.key is None:
            return
        url = await stack.enter_async_context(session.store(self.settings))
        db = await connect(url, self.settings.store.prefix)
        stack.push_async_callback(db.close)
        await rotation_of(self.settings, db, targets, clock.now).look()


def _choice(wanted: ReplayWanted) -> Choice:
    pattern = type_glob(wanted.type) if wanted.type else None
    return Choice(wanted.target, to_millis(wanted.since), to_millis(wanted.until), wanted.failed, pattern)
