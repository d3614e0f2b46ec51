"""Words of the config file as types: durations, rates, sizes and secrets, from text to numbers.

Durations are `500ms 30s 5m 6h 14d` and become seconds. Rates are `5`, `5/s` or `200/m` and become
requests a second. Sizes are `50MB`, `512KB` or a number of bytes (1 MB = 1,000,000 bytes).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import time, timedelta
from typing import Annotated, Any, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, SecretStr, WithJsonSchema

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_CLOCK = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_RATE = re.compile(r"(\d+(?:\.\d+)?)(?:/(s|m|h))?")
_SIZE = re.compile(r"(\d+)(B|KB|MB|GB)?", re.IGNORECASE)
_BYTES = {"B": 1, "KB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000}


def parse_duration(value: Any) -> float:
    """Text such as `90s` in, seconds out; ValueError says what is allowed."""
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{value!r} is not a duration: write a number and a unit, such as 500ms, 30s, 5m, 6h or 14d")
    return float(match[1]) * _SECONDS[match[2]]


def format_duration(seconds: float) -> str:
    """Seconds in, the shortest exact text out: 90 -> `90s`, 7200 -> `2h`, 86400 -> `1d`, 0 -> `0s`."""
    if seconds != int(seconds):
        return f"{round(seconds * 1000)}ms"
    whole = int(seconds)
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if whole and whole % size == 0:
            return f"{whole // size}{unit}"
    return f"{whole}s"


def parse_rate(value: Any) -> float:
    """`5`, `5/s` or `200/m` in, a number a second out; ValueError says what is allowed."""
    match = _RATE.fullmatch(str(value).strip()) if not isinstance(value, bool) else None
    rate = float(match[1]) / _SECONDS[match[2] or "s"] if match else 0.0
    if rate <= 0:
        raise ValueError(f"{value!r} is not a rate: write a number a second or minute above 0, such as 5, 5/s or 200/m")
    return rate


def parse_size(value: Any) -> int:
    """`50MB` in, bytes out; ValueError says what is allowed."""
    match = _SIZE.fullmatch(str(value).strip()) if not isinstance(value, bool) else None
    if match is None or int(match[1]) == 0:
        raise ValueError(f"{value!r} is not a size: write bytes above 0, such as 512KB or 50MB")
    return int(match[1]) * _BYTES[(match[2] or "B").upper()]


def parse_clock(value: Any) -> time:
    """`09:00` in, a time of day out; ValueError says what is allowed."""
    if isinstance(value, str) and _CLOCK.fullmatch(value):
        return time.fromisoformat(value)
    raise ValueError("is not a time of day: write HH:MM, such as 09:00")


def elapsed(delta: timedelta) -> str:
    """A time span in, words a person reads at a glance out: `2d 3h`, `4h 10m`, `35s`."""
    whole = max(0, int(delta.total_seconds()))
    parts = [
        (whole // 86400, "d"),
        (whole % 86400 // 3600, "h"),
        (whole % 3600 // 60, "m"),
        (whole % 60, "s"),
    ]
    said = [f"{amount}{unit}" for amount, unit in parts if amount]
    return " ".join(said[:2]) or "0s"


Duration: TypeAlias = Annotated[
    float,
    BeforeValidator(parse_duration),
    WithJsonSchema({"type": "string", "pattern": r"^\d+(\.\d+)?(ms|s|m|h|d)$", "description": "500ms 30s 5m 6h 14d"}),
]
Rate: TypeAlias = Annotated[
    float,
    BeforeValidator(parse_rate),
    WithJsonSchema({"type": ["string", "number"], "description": "requests a second: 5, 5/s or 200/m"}),
]
Size: TypeAlias = Annotated[
    int,
    BeforeValidator(parse_size),
    WithJsonSchema({"type": ["string", "integer"], "description": "bytes: 512KB, 50MB"}),
]
Secret: TypeAlias = Annotated[SecretStr, WithJsonSchema({"type": "string", "description": "a secret; write ${NAME}"})]


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is not a time zone: write an IANA name such as Europe/London or UTC") from error
    return name


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


_Full = Annotated[str, Field(min_length=1)]
Text: TypeAlias = Annotated[_Full, BeforeValidator(_as_text, json_schema_input_type=_Full | int)]
"""Text that is not empty; a whole number, which YAML made of `remote_id: 3235005483341316245`, is its digits."""

ZoneName: TypeAlias = Annotated[str, AfterValidator(_zone)]
"""The name of a time zone, such as Europe/London."""

TimeOfDay: TypeAlias = Annotated[
    time, BeforeValidator(parse_clock), WithJsonSchema({"type": "string", "pattern": f"^{_CLOCK.pattern}$"})
]
"""A time on the wall clocks of some zone."""


def secrets_of(options: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], SecretStr]]:
    """Options as a model, or a part of them, in; every secret that is set in them, at any depth, with its path out."""
    if isinstance(options, SecretStr):
        if options.get_secret_value():
            yield path, options
    elif isinstance(options, BaseModel):
        for name in type(options).model_fields:
            yield from secrets_of(getattr(options, name), (*path, name))
    elif isinstance(options, Mapping):
        for key, inner in options.items():
            yield from secrets_of(inner, (*path, key))
    elif isinstance(options, list | tuple):
        for index, inner in enumerate(options):
            yield from secrets_of(inner, (*path, index))
