"""What the server behind the store says of itself: version, how it keeps its data, what it would do when full."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from monitor.errors import StoreUnavailable
from monitor.store.db import Db, pairs, text

_SETTINGS = ("maxmemory-policy", "appendonly", "appendfsync")


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """A server at one moment. Settings are None where it does not tell them (a hosted server, a narrow ACL user).

    `version` is the version of Redis it is compatible with, `role` master or slave, `clock_ms` its time; sizes in
    bytes, `memory_limit` 0 for none. `unsaved` names the kinds of saving whose last try failed.
    """

    version: str
    role: str
    clock_ms: int
    memory: int
    memory_limit: int
    unsaved: tuple[str, ...]
    policy: str | None
    append_only: bool | None
    sync: str | None


async def server_facts(db: Db) -> ServerFacts:
    """An open store in, what its server says out; StoreUnavailable when it does not answer."""
    clock_ms = await db.now_ms()
    info: Mapping[str, Any] = await db.run("INFO")
    settings = await _settings(db)
    append_only = settings.get("appendonly")
    failed = {"append-only file": "aof_last_write_status", "rewrite of it": "aof_last_bgrewrite_status"}
    return ServerFacts(
        version=str(info.get("redis_version", "0")),
        role=str(info.get("role", "master")),
        clock_ms=clock_ms,
        memory=int(info.get("used_memory", 0)),
        memory_limit=int(info.get("maxmemory", 0)),
        unsaved=tuple(name for name, field in failed.items() if str(info.get(field, "ok")) != "ok"),
        policy=settings.get("maxmemory-policy") or _word(info.get("maxmemory_policy")),
        append_only=append_only == "yes" if append_only is not None else bool(int(info.get("aof_enabled", 0))),
        sync=settings.get("appendfsync"),
    )


async def _settings(db: Db) -> dict[str, str]:
    """What CONFIG GET says; nothing where this user may not ask."""
    try:
        found = await db.run_all([("CONFIG", "GET", name) for name in _SETTINGS])
    except StoreUnavailable:
        return {}
    return {text(name): text(value) for one in found for name, value in pairs(one)}


def _word(value: Any) -> str | None:
    return None if value is None else str(value)


@dataclass(frozen=True, slots=True)
class ServerLoad:
    """What a server uses: `memory` of `memory_limit` bytes (0: none), and since its start scripts and their seconds."""

    memory: int
    memory_limit: int
    scripts: int
    script_seconds: float


async def server_load(db: Db) -> ServerLoad:
    """An open store in, what its server uses out; scripts of others on the same server count too."""
    info: Mapping[str, Any] = await db.run("INFO", "memory", "commandstats")
    stats = [info[f"cmdstat_{name}"] for name in ("eval", "evalsha") if f"cmdstat_{name}" in info]
    return ServerLoad(
        memory=int(info.get("used_memory", 0)),
        memory_limit=int(info.get("maxmemory", 0)),
        scripts=sum(int(one["calls"]) for one in stats),
        script_seconds=sum(int(one["usec"]) for one in stats) / 1e6,
    )
