"""The year as pages that a person can read and agree with: shaped lives with their events and messages, and a crowd.

`year.txt` has the shaped lives in full and the crowd in counts, `year-messages.txt` every message about the crowd.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from monitor.pipeline.source import Source
from monitor.values import elapsed
from tests.year.channel import Channels, Sent, channels
from tests.year.clock import END, Life, Told, play
from tests.year.config import TARGETS, TEXT, router
from tests.year.lives import crowd, shaped, sources

SAMPLES = Path(__file__).parents[1] / "samples"
GOLDEN, MESSAGES = SAMPLES / "year.txt", SAMPLES / "year-messages.txt"
SEED, SIZE = 2026, 1_000
_QUARTERS = ("Jan-Mar", "Apr-Jun", "Jul-Sep", "Oct-Dec")

HEAD = f"""\
A year on a virtual clock: what jobwire tells, to whom, and when. Written by `python -m tests.year`.

The sources: `uk` (London) and `office` (New York: contracts at 09:00 on business days, 28 days' notice) speak
driver_jobs, `tax` (UTC) Worklayer, `dev` (UTC) DevRev. A job may stay UNCLAIMED for 4 hours, in_progress for one hour
without progress. Everything that is there on 1 January is the baseline. Times are local. The config of the messages:

{TEXT}
A line with an event is an event, and one message to the webhook `hook`. A line with `>` is one message to a channel of
Slack: posted, or edited in place with a reply in its thread, why, and what a phone shows of it. (That a condition is
over although no event says so, as when a job moves on in its state, is found by workers in the store, and not here.)
"""

CROWD = f"""\
Every message to Slack about {SIZE:,} lives that chance shapes, by the config in year.txt; times are local. Written by
`python -m tests.year`. Each event is a message to the webhook `hook` besides: {{hooks:,}} in all.
"""


def page() -> str:
    """The shaped lives, and the crowd in counts."""
    known = sources()
    lines = [HEAD]
    for number, life in enumerate(shaped(), 1):
        lines += [f"{number}. {life.story} ({life.source})", *(f"   {line}" for line in told_of(life, known)), ""]
    return "\n".join([*lines, *_counts(known)]) + "\n"


def messages() -> str:
    """Every message about the crowd, life by life."""
    known = sources()
    hooks, lines = 0, list[str]()
    for number, life in enumerate(crowd(SEED, SIZE), 1):
        sent = list(sent_of(life, known))
        hooks += sum(one.target == "hook" for one in sent)
        told = [f"   {said(one, known[life.source])}" for one in sent if one.target != "hook"]
        lines += [f"{number}. {life.story} ({life.source})", *(told or ["   nothing"])]
    return "\n".join([CROWD.format(hooks=hooks), *lines]) + "\n"


def told_of(life: Life, known: dict[str, Source]) -> list[str]:
    """What is told of one life, a line each: events, and messages to Slack."""
    where = known[life.source]
    told = [(one.at, line(one, where)) for one in play(life, where)]
    told += [(one.at, said(one, where)) for one in sent_of(life, known) if one.target != "hook"]
    return [text for _, text in sorted(told, key=lambda one: one[0])] or ["nothing"]


def sent_of(life: Life, known: dict[str, Source]) -> Iterator[Sent]:
    """Every message about one life."""
    told = ((life.source, one) for one in play(life, known[life.source]))
    return _channels(known).play(told, END)


def _channels(known: dict[str, Source]) -> Channels:
    return channels(router(), TARGETS, known)


def said(one: Sent, where: Source) -> str:
    """One message to Slack, as a person reads it."""
    local = one.at.astimezone(where.clockwork.zone)
    return f"{local:%a %d %b %H:%M}  > {one.target}, {one.how} ({one.reason}): {one.text}"


def line(one: Told, where: Source) -> str:
    """One thing that is told, as a person reads it."""
    local = one.at.astimezone(where.clockwork.zone)
    if one.event is None:
        return f"{local:%a %d %b %H:%M}  source.schema_drift: {one.news['field']} is {one.news['value']!r}"
    said = [f"{local:%a %d %b %H:%M}  {one.event.type.split('.', 1)[1]}", *_words(one.event.data)]
    return "  ".join(said)


def _words(data: dict[str, Any]) -> Iterator[str]:
    deadline, details, state = data["deadline"], data.get("details", {}), data["state"]
    if state and state["before"] != state["after"]:
        yield f"{state['before'] or '-'} to {state['after'] or '-'}"
    yield from (f"{one['field']}: {one['before']} to {one['after']}" for one in data["changes"])
    if deadline:
        left = deadline.get("days_left")
        yield f"rung {deadline['rung']}"
        yield _left(left * 86_400 if left is not None else deadline["seconds_left"])
        if deadline["late"] != "0s":
            yield f"late {deadline['late']}" + (" (not known before)" if "known_at" in details else "")
    yield from (f"{name} {details[name]}" for name in ("renewal", "notice_by", "since") if name in details)


def _left(seconds: int) -> str:
    if seconds == 0:
        return "now"
    return f"{elapsed(timedelta(seconds=abs(seconds)))} {'left' if seconds > 0 else 'over'}"


def _counts(known: dict[str, Source]) -> list[str]:
    """The crowd: how many of each type in each quarter, and how late."""
    types: dict[str, Counter[int]] = {}
    for life in crowd(SEED, SIZE):
        for one in play(life, known[life.source]):
            name = one.event.type if one.event else "jobwire.source.schema_drift"
            types.setdefault(name, Counter())[(one.at.month - 1) // 3] += 1
    rows = [
        f"{name:<40}" + "".join(f"{quarters[quarter]:>9}" for quarter in range(4)) + f"{quarters.total():>9}"
        for name, quarters in sorted(types.items())
    ]
    head = f"{'events of a crowd of ' + format(SIZE, ','):<40}" + "".join(f"{one:>9}" for one in (*_QUARTERS, "all"))
    return [head, *rows]
