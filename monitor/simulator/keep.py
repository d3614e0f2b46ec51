"""A simulator in, everything it remembers as JSON out, and back: so that a life goes on after a restart.

What is kept: the documents, the dice, and what the stories know of themselves. What is not: open connections,
planned trouble, the log of requests, and tokens, whose keys come from the seed.
"""

from __future__ import annotations

from array import array
from base64 import b64decode, b64encode
from random import Random
from typing import Any, TypeAlias

from monitor.simulator.births_driver_jobs import Births
from monitor.simulator.documents import Doc
from monitor.simulator.server import ProviderServer
from monitor.simulator.simulator import Simulator

VERSION = 1

Kept: TypeAlias = dict[str, Any]

_DICE = "dice"
_PART = "part"
_VALUE = "value"
_PASSING = frozenset({"rate", "history", "on_change", "_task"})  # of a life: they belong to one run of it


def dump(sim: Simulator) -> Kept:
    """Give all that ``restore`` needs, as JSON."""
    return {
        "version": VERSION,
        "servers": {name: _documents(server) for name, server in sim.servers.items()},
        "bindbee": {
            "others": {kind: list(docs.values()) for kind, docs in sim.bindbee.others.items()},
            "related": sim.bindbee.related,
            "connector": sim.bindbee.connector.record,
        },
        "devrev": {"moved": sim.devrev.moved},
        "life": {name: _remembered(part) for name, part in sim.life.parts.items()},
    }


def restore(sim: Simulator, kept: Kept) -> None:
    """Make a simulator of the same seed what another was when ``dump`` looked at it.

    Raises ``ValueError`` when the data is not from here; then the simulator may be half changed and is of no use.
    """
    if kept.get("version") != VERSION:
        raise ValueError(f"this is version {kept.get('version')!r} of a kept world, {VERSION} is expected")
    try:
        for name, server in sim.servers.items():
            _put_documents(server, kept["servers"][name])
        for kind, docs in kept["bindbee"]["others"].items():
            sim.bindbee.others[kind] = {doc["id"]: doc for doc in docs}
        sim.bindbee.related = dict(kept["bindbee"]["related"])
        sim.bindbee.connector.record = dict(kept["bindbee"]["connector"])
        sim.devrev.moved = dict(kept["devrev"]["moved"])
        for name, part in sim.life.parts.items():
            _remember(part, kept["life"][name])
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"this is not a kept world: {type(error).__name__} {error}") from error


def _documents(server: ProviderServer) -> Kept:
    return {"items": list(server.items.values()), _DICE: _state(server.rng)}


def _put_documents(server: ProviderServer, kept: Kept) -> None:
    items: list[Doc] = kept["items"]
    server.items = {server.key(doc[server.id_field]): doc for doc in items}
    server.changed()
    _set_state(server.rng, kept[_DICE])


def _remembered(part: object) -> Kept:
    """What an object holds of its own: dice, plain values, and the parts that have a memory too.

    Looked up and not listed, so that a story that learns to remember something more is kept with it.
    """
    found: Kept = {}
    for name, value in vars(part).items():
        if isinstance(value, Random):
            found[name] = {_DICE: _state(value)}
        elif isinstance(value, Births):
            found[name] = {_PART: _remembered(value)}
        elif name not in _PASSING and _is_plain(value):
            found[name] = {_VALUE: value}
    return found


def _remember(part: object, kept: Kept) -> None:
    held = vars(part)
    for name, what in kept.items():
        if _DICE in what:
            _set_state(held[name], what[_DICE])
        elif _PART in what:
            _remember(held[name], what[_PART])
        else:
            setattr(part, name, what[_VALUE])


def _is_plain(value: object) -> bool:
    if isinstance(value, list):
        return all(_is_plain(item) for item in value)
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(item) for key, item in value.items())
    return value is None or isinstance(value, bool | int | float | str)


def _state(dice: Random) -> Kept:
    """The state of a Mersenne twister: 625 numbers of 32 bits, and half a Gaussian pair."""
    version, numbers, pending = dice.getstate()
    return {"version": version, "numbers": b64encode(array("I", numbers).tobytes()).decode(), "pending": pending}


def _set_state(dice: Random, kept: Kept) -> None:
    numbers = array("I")
    numbers.frombytes(b64decode(kept["numbers"], validate=True))
    dice.setstate((kept["version"], tuple(numbers), kept["pending"]))
