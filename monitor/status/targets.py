"""How a target is: what waits for it, how much of what was sent arrived, whether it is held."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from monitor.moments import from_millis, stamp
from monitor.store.patience import Patience
from monitor.store.reading import Reading

RECENT = 100
CIRCUITS = ("closed", "open", "half_open")
LOOKED_AT = 1000


class TargetView(msgspec.Struct, frozen=True):
    """A target now. `state` is ok, failing (three failed attempts in a row, or a long pause was asked for) or disabled.

    `backlog` counts deliveries that wait, `oldest_at` is when the oldest of them was made, `success_rate` the
    share of attempts of the last 100 tried deliveries that arrived (None when none of the last 1000 was tried).
    `circuit` is closed; open while the receiver cannot be reached, or asked for quiet; half_open while one delivery is
    trying it. `given_up`, if there are any, is how many deliveries were given up and not sent again: they are lost
    until somebody replays them, also where what came after them arrives and the target is ok.
    """

    name: str
    type: str
    state: str
    backlog: int
    oldest_at: str | None
    success_rate: float | None
    circuit: str
    given_up: int | msgspec.UnsetType = msgspec.UNSET
    address: str | msgspec.UnsetType = msgspec.UNSET


def addressed(view: TargetView, address: str) -> TargetView:
    """The same with its `address`, as the target itself shows it: what is secret in it is left out."""
    return msgspec.structs.replace(view, address=address)


async def target_view(reading: Reading, name: str, type: str, now_ms: int) -> TargetView:
    """A target's name and type in, how it is at `now_ms` of the store's clock out."""
    stored, backlog = await reading.target(name), await reading.backlog(name)
    held = await reading.held_until(name)
    return TargetView(
        name=name,
        type=type,
        state=_state(stored),
        backlog=backlog.size,
        oldest_at=stamp(from_millis(backlog.oldest_ms)) if backlog.oldest_ms is not None else None,
        success_rate=await _success_rate(reading, name),
        circuit=circuit(stored, held, now_ms),
        given_up=backlog.given_up or msgspec.UNSET,
    )


def _state(stored: Mapping[str, str]) -> str:
    if "disabled" in stored:
        return "disabled"
    told = stored.get("announced") in ("failing", "1")
    return "failing" if told or int(stored.get("failures", "0")) >= Patience().failing_after else "ok"


def circuit(stored: Mapping[str, str], held: int | None, now_ms: int) -> str:
    """A target's stored state and until when it is held in, one of CIRCUITS out."""
    if held is not None and held > now_ms:
        return "open"
    if "open_at" not in stored:
        return "closed"
    # A probe that was lost is over when its lease is, which is when the next one is due.
    trying = "probing" in stored and int(stored["probe_at"]) > now_ms
    return "half_open" if trying else "open"


async def _success_rate(reading: Reading, name: str) -> float | None:
    tried = [(times, arrived) for times, arrived in await reading.tries(name, LOOKED_AT) if times][:RECENT]
    attempts = sum(times for times, _ in tried)
    return round(sum(arrived for _, arrived in tried) / attempts, 4) if attempts else None
