"""monitor.yamlfile: what YAML text means here, and how every kind of broken text is told."""

from __future__ import annotations

import time
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from monitor import yamlfile
from monitor.yamlfile import MAX_DEPTH, Mapping, Mark, Node, Parsed, Sequence, parse, resolve


def values(node: Node | None) -> Any:
    """The tree as plain Python values."""
    match node:
        case Mapping():
            return {key: values(child) for key, child in node.entries.items()}
        case Sequence():
            return [values(child) for child in node.items]
        case None:
            return None
        case _:
            return node.value


def told(parsed: Parsed) -> list[str]:
    """The flaws as `line:column text`."""
    return [f"{flaw.mark.line}:{flaw.mark.column} {flaw.text}" for flaw in parsed.flaws]


@pytest.mark.parametrize(
    "text",
    ["no", "on", "yes", "off", "y", "12:30", "0123", "0o17", "0x1F", "1_000", "2026-01-05", "1e5", "1.", ".inf", "<<"],
)
def test_what_looks_like_text_stays_text(text: str) -> None:
    """None of the surprises of YAML 1.1: no booleans, times, octals or dates that nobody meant."""
    assert values(parse(f"a: {text}").root) == {"a": text}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        ("-3", -3),
        ("+7", 7),
        ("0", 0),
        ("1.10", 1.1),
        (".5", 0.5),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ('"5"', "5"),
        ("'true'", "true"),
        ("!!str 5", "5"),
        ("9" * 500, "9" * 500),
    ],
)
def test_numbers_booleans_and_null_are_read_as_such(text: str, value: object) -> None:
    """Plain decimal numbers, true, false and null have types; quotes and !!str make them text."""
    assert values(parse(f"a: {text}").root) == {"a": value}


def test_every_node_knows_its_place() -> None:
    """Keys and values carry the line and column they stand at, counted from 1."""
    root = parse("a: 1\nb:\n  - x\n  - {c: y}\n").root

    assert isinstance(root, Mapping)
    assert root.keys == {"a": Mark(1, 1), "b": Mark(2, 1)}
    assert root.entries["a"].mark == Mark(1, 4)
    items = root.entries["b"]
    assert isinstance(items, Sequence)
    assert [item.mark for item in items.items] == [Mark(3, 5), Mark(4, 5)]


def test_aliases_and_merge_keys_work() -> None:
    """`<<` takes over keys of one mapping or several; a key of one's own wins, then the first that has it."""
    text = "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {<<: *a, x: 3}\nd: {<<: [*a, *b]}\ne: *a\n"
    expected = {"c": {"x": 3, "y": 1}, "d": {"x": 1, "y": 1, "z": 2}, "e": {"x": 1, "y": 1}}

    read = values(parse(text).root)

    assert {key: read[key] for key in expected} == expected


def test_a_key_that_stands_twice_names_both_lines() -> None:
    """The flaw is at the second, and names the line of the first."""
    parsed = parse("a: 1\nb:\n  c: 1\n  c: 2\na: 2\n")

    assert told(parsed) == [
        "4:3 duplicate key 'c': it stands on line 3 already",
        "5:1 duplicate key 'a': it stands on line 1 already",
    ]


