"""What arrives at the receivers in, lines that tell it with how long it took out."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime

from monitor.demo import words
from monitor.demo.config import URGENT
from monitor.demo.figures import Figures
from monitor.demo.happenings import Happenings
from monitor.demo.quiet import Allowance
from monitor.demo.screen import Part, Screen
from monitor.demo.stage import Arrivals
from monitor.errors import StoreUnavailable
from monitor.events import decode
from monitor.routing import type_glob
from monitor.simulator import Delivery, SlackMessage, render
from monitor.store.eventlog import EventLog
from monitor.targets.telling import Facts, count, read

_BASELINED = "jobwire.source.baselined"
_URGENT = tuple(type_glob(pattern) for pattern in URGENT)
_EVENT_ID = re.compile(r"\bevt_[a-z2-7]{24}\b")
_TICK = 0.25
_FIRST_LOOKS = 5.0  # seconds to wait for the first looks of all sources, before they are told without the rest
_SLACK_LINES = 7


@dataclass(slots=True)
class Narrator:
    """Tells what arrives, in the order it arrives; of too much at once only how many."""

    arrivals: Arrivals
    log: EventLog
    happenings: Happenings
    figures: Figures
    screen: Screen
    expected: int
    allowance: Allowance = field(default_factory=Allowance)
    _looks: list[Facts] = field(default_factory=list)
    _looked_at: float = 0.0
    _held: list[Delivery | SlackMessage] = field(default_factory=list)
    _untold: Counter[str] = field(default_factory=Counter)

    async def run(self) -> None:
        """Tell until nothing more will come, and then what is left to tell."""
        while True:
            try:
                arrival = await asyncio.wait_for(self.arrivals.get(), _TICK)
            except TimeoutError:
                await self._tick()
                continue
            if arrival is None:
                break
            await self._take(arrival)
            await self._tick()
        await self._tell_looks()
        self._tell_untold()

    async def _tick(self) -> None:
        waits = self._looks or self._held
        if waits and asyncio.get_running_loop().time() - self._looked_at > _FIRST_LOOKS:
            await self._tell_looks()
        if self._untold and self.allowance.ready():
            self._tell_untold()

    async def _take(self, arrival: Delivery | SlackMessage) -> None:
        self._looked_at = self._looked_at or asyncio.get_running_loop().time()
        if isinstance(arrival, Delivery) and arrival.verified and arrival.type == _BASELINED:
            await self._look(arrival)
        elif self.expected:
            self._held.append(arrival)
        elif isinstance(arrival, Delivery):
            await self._delivered(arrival)
        else:
            await self._posted(arrival)

    # First looks: one block for all sources

    async def _look(self, arrival: Delivery) -> None:
        if not self.figures.count(arrival.id, verified=True, of_monitor=True):
            return
        self._looks.append(read(arrival.body))
        if len(self._looks) >= self.expected:
            await self._tell_looks()

    async def _tell_looks(self) -> None:
        if self._looks:
            total = sum(int(facts.details.get("total", 0)) for facts in self._looks)
            self.screen.at(
                datetime.now(UTC),
                ("First look: ", "bold"),
                f"{total} things are known now. From here on each change is told.",
            )
            for facts in sorted(self._looks, key=lambda one: one.source):
                place = f"{words.place(facts.source, facts.provider):<21}"
                self.screen.below((place, "cyan"), words.counts(facts))
        self.expected = 0
        self._looks.clear()
        held, self._held = self._held, []
        for arrival in held:
            await self._take(arrival)

    # Events at the webhook

    async def _delivered(self, arrival: Delivery) -> None:
        if not arrival.verified:
            self.figures.count(arrival.id, verified=False, of_monitor=False)
            self.screen.at(arrival.received_at, ("→ webhook: NOT genuine: ", "bold red"), arrival.reason)
            return
        facts = read(arrival.body)
        if not self.figures.count(arrival.id, verified=True, of_monitor=facts.of_monitor):
            self.screen.at(arrival.received_at, ("→ webhook: ", "dim"), f"{facts.type} came again (same id)")
            return
        times = await self._times(arrival.id, arrival.received_at)
        self.figures.measured(*times)
        # Trouble is always told, and what also goes to Slack: its message must not come out of the blue.
        if self.allowance.take() or facts.of_monitor or any(one.fullmatch(facts.type) for one in _URGENT):
            self._tell_untold()
            self._tell_event(arrival, facts, times)
        else:
            self._untold[words.place(facts.source, facts.provider)] += 1

    def _tell_event(self, arrival: Delivery, facts: Facts, times: tuple[float | None, float | None]) -> None:
        told: tuple[Part, ...] = (words.subject(facts), (f" {words.happened(facts)}", "bold"))
        if facts.of_monitor:
            told = ((words.of_monitor(facts), "yellow"),)
        self.screen.at(arrival.received_at, (f"{words.place(facts.source, facts.provider)}  ", "cyan"), *told)
        done = "delivered, signature verified" if self.screen.wide else "verified"
        self.screen.below((done, "green"), self._said(*times), mark="→ webhook: ")

    def _tell_untold(self) -> None:
        """How many events were not told one by one; each was delivered and verified all the same."""
        if not self._untold:
            return
        places = self._untold.most_common()
        several = len(places) > 1
        at = ", ".join(f"{name} ({number})" if several else name for name, number in places)
        total = sum(self._untold.values())
        self._untold.clear()
        self.screen.below((f"… and {count(total, 'more event')} at {at}, verified", "dim"))

    # Messages in Slack

    async def _posted(self, message: SlackMessage) -> None:
        self.figures.messages += 1
        text = render(message)
        named = _EVENT_ID.search(text)
        received = datetime.fromtimestamp(message.received_at, UTC)
        times = await self._times(named[0], received) if named else (None, None)
        self._tell_untold()
        self.screen.at(received, ("→ Slack: ", "magenta"), "message", self._said(*times))
        # The footer names the event for programs; here it is read by people.
        lines = [line for line in text.splitlines() if line.strip() and not _EVENT_ID.search(line)]
        for line in lines[:_SLACK_LINES]:
            self.screen.below(line, edge="│ ")
        if len(lines) > _SLACK_LINES:
            self.screen.below((f"… {count(len(lines) - _SLACK_LINES, 'more line')}", "dim"), edge="│ ")

    # Times

    async def _times(self, id_: str, received: datetime) -> tuple[float | None, float | None]:
        """Seconds from the change at the provider, and from the commit, to the arrival; None for what is not known."""
        try:
            stored = await self.log.get(id_)
        except StoreUnavailable:
            stored = None
        if stored is None:
            return None, None
        at = received.timestamp()
        happened = self.happenings.of(decode(stored.body))
        return max(0.0, at - happened) if happened is not None else None, max(0.0, at - stored.at_ms / 1000)

    def _said(self, since_change: float | None, since_commit: float | None) -> str:
        happened = "it happened at the provider" if self.screen.wide else "it happened"
        told = [f", {words.span(since_change)} after {happened}"] if since_change is not None else []
        told += [f", {words.span(since_commit)} after commit"] if since_commit is not None else []
        return "".join(told)
