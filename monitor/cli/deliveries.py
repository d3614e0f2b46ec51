"""`jobwire deliveries`: what was sent to whom, with every attempt."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from cyclopts import Parameter, validators

from monitor.cli import session
from monitor.cli.eventlog import moment
from monitor.cli.options import DEFAULT_CONFIG, AsJson, ConfigFile, TargetName
from monitor.cli.output import json_line, shorter, table
from monitor.cli.phrases import ago, short_time
from monitor.clock import utc_now
from monitor.moments import from_millis, stamp, to_millis
from monitor.routing import type_glob
from monitor.status import deliveries_of, delivery_view, latest_deliveries
from monitor.store.reading import StoredDelivery, Wanted

LAST = 50

Status = Annotated[
    Literal["pending", "delivered", "failed"] | None, Parameter(help="Only those that are so; failed is given up.")
]
Limit = Annotated[int, Parameter(help="At most so many, the latest.", validator=validators.Number(gte=0))]
EventId = Annotated[str | None, Parameter(name="--event", help="Only those of this event.")]
Since = Annotated[str | None, Parameter(help="Only those made from then on: 2h, 2026-01-05 or 2026-01-05T09:30:00Z.")]
TypePattern = Annotated[
    str | None, Parameter(name="--type", help="Only of these types: `*` is one word between dots, `**` any number.")
]


async def deliveries(
    *,
    target: TargetName = None,
    status: Status = None,
    event: EventId = None,
    type_: TypePattern = None,
    since: Since = None,
    limit: Limit = LAST,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> int:
    """Show what was sent to whom, the newest last, with --json every attempt."""
    settings = session.read(config)
    session.known("target", target, settings.targets)
    since_ms = to_millis(moment(since, utc_now())) if since is not None else None
    wanted = Wanted(status, event, type_glob(type_) if type_ else None, since_ms)
    names = [target] if target else list(settings.targets)
    async with session.wired(settings) as running:
        reading = running.store.reading
        if event is None:
            found = await latest_deliveries(reading, names, wanted, limit=limit)
        else:
            found = [one for one in await deliveries_of(reading, names, event) if wanted.fits(one)][:limit]
        now = from_millis(await running.store.db.now_ms())
    if as_json:
        for one in found:
            json_line(delivery_view(one))
    else:
        head = ("delivery", "when", "target", "status", "tries", "event", "type", "key", "last answer", "next try")
        table(head, [_row(one, now) for one in found])
    return 0


def _row(one: StoredDelivery, now: datetime) -> tuple[str, ...]:
    last = one.attempts[-1] if one.attempts else None
    said = (last.error or f"{last.status} in {last.ms} ms") if last else "-"
    when = short_time(stamp(from_millis(one.made_ms)))
    again = ago(stamp(from_millis(one.next_ms)), now) if one.next_ms is not None else "-"
    tries = str(len(one.attempts))
    return one.id, when, one.target, one.status, tries, one.event, one.type, one.key, shorter(said, 60), again