@pytest.fixture(params=["CSafeLoader", "SafeLoader"])
def parse_with(request: pytest.FixtureRequest) -> Any:
    """The function under test, with libyaml's parser and with the one written in Python."""
    loader = getattr(yaml, request.param, None)
    if loader is None:
        pytest.skip("PyYAML was built without libyaml")
    return lambda text: parse(text, loader)


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        ("a: {token: ${X}}\n", "1:13", 'a comma or the closing bracket is missing: inside { } and [ ] write "${NAME}"'),
        ("a: [1\nb: 2\n", "2:2", "closing bracket is missing (opened on line 1)"),
        ("a:\n\tb: 1\n", "2:1", "indent with spaces, not tabs"),
        ("a: @x\n", "1:4", "quote text with @"),
        ('a: "x\n', "1:6", "a closing quote is missing"),
        ("a: b: c\n", "1:5", "a second `: ` stands here"),
        ("a: 1\nb\nc: 2\n", None, "a `:` and a space are missing after the key"),
        ("a: 1\n b: 2\n", "2:3", "indented more than those above"),
        ("- a\nb: 1\n", "2:1", "the indentation does not fit"),
        ("a: *secret\n", "1:4", "put text that begins with * in quotes"),
        ("a: !secret x\n", "1:4", "put text that begins with ! in quotes"),
        ("a: \x01\n", "1:4", "a control character"),
        ("a: \ud800\n", "1:4", "a control character"),
        ("a: 1\n---\nb: 2\n", "2:1", "one file holds one document"),
        ("? [a]\n: b\n", "1:3", "a key must be plain text"),
        ("a: &a [*a]\n", "1:8", "inside the very thing it stands for"),
        ("<<: 1\n", "1:5", "<< takes over the keys of a mapping"),
        ("[" * 5_000, f"1:{MAX_DEPTH + 1}", "nested deeper than 64 levels"),
    ],
)
def test_broken_text_is_told_with_place_and_remedy(parse_with: Any, text: str, where: str | None, words: str) -> None:
    """Whichever parser PyYAML was built with, the words are ours."""
    (flaw,) = told(parse_with(text))

    assert words in flaw
    assert where is None or flaw.startswith(f"{where} ")


@pytest.mark.parametrize(
    "text",
    [
        'a: "s3cr3tvalue\n',
        "a: [s3cr3tvalue\n",
        "a: *s3cr3tvalue\n",
        "a: !s3cr3tvalue x\n",
        "a: &s3cr3tvalue\n  &s3cr3tvalue x\n",
        "a: b: s3cr3tvalue\n",
        "a: %s3cr3tvalue\n",
        "a: @s3cr3tvalue\n",
        '"a": "x"s3cr3tvalue\n',
        'a: "\\s3cr3tvalue"\n',
        "%s3cr3tvalue x\n---\na: 1\n",
        "s3cr3tvalue\n: - a\nb\n",
    ],
)
def test_a_flaw_never_quotes_the_text(parse_with: Any, text: str) -> None:
    """What could not be read may be a secret."""
    assert "s3cr3t" not in "".join(told(parse_with(text)))


def test_text_without_content_has_no_root() -> None:
    """Nothing, or nothing but comments, is neither a tree nor a flaw."""
    assert parse("") == parse("# only this\n\n") == Parsed(None)


def test_aliases_cannot_blow_up() -> None:
    """Aliases of aliases are counted as if they were written out, and stop at a limit."""
    text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    text += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12))
    started = time.process_time()

    (flaw,) = parse(text).flaws

    assert "more than 200,000 values" in flaw.text
    assert time.process_time() - started < 10


@given(st.text(max_size=200))
def test_any_text_gives_a_tree_or_flaws(text: str) -> None:
    """Nothing is raised; a tree is missing only where the text is empty or a flaw says why."""
    parsed = parse(text)

    assert parsed.root is not None or parsed.flaws or not values(parsed.root)


@given(st.text("ab:-[]{}&*!|>'\"%@`#?, \n\t<$~0", max_size=40))
def test_any_mix_of_yaml_signs_gives_a_tree_or_flaws(text: str) -> None:
    """The same for text made of the signs that mean something, with both parsers."""
    for loader in (yamlfile.LOADER, yaml.SafeLoader):
        parse(text, loader)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text("abc 1:#-", max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("xyz", min_size=1), inner, max_size=3),
        max_leaves=20,
    )
)
def test_what_pyyaml_writes_is_read_back(value: object) -> None:
    """Plain data written by PyYAML in quotes and flow style has the same values here."""
    text = yaml.safe_dump(value, default_style=None, default_flow_style=True)

    assert values(parse(text).root) == value


@given(st.text(max_size=20))
def test_resolving_gives_the_text_or_what_it_says(text: str) -> None:
    """A resolved value, written again, is the text it came from, sign and zeros apart."""
    value = resolve(text)

    assert value == text or value is None or isinstance(value, bool) or float(text) == value
