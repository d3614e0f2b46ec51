"""The net below the relay: conditions whose end no event told are found by what the store and the config hold.

Removals that were released, a token that was renewed, a target that was enabled again make no event; a source may leave
the config, an operator may discard removals. Every worker looks; the store lets each change happen once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec
import structlog

from monitor.conditions.condition import Condition
from monitor.conditions.ending import Facts, Sight, Standing, over_by_facts, over_by_sight, put_off
from monitor.conditions.families import named
from monitor.conditions.ledger import Ledger
from monitor.conditions.life import FLAP_WINDOW, ended
from monitor.pipeline.attention import lanes_of
from monitor.pipeline.source import Source
from monitor.store.conditions import Conditions, Write
from monitor.store.groups import Groups
from monitor.store.items import Items
from monitor.store.reading import Reading
from monitor.store.silences import SilenceStore
from monitor.store.sources import Sources

EVERY_SECONDS = 5.0
DOUBT = timedelta(seconds=30)
"""What an event may still tell is believed of the store alone only when it has been so for this long."""

FORGOTTEN = timedelta(days=90)
"""After this long the store knows nothing of a resource that is gone."""

NOT_WATCHED = "it is not watched any more"

_UNTOLD = ("removals", "credentials", "disabled")


class _Resource(msgspec.Struct):
    kind: str
    id: str
    parent: str | None = None


class _Data(msgspec.Struct):
    resource: _Resource | None = None


class _Event(msgspec.Struct):
    data: _Data


_events = msgspec.json.Decoder(_Event)


@dataclass(slots=True)
class Caretaker:
    """Looks after conditions; `clock` is the store's, with zone. `targets` are the names of those in the config."""

    conditions: Conditions
    groups: Groups
    silences: SilenceStore
    items: Items
    states: Sources
    reading: Reading
    sources: Mapping[str, Source]
    targets: frozenset[str]
    standing: Standing
    clock: Callable[[], datetime]
    _cursor: int = 0
    _doubted: dict[str, tuple[int, datetime]] = field(default_factory=dict)

    async def look(self) -> int:
        """Look at sources, targets and some resources; how many conditions were found to be over, or forgotten."""
        now = self.clock()
        own = [*(f"source/{name}" for name in self.sources), *(f"target/{name}" for name in self.targets)]
        ledgers = await self.conditions.ledgers(own)
        self._cursor, some = await self.conditions.page(self._cursor)
        ledgers |= some
        if self._cursor == 0:
            await self.silences.forget(now)
        changed = 0
        sights = await self._sights([one for ledger in ledgers.values() for one in ledger.open])
        for key, ledger in ledgers.items():
            for condition in ledger.conditions.values():
                over = None if condition.ended else await self._over(condition, sights, now)
                if over is not None:
                    changed += await self._end(key, ledger, condition, over, now)
                elif condition.ended and now - (condition.ended_at or now) > FLAP_WINDOW:
                    changed += await self._forget(key, ledger, condition)
        return changed

    async def _over(self, condition: Condition, sights: Mapping[str, Sight | None], now: datetime) -> str | None:
        """Why a condition is over by all that is known; None while it is not, or an event may still say so."""
        family = named(condition.family)
        kind, _, name = condition.key.partition("/")
        if condition.id in sights:
            sight = sights[condition.id]
            over = (
                NOT_WATCHED
                if sight is None
                else over_by_sight(condition, sight, self.standing, now) or put_off(condition, sight)
            )
        elif kind == "source" and self._watched(name):
            over = over_by_facts(condition, await self._source(name))
        elif kind == "target" and name in self.targets:
            over = over_by_facts(condition, await self._target(name))
        elif kind in ("source", "target") or now - condition.changed_at > FORGOTTEN:
            over = NOT_WATCHED
        else:
            over = None
        if over is None:
            self._doubted.pop(condition.id, None)
        if over is None or (family is not None and family.lasts in _UNTOLD):
            return over
        return over if self._no_doubt(condition, now) else None

    def _watched(self, source: str | None) -> bool:
        return source is not None and source in self.sources and self.sources[source].options.enabled

    def _no_doubt(self, condition: Condition, now: datetime) -> bool:
        """Whether the same was found some time ago already, and nothing has happened since."""
        revision, since = self._doubted.get(condition.id, (-1, now))
        if revision == condition.revision and now - since >= DOUBT:
            del self._doubted[condition.id]
            return True
        if revision != condition.revision:
            self._doubted[condition.id] = (condition.revision, now)
        return False

    async def _source(self, name: str) -> Facts:
        state = await self.states.state(name)
        marks = {"held": "removals_held", "announced": "source_failing", "stale": "source_stale"}
        holding = frozenset(family for mark, family in marks.items() if mark in state)
        return Facts(holding, self.sources[name].provider.credentials().expires_at)

    async def _target(self, name: str) -> Facts:
        state = await self.reading.target(name)
        marks = {"announced": "target_failing", "disabled": "target_disabled"}
        return Facts(frozenset(family for mark, family in marks.items() if mark in state))

    async def _sights(self, conditions: Sequence[Condition]) -> dict[str, Sight | None]:
        """The resources of these conditions as they are stored, by condition; None where the source is not watched.

        What the store knows nothing of is not in it: nothing can be said. Removed resources are kept for 90 days.
        """
        found: dict[str, Sight | None] = {}
        by_source: dict[str, list[tuple[Condition, str, str]]] = {}
        for one in conditions:
            resource = _events.decode(one.body).data.resource
            if resource is not None and (one.source is None or not self._watched(one.source)):
                found[one.id] = None
            elif resource is not None and one.source is not None:
                ref = f"{resource.kind}/{resource.id}"
                item = resource.parent.partition("/")[2] if resource.parent else ref
                # An item is named by its id, or, where a provider lists several kinds, by kind and id.
                mine = by_source.setdefault(one.source, [])
                mine += [(one, ref, item.partition("/")[2]), (one, ref, item)]
        for source, mine in by_source.items():
            documents = await self.items.documents(source, [item for _, _, item in mine])
            for (one, ref, _), document in zip(mine, documents, strict=True):
                known = document.known.get(ref) if document else None
                if known is not None:
                    found[one.id] = Sight(known.resource.state, known.resource.fields, gone=known.gone)
        return found

    async def _end(self, key: str, ledger: Ledger, condition: Condition, over: str, now: datetime) -> bool:
        after = ended(condition, over, now, expired=over == NOT_WATCHED)
        done = await self.conditions.change(Write(key, ledger, ledger.with_(after)), lanes_of([after]))
        if done:
            structlog.get_logger().info("condition.ended", condition=condition.id, key=key, by=over)
        return done

    async def _forget(self, key: str, ledger: Ledger, condition: Condition) -> bool:
        """Forget a condition that ended some time ago, unless a target still has to hear of it."""
        places = [one for one in condition.places if one.target in self.targets]
        if await self.groups.stands(key, condition.family, ((one.target, one.lane) for one in places)):
            return False
        return await self.conditions.change(Write(key, ledger, ledger.without(condition.family)), ())
