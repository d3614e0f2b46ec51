"""What keeps a message back now: a time interval of its route, a silence, or a condition that explains it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from monitor.conditions.families import QUIETS, family_of
from monitor.conditions.ledger import Ledger
from monitor.grouping.look import Quiet
from monitor.routing import Router
from monitor.silences import Silences, Subject

EXPLAINED = timedelta(minutes=1)
"""So often it is looked whether what explains a condition away is still so."""


@dataclass(frozen=True, slots=True)
class Hushing:
    """Everything that may keep messages back at one moment; `ledgers` hold those of the sources in question."""

    router: Router
    silences: Silences
    ledgers: Mapping[str, Ledger]
    now: datetime

    def quiet(self, subject: Subject, route: str) -> Quiet | None:
        """What keeps this message of this route back, and until when; None where nothing does."""
        calendar = self.router.timers(route).calendar
        name = calendar.quiet(self.now)
        if name is not None:
            return Quiet(f"interval {name}", calendar.changes(self.now))
        silence = self.silences.quiet(subject, self.now)
        if silence is not None:
            return Quiet(f"silence {silence.id}", silence.ends_at, silence)
        return self._explained(subject.event)

    def _explained(self, event: Mapping[str, Any]) -> Quiet | None:
        """A trouble of the source that makes this no news: what it shows may be old."""
        family = family_of(str(event["type"]))
        for key in explaining_keys(event):
            ledger = self.ledgers.get(key)
            for one in ledger.open if ledger and family else ():
                if family and one.family in QUIETS.get(family.name, ()):
                    return Quiet(f"condition {one.id}", self.now + EXPLAINED)
        return None


def explaining_keys(event: Mapping[str, Any]) -> Iterator[str]:
    """The keys whose conditions may explain this one away: its source's."""
    family = family_of(str(event["type"]))
    if family is not None and family.name in QUIETS:
        yield f"source/{event['data']['source']}"
