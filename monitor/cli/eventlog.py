"""`jobwire events` and `jobwire history`: what happened, and to one resource."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter, validators

from monitor.bootstrap import Services, services
from monitor.cli import session
from monitor.cli.options import DEFAULT_CONFIG, AsJson, ConfigFile, SourceName
from monitor.cli.output import at_terminal, flush, json_line, note
from monitor.cli.phrases import event_line
from monitor.clock import utc_now
from monitor.embedded import running_url
from monitor.errors import StoreUnavailable, UsageError
from monitor.events import decode
from monitor.moments import parse_moment, to_millis
from monitor.routing import type_glob
from monitor.settings import EMBEDDED, Settings
from monitor.store.eventlog import FIRST, EventLog, Stored, place_order

LAST = 50
_BATCH = 500
_WAIT_MS = 1000
_RETRY_S = 0.3

Follow = Annotated[bool, Parameter(name=("--follow", "-f"), negative=(), help="Go on as events happen, until Ctrl-C.")]
TypePattern = Annotated[
    str | None, Parameter(name="--type", help="Only these types: `*` is one word between dots, `**` any number.")
]
Since = Annotated[str | None, Parameter(help="Only from then on: 2h, 2026-01-05 or 2026-01-05T09:30:00Z.")]
Limit = Annotated[
    int | None,
    Parameter(
        validator=validators.Number(gte=0), help=f"At most so many, the latest. Default: {LAST}, or all with --since."
    ),
]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events are shown."""

    pattern: re.Pattern[str] | None
    source: str | None

    def fits(self, stored: Stored) -> bool:
        """Whether to show this one."""
        if self.pattern is not None and not self.pattern.fullmatch(stored.type):
            return False
        return self.source is None or decode(stored.body)["data"].get("source") == self.source


async def events(
    *,
    follow: Follow = False,
    type_: TypePattern = None,
    source: SourceName = None,
    since: Since = None,
    limit: Limit = None,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> int:
    """Show stored events, the newest last; with --json the CloudEvents themselves."""
    settings = session.read(config)
    session.known("source", source, settings.sources)
    wanted = Wanted(type_glob(type_) if type_ else None, source)
    since_ms = to_millis(moment(since, utc_now())) if since is not None else None
    most = limit if limit is not None else None if since_ms is not None else LAST
    show = _printer(as_json=as_json)
    async with session.wired(settings) as running:
        place = await _show_stored(running.store.log, wanted, since_ms, most, show)
        if place == FIRST and not follow and at_terminal():
            note("no event yet: `jobwire up` makes them, `jobwire poll SOURCE` looks once")
    if follow:
        try:
            await _follow(settings, config, place, wanted, show)
        except asyncio.CancelledError:
            return 0  # Ctrl-C is how following ends
    return 0


def moment(text: str, now: datetime, word: str = "--since") -> datetime:
    """A duration back from now, a date (UTC) or an RFC 3339 time in, the instant out; UsageError for anything else."""
    found = parse_moment(text, now)
    if found is None:
        raise UsageError(
            f"{word} {text!r} is no time: write 30m, 2h or 7d, a date such as 2026-01-05, "
            "or a time such as 2026-01-05T09:30:00Z"
        )
    return found


def _printer(*, as_json: bool) -> Callable[[Stored], None]:
    def show(stored: Stored) -> None:
        if as_json:
            json_line(stored.body)
        else:
            event_line(decode(stored.body))

    return show


async def _show_stored(
    log: EventLog, wanted: Wanted, since_ms: int | None, most: int | None, show: Callable[[Stored], None]
) -> str:
    """Show what is stored already; the place after which following goes on."""
    end = await log.end()
    if most is not None:
        for stored in await _latest(log, wanted, end, since_ms or 0, most):
            show(stored)
        return end
    place = f"{max(0, (since_ms or 0) - 1)}-18446744073709551615" if since_ms else "0-0"
    while batch := await log.after(place, _BATCH):
        for stored in batch:
            if wanted.fits(stored):
                show(stored)
        place = batch[-1].place
        if len(batch) < _BATCH:
            break
    return place if place_order(place) > place_order(end) else end


async def _latest(log: EventLog, wanted: Wanted, end: str, since_ms: int, most: int) -> list[Stored]:
    """The latest `most` events up to a place that fit, oldest first; read backwards: a long log costs little."""
    found: list[Stored] = []
    batch = await log.until(end, _BATCH) if most > 0 else []
    while batch:
        for stored in reversed(batch):
            if stored.at_ms < since_ms or len(found) == most:
                return found[::-1]
            if wanted.fits(stored):
                found.append(stored)
        batch = await log.until(f"({batch[0].place}", _BATCH)
    return found[::-1]


async def _follow(settings: Settings, config: Path, place: str, wanted: Wanted, show: Callable[[Stored], None]) -> None:
    """Show events after a place as they come, through restarts of the store, until cancelled."""
    told = False
    while True:
        url = session.given_url(settings)
        if url == EMBEDDED:
            found = await asyncio.to_thread(running_url, settings.store.data_dir)
            if found is None:
                if not told:
                    note(f"nothing runs with {config} now: waiting for `jobwire up`")
                told = True
                await asyncio.sleep(_RETRY_S)
                continue
            url = found
        told = False
        try:
            async with services(settings, url) as running:
                while True:
                    place = await _next(running, place, wanted, show)
        except StoreUnavailable:
            await asyncio.sleep(_RETRY_S)


async def _next(running: Services, place: str, wanted: Wanted, show: Callable[[Stored], None]) -> str:
    log = running.store.log
    for stored in await log.after(place, _BATCH):
        if wanted.fits(stored):
            show(stored)
        place = stored.place
    flush()
    await log.wait(place, _WAIT_MS)
    return place
