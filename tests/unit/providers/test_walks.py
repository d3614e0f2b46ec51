from __future__ import annotations

import msgspec
import pytest
from msgspec import Raw

from monitor.errors import UnexpectedAnswer
from monitor.exchange import Exchange, Page, Request, Response, ScanEnd
from monitor.providers.walks import Refused, probing, walk_by_cursor
from tests.drive import Driven, drive, recorded, reply


def request(cursor: str | None) -> Request:
    """The request for a page."""
    return Request("GET", "https://api.example.org/list", params={"cursor": cursor} if cursor else {})


def read(number: int, asked: Request, response: Response) -> tuple[Page, str | None]:
    """A page of ids and the next cursor, both as JSON; any failure is an unexpected answer."""
    if response.status != 200:
        raise UnexpectedAnswer(f"page {number} was {response.status}")
    ids, following = msgspec.json.decode(response.body, type=tuple[list[str], str | None])
    return Page(ids, [Raw(b"{}")] * len(ids)), following


def walk() -> Exchange[ScanEnd]:
    """A walk of that list."""
    return walk_by_cursor(request, read, where="acme", max_pages=3)


@pytest.mark.parametrize("status", [400, 410, 422])
def test_p5_a_forgotten_cursor_starts_the_walk_anew(status: int) -> None:
    """From the first page, so that what it shows is one whole walk; cursors of before are no circle."""
    answers = [reply([["a"], "x"]), reply(status=status), reply([["a"], "x"]), reply([["b"], None])]
    driven = drive(walk(), recorded(answers))
    assert [one.params.get("cursor") for one in driven.requests] == [None, "x", None, "x"]
    assert driven.ids == ["a", "a", "b"]
    assert driven.result == ScanEnd(complete=True)


def test_a_cursor_is_forgotten_once_in_a_walk() -> None:
    """The second time is an error, or it might never end."""
    answers = [reply([["a"], "x"]), reply(status=400), reply([["a"], "x"]), reply(status=400)]
    with pytest.raises(UnexpectedAnswer, match="page 2 was 400"):
        drive(walk(), recorded(answers))


def test_a_refused_first_page_is_not_a_forgotten_cursor() -> None:
    """There was none."""
    with pytest.raises(UnexpectedAnswer, match="page 1 was 400"):
        drive(walk(), recorded([reply(status=400)]))


@pytest.mark.parametrize("status", [404, 429, 500])
def test_other_failures_of_a_later_page_fail_the_walk(status: int) -> None:
    """P1: and the page is not asked for again here; that is the runner's part."""
    with pytest.raises(UnexpectedAnswer, match=f"page 2 was {status}"):
        drive(walk(), recorded([reply([["a"], "x"]), reply(status=status)]))


@pytest.mark.parametrize("status", [400, 422])
def test_a_probe_tells_a_refused_parameter_from_other_failures(status: int) -> None:
    """On the first page alone: later ones have worked with the same parameters before."""
    probe = walk_by_cursor(request, probing(read), where="acme", max_pages=3)
    with pytest.raises(Refused):
        drive(probe, recorded([reply(status=status)]))
    later = walk_by_cursor(request, probing(read), where="acme", max_pages=3)
    answers = [reply([["a"], "x"]), reply(status=status), reply([["a"], "x"]), reply(status=status)]
    with pytest.raises(UnexpectedAnswer):
        drive(later, recorded(answers))
    down = walk_by_cursor(request, probing(read), where="acme", max_pages=3)
    with pytest.raises(UnexpectedAnswer, match="page 1 was 500"):
        drive(down, recorded([reply(status=500)]))


def test_p27_a_circle_is_found_after_a_new_start_too() -> None:
    """However many pages it spans."""
    answers = [reply([["a"], "x"]), reply(status=400), reply([["a"], "x"]), reply([["b"], "y"]), reply([["c"], "x"])]
    driven: Driven[ScanEnd] = Driven()
    with pytest.raises(UnexpectedAnswer, match="acme: page 3 leads back"):
        drive(walk(), recorded(answers), driven)
    assert len(driven.requests) == 5
