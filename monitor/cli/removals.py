"""`jobwire removals`: what went missing all at once, and an operator's word on it."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from monitor.cli import session
from monitor.cli.entry import FAILED
from monitor.cli.options import DEFAULT_CONFIG, AsJson, ConfigFile
from monitor.cli.output import json_line, note, say, table
from monitor.cli.phrases import ago, plural
from monitor.moments import from_millis
from monitor.status import Decision, decide_removals, held_removals

Source = Annotated[str, Parameter(help="The source's name in the config file.")]


async def listed(source: Source, /, *, config: ConfigFile = DEFAULT_CONFIG, as_json: AsJson = False) -> int:
    """Show the items of a source that are missing all at once, and whose removal is held for that reason.

    They are still known, and nobody was told. When they come back it is over; else release or discard them.
    """
    settings = session.read(config)
    session.known("source", source, settings.sources)
    async with session.wired(settings) as running:
        store = running.store
        found = await held_removals(store.sources, store.items, source)
        decided = (await store.sources.state(source)).get("release")
        now = from_millis(await store.db.now_ms())
    if as_json:
        for one in found:
            json_line(one)
        return 0
    if not found:
        say(f"{source}: no removal is held")
        return 0
    rows = [(one.key, one.state or "-", one.title, ago(one.last_seen, now), str(one.missed)) for one in found]
    table(("key", "state", "title", "last seen", "scans missed"), rows)
    say(f"{plural(len(found), 'removal')} held; {_NEXT[decided] if decided in _NEXT else _CHOICE.format(name=source)}")
    return 0


async def release(source: Source, /, *, config: ConfigFile = DEFAULT_CONFIG) -> int:
    """Believe that what is missing is gone: the next complete scan removes it and tells each removal.

    A running worker makes that scan at once. Exits with 1 if nothing is held.
    """
    return await _decide(source, config, "release")


async def discard(source: Source, /, *, config: ConfigFile = DEFAULT_CONFIG) -> int:
    """Forget what is missing: the next complete scan removes it, and nobody is told.

    A running worker makes that scan at once. Should it come back, it is told as restored.
    Exits with 1 if nothing is held.
    """
    return await _decide(source, config, "discard")


_CHOICE = "tell them with jobwire removals release {name}, forget them with jobwire removals discard {name}"
_NEXT = {
    "release": "the next complete scan removes and tells them",
    "discard": "the next complete scan forgets them, and nobody is told",
}


async def _decide(source: str, config: ConfigFile, decision: Decision) -> int:
    settings = session.read(config)
    session.known("source", source, settings.sources)
    async with session.wired(settings) as running:
        done = await decide_removals(running.store.sources, source, decision)
    if done is None:
        note(f"{source}: no removal is held: nothing was done")
        return FAILED
    say(f"{source}: {plural(done.count, 'removal')} to {decision}: {_NEXT[decision]}")
    return 0
