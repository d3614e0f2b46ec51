"""Matchers of silences: what they take, what they refuse, what they agree with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from monitor.silences import Silence, Silences, Subject, described, parse_matcher

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
EVENT: dict[str, Any] = {
    "type": "worklayer.job.stuck",
    "data": {
        "source": "tax",
        "provider": "worklayer",
        "key": "tax/job/7",
        "resource": {"kind": "job", "state": "CLAIMED", "fields": {"amount": 199, "vip": True, "name": "Tony"}},
    },
}
SUBJECT = Subject(EVENT, NOW, "oncall", "warning")


def silence(*matchers: str, **fields: Any) -> Silence:
    """One that counts for an hour from now."""
    known: dict[str, Any] = {
        "id": "sil_1",
        "starts_at": NOW,
        "ends_at": NOW + timedelta(hours=1),
        "by": "ann",
        "comment": "why",
        "created_at": NOW,
    }
    return Silence(matchers=tuple(map(parse_matcher, matchers)), **(known | fields))


@pytest.mark.parametrize(
    ("matchers", "agrees"),
    [
        (["source=tax"], True),
        (["source=t*"], True),
        (["source!=tax"], False),
        (["source!=ats"], True),
        (["type=*.*.stuck"], True),
        (["type=**"], True),
        (["type=*.stuck"], False),
        (["kind=job", "state=CLAIMED"], True),
        (["kind=job", "state=OPEN"], False),
        (["key=tax/job/*"], True),
        (["target=oncall"], True),
        (["target!=oncall"], False),
        (["severity=warning"], True),
        (["resource.fields.amount=199"], True),
        (["resource.fields.vip=true"], True),
        (["resource.fields.name=T*"], True),
        (["resource.fields.none=*"], False),
        (["resource.fields.none!=x"], True),
    ],
)
def test_all_matchers_must_agree(matchers: list[str], agrees: bool) -> None:
    """Globs on what an event says, on the target, and on values inside it."""
    assert (Silences([silence(*matchers)]).quiet(SUBJECT, NOW) is not None) is agrees


def test_a_silence_counts_from_its_start_until_before_its_end() -> None:
    """Of several that hold the one that lasts longest is named."""
    longer = silence("source=tax", id="sil_2", ends_at=NOW + timedelta(hours=2))
    both = Silences([silence("source=tax"), longer])
    assert both.quiet(SUBJECT, NOW - timedelta(seconds=1)) is None
    assert both.quiet(SUBJECT, NOW) == longer
    assert both.quiet(SUBJECT, NOW + timedelta(hours=2)) is None
    assert [longer.state(NOW + timedelta(hours=hours)) for hours in (-1, 0, 2)] == ["pending", "active", "expired"]


def test_until_it_changes_counts_only_for_what_was_so_before() -> None:
    """An event that was committed later is told."""
    until_change = Silences([silence("source=tax", until_change=True)])
    assert until_change.quiet(SUBJECT, NOW) is not None
    later = Subject(EVENT, NOW + timedelta(seconds=1), "oncall", "warning")
    assert until_change.quiet(later, NOW + timedelta(seconds=2)) is None


@pytest.mark.parametrize("text", ["", "source", "=tax", "source=", "team=tax", "source~tax", "fields.name=x"])
def test_what_is_no_matcher_is_refused_in_words(text: str) -> None:
    """The error says what may be written."""
    with pytest.raises(ValueError, match=r"NAME=VALUE|use one of"):
        parse_matcher(text)


def test_matchers_are_shown_as_they_were_typed() -> None:
    """Spaces around the sign aside."""
    assert described([parse_matcher("source = tax"), parse_matcher("type!=*.*.stuck")]) == "source=tax type!=*.*.stuck"
