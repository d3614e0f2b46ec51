"""Sending again: deliveries go back into their lanes, fifty at most in a script that does all of it or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from monitor.store.db import Arg, Db, text

AT_ONCE = 50
_KEEP_MS = 86_400_000
"""A delivery that is sent again can be looked at for another day at least."""

Result: TypeAlias = Literal["queued", "waiting", "disabled", "gone", "changed", "unknown"]
RESULTS: tuple[Result, ...] = get_args(Result)


@dataclass(frozen=True, slots=True)
class Again:
    """One delivery to send again; with `ended_ms` only if it ended just then and nobody replayed it since."""

    id: str
    ended_ms: int | None = None


class Replays:
    """Puts deliveries back into their lanes."""

    def __init__(self, db: Db) -> None:
        self._db = db

    async def replay(self, target: str, wanted: Sequence[Again], delay: float = 0.0) -> list[Result]:
        """Deliveries of one target in, what became of each out; a lane without work is due after `delay` seconds.

        queued: it is sent as soon as may be. waiting: it is on its way already, or waits for its group or for the
        target to be enabled. disabled: the target is, and this one is no part of its backlog. gone: its event is
        older than the log. changed: somebody replayed it meanwhile. unknown: there is no such delivery.
        """
        keys, found = self._db.keys, []
        names = [keys.lanes(target), keys.due, keys.target(target), keys.events]
        names += [keys.pending(target), keys.failed(target)]
        for start in range(0, len(wanted), AT_ONCE):
            args: list[Arg] = [target, keys.prefix, _KEEP_MS, round(delay * 1000)]
            for one in wanted[start : start + AT_ONCE]:
                args += [one.id, "*" if one.ended_ms is None else one.ended_ms]
            words = [text(word) for word in await self._db.script("replay", names, args)]
            found += [next(result for result in RESULTS if result == word) for word in words]
        return found
