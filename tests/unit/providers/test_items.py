from __future__ import annotations

import base64
import json
import time
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from pydantic import SecretStr

from monitor.errors import UnexpectedAnswer
from monitor.providers.items import identity, parse, split, stamp_of, state_of, token_end, without, words


def raws(*items: str) -> list[Raw]:
    """Slices as an envelope gives them."""
    return msgspec.json.decode(f"[{', '.join(items)}]", type=list[Raw])


@pytest.mark.parametrize(
    ("item", "id_"),
    [
        ('{"id": 370}', "370"),
        ('{"id":"a9749189-c82b"}', "a9749189-c82b"),
        ('{ "name": {"id": 1}, "id" : "x" }', "x"),
        ('{"id": "don:core:dvrv-us-1:devo/0:job/3", "id2": 4}', "don:core:dvrv-us-1:devo/0:job/3"),
        ('{"id": "\\u0061\\"b"}', 'a"b'),
        ('{"id": "größe"}', "größe"),
        ('{"id": 123456789012345678901234567890}', "123456789012345678901234567890"),
        ('{"id": -5}', "-5"),
        ('{"id": 0}', "0"),
    ],
)
def test_ids_are_text_wherever_they_stand(item: str, id_: str) -> None:
    """Whole numbers of any size and text; the slice stays as it was sent."""
    page = split(raws(item, '{"id": 1}'), "here")
    assert list(page.ids) == [id_, "1"]
    assert bytes(page.raws[0]).decode() == item


@pytest.mark.parametrize(
    "item",
    ["{}", "[]", "null", '"x"', '{"id": null}', '{"id": 1.0}', '{"id": 1e3}', '{"id": false}', '{"id": ""}'],
)
def test_an_item_without_an_id_is_named_by_page_and_position(item: str) -> None:
    """A person finds it in the answer."""
    with pytest.raises(UnexpectedAnswer, match=r"page 3: item 2 of 3 cannot be told apart: "):
        split(raws('{"id": 1}', item, '{"id": 3}'), "page 3")


@given(
    st.lists(st.dictionaries(st.text(), st.integers() | st.text()) | st.integers() | st.text(min_size=1), max_size=5)
)
def test_the_short_way_to_an_id_gives_what_a_full_parse_gives(values: list[Any]) -> None:
    """Whatever the id and the fields around it."""
    for value in values:
        around = value if isinstance(value, dict) else {}
        id_ = 7 if isinstance(value, dict) else value
        for item in ({"id": id_, **around, "z": 1}, {**around, "id": id_}):
            text = json.dumps(item)
            sliced = raws(text)
            try:
                expected = identity(json.loads(text), "it")
            except UnexpectedAnswer:
                with pytest.raises(UnexpectedAnswer):
                    split(sliced, "here")
            else:
                assert list(split(sliced, "here").ids) == [expected]


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"\xff", b'{"id": "\xff"}', b"[" * 100_000, b'{"id": 1' + b"0" * 5_000 + b"}"]
)
def test_an_item_that_cannot_be_read_is_an_unexpected_answer(raw: bytes) -> None:
    """Never another exception."""
    with pytest.raises(UnexpectedAnswer, match="acme: an item is not JSON that can be read"):
        parse(raw, "acme")


@pytest.mark.parametrize(
    ("value", "state"),
    [
        ("CLAIMED", "CLAIMED"),
        (" odd one ", " odd one "),
        ("-", None),
        (" ", None),
        ("", None),
        (None, None),
        (7, "7"),
        (1.5, "1.5"),
        (True, "true"),
        ({"b": 1, "a": [None]}, '{"a":[null],"b":1}'),
    ],
)
def test_a_state_is_the_providers_own_word(value: Any, state: str | None) -> None:
    """No word is no state; another type is shown as JSON text."""
    assert state_of(value) == state


@pytest.mark.parametrize(
    ("value", "stamp"),
    [
        ("2021-06-08T17:38:41.818Z", "2021-06-08T17:38:41.818Z"),
        ("2022-02-17T17:45:23.1891131Z", "2022-02-17T17:45:23.1891131Z"),
        ("2022-02-17T17:45:23+02:00", "2022-02-17T17:45:23+02:00"),
        ("<string>", None),
        ("2022-02-30T00:00:00Z", None),
        ("", None),
        (1645119923, None),
        (None, None),
    ],
)
def test_a_stamp_is_a_time_as_it_was_sent(value: Any, stamp: str | None) -> None:
    """What is no time is no stamp."""
    assert stamp_of(value) == stamp


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ((None, "", " ", "x"), "x"),
        ((["x"], {"y": 1}, True), None),
        ((7,), "7"),
        ((1.5, "x"), "1.5"),
        (("a \n\t b",), "a b"),
        ((), None),
    ],
)
def test_words_are_the_first_value_that_reads_as_text(values: tuple[Any, ...], text: str | None) -> None:
    """On one line."""
    assert words(*values) == text


def test_fields_are_kept_in_the_order_they_were_sent() -> None:
    """All but the named ones."""
    assert list(without({"b": 1, "id": 2, "a": 3}, {"id", "not there"}).items()) == [("b", 1), ("a", 3)]


def jwt(claims: Any) -> SecretStr:
    """A token with these claims and no meaning."""
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return SecretStr(f"eyJhbGciOiJIUzI1NiJ9.{body}.c2lnbmF0dXJl")


def test_the_end_of_a_jwt_is_read_without_verifying_it() -> None:
    """The claim `exp`, in seconds since 1970."""
    end = token_end(jwt({"exp": 1766218391}))
    assert end is not None
    assert end.isoformat() == "2025-12-20T08:13:11+00:00"


@pytest.mark.parametrize(
    "token",
    [
        None,
        SecretStr("opaque"),
        SecretStr("a.b.c"),
        SecretStr("a.é.c"),
        jwt({}),
        jwt([]),
        jwt({"exp": "soon"}),
        jwt({"exp": -1}),
        jwt({"exp": True}),
        jwt({"exp": 1e300}),
    ],
)
def test_other_tokens_have_no_known_end(token: SecretStr | None) -> None:
    """Opaque keys are as good."""
    assert token_end(token) is None


def test_splitting_a_page_costs_microseconds_an_item() -> None:
    """100 items of 1.2 kB; the limit is ten times the 2 us that it takes, for busy machines."""
    item = json.dumps({"id": 370, "fields": [{f"k{n}": f"value {n}", "n": n, "z": None} for n in range(28)]})
    body = f'{{"items": [{", ".join([item] * 100)}]}}'.encode()

    class Envelope(msgspec.Struct):
        items: list[Raw]

    decoder = msgspec.json.Decoder(Envelope)
    best = min(_timed(lambda: split(decoder.decode(body).items, "here")) for _ in range(20))
    assert best / 100 < 20e-6


def _timed(work: Any) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started
