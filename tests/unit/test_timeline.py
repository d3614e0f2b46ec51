"""The deadlines of the next days as a drawing and in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from monitor.web.pages.timeline import DAYS, WIDTH, Due, coming, dots, in_words, ticks, weekends

NOW = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)  # a Monday


def due(hours: float) -> Due:
    """A deadline so many hours from now."""
    return Due(NOW + timedelta(hours=hours), f"tax/job/{hours}", "Job", "job", "2026-01-05")


def test_deadlines_in_words_count_the_near_ones_in_the_later_ones() -> None:
    """Within two days, within a week, in all; nothing where there are none."""
    assert in_words([due(1), due(30), due(100), due(24 * 20)], NOW) == "2 within two days, 3 within a week, 4 in all"
    assert in_words([due(24 * 20)], NOW) == "1 in all"
    assert in_words([due(24 * 31)], NOW) == ""


def test_what_is_listed_is_what_is_counted_and_drawn() -> None:
    """A deadline that is told a month ahead, but is further away, is in neither; one of an hour ago is in all."""
    listed = coming([due(-1), due(1), due(24 * DAYS - 1), due(24 * DAYS), due(24 * 30 + 18)], NOW)
    assert len(listed) == len(dots(listed, NOW)) == 3
    assert in_words(listed, NOW).endswith("3 in all")


def test_weekends_are_where_their_days_are() -> None:
    """From a Monday on, the sixth and the seventh day."""
    first, second, *_ = weekends(NOW)
    assert (round(first.x / WIDTH * DAYS), round(second.x / WIDTH * DAYS)) == (5, 6)
    assert all(one.x + one.width <= WIDTH + 1 for one in weekends(NOW))


def test_every_day_has_a_tick_and_some_have_names() -> None:
    """Today and each fifth day after it."""
    names = [one.text for one in ticks(NOW)]
    assert len(names) == DAYS
    assert [name for name in names if name][:2] == ["today", "Sat 10 Jan"]


def test_what_finds_no_room_is_counted() -> None:
    """Eight dots a day, and how many more there are."""
    made = dots([due(hour / 10) for hour in range(12)], NOW)
    assert len(made) == 8
    assert [one.more for one in made if one.more] == [4]
