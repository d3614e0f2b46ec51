"""Deadlines whose value is there and is no date: nothing can be told of them, and that must be said. Pure.

One provider that writes its dates otherwise makes ten thousand of them, so they are gathered by kind, field and form of
writing (`31/12/2026` is `9/9/9`), and each form is news once a day.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from monitor.deadlines import rules_of
from monitor.ladders import Clockwork, deadline_of, is_given
from monitor.resources import Document, pick
from monitor.vocabulary import Kind

EXAMPLES = 10
_LONGEST = 40
_LETTERS, _DIGITS = re.compile(r"[^\W\d_]+"), re.compile(r"\d+")


@dataclass(slots=True)
class _Form:
    value: Any
    keys: list[str]


@dataclass(slots=True)
class UnreadableDates:
    """Those that one walk has met and not told yet."""

    _forms: dict[tuple[str, str, str], _Form] = field(default_factory=dict)

    def see(self, source: str, document: Document, kinds: Mapping[str, Kind], clockwork: Clockwork) -> None:
        """Look at the deadlines of one item that are alive."""
        for ref, known in document.known.items():
            for rule in rules_of(known, kinds.get(known.resource.kind)):
                value = pick(known.resource.fields, rule.field)
                if is_given(value) and deadline_of(rule, value, clockwork.zone) is None:
                    name = (known.resource.kind, rule.field, form_of(value))
                    found = self._forms.setdefault(name, _Form(value, []))
                    if len(found.keys) < EXAMPLES:
                        found.keys.append(f"{source}/{ref}")

    def take(self, now: datetime) -> list[tuple[str, dict[str, Any]]]:
        """What was met since this was asked last: the mark under which it is told once, and what is said of it."""
        news = []
        for (kind, path, form), found in self._forms.items():
            details = {"what": "unreadable_date", "kind": kind, "field": path, "value": found.value, "keys": found.keys}
            news.append((f"date {kind} {path} {form} {now:%Y-%m-%d}", details))
        self._forms.clear()
        return news


def form_of(value: Any) -> str:
    """A value in, how it is written out: digits are 9, letters are a, of anything but text its type."""
    if not isinstance(value, str):
        return type(value).__name__
    return _DIGITS.sub("9", _LETTERS.sub("a", value.strip()))[:_LONGEST]
