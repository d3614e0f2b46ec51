"""A Slack channel, a webhook and a clock turned by hand: events go into the log, and time passes for the store too."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from monitor.bootstrap import Door, Services
from monitor.events import Event, event_id, sequence_text
from monitor.exchange import Exchange
from monitor.grouping.message import Group, Reason
from monitor.moments import stamp
from monitor.simulator import Receiver, SlackLookalike
from monitor.store.connect import connect
from monitor.store.reading import StoredDelivery, Wanted
from monitor.targets.base import Message, Outcome, Target
from tests.installation import SECRET, Hands, installed


@dataclass
class Listening:
    """A target that does what the real one does, and keeps what it was asked to send."""

    real: Target
    heard: list[Message] = field(default_factory=list)
    grouped: bool = True
    attends: bool = False
    remember: dict[str, str] | None = None

    def send(self, message: Message) -> Exchange[Outcome]:
        outcome = yield from self.real.send(message)
        if outcome.verdict == "delivered":
            self.heard.append(message)
        return replace(outcome, remember=self.remember)

    def address(self) -> str:
        return self.real.address()


@dataclass
class Room:
    """One installation: `slack` and `hook` are what its targets `chat`, `more` and `hook` reach."""

    services: Services
    hands: Hands
    slack: SlackLookalike
    hook: Receiver
    heard: dict[str, Listening]
    written: int = 0

    def of(self, target: str = "chat") -> list[Message]:
        """The messages that reached a target."""
        return self.heard[target].heard

    def reasons(self, target: str = "chat") -> list[Reason]:
        """Why each of them was sent."""
        return [one.group.reason for one in self.of(target) if one.group]

    def about(self, target: str = "chat") -> list[str]:
        """The key that each of them begins with."""
        return [one.group.members[0].condition.key for one in self.of(target) if one.group]

    def last(self, target: str = "chat") -> Group:
        """What the last of them was about."""
        group = self.of(target)[-1].group
        assert group is not None
        return group

    async def tell(
        self,
        what: str,
        id: str = "1",
        *,
        state: str | None = None,
        kind: str = "job",
        source: str = "tax",
        **data: object,
    ) -> str:
        """Put an event about a resource into the log; its id."""
        self.written += 1
        type_ = f"devrev.{kind}.{what}"
        values: dict[str, Any] = {
            "provider": "devrev",
            "source": source,
            "key": f"{source}/{kind}/{id}",
            "resource": {
                "kind": kind,
                "id": id,
                "parent": None,
                "title": f"Job {id}",
                "state": state or what,
                "url": None,
                "fields": {},
            },
            "revision": self.written,
            "state": None,
            "changes": [],
            "deadline": None,
            "occurred_at": None,
            "last_seen_before": None,
            "first_seen_after": stamp(self.hands.now()),
        }
        return await self._write(
            Event(
                id=event_id(source, kind, id, self.written, type_),
                source=f"/sources/{source}",
                type=type_,
                subject=f"{kind}/{id}",
                time=stamp(self.hands.now()),
                sequence=sequence_text(self.written),
                data={**values, **data},
            )
        )

    async def news(self, what: str, name: str = "tax", subject: str = "source", **details: object) -> str:
        """Put an event about a source or target into the log; its id."""
        self.written += 1
        type_ = f"jobwire.{subject}.{what}"
        values: dict[str, Any] = {
            "provider": "devrev",
            "source": name if subject == "source" else None,
            "key": f"{subject}/{name}",
            "resource": None,
            "revision": self.written,
            "state": None,
            "changes": [],
            "deadline": None,
            "details": details,
        }
        return await self._write(
            Event(
                id=event_id(name, subject, name, self.written, type_),
                source=f"/{subject}s/{name}",
                type=type_,
                subject=f"{subject}/{name}",
                time=stamp(self.hands.now()),
                sequence=sequence_text(self.written),
                data=values,
            )
        )

    async def _write(self, event: Event) -> str:
        await self.services.store.sources.tell_once("tax", event.id, event)
        return event.id

    async def turn(self) -> None:
        """Relay what is committed and send what is due now, at every target."""
        await self.services.consumer.relay.relay()
        for runtime in self.services.targets.values():
            await self.services.consumer.deliverer.deliver(runtime)

    async def pass_(self, **span: float) -> None:
        """What is due is sent; so much time passes, for the store's timers too; then what is due by then is sent."""
        await self.turn()
        await self.wait(**span)
        await self.turn()

    async def wait(self, **span: float) -> None:
        """So much time passes, and nobody does anything."""
        self.hands.pass_(**span)
        earlier = -round(timedelta(**span).total_seconds() * 1000)
        db = self.services.store.db
        for key in [*await db.run("KEYS", db.keys.of("lanes", "*")), db.keys.due]:
            for member in await db.run("ZRANGE", key, 0, -1):
                await db.run("ZINCRBY", key, earlier, member)
        for key in await db.run("KEYS", db.keys.of("group", "*")):
            for name in ("anchor", "flushed", "pinned", "trying", "lost"):
                if await db.run("HGET", key, name):
                    await db.run("HINCRBYFLOAT", key, name, earlier)

    async def deliveries(self, target: str = "chat") -> list[StoredDelivery]:
        """What is recorded of a target's deliveries, the oldest first."""
        found = self.services.store.reading.deliveries([target], Wanted(), newest_first=False)
        return [one async for _, one in found if one]

    async def reason_of(self, target: str, event: str) -> tuple[str, str]:
        """What became of an event's delivery to a target, and why."""
        for one in await self.deliveries(target):
            if one.event == event:
                db = self.services.store.db
                reason = await db.run("HGET", db.keys.delivery(one.id), "reason")
                return one.status, (reason or b"").decode()
        return "none", ""


ROUTES = "routes: [{to: [chat], group_by: [source], group_wait: 10s, group_interval: 60s, repeat_interval: 1h}]"


@asynccontextmanager
async def room(
    store_url: str, routes: str = ROUTES, chat: str = "", hands: Hands | None = None, door: Door = connect
) -> AsyncIterator[Room]:
    """Routes as YAML in, an installation with three targets out; `chat` are further options of the first."""
    hands = hands or Hands()
    async with SlackLookalike() as slack, Receiver([SECRET], clock=lambda: hands.now().timestamp()) as hook:
        config = (
            'sources: {tax: {provider: devrev, base_url: "http://127.0.0.1:9", token: t}}\n'
            "targets:\n"
            f'  chat: {{type: slack, webhook_url: "{slack.webhook_url}", retry: [1s], rate: 1000, {chat}}}\n'
            f'  more: {{type: slack, webhook_url: "{slack.webhook_url}", retry: [1s], rate: 1000}}\n'
            f'  hook: {{type: webhook, url: "{hook.url}", secret: "{SECRET}", retry: [1s]}}\n'
            f"egress: {{allow: [127.0.0.0/8]}}\n{routes}\n"
        )
        async with installed(store_url, config, hands, door) as watch:
            targets = watch.services.targets
            assert isinstance(targets, dict)
            heard = {}
            for name in ("chat", "more", "hook"):
                heard[name] = Listening(targets[name].target, grouped=name != "hook")
                targets[name] = replace(targets[name], target=heard[name])
            yield Room(watch.services, watch.hands, slack, hook, heard)
