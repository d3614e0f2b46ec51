"""A digest in words: which deadlines come, and what has happened. Pure: its event in, parts of sentences out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from monitor.targets.telling.facts import Facts
from monitor.targets.telling.words import Moment, Part, Said, Strong, Tone, count, day, days, graded, in_utc

_NAMED = 5
"""Deadlines that the one sentence names; messages with room for it list all."""


@dataclass(frozen=True, slots=True)
class Story:
    """A digest taken apart: its day, what it lists as (parts, link) lines, and what there is beside them."""

    day: str
    days: int
    deadlines: Sequence[tuple[Sequence[Part], str | None]]
    more_deadlines: int
    events: Mapping[str, int]
    total: int
    important: Sequence[tuple[Sequence[Part], str | None]]
    since: str
    due: str
    late: float

    @property
    def deadline_count(self) -> int:
        """How many deadlines there are, listed or not."""
        return len(self.deadlines) + self.more_deadlines

    @property
    def short(self) -> str:
        """`3 deadlines, 12 events`."""
        told = [count(self.deadline_count, "deadline")] if self.deadline_count else []
        return ", ".join([*told, *([count(self.total, "event")] if self.total else [])]) or "nothing new"


def story(facts: Facts) -> Story:
    """A digest's event in, the same taken apart out; what is missing is empty."""
    details = facts.details
    deadlines = [_deadline(one) for one in _mappings(details.get("deadlines"))]
    given = details.get("events")
    events = given if isinstance(given, dict) else {}
    return Story(
        day=str(details.get("day") or facts.time[:10]),
        days=_number(details.get("days")),
        deadlines=deadlines,
        more_deadlines=max(0, _number(details.get("deadlines_total")) - len(deadlines)),
        events={str(type_): _number(number) for type_, number in events.items()},
        total=_number(details.get("events_total")),
        important=[
            _event(one) for one in sorted(_mappings(details.get("important")), key=lambda one: bool(_over(one)))
        ],
        since=str(details.get("since") or ""),
        due=str(details.get("due") or ""),
        late=float(_number(details.get("late"))),
    )


def tell_digest(facts: Facts) -> Said:
    """A digest as one sentence, for whoever has no room for more."""
    told = story(facts)
    sentence: list[Part] = [Strong(f"Digest of {day(told.day)}"), f": {told.short}."]
    if told.deadline_count:
        sentence.append(f" Deadlines within {count(told.days, 'day')}: ")
        for index, (parts, _) in enumerate(told.deadlines[:_NAMED]):
            sentence += ["; " if index else "", *parts]
        left = told.deadline_count - min(_NAMED, len(told.deadlines))
        sentence.append(f"; and {left} more." if left else ".")
    if told.total:
        sentence += [" Since ", Moment(told.since), f": {by_type(told)}."]
    return Said(Tone.NEWS, told.short, tuple(sentence))


def by_type(told: Story, most: int = 5) -> str:
    """`5 × worklayer.job.claimed, 2 × ...`, the most frequent types first."""
    named = [f"{number} × {type_}" for type_, number in list(told.events.items())[:most]]
    left = told.total - sum(list(told.events.values())[:most])
    return ", ".join([*named, *([f"{left} of other types"] if left > 0 else [])])


def _deadline(one: Mapping[str, Any]) -> tuple[Sequence[Part], str | None]:
    """`in 2 days, 20 Dec 2025: Contract of X (end date, active)`."""
    at = one.get("at")
    when: tuple[Part, ...] = (Moment(str(at)),) if at else (day(str(one.get("day") or "")),)
    about = [str(one.get("field") or "").replace("_", " "), str(one.get("state") or ""), str(one.get("source") or "")]
    told = ", ".join(part for part in about if part)
    title = str(one.get("title") or one.get("key") or "something without a name")
    return (f"{days(one.get('days_left'))}, ", *when, ": ", Strong(title[:160]), f" ({told[:120]})"), _url(one)


def _event(one: Mapping[str, Any]) -> tuple[Sequence[Part], str | None]:
    """`🔴 Job 7 failed.`; `🟢 Since resolved: Job 7 failed.` where that is over."""
    over = _over(one)
    tone = Tone.GOOD if over else graded(Tone.NEWS, str(one.get("severity") or ""))
    text = str(one.get("text") or one.get("type") or "")[:300]
    return (f"{tone.sign} {f'Since {over}: ' if over else ''}", *_timed(text, one.get("moments"))), _url(one)


def _over(one: Mapping[str, Any]) -> str:
    """How a condition has ended since; empty where it is open, and for what only happened."""
    state = one.get("state")
    return str(state) if state in ("resolved", "expired") else ""


def _timed(text: str, moments: Any) -> Iterator[Part]:
    """Text in, the same with its instants as such out: each stands in it as `in_utc` writes it."""
    for at in moments if isinstance(moments, list) else ():
        written = in_utc(str(at))
        before, found, after = text.partition(written) if written else (text, "", "")
        if found:
            yield before
            yield Moment(str(at))
            text = after
    yield text


def _url(one: Mapping[str, Any]) -> str | None:
    url = one.get("url")
    return url if isinstance(url, str) and len(url) <= 120 else None


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _number(value: Any) -> int:
    return int(value) if isinstance(value, int | float) else 0
