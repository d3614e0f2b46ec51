"""From the times of a config file to intervals that can be asked: text to numbers, names to what they stand for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from monitor.intervals import MONTHS, WEEKDAYS, Interval, minutes, numbers
from monitor.settings.times import TimeInterval


def intervals_of(
    given: Sequence[TimeInterval] | None, named: Mapping[str, Sequence[TimeInterval]], path: str
) -> tuple[Interval, ...] | None:
    """`mute` or `active` of a route in, its intervals out, called by their names or their place in the file."""
    if given is None:
        return None
    found: list[Interval] = []
    for index, one in enumerate(given):
        if one.named is None:
            found.append(interval_of(f"{path}[{index}]", one))
        else:
            found += [interval_of(one.named, times) for times in named.get(one.named, ())]
    return tuple(found)


def interval_of(name: str, given: TimeInterval) -> Interval:
    """Times of the config in, the same as numbers out."""
    return Interval(
        name=name,
        zone=ZoneInfo(given.location),
        times=tuple((minutes(one.start_time), minutes(one.end_time)) for one in given.times),
        weekdays=tuple(numbers(one, WEEKDAYS) for one in given.weekdays),
        days_of_month=tuple(numbers(one) for one in given.days_of_month),
        months=tuple(numbers(one, MONTHS, first=1) for one in given.months),
        years=tuple(numbers(one) for one in given.years),
    )
