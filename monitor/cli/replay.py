"""`jobwire replay`: send again what was sent before, chosen by id or by target and time."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Annotated

from cyclopts import Parameter

from monitor.bootstrap import Services, replaying
from monitor.cli import session
from monitor.cli.entry import FAILED
from monitor.cli.eventlog import moment
from monitor.cli.options import DEFAULT_CONFIG, AsJson, ConfigFile
from monitor.cli.output import at_terminal, json_line, note, say, table
from monitor.cli.phrases import plural, short_time
from monitor.errors import UsageError
from monitor.moments import from_millis, to_millis
from monitor.routing import type_glob
from monitor.status import Choice, ReplayCount, Replaying
from monitor.status.replay import done, refusal, within_reach

Ids = Annotated[str, Parameter(name="IDS", help="Deliveries or events; an event is all its deliveries.")]
Target = Annotated[
    str | None, Parameter(name="--target", help="What was sent to this target; with IDS, only their deliveries to it.")
]
Since = Annotated[str | None, Parameter(help="Made from then on: 2h, 2026-01-05 or 2026-01-05T09:30:00Z.")]
Until = Annotated[str | None, Parameter(help="Made before then. Default: now.")]
OnlyFailed = Annotated[
    bool, Parameter(name="--failed", negative=(), help="Only what was given up; the times are then those of giving up.")
]
TypePattern = Annotated[
    str | None, Parameter(name="--type", help="Only of these types: `*` is one word between dots, `**` any number.")
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
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> int:
    """Send deliveries again, by their ids or by --target and --since: the same bytes under the same id.

    Attempts count on, and the schedule of retries goes on where it was: what was given up gets one attempt. A retry
    that waits is made now instead of then. A delivery stands among those that wait for its resource where it happened.
    By --target more than one asks first at a terminal and needs --yes elsewhere. Exits with 1 if something is not sent.
    """
    settings = session.read(config)
    session.known("target", target, settings.targets)
    if ids and (since or until or failed or type_):
        raise UsageError("give either IDS, or --target and --since")
    if not ids and (target is None or since is None):
        raise UsageError("say what to send again: IDS of deliveries or events, or --target NAME --since T")
    async with session.wired(settings) as running:
        again = replaying(running)
        if ids:
            return await _named(again, ids, target, dry_run=dry_run, as_json=as_json)
        now = await running.store.db.now_ms()
        choice = Choice(
            target or "",
            to_millis(moment(since or "", from_millis(now))),
            to_millis(moment(until, from_millis(now), "--until")) if until else now,
            failed,
            type_glob(type_) if type_ else None,
        )
        within_reach(choice.since, now, running.store.log.kept_ms)
        return await _chosen(running, again, choice, dry_run=dry_run, yes=yes, as_json=as_json)


async def _named(again: Replaying, ids: tuple[str, ...], target: str | None, *, dry_run: bool, as_json: bool) -> int:
    found = await again.find(ids, target) if dry_run else await again.named(ids, target)
    if as_json:
        for one in found:
            json_line(one)
    else:
        rows = [(one.id, one.event_id or "-", one.target or "-", SAID.get(one.result, one.result)) for one in found]
        table(("delivery", "event", "target", "would be sent" if dry_run else "result"), rows)
    return 0 if dry_run or all(one.result in _DONE for one in found) else FAILED


async def _chosen(
    running: Services, again: Replaying, choice: Choice, *, dry_run: bool, yes: bool, as_json: bool
) -> int:
    stored = await running.store.reading.target(choice.target)
    if "disabled" in stored and not dry_run:
        note(f"error: {refusal(choice.target, (await running.store.reading.backlog(choice.target)).size)}")
        return FAILED
    count = await again.count(choice)
    if as_json and dry_run:
        json_line(count)
    elif not as_json:
        say(_counted(count))
    if dry_run or (not count.count and not as_json):
        return 0
    if count.count > 1 and not yes and not _agreed(count):
        return FAILED
    result = await done(choice.target, again.run(choice))
    if as_json:
        json_line(result)
    else:
        for line in _results(result.results):
            say(line)
    return 0 if set(result.results) <= _DONE else FAILED


def _agreed(count: ReplayCount) -> bool:
    """Whether the person at the terminal wants it; UsageError where nobody can be asked."""
    if not (sys.stdin.isatty() and at_terminal()):
        raise UsageError(
            f"{plural(count.count, 'delivery', 'deliveries')} would be sent again: nothing was. "
            "Add --yes to do it, --dry-run to see how many there are"
        )
    try:
        answer = input("Send them again? [y/N] ")
    except EOFError:
        return False
    return answer.strip().lower() in {"y", "yes"}


def _counted(count: ReplayCount) -> str:
    if not count.count:
        return f"{count.target}: there is nothing to send again"
    what = ", ".join(f"{amount:,} {status}" for status, amount in sorted(count.statuses.items()))
    times = f"made from {short_time(count.oldest_at)} to {short_time(count.newest_at)}"
    return f"{count.target}: {plural(count.count, 'delivery', 'deliveries')} to send again ({what}), {times}"


def _results(results: Mapping[str, int]) -> Iterable[str]:
    for result, amount in sorted(Counter(results).items()):
        yield f"{amount:,}: {SAID[result]}"
