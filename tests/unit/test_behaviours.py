"""The page of behaviours is what the tests claim, and claims no number that does not exist."""

from __future__ import annotations

from tests.behaviours import PAGE, TEXTS, page, shown


def test_the_page_of_behaviours_is_up_to_date() -> None:
    """tests/behaviours.md lists exactly the tests whose docstrings name a behaviour."""
    assert PAGE.read_text() == page(), "run: .venv/bin/python -m tests.behaviours"


def test_no_test_claims_a_behaviour_that_does_not_exist() -> None:
    """A docstring's number is one of the list."""
    known = {f"{letter}{n}" for letter, texts in TEXTS.items() for n in range(1, len(texts.strip().splitlines()) + 1)}

    assert set(shown()) <= known
