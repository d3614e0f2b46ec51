"""`jobwire replay`: send again what was sent before, chosen by id or by target and time."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from cyclopts import Parameter

from monitor.cli.desk.asked import Desk, ReplayWanted, values
from monitor.cli.desk.opening import desk
from monitor.cli.entry import FAILED
from monitor.cli.eventlog import moment
from monitor.cli.options import HERE, AsJson, TypePattern, Where
from monitor.cli.output import at_terminal, json_line, note, say, table
from monitor.cli.phrases import plural, short_time
from monitor.errors import TargetDisabled, UsageError

Ids = Annotated[str, Parameter(name="IDS", help="Deliveries or events; an event is all its deliveries.")]
Target = Annotated[
    str | None, Parameter(name="--target", help="What was sent to this target; with IDS, only their deliveries to it.")
]
Since = Annotated[str | None, Parameter(help="Made from then on: 2h, 2026-01-05 or 2026-01-05T09:30:00Z.")]
Until = Annotated[str | None, Parameter(help="Made before then. Default: now.")]
OnlyFailed = Annotated[
    bool, Parameter(name="--failed", negative=(), help="Only what was given up; the times are then those of giving up.")
]
Dry = Annotated[bool, Parameter(name="--dry-run", negative=(), help="Say how many it would be, and send nothing.")]
Yes = Annotated[bool, Parameter(name=("--yes", "-y"), negative=(), help="Do not ask, however many they are.")]

SAID = {
    "queued": "goes again as soon as may be",
    "waiting": "is on its way already, or waits for its group or for the target to be enabled",
    "disabled": "not sent: its target is disabled; run `jobwire target enable TARGET`, then replay",
    "gone": "not sent: its event is older than what is kept",
    "changed": "left alone: somebody else replayed it meanwhile",
    "unconfigured": "not sent: the config has no such target any more",
    "unknown": "no such delivery, and no delivery of such an event, is kept: "
    "`jobwire deliveries` and `jobwire events` list what is",
}
_DONE = {"queued", "waiting", "changed"}


async def replay(
    *ids: Ids,
    target: Target = None,
    since: Since = None,
    until: Until = None,
    failed: OnlyFailed = False,
    type_: TypePattern = None,
    dry_run: Dry = False,
    yes: Yes = False,
    where: Where = HERE,
    as_json: AsJson = False,
) -> int:
    """Send deliveries again, by their ids or by --target and --since: the same bytes under the same id.

    Attempts count on, and the schedule of retries goes on where it was: what was given up gets one attempt. A retry
    that waits is made now instead of then. A delivery stands among those that wait for its resource where it happened.
    By --target more than one asks first at a terminal and needs --yes elsewhere. Exits with 1 if something is not sent.
    """
    if ids and (since or until or failed or type_):
        raise UsageError("give either IDS, or --target and --since")
    if not ids and (target is None or since is None):
        raise UsageError("say what to send again: IDS of deliveries or events, or --target NAME --since T")
    async with desk(where) as at:
        await at.known("target", target)
        if ids:
            return await _named(at, ids, target, dry_run=dry_run, as_json=as_json)
        now = await at.now()
        end = moment(until, now, "--until") if until else await at.no_earlier()
        wanted = ReplayWanted(target or "", moment(since or "", now), end, failed, type_)
        return await _chosen(at, wanted, dry_run=dry_run, yes=yes, as_json=as_json)


async def _named(at: Desk, ids: tuple[str, ...], target: str | None, *, dry_run: bool, as_json: bool) -> int:
    found = await at.replay(ids, target, dry_run=dry_run)
    views = [values(one) for one in found]
    if as_json:
        for one in found:
            json_line(one)
    else:
        table(("delivery", "event", "target", "would be sent" if dry_run else "result"), [_row(one) for one in views])
    return 0 if dry_run or all(one["result"] in _DONE for one in views) else FAILED


async def _chosen(at: Desk, wanted: ReplayWanted, *, dry_run: bool, yes: bool, as_json: bool) -> int:
    waiting = None if dry_run else await at.disabled(wanted.target)
    if waiting is not None:
        note(f"error: {TargetDisabled(wanted.target, waiting)}")
        return FAILED
    counted = await at.count(wanted)
    count = values(counted)
    if as_json and dry_run:
        json_line(counted)
    elif not as_json:
        say(_counted(count))
    if dry_run or (not count["count"] and not as_json):
        return 0
    if count["count"] > 1 and not yes and not _agreed(count["count"]):
        return FAILED
    result = await at.replay_since(wanted)
    results = values(result)["results"]
    if as_json:
        json_line(result)
    else:
        for line in _results(results):
            say(line)
    return 0 if set(results) <= _DONE else FAILED


def _agreed(count: int) -> bool:
    """Whether the person at the terminal wants it; UsageError where nobody can be asked."""
    if not (sys.stdin.isatty() and at_terminal()):
        raise UsageError(
            f"{plural(count, 'delivery', 'deliveries')} would be sent again: nothing was. "
            "Add --yes to do it, --dry-run to see how many there are"
        )
    try:
        answer = input("Send them again? [y/N] ")
    except EOFError:
        return False
    return answer.strip().lower() in {"y", "yes"}


def _counted(count: Mapping[str, Any]) -> str:
    if not count["count"]:
        return f"{count['target']}: there is nothing to send again"
    what = ", ".join(f"{amount:,} {status}" for status, amount in sorted(count["statuses"].items()))
    times = f"made from {short_time(count['oldest_at'])} to {short_time(count['newest_at'])}"
    return f"{count['target']}: {plural(count['count'], 'delivery', 'deliveries')} to send again ({what}), {times}"


def _row(one: Mapping[str, Any]) -> tuple[str, ...]:
    result = one["result"]
    return one["id"], one["event_id"] or "-", one["target"] or "-", SAID.get(result, result)


def _results(results: Mapping[str, int]) -> Iterable[str]:
    for result, amount in sorted(Counter(results).items()):
        yield f"{amount:,}: {SAID.get(result, result)}"
