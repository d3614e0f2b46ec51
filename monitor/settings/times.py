"""Time intervals of routes as they are written in the config file: when something is muted or active."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, Field, PrivateAttr, model_validator

from monitor.settings.section import Section, one_or_many
from monitor.values import Text, ZoneName

_DAY = "(sunday|monday|tuesday|wednesday|thursday|friday|saturday)"
_DAY_OF_MONTH = "(-?(3[01]|[12][0-9]|[1-9]))"
_NAMES = "january|february|march|april|may|june|july|august|september|october|november|december"
_MONTH = f"(1[0-2]|[1-9]|{_NAMES})"

Weekdays: TypeAlias = Annotated[Text, Field(pattern=f"^{_DAY}(:{_DAY})?$")]
MonthDays: TypeAlias = Annotated[Text, Field(pattern=f"^{_DAY_OF_MONTH}(:{_DAY_OF_MONTH})?$")]
Months: TypeAlias = Annotated[Text, Field(pattern=f"^{_MONTH}(:{_MONTH})?$")]
Years: TypeAlias = Annotated[Text, Field(pattern="^[0-9]{4}(:[0-9]{4})?$")]


class TimeRange(Section):
    """Hours of a day: from the start on, until before the end."""

    start_time: str = Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", description="such as 09:00")
    end_time: str = Field(
        pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$", description="such as 17:30; at most 24:00"
    )

    @model_validator(mode="after")
    def _ends_later(self) -> TimeRange:
        if self.end_time <= self.start_time:
            raise ValueError("ends before it starts: for a night write two ranges, one until 24:00 and one from 00:00")
        return self


class TimeInterval(Section):
    """Times of a calendar, written as in Alertmanager; all that are given must agree.

    https://prometheus.io/docs/alerting/latest/configuration/#time_interval-0
    """

    times: tuple[TimeRange, ...] = Field(default=(), description="hours of the day")
    weekdays: tuple[Weekdays, ...] = Field(default=(), description="such as saturday or monday:friday")
    days_of_month: tuple[MonthDays, ...] = Field(default=(), description="such as 1, 1:5 or -3:-1 (from the end)")
    months: tuple[Months, ...] = Field(default=(), description="such as december or 1:3")
    years: tuple[Years, ...] = Field(default=(), description="such as 2026 or 2026:2028")
    location: ZoneName = Field(description="time zone in which all this counts, such as Europe/London")

    _named: str | None = PrivateAttr(default=None)

    @classmethod
    def called(cls, name: str) -> TimeInterval:
        """The entry of `intervals` with this name, whatever stands there."""
        interval = cls.model_construct(location="UTC")
        interval._named = name  # noqa: SLF001 - its own
        return interval

    @property
    def named(self) -> str | None:
        """The entry of `intervals` that stands here by its name; None where the times are written out."""
        return self._named


def _by_name(given: Any) -> Any:
    return TimeInterval.called(given) if isinstance(given, str) else given


Times: TypeAlias = Annotated[TimeInterval, BeforeValidator(_by_name, json_schema_input_type=TimeInterval | str)]
"""Times of a calendar, written out or by their name in `intervals`."""


def _one_or_many(given: Any) -> Any:
    return [given] if isinstance(given, Mapping) else one_or_many(given)


TimesList: TypeAlias = Annotated[
    tuple[Times, ...], BeforeValidator(_one_or_many, json_schema_input_type=tuple[Times, ...] | TimeInterval | str)
]
"""One name, one interval written out, or a list of both."""
