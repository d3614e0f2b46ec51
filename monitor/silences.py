"""Silences: who should hear nothing of what, until when, and why. Pure: values in, values out.

A silence keeps messages back. It changes no state, and it never keeps back that something is over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import translate
from functools import partial
from typing import Any

import msgspec

from monitor.resources import pick
from monitor.routing.match import LISTS, Match, Test, compile_match

FIELDS = (*LISTS, "key", "target", "severity")
"""What a matcher of a silence may look at, beside `data` paths such as `resource.fields.total_amount`."""

_MATCHER = re.compile(r"([\w.-]+)\s*(!=|=)\s*(.+)", re.DOTALL)


class Matcher(msgspec.Struct, frozen=True):
    """One comparison: a name, `=` or `!=`, and a glob (for `type` by segment: `*` one word, `**` any number)."""

    name: str
    op: str
    value: str

    def __str__(self) -> str:
        """As it is typed."""
        return f"{self.name}{self.op}{self.value}"


class Silence(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One silence. All matchers must agree; `target` limits it to one target's messages.

    `until_change`: beside its end, each condition that it keeps quiet is told again as soon as something changes
    about it: it counts only for events that were committed before it was made.
    """

    id: str
    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime
    by: str
    comment: str
    created_at: datetime
    until_change: bool = False

    def active(self, now: datetime) -> bool:
        """Whether it counts at this moment: its start does, its end does not."""
        return self.starts_at <= now < self.ends_at

    def state(self, now: datetime) -> str:
        """`pending`, `active` or `expired`."""
        return "active" if self.active(now) else "pending" if now < self.starts_at else "expired"


@dataclass(frozen=True, slots=True)
class Subject:
    """What a message would be about: the event, when that was committed, the target, and the route's severity."""

    event: Mapping[str, Any]
    committed: datetime
    target: str
    severity: str


def parse_matcher(text: str) -> Matcher:
    """`source=tax` or `type=*.*.stuck` in, the matcher out; ValueError says what is allowed."""
    match = _MATCHER.fullmatch(text.strip())
    if match is None:
        raise ValueError(
            f"{text!r} is no matcher: write NAME=VALUE or NAME!=VALUE, such as source=tax or type=*.*.stuck"
        )
    name, op, value = match.groups()
    if name not in FIELDS and not name.startswith(("resource.", "deadline.", "details.", "state.")):
        raise ValueError(
            f"{name!r} is nothing to match by: use one of {', '.join(FIELDS)}, or a path such as resource.fields.name"
        )
    return Matcher(name, op, value.strip())


class Silences:
    """Silences compiled once, to be asked about many messages."""

    def __init__(self, silences: Iterable[Silence]) -> None:
        self._all = [(one, [_test(matcher) for matcher in one.matchers]) for one in silences]

    def __len__(self) -> int:
        """How many there are, in whatever state."""
        return len(self._all)

    def quiet(self, subject: Subject, now: datetime) -> Silence | None:
        """The silence that keeps this message back at this moment, the one that lasts longest; None where none does."""
        found = [
            silence
            for silence, tests in self._all
            if silence.active(now)
            and not (silence.until_change and subject.committed > silence.created_at)
            and all(test(subject) for test in tests)
        ]
        return max(found, key=lambda one: one.ends_at, default=None)


def _test(matcher: Matcher) -> Callable[[Subject], bool]:
    return partial(_agrees, _positive(matcher), matcher.op == "=")


def _agrees(test: Callable[[Subject], bool], wanted: bool, subject: Subject) -> bool:
    return test(subject) is wanted


def _positive(matcher: Matcher) -> Callable[[Subject], bool]:
    if matcher.name in LISTS:
        one: dict[str, Any] = {matcher.name: (matcher.value,)}
        return partial(_of_event, compile_match(Match(**one)))
    if matcher.name not in FIELDS:
        return partial(_of_path, re.compile(translate(matcher.value)), matcher.name)
    return partial(_of_subject, re.compile(translate(matcher.value)), matcher.name)


def _of_event(test: Test, subject: Subject) -> bool:
    return test(subject.event)


def _of_path(pattern: re.Pattern[str], path: str, subject: Subject) -> bool:
    value = pick(subject.event["data"], path)
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return value is not None and pattern.fullmatch(text) is not None


def _of_subject(pattern: re.Pattern[str], name: str, subject: Subject) -> bool:
    value = {"key": subject.event["data"].get("key"), "target": subject.target, "severity": subject.severity}[name]
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def described(matchers: Sequence[Matcher]) -> str:
    """Matchers in, one line for people out."""
    return " ".join(str(one) for one in matchers)
