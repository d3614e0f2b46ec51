"""`jobwire deliveries`: what was sent to whom, with every attempt."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from cyclopts import Parameter, validators

from monitor.cli.desk.asked import DeliveriesWanted, values
from monitor.cli.desk.opening import desk
from monitor.cli.eventlog import moment
from monitor.cli.options import HERE, AsJson, TargetName, TypePattern, Where
from monitor.cli.output import json_line, shorter, table
from monitor.cli.phrases import ago, short_time
from monitor.clock import utc_now

LAST = 50

Status = Annotated[
    Literal["pending", "delivered", "failed"] | None, Parameter(help="Only those that are so; failed is given up.")
]
Limit = Annotated[int, Parameter(help="At most so many, the latest.", validator=validators.Number(gte=0))]
EventId = Annotated[str | None, Parameter(name="--event", help="Only those of this event.")]
Since = Annotated[str | None, Parameter(help="Only those made from then on: 2h, 2026-01-05 or 2026-01-05T09:30:00Z.")]


async def deliveries(
    *,
    target: TargetName = None,
    status: Status = None,
    event: EventId = None,
    type_: TypePattern = None,
    since: Since = None,
    limit: Limit = LAST,
    where: Where = HERE,
    as_json: AsJson = False,
) -> int:
    """Show what was sent to whom, the newest last, with --json every attempt."""
    start = moment(since, utc_now()) if since is not None else None
    async with desk(where) as at:
        await at.known("target", target)
        wanted = DeliveriesWanted(target, status, event, type_, start, limit, detail=not as_json)
        found, now = await at.deliveries(wanted), await at.now()
    if as_json:
        for one in found:
            json_line(one)
    else:
        head = ("delivery", "when", "target", "status", "tries", "event", "type", "key", "last answer", "next try")
        table(head, [_row(values(one), now) for one in found])
    return 0


def _row(one: Mapping[str, Any], now: datetime) -> tuple[str, ...]:
    tried = one["attempts"]
    said = (tried[-1]["error"] or f"{tried[-1]['status']} in {tried[-1]['ms']} ms") if tried else "-"
    again = ago(one["next_at"], now)
    about = one["event_id"], one["type"], one["key"]
    when = short_time(one["made_at"])
    return one["id"], when, one["target"], one["status"], str(len(tried)), *about, shorter(said, 60), again
