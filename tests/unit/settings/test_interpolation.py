"""`${...}` in values: what each form gives, and what is said where it gives nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.settings.interpolation import MAX_FILE, Filled, Interpolation, InterpolationError

ENVIRON = {"A": "x", "B": "5", "EMPTY": "", "TRICKY": "${A} $$ {}"}


@pytest.fixture
def interpolation(tmp_path: Path) -> Interpolation:
    """Some variables, and the directory of this test for files."""
    return Interpolation(ENVIRON, tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("", ""),
        ("$", "$"),
        ("a$b $ {x}", "a$b $ {x}"),
        ("$$", "$"),
        ("$${A}", "${A}"),
        ("$$${A}", "$x"),
        ("${A}", "x"),
        ("p${A}q${B}r", "pxq5r"),
        ("${A:-d}", "x"),
        ("${NONE:-d e:f}", "d e:f"),
        ("${EMPTY:-d}", "d"),
        ("${NONE:-}", ""),
        ("${A:?say}", "x"),
        ("${TRICKY}", "${A} $$ {}"),
    ],
)
def test_values_are_filled_in(interpolation: Interpolation, text: str, expected: str) -> None:
    """What is put in is not looked at again."""
    assert interpolation.fill(text)[0] == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("${NONE}", "environment variable NONE is not set: set it where jobwire starts"),
        ("${EMPTY}", "environment variable EMPTY is empty: give it a value, or write ${EMPTY:-}"),
        ("${NONE:?see the wiki}", "environment variable NONE: see the wiki"),
        ("${EMPTY:?see the wiki}", "environment variable EMPTY: see the wiki"),
        ("${NONE:?}", "environment variable NONE is not set"),
        ("${TRIKCY}", "environment variable TRIKCY is not set (TRICKY is)"),
        ("${A", "`${` without its `}`"),
        ("${A:-${B}}", "or one inside another"),
        ("${}", "holds no name: write ${NAME}, ${NAME:-default}, ${NAME:?message} or ${file:/path}"),
        ("${a b}", "holds no name"),
        ("${A-default}", "holds no name"),
        ("${file:}", "does not exist or is no regular file"),
        ("${file:none}", "'none' does not exist or is no regular file"),
        ("${file:.}", "'.' does not exist or is no regular file"),
        ("${file:a\0b}", "does not exist or is no regular file"),
    ],
)
def test_a_missing_value_says_what_to_do(interpolation: Interpolation, text: str, words: str) -> None:
    """Each error names the variable or file, and the remedy."""
    with pytest.raises(InterpolationError) as raised:
        interpolation.fill(text)

    assert words in str(raised.value)


def test_a_file_gives_its_text_less_one_line_break(interpolation: Interpolation, tmp_path: Path) -> None:
    """As Docker and Kubernetes write secrets; relative names start at the config file, absolute ones do not."""
    (tmp_path / "token").write_bytes(b"abc\n\r\n")

    assert interpolation.fill("${file:token}") == ("abc\n", ("abc\n",))
    assert interpolation.fill(f"<${{file:{tmp_path}/token}}>")[0] == "<abc\n>"


@pytest.mark.parametrize(("content", "words"), [(b"\xff", "not UTF-8"), (b"x" * (MAX_FILE + 1), "larger than 65536")])
def test_a_file_that_is_no_secret_is_refused(
    interpolation: Interpolation, tmp_path: Path, content: bytes, words: str
) -> None:
    """Binary and very large files are named, not read in."""
    (tmp_path / "token").write_bytes(content)

    with pytest.raises(InterpolationError, match=words):
        interpolation.fill("${file:token}")


@pytest.mark.parametrize(("text", "is_whole"), [("${A}", True), ("${A:-b}", True), ("${A}b", False), ("$$", False)])
def test_only_a_value_that_is_one_reference_may_become_a_number(
    interpolation: Interpolation, text: str, is_whole: bool
) -> None:
    """`Filled` marks it."""
    assert isinstance(interpolation.fill(text)[0], Filled) is is_whole


def test_what_was_put_in_is_reported(interpolation: Interpolation) -> None:
    """So that it can be kept out of messages."""
    assert interpolation.fill("p${A}q${B}$$")[1] == ("x", "5")


@given(st.text("$${}:-?AB file/\\", max_size=30))
def test_any_text_is_filled_or_refused(text: str) -> None:
    """Nothing else is raised, and text without a dollar sign comes back as it was."""
    interpolation = Interpolation(ENVIRON, Path("/nowhere"))
    try:
        filled, _ = interpolation.fill(text)
    except InterpolationError:
        return
    assert "$" in text or filled == text
