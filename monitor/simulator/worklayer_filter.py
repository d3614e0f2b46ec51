"""Filter text in, a test for jobs out: the grammar of Worklayer's list call, really parsed.

``status = != ``, ``members.user_id :``, and the three times with ``= != > >= < <=``, joined by AND and OR. As
in the filter language it follows (https://google.aip.dev/160), OR binds tighter than AND. There are no
parentheses.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any, NamedTuple

from monitor.simulator import stamps

Test = Callable[[dict[str, Any]], bool]

TIMES = ("create_time", "transmit_time", "deadline_time")

_TOKEN = re.compile(r'\s*(?:(?P<op><=|>=|!=|=|<|>|:)|"(?P<quoted>[^"]*)"|(?P<word>[^\s"=!<>:]+))')
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


class BadFilter(ValueError):
    """The filter is not one this service understands; the text says where."""


class _Token(NamedTuple):
    kind: str
    text: str


def compile_filter(text: str, statuses: Collection[str]) -> Test:
    """Take a filter and the status names that exist and give a test for one job.

    An empty filter takes all. A comparison with a time a job does not have is false. Raises ``BadFilter``.
    """
    if not text.strip():
        return lambda job: True
    tokens = _tokens(text)
    place = 0
    groups: list[list[Test]] = [[]]
    while True:
        groups[-1].append(_comparison(tokens[place : place + 3], statuses))
        place += 3
        if place == len(tokens):
            break
        joint = tokens[place]
        if joint.kind != "word" or joint.text not in ("AND", "OR") or place + 1 == len(tokens):
            raise BadFilter(f"expected AND or OR and another comparison at {joint.text!r}")
        if joint.text == "AND":
            groups.append([])
        place += 1
    return lambda job: all(any(test(job) for test in group) for group in groups)


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    place = 0
    text = text.rstrip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None or match.lastgroup is None:
            raise BadFilter(f"cannot read the filter at character {place}: {text[place : place + 20]!r}")
        found.append(_Token(match.lastgroup, match.group(match.lastgroup)))
        place = match.end()
    return found


def _comparison(tokens: list[_Token], statuses: Collection[str]) -> Test:
    if len(tokens) < 3 or [tokens[0].kind, tokens[1].kind] != ["word", "op"] or tokens[2].kind == "op":
        raise BadFilter(f"expected: field operator value, at {' '.join(token.text for token in tokens)!r}")
    field, comparator, value = (token.text for token in tokens)
    if field == "members.user_id" and comparator == ":":
        return lambda job: any(member.get("user_id") == value for member in job.get("members") or [])
    if field == "status" and comparator in ("=", "!="):
        if value not in statuses:
            raise BadFilter(f"unknown status {value!r}")
        compare = _COMPARE[comparator]
        return lambda job: compare(job.get("status"), value)
    if field in TIMES and comparator in _COMPARE:
        return _time_test(field, comparator, value)
    raise BadFilter(f"the filter {field} {comparator} is not supported")


def _time_test(field: str, comparator: str, value: str) -> Test:
    try:
        limit = stamps.parse(value)
    except ValueError as error:
        raise BadFilter(f"{field} needs a timestamp, not {value!r}") from error
    compare = _COMPARE[comparator]

    def test(job: dict[str, Any]) -> bool:
        held = _moment(job.get(field))
        return held is not None and compare(held, limit)

    return test


def _moment(value: object) -> datetime | None:
    try:
        return stamps.parse(value) if isinstance(value, str) else None
    except ValueError:
        return None
