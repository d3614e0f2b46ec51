"""Sessions of signed-in people: what a cookie stands for, and until when."""

from __future__ import annotations

from pydantic import SecretStr

from monitor.web.session import LASTS_SECONDS, Sessions

NOW = 1_767_605_400.0
OURS = Sessions([SecretStr("operators-token")], [SecretStr("readers-token")])


def test_a_session_ends_by_the_clock() -> None:
    """However the browser keeps its cookie."""
    cookie = OURS.begin("operator", NOW)
    found = OURS.of(cookie, NOW + LASTS_SECONDS - 1)
    assert found is not None
    assert found.role == "operator"
    assert OURS.of(cookie, NOW + LASTS_SECONDS) is None


def test_sessions_end_when_the_tokens_change() -> None:
    """Whoever takes a token away takes its sessions away."""
    cookie = OURS.begin("reader", NOW)
    assert OURS.of(cookie, NOW) is not None
    assert Sessions(OURS.operators, []).of(cookie, NOW) is None


def test_each_session_marks_its_forms_with_a_word_of_its_own() -> None:
    """A mark that was seen in one session changes nothing in another."""
    marks = {OURS.mark(OURS.of(OURS.begin("operator", NOW), NOW)) for _ in range(3)}
    assert len(marks) == 3
