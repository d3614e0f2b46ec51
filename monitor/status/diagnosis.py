"""What is wrong with an installation's surroundings, and what to do about it. Pure: facts in, findings out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

import msgspec

from monitor.store.server import ServerFacts

Level: TypeAlias = Literal["ok", "warning", "problem"]

SKEW_WARNING_MS = 2_000
SKEW_PROBLEM_MS = 60_000
"""Receivers refuse signatures that are five minutes off (https://www.standardwebhooks.com); a fifth of that is near."""

_NEARLY_FULL = 0.8
_OFFERED_TO_ALL = 0o077
FILES_WANTED = 1024


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at. `advice` says what to do, and is empty where all is well."""

    level: Level
    about: str
    text: str
    advice: str = ""


def of_server(facts: ServerFacts, here_ms: int, *, embedded: bool) -> list[Finding]:
    """The store's own words and this machine's time (ms since 1970) in, what is to be said of them out."""
    found = [Finding("ok", "store", f"version {facts.version} answers")]
    if facts.role != "master":
        found.append(Finding("problem", "store", "this is a replica, which takes no writes", "name its master instead"))
    return [*found, *_keeping(facts, embedded=embedded), _memory(facts), _clock(facts.clock_ms - here_ms)]


def _keeping(facts: ServerFacts, *, embedded: bool) -> list[Finding]:
    found = []
    whose = " (the embedded store sets this itself: restart `jobwire up`)" if embedded else ""
    if facts.policy is None:
        found.append(
            Finding("warning", "eviction", "the server does not tell maxmemory-policy", "see that it is noeviction")
        )
    elif facts.policy != "noeviction":
        text = f"maxmemory-policy is {facts.policy}: a full server would forget state, and silently"
        found.append(Finding("problem", "eviction", text, f"CONFIG SET maxmemory-policy noeviction{whose}"))
    else:
        found.append(Finding("ok", "eviction", "noeviction"))
    if not facts.append_only:
        text = "no append-only file: a restart of the server loses state, and what was not yet delivered"
        found.append(Finding("problem", "durability", text, f"CONFIG SET appendonly yes{whose}"))
    elif facts.sync == "no":
        text = "appendfsync is no: a loss of power may cost half a minute"
        found.append(Finding("warning", "durability", text, "CONFIG SET appendfsync everysec"))
    else:
        found.append(Finding("ok", "durability", f"append-only file, fsync {facts.sync or 'unknown'}"))
    return found + [
        Finding("problem", "durability", f"the last write of the {name} failed", "see its disk and its log")
        for name in facts.unsaved
    ]


def _memory(facts: ServerFacts) -> Finding:
    used = f"{facts.memory / 1e6:.0f} MB used"
    if not facts.memory_limit:
        return Finding("ok", "memory", f"{used}, no limit")
    share = facts.memory / facts.memory_limit
    text = f"{used} of {facts.memory_limit / 1e6:.0f} MB"
    if share < _NEARLY_FULL:
        return Finding("ok", "memory", text)
    level: Level = "problem" if share >= 1 else "warning"
    return Finding(level, "memory", f"{text}: a full server refuses every write", "raise maxmemory")


def _clock(skew_ms: int) -> Finding:
    seconds = f"{abs(skew_ms) / 1000:.1f} s"
    if abs(skew_ms) < SKEW_WARNING_MS:
        return Finding("ok", "clock", f"{seconds} from the store's")
    side = "behind" if skew_ms > 0 else "ahead of"
    text = f"this machine is {seconds} {side} the store's clock; signatures carry this machine's time"
    level: Level = "problem" if abs(skew_ms) >= SKEW_PROBLEM_MS else "warning"
    return Finding(level, "clock", text, "run NTP on both machines")


def of_config(name: str, mode: int, secrets: Sequence[str]) -> Finding:
    """A config file, its permission bits, and the places of literal secrets in it, in; what is to be said of it out."""
    if not secrets or not mode & _OFFERED_TO_ALL:
        return Finding("ok", "config", f"{name} is valid")
    text = f"{name} holds secrets ({', '.join(secrets[:3])}) and others on this machine may read it"
    return Finding("warning", "config", text, f"chmod 600 {name}, or write ${{NAME}} or ${{file:...}} in their places")


def of_files(limit: int) -> Finding:
    """How many files this process may open in, whether that is enough for its connections out."""
    if limit >= FILES_WANTED:
        return Finding("ok", "open files", f"up to {limit}")
    return Finding(
        "warning", "open files", f"only {limit} allowed", f"ulimit -n {FILES_WANTED}, or LimitNOFILE= of systemd"
    )


def of_workers(versions: Sequence[str], ours: str) -> Finding:
    """The versions of the workers that live, and of this program, in; what is to be said of them out."""
    if not versions:
        text = "no worker has said in the last half minute that it lives: nothing is scanned, and nothing sent"
        return Finding(
            "warning", "workers", text, "start one: `jobwire up`, or `jobwire worker` on a Redis of your own"
        )
    others = sorted({one for one in versions if one != ours})
    if others:
        text = f"of {len(versions)}, some are of version {', '.join(others)}, and this is {ours}"
        return Finding("warning", "workers", text, "replace them too: CHANGELOG.md says what differs")
    return Finding("ok", "workers", f"{len(versions)}, of version {ours}")


def of_work(ready: Mapping[str, Any]) -> list[Finding]:
    """What /readyz found in, what is to be said of it out."""
    late: Mapping[str, Sequence[str]] = ready["late"]
    found = [
        Finding(
            "problem", what, f"nobody takes up: {', '.join(names)}", "is a worker running? `jobwire up` or `worker`"
        )
        for what, names in late.items()
        if names
    ]
    found += [
        Finding("warning", f"source {one['name']}", f"is {one['state']}", "`jobwire sources` says why")
        for one in ready["stale_sources"]
    ]
    found += [
        Finding("warning", f"target {one['name']}", f"is {one['state']}", "`jobwire deliveries` says why")
        for one in ready["failing_targets"]
    ]
    return found or [Finding("ok", "work", "scans and deliveries are attempted on time")]
