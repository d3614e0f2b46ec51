from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from monitor.exchange import Page, Request, Response
from monitor.moments import parse_instant, stamp
from monitor.providers.walks import Refused
from monitor.providers.watermark import Descent, Newest, floor_of, moment_of, stamps_of
from tests.drive import reply

ASKED = Request("GET", "https://api.example.org/list")
NINE = "Mon, 05 Jan 2026 09:00:00 GMT"


class Stamped(msgspec.Struct):
    """As much of a row as a provider reads here."""

    at: Any = None


def at(row: Raw | bytes) -> object:
    """The stamp of a row."""
    return msgspec.json.decode(row, type=Stamped).at


def rows(number: int, asked: Request, response: Response) -> tuple[Page, str | None]:
    """The rows of an answer, and a next page always."""
    raws = [json.dumps({"at": stamp}).encode() for stamp in json.loads(response.body)]
    return Page([str(place) for place in range(len(raws))], raws), "more"


def newest(*pages: list[Any], date: str | None = None, since: str | None = None) -> str | None:
    """The watermark of a walk over pages of stamps."""
    seen = Newest(at)
    read = seen.seeing(rows)
    for number, page in enumerate(pages, 1):
        read(number, ASKED, reply(page, date=date or ""))
    return seen.watermark(since)


def test_the_newest_stamp_of_all_pages_is_the_watermark() -> None:
    """In one form, whatever forms they came in; a stamp without a zone is UTC."""
    assert newest(["2026-01-05T08:00:00Z", "2026-01-05T08:30:00.1234567Z"], ["2026-01-05T08:15:00"]) == (
        "2026-01-05T08:30:00.123Z"
    )
    assert newest(["2026-01-05T08:00:00Z", "2026-01-05T10:30:00+02:00"]) == "2026-01-05T08:30:00.000Z"
    assert newest(["2026-01-05T08:00:00", "2026-01-05 08:30:00"]) == "2026-01-05T08:30:00.000Z"


@pytest.mark.parametrize(
    "odd", ["<string>", "", "2026-01-05", "soon", None, 1767603600, True, [], {}, "9999-12-31T23:59:59Z"]
)
def test_what_is_no_time_is_ignored(odd: Any) -> None:
    """Alone it leaves the watermark as it was."""
    assert newest([odd]) is None
    assert newest([odd], since="2026-01-05T08:00:00.000Z") == "2026-01-05T08:00:00.000Z"
    assert newest([odd, "2026-01-05T08:00:00Z"]) == "2026-01-05T08:00:00.000Z"


def test_a_watermark_never_moves_back() -> None:
    """A list whose newest row is gone still was read that far."""
    assert newest(["2026-01-05T07:00:00Z"], since="2026-01-05T08:00:00.000Z") == "2026-01-05T08:00:00.000Z"
    assert newest(["2026-01-05T07:00:00Z"], date=NINE, since="2026-01-05T08:00:00.000Z") == "2026-01-05T08:00:00.000Z"


def test_p26_a_watermark_is_not_later_than_the_first_answer_of_its_walk() -> None:
    """Rows that the walk has passed may change behind it; a stamp from the future lets nothing be skipped."""
    assert newest(["2026-01-05T08:00:00Z"], ["2026-01-05T09:07:00Z"], date=NINE) == "2026-01-05T09:00:00.000Z"
    assert newest(["2030-01-01T00:00:00Z"], date=NINE) == "2026-01-05T09:00:00.000Z"


def test_p24_a_narrow_walk_begins_two_minutes_before_the_watermark() -> None:
    """Rows become readable after their own stamp."""
    assert floor_of("2026-01-05T08:00:00.000Z") == datetime(2026, 1, 5, 7, 58, tzinfo=UTC)
    assert floor_of(None) is None
    assert floor_of("odd") is None


def descend(*pages: list[Any], floor: str = "2026-01-05T08:00:00Z") -> list[Any]:
    """Walk down pages of stamps; the next cursor after each."""
    limit = moment_of(floor)
    assert limit is not None
    descent = Descent(rows, at, limit)
    return [descent.read(number, ASKED, reply(page))[1] for number, page in enumerate(pages, 1)]


def test_a_descent_ends_behind_its_floor() -> None:
    """A row at the floor is not behind it: more may share its stamp."""
    first = ["2026-01-05T08:02:00Z", "2026-01-05T08:00:00Z"]
    assert descend(first, ["2026-01-05T08:00:00Z", None, "2026-01-05T07:59:59Z"]) == ["more", None]


def test_a_descent_without_stamps_goes_on() -> None:
    """Nothing says that it may end."""
    assert descend(["<string>", None], []) == ["more", "more"]


@pytest.mark.parametrize(
    "pages",
    [
        [["2026-01-05T08:02:00Z", "2026-01-05T08:03:00Z"]],
        [["2026-01-05T08:02:00Z"], ["2026-01-05T08:02:00.001Z"]],
    ],
)
def test_p27_a_parameter_that_is_taken_and_not_acted_on_is_refused(pages: list[list[str]]) -> None:
    """Rows that are not in the order asked for prove nothing about those behind them."""
    with pytest.raises(Refused):
        descend(*pages)


def test_a_descent_that_starts_anew_forgets_what_it_saw() -> None:
    """The first page is above the one it had come to."""
    limit = moment_of("2026-01-05T08:00:00Z")
    assert limit is not None
    descent = Descent(rows, at, limit)
    for number, sent in ((1, "2026-01-05T08:05:00Z"), (2, "2026-01-05T08:04:00Z"), (1, "2026-01-05T08:05:00Z")):
        assert descent.read(number, ASKED, reply([sent]))[1] == "more"


@given(st.text() | st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat))
def test_a_stamp_is_read_as_the_rest_of_the_product_reads_it(text: str) -> None:
    """The fast way gives what the forgiving parser gives, to the microsecond."""
    fast, slow = moment_of(text), parse_instant(text)
    if slow is not None and 1971 <= slow.year < 9998 and text[10:11] in ("T", "t", " "):
        assert fast == slow
    if fast is not None:
        assert fast.tzinfo is not None
        assert fast - timedelta(minutes=2) < fast


FORMS = st.sampled_from(
    [
        lambda moment: moment.isoformat(),
        lambda moment: moment.isoformat(sep=" ").replace("+00:00", "Z"),
        lambda moment: moment.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        lambda moment: moment.replace(tzinfo=None).isoformat(),
        lambda moment: moment.astimezone(timezone(timedelta(hours=-5))).isoformat(),
        lambda moment: "odd",
    ]
)
NEAR = st.datetimes(datetime(2026, 1, 5), datetime(2026, 1, 6), timezones=st.just(UTC))  # noqa: DTZ001 - bounds are naive


@given(st.lists(st.lists(st.tuples(NEAR, FORMS))))
def test_whatever_the_forms_the_newest_stamp_wins(pages: list[list[tuple[datetime, Any]]]) -> None:
    """The short way past stamps that are no later never passes one that is."""
    stamps = [[form(moment) for moment, form in page] for page in pages]
    known = [moment for page in stamps for one in page if (moment := moment_of(one)) is not None]
    assert newest(*stamps) == (stamp(max(known)) if known else None)


@given(st.binary())
def test_a_row_that_cannot_be_read_has_no_stamp(raw: bytes) -> None:
    """Never an exception."""
    assert len(list(stamps_of(Page(["1"], [raw]), at))) == 1
