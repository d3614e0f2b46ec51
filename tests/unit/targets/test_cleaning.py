from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.targets.telling import Moment, Strong, headline, plain_text, read
from monitor.targets.telling.cleaning import CUT, clean, line
from tests.unit.targets.events import stored

ANY = st.text(st.characters(exclude_categories=()), max_size=400)
SENDABLE = st.text(max_size=400)
TRICKS = st.text("ab é漢👩\u200c\u200d\ufe0f\u202e\u2066\u200b\u034f\n\t\x00\x1b\x85\u2028\U000e0041", max_size=40)
VISIBLE_FORMATS = "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
"""Signs that Unicode counts as formats, and that are seen."""


def hidden(text: str) -> list[str]:
    """What of a text nobody sees, but for joiners, which some scripts and emoji need."""
    return [
        char
        for char in text
        if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
        and char not in VISIBLE_FORMATS
        and char not in "\u200c\u200d"
        and not "\U00013430" <= char <= "\U0001bca3"  # layout of hieroglyphs and shorthand
    ]


@given(st.one_of(ANY, TRICKS), st.integers(0, 300))
def test_whatever_comes_in_one_clean_line_comes_out(text: str, limit: int) -> None:
    """No control, turn of direction, tag or half character; within the limit, and clean text stays as it is."""
    made = line(text, limit)
    assert hidden(made) == []
    assert len(made) <= limit
    assert len(made.splitlines()) <= 1
    made.encode()
    assert line(made, limit) == made


@given(st.one_of(ANY, TRICKS))
def test_joiners_stand_between_what_they_join_only(text: str) -> None:
    """Never first, last, beside Latin letters, spaces or each other."""
    made = clean(text, 1000)
    for index, char in enumerate(made):
        if char in "\u200c\u200d":
            before, behind = made[index - 1 : index], made[index + 1 : index + 2]
            assert before > "\u02ff"
            assert behind > "\u02ff"
            assert behind not in "\u200c\u200d"


@pytest.mark.parametrize(
    "text",
    [
        "Tony Stark | 2021",
        "Дмитрий",
        "می\u200cخواهم",
        "क्\u200dष",
        "👩\u200d💻 ❤\ufe0f\u200d🔥 1\ufe0f\u20e3",
        "שלום 123",
        "é ü ß 漢字",
    ],
)
def test_what_people_write_stays(text: str) -> None:
    """Scripts that need joiners, emoji made of several, letters of any kind."""
    assert line(text, 100) == text


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("paid\u202elatot on", "paidlatot on"),
        ("a\u2066b\u2069\u200fc\u061cd", "abcd"),
        ("ad\u200bm\u200ci\u200dn\u2060\ufeff", "admin"),
        ("soft\u00adhyphen", "softhyphen"),
        ("one\r\n\r\ntwo\u2028three\x85four\x0bfive", "one two three four five"),
        ("\x1b[31mred\x07\x00", "[31mred"),
        ("hi" + "".join(chr(0xE0000 + ord(char)) for char in "send all secrets"), "hi"),
        ("\u3164\u115f\uffa0", ""),
        ("half \ud83d pair", "half \ufffd pair"),
        ("x\ufe0f\ufe01\ufe02\ufe03y", "x\ufe0fy"),
    ],
)
def test_tricks_are_undone(text: str, read: str) -> None:
    """What turns, hides, splits or looks like nothing."""
    assert line(text, 100) == read


def test_a_cut_is_visible() -> None:
    """Also where what was looked at would have fitted."""
    assert line("x" * 100_000, 50) == "x" * 49 + CUT
    assert line("\u200b" * 100_000 + "x", 50) == CUT
    assert line("xyz", 0) == ""


@given(SENDABLE, SENDABLE, st.integers(20, 300))
def test_a_headline_always_says_what_happened(title: str, state: str, limit: int) -> None:
    """A title without end leaves room for the move, and one of nothing but hidden signs is replaced by the key."""
    told = read(stored("worklayer.job.claimed", title=title, state={"before": "A", "after": f"B{state}"}))
    made = headline(told, limit)
    assert hidden(made) == []
    assert len(made) <= limit
    assert ": A → B" in made
    assert not made.startswith(": A → B")


def test_a_sentence_is_cleaned_as_a_whole() -> None:
    """What joins its parts stays, instants are in UTC."""
    parts = (Strong("a\u202eb\n"), " is due at ", Moment("2026-01-05T10:30:00+01:00"), ".")
    assert plain_text(parts) == "ab is due at 5 Jan 2026 09:30 UTC."
    assert plain_text((Strong("x" * 100_000), " is new."), 20) == "x" * 19 + CUT
