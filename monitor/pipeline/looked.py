"""A group that was looked at, and what is recorded of it when it says nothing, is told, or could not be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import msgspec

from monitor.grouping.book import unsure
from monitor.grouping.plan import Plan
from monitor.pipeline.groupview import GroupView
from monitor.pipeline.speaking import Speech, needless
from monitor.store.groups import Turn
from monitor.store.lanes import Settled

GIVEN_UP = timedelta(hours=4)
"""So long after its message was given up a group that is open is told again."""

FORGOTTEN = timedelta(minutes=5)
"""The same where every attempt failed and the receiver holds nothing that it is not told again."""


@dataclass(frozen=True, slots=True)
class Looked:
    """A claimed group, what was found, and what it says; None: nothing."""

    view: GroupView
    found: Plan
    speech: Speech | None

    @property
    def drop(self) -> Mapping[str, str]:
        """Deliveries that are not sent, with why."""
        return {**self.found.drop, **needless(self.view, self.speech)}

    def quiet(self) -> Settled:
        """What is recorded when there is nothing to say."""
        turn = self.view.timed(self._turn(), self.found.next_at, self.found.unsent)
        return Settled(self.view.lane, "quiet", 0.0, (), quiet=self.drop, turn=turn)

    def after(
        self,
        speech: Speech,
        verdict: str,
        memory: Mapping[str, Any] | None = None,
        *,
        tried: bool = True,
        perhaps: bool = False,
    ) -> Turn:
        """What became of the group after an attempt at what it says; `memory` None keeps what was remembered.

        `tried` is false where it was put off: that is no attempt. `perhaps`: nobody knows whether it arrived.
        """
        view, found = self.view, self.found
        turn = replace(self._turn(), reason=str(found.reason), record=speech.record)
        kept = dict(memory) if memory is not None else view.stored.book.memory
        if verdict == "delivered":
            book = msgspec.structs.replace(found.sent, memory=kept)
            return view.timed(replace(turn, book=book, flushed_ms=view.now_ms), found.next_at, book)
        again = verdict == "retry"
        unsent = unsure(found.unsent, found.shown) if perhaps else found.unsent
        book = msgspec.structs.replace(
            unsent,
            memory=kept,
            tries=unsent.tries + tried if again and speech.alone else 0,
            tried_at=(unsent.tried_at or view.now) if again or unsent.in_doubt else None,
            owed=speech.owed if again else "",
        )
        # Who forgets must hear of it soon after an outage; what was refused at once would be refused again.
        outlasted = view.stance.refresh is not None and any(one.attempts for one in speech.waiting)
        later = view.now + (FORGOTTEN if outlasted else GIVEN_UP) if view.standing else None
        return view.timed(replace(turn, book=book, gone=view.gone_unsent(turn, found)), later, book)

    def _turn(self) -> Turn:
        view = self.view
        return Turn(view.stored.dirty, self.found.unsent, gone=view.gone(self.found), full=view.lane.more)
