"""Deadlines that are no dates: gathered by how they are written, told once a day, and never as silence."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from monitor.unreadable import EXAMPLES, UnreadableDates, form_of
from tests.unit.acme import NOW, VOCABULARY, clockwork, contract, document, job, known, post


def met(*resources: Any) -> UnreadableDates:
    """What a walk over one item with these resources has met."""
    found = UnreadableDates()
    found.see("shop", document(*resources), VOCABULARY.kinds, clockwork())
    return found


def test_a_deadline_that_is_no_date_is_named_with_its_value_and_who_has_it() -> None:
    """Once: what was taken is not taken again."""
    found = met(post(), contract(end_date="31/12/2026"), job(due_at="soon"))
    assert [details for _, details in found.take(NOW)] == [
        {
            "what": "unreadable_date",
            "kind": "contract",
            "field": "end_date",
            "value": "31/12/2026",
            "keys": ["shop/contract/9"],
        },
        {"what": "unreadable_date", "kind": "job", "field": "due_at", "value": "soon", "keys": ["shop/job/1"]},
    ]
    assert found.take(NOW) == []


def test_many_of_one_form_are_one_piece_of_news_with_some_examples() -> None:
    """A provider that writes all its dates otherwise does not make ten thousand events."""
    found = UnreadableDates()
    for number in range(1000):
        one = document(job(id=str(number), due_at=f"{number % 28 + 1}.{number % 12 + 1}.2026"))
        found.see("shop", one, VOCABULARY.kinds, clockwork())
    ((_, details),) = found.take(NOW)
    assert len(details["keys"]) == EXAMPLES


def test_the_same_form_is_news_again_on_another_day() -> None:
    """Somebody who mended it once hears of the next one."""
    marks = [
        mark
        for hours in (0, 5, 24)
        for mark, _ in met(contract(end_date="31/12/2026")).take(NOW + timedelta(hours=hours))
    ]
    assert marks[0] == marks[1] != marks[2]


@pytest.mark.parametrize("value", [None, "", "  ", "2026-02-04", "2026-02-04T10:00:00Z"])
def test_no_value_and_a_date_of_either_kind_are_no_news(value: Any) -> None:
    """A contract may have no end."""
    assert met(contract(end_date=value), job(due_at=value)).take(NOW) == []


def test_what_has_ended_or_is_gone_needs_no_date() -> None:
    """Nobody waits for it."""
    gone = known(contract(id="8", end_date="soon"), gone=True)
    assert met(contract("expired", end_date="soon"), gone, job("DONE", due_at="soon")).take(NOW) == []


@pytest.mark.parametrize(
    ("value", "form"),
    [("31/12/2026", "9/9/9"), ("next Tuesday", "a a"), (20261231, "int"), (["x"], "list"), ("x" * 100, "a")],
)
def test_a_form_is_how_a_value_is_written(value: Any, form: str) -> None:
    """Not what it says."""
    assert form_of(value) == form
    assert len(form_of("1 a " * 100)) <= 40
