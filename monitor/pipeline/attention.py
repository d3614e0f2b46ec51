"""What people say of conditions and silences, put into effect: acknowledged, put off, kept quiet, and not any more.

Every word is kept by the store in one step with the groups that it concerns being looked at; said twice it changes
nothing. A condition is named by its id, or by what it is about (its key), which may have several.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
import structlog

from monitor.conditions.condition import Condition
from monitor.conditions.ledger import Ledger
from monitor.conditions.life import acknowledged, reopened, snoozed
from monitor.errors import UsageError
from monitor.silences import Matcher, Silence
from monitor.store.conditions import Conditions, Write
from monitor.store.silences import SilenceStore

_TRIES = 20


@dataclass(frozen=True, slots=True)
class Attention:
    """Puts into effect what people say; `clock` is the store's, with zone."""

    conditions: Conditions
    silences: SilenceStore
    clock: Callable[[], datetime]

    async def find(self, named: str) -> list[Condition]:
        """The open conditions of this id or key."""
        ledgers = await self.conditions.ledgers([named])
        if not ledgers and named.startswith("cnd_"):
            ledgers = await self.conditions.all()
        return [one for ledger in ledgers.values() for one in ledger.open if named in (one.id, one.key)]

    async def acknowledge(self, named: str, *, by: str, comment: str = "") -> list[Condition]:
        """Somebody has it, until it gets worse; the conditions as they are now, none when nothing open is named so."""
        return await self._say(named, lambda one, now: acknowledged(one, by, comment, now))

    async def snooze(self, named: str, *, until: datetime | None, by: str, comment: str = "") -> list[Condition]:
        """Put off until then, or (None) until it changes; as `acknowledge`."""
        return await self._say(named, lambda one, now: snoozed(one, by, comment, until, now))

    async def reopen(self, named: str, *, by: str = "", comment: str = "") -> list[Condition]:
        """Nobody has it any more, and it is not put off; as `acknowledge`."""
        return await self._say(named, lambda one, now: reopened(one, by, comment, now))

    async def silence(
        self,
        matchers: Sequence[Matcher],
        *,
        starts_at: datetime,
        ends_at: datetime,
        by: str,
        comment: str,
        until_change: bool = False,
    ) -> Silence:
        """Keep messages about what matches quiet for a time; raises UsageError for one that could never count."""
        now = self.clock()
        if not matchers:
            raise UsageError("a silence takes at least one matcher: without any it would silence everything")
        if not comment.strip():
            raise UsageError("a silence takes a comment: say why")
        if ends_at <= max(now, starts_at):
            raise UsageError("a silence must end after it starts, and later than now")
        made = Silence(
            id=f"sil_{secrets.token_hex(6)}",
            matchers=tuple(matchers),
            starts_at=starts_at,
            ends_at=ends_at,
            by=by,
            comment=comment.strip(),
            created_at=now,
            until_change=until_change,
        )
        await self.silences.put(made)
        await self._look_everywhere()
        structlog.get_logger().info("silence.added", silence=made.id, by=by, until=ends_at.isoformat())
        return made

    async def unsilence(self, id: str) -> Silence | None:
        """End a silence now; None when there is none of this id. What it kept quiet and is still so is told."""
        found, now = await self.silences.get(id), self.clock()
        if found is None or found.state(now) == "expired":
            return found
        ended = msgspec.structs.replace(found, ends_at=now)
        await self.silences.put(ended)
        await self._look_everywhere()
        structlog.get_logger().info("silence.ended", silence=id)
        return ended

    async def _say(self, named: str, word: Callable[[Condition, datetime], Condition]) -> list[Condition]:
        found: list[Condition] = []
        for _ in range(_TRIES):
            found = await self.find(named)
            if all([await self._written(one, word(one, self.clock())) for one in found]):
                return await self.find(named)
        return found

    async def _written(self, before: Condition, after: Condition) -> bool:
        """Whether a condition could be written; False when it is another one by now."""
        if before == after:
            return True
        ledger = (await self.conditions.ledgers([before.key])).get(before.key, Ledger())
        if ledger.conditions.get(before.family) != before:
            return False
        return await self.conditions.change(Write(before.key, ledger, ledger.with_(after)), lanes_of([after]))

    async def _look_everywhere(self) -> None:
        ledgers = (await self.conditions.all()).values()
        await self.conditions.change(None, lanes_of(one for ledger in ledgers for one in ledger.open))


def lanes_of(conditions: Iterable[Condition]) -> list[tuple[str, str]]:
    """Every group (target, lane) in which one of these conditions stands."""
    return list(dict.fromkeys((place.target, place.lane) for one in conditions for place in one.places))
