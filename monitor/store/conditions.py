"""Conditions in the store: one ledger for each thing that has some, written by whoever saw the latest version of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from monitor.conditions.brief import Brief, briefs_of
from monitor.conditions.ledger import Ledger
from monitor.store.db import Arg, Db, pairs, text

_ledgers = msgspec.json.Decoder(Ledger)
_briefs = msgspec.json.Decoder(list[Brief])
_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Write:
    """A ledger as it was read and as it is to be: refused when somebody else has written it since."""

    key: str
    before: Ledger | None
    after: Ledger

    def args(self) -> list[Arg]:
        """As the scripts take it."""
        expected: Arg = "" if self.before is None else self.before.version
        version = (self.before.version if self.before else 0) + 1
        value = msgspec.json.encode(Ledger(version, self.after.conditions)) if self.after.conditions else b""
        return [self.key, expected, value, msgspec.json.encode(briefs_of(self.after)) if value else b""]


class Conditions:
    """The ledgers of an installation."""

    def __init__(self, db: Db) -> None:
        self._db = db

    async def ledgers(self, keys: Sequence[str]) -> dict[str, Ledger]:
        """The ledgers of these keys; what has no condition is not in it."""
        if not keys:
            return {}
        reply = await self._db.run("HMGET", self._db.keys.conditions, *keys)
        return {key: _ledgers.decode(value) for key, value in zip(keys, reply, strict=True) if value is not None}

    async def page(self, cursor: int, count: int = 200) -> tuple[int, Mapping[str, Ledger]]:
        """Some ledgers by key and the cursor of what follows, 0 at the end; each ledger is seen at least once."""
        following, reply = await self._db.run("HSCAN", self._db.keys.conditions, cursor, "COUNT", count)
        return int(following), {text(key): _ledgers.decode(value) for key, value in pairs(reply)}

    async def all(self) -> dict[str, Ledger]:
        """Every ledger by key."""
        found: dict[str, Ledger] = {}
        cursor = 0
        while True:
            cursor, some = await self.page(cursor)
            found |= some
            if cursor == 0:
                return found

    async def briefs(self) -> dict[str, list[Brief]]:
        """What is open in brief, by key: a hundredth of what `all` reads, however long the events are."""
        keys = self._db.keys
        ledgers, known = await self._db.run_all([("HLEN", keys.conditions), ("HLEN", keys.briefs)])
        if int(ledgers) != int(known):
            await self._brief_what_is_not()
        found: dict[str, list[Brief]] = {}
        cursor = 0
        while True:
            following, reply = await self._db.run("HSCAN", keys.briefs, cursor, "COUNT", _AT_ONCE)
            found |= {text(key): _briefs.decode(value) for key, value in pairs(reply)}
            cursor = int(following)
            if cursor == 0:
                return {key: some for key, some in found.items() if some}

    async def _brief_what_is_not(self) -> None:
        """Write ledgers again that another version wrote or forgot without a brief; refused where one has moved."""
        ledgers, known = await self.all(), await self._db.run("HKEYS", self._db.keys.briefs)
        for key in ledgers.keys() ^ {text(one) for one in known}:
            before = ledgers.get(key)
            await self.change(Write(key, before, before or Ledger()), ())

    async def change(self, write: Write | None, groups: Sequence[tuple[str, str]]) -> bool:
        """Write a ledger, if one is given, and have groups (target, lane) looked at, at once.

        False when somebody else has written the ledger since it was read: then nothing has changed.
        """
        keys = self._db.keys
        args: list[Arg] = [keys.prefix, *(write.args() if write else ("", "", "", ""))]
        args += [part for group in groups for part in group]
        return bool(int(await self._db.script("change_conditions", [keys.conditions, keys.due], args)))
