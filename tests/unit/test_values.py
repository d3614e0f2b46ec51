"""Durations, rates and sizes of the config file: what is written, what it is worth, what is refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr, ValidationError

from monitor.values import (
    Duration,
    Rate,
    Secret,
    Size,
    elapsed,
    format_duration,
    parse_duration,
    parse_rate,
    parse_size,
    secrets_of,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("500ms", 0.5),
        ("30s", 30.0),
        ("5m", 300.0),
        ("6h", 21_600.0),
        ("14d", 1_209_600.0),
        ("1.5h", 5400.0),
        ("0s", 0.0),
    ],
)
def test_durations_are_a_number_and_a_unit(text: str, seconds: float) -> None:
    """The units of the contract, fractions too."""
    assert parse_duration(text) == seconds
    assert parse_duration(f" {text} ") == seconds


@pytest.mark.parametrize("value", ["", "30", 30, 30.5, None, True, "-5s", "5 s", "1w", "5S", "1h30m", "s", "soon"])
def test_other_durations_are_refused_with_what_is_allowed(value: Any) -> None:
    """A bare number has no unit, so it is not guessed at."""
    with pytest.raises(ValueError, match=r"is not a duration: write a number and a unit, such as 500ms, 30s, 5m"):
        parse_duration(value)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.5, "500ms"),
        (1.5, "1500ms"),
        (1, "1s"),
        (90, "90s"),
        (120, "2m"),
        (3600, "1h"),
        (7200, "2h"),
        (5400, "90m"),
        (86_400, "1d"),
        (30 * 86_400, "30d"),
        (90_000, "25h"),
    ],
)
def test_durations_are_written_in_the_largest_exact_unit(seconds: float, text: str) -> None:
    """These texts name rungs, so they never change."""
    assert format_duration(seconds) == text


@given(st.integers(0, 10**12))
def test_a_written_duration_reads_as_the_same(millis: int) -> None:
    """Nothing is rounded down to the millisecond."""
    assert parse_duration(format_duration(millis / 1000)) == pytest.approx(millis / 1000, abs=1e-4)


@pytest.mark.parametrize(
    ("value", "rate"), [("5", 5.0), (5, 5.0), (0.5, 0.5), ("5/s", 5.0), ("120/m", 2.0), ("1800/h", 0.5), (" 5/s ", 5.0)]
)
def test_rates_become_requests_a_second(value: Any, rate: float) -> None:
    """A number alone is a second's."""
    assert parse_rate(value) == rate


@pytest.mark.parametrize("value", [0, "0/s", -1, "5/d", "5 / s", "", None, True, "fast", float("nan"), float("inf")])
def test_other_rates_are_refused(value: Any) -> None:
    """Nothing at or below 0, no other units."""
    with pytest.raises(ValueError, match="is not a rate: write a number a second or minute above 0"):
        parse_rate(value)


@pytest.mark.parametrize(
    ("value", "size"),
    [("50MB", 50_000_000), ("50mb", 50_000_000), ("512KB", 512_000), ("1GB", 10**9), ("7B", 7), (1024, 1024), ("9", 9)],
)
def test_sizes_become_bytes(value: Any, size: int) -> None:
    """1 MB is a million bytes, in any case of letters."""
    assert parse_size(value) == size


@pytest.mark.parametrize("value", [0, "0MB", -1, "50MiB", "1.5MB", "", None, True, "large"])
def test_other_sizes_are_refused(value: Any) -> None:
    """Nothing at or below 0, no fractions, no other units."""
    with pytest.raises(ValueError, match="is not a size: write bytes above 0"):
        parse_size(value)


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (timedelta(0), "0s"),
        (timedelta(seconds=-5), "0s"),
        (timedelta(milliseconds=900), "0s"),
        (timedelta(seconds=35), "35s"),
        (timedelta(hours=4, minutes=10, seconds=59), "4h 10m"),
        (timedelta(days=2, hours=3, minutes=59), "2d 3h"),
    ],
)
def test_spans_are_said_in_their_two_largest_parts(span: timedelta, said: str) -> None:
    """What a person needs at a glance."""
    assert elapsed(span) == said


class Words(BaseModel):
    """A section of a config file with each of the words."""

    every: Duration = 60.0
    rate: Rate = 1.0
    max_body: Size = 1
    token: Secret | None = None


def test_the_words_work_in_a_config_section_and_hide_secrets() -> None:
    """Text in, numbers out; a secret shows in no repr."""
    words = Words.model_validate({"every": "90s", "rate": "120/m", "max_body": "2KB", "token": "hunter2"})
    assert (words.every, words.rate, words.max_body) == (90.0, 2.0, 2000)
    assert "hunter2" not in repr(words)


def test_a_wrong_word_says_where_and_what_is_allowed() -> None:
    """The text of the error is what `check` shows."""
    with pytest.raises(ValidationError) as caught:
        Words.model_validate({"every": 90})
    (error,) = caught.value.errors()
    assert error["loc"] == ("every",)
    assert "90 is not a duration" in error["msg"]


class _Inner(BaseModel):
    key: Secret | None = None


class _Options(BaseModel):
    token: Secret = SecretStr("")
    headers: dict[str, Secret] = {}
    urls: list[Secret] = []
    pairs: tuple[_Inner, ...] = ()
    inner: _Inner = _Inner()
    plain: str = "not one"


def test_every_secret_of_options_is_found_where_it_stands() -> None:
    """In lists, maps and parts of their own; one that is not set is none."""
    options = _Options(
        headers={"x-key": SecretStr("a")},
        urls=[SecretStr("b"), SecretStr("")],
        pairs=(_Inner(), _Inner(key=SecretStr("c"))),
        inner=_Inner(key=SecretStr("d")),
    )
    assert {path: secret.get_secret_value() for path, secret in secrets_of(options)} == {
        ("headers", "x-key"): "a",
        ("urls", 0): "b",
        ("pairs", 1, "key"): "c",
        ("inner", "key"): "d",
    }
