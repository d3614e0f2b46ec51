from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from msgspec import Raw

from monitor.errors import (
    ConnectFailed,
    CredentialsRejected,
    JobwireError,
    ProviderThrottled,
    ProviderUnavailable,
    UnexpectedAnswer,
)
from monitor.exchange import Page, Request, Response
from monitor.providers.base import LookUp
from monitor.providers.lookups import TOGETHER, look_up_each
from tests.drive import Driven, drive, recorded, reply

ERRORS: dict[int, type[JobwireError]] = {401: CredentialsRejected, 429: ProviderThrottled, 500: ProviderUnavailable}


def request(id_: str) -> Request:
    """The request for one item."""
    return Request("GET", f"https://api.example.org/{id_}")


def read(asked: Request, response: Response) -> Page:
    """The item of an answer, or the error that fits."""
    if response.status in ERRORS:
        raise ERRORS[response.status](f"{asked.url} was {response.status}")
    return Page([msgspec.json.decode(response.body, type=str)], [Raw(b"{}")])


def look_up(ids: str, *answers: Response) -> Driven[LookUp]:
    """Ask for ids of one letter each."""
    return drive(look_up_each(list(ids), request, read, where="acme", elsewhere=frozenset({301})), recorded(answers))


def learnt(driven: Driven[LookUp]) -> tuple[list[str], tuple[str, ...], tuple[str, ...]]:
    """Found, gone, and why not about the others."""
    assert driven.result is not None
    return list(driven.result.found.ids), driven.result.gone, driven.result.flaws


def test_what_is_found_what_is_gone_and_what_is_neither() -> None:
    """404 and 410 say that an id does not exist; a status that means elsewhere says nothing."""
    answers = reply('"a"'), reply(status=404), reply(status=410), reply(status=301)
    assert learnt(look_up("abcd", *answers)) == (["a"], ("b", "c"), ())


def test_an_id_that_cannot_be_learnt_about_holds_up_no_other() -> None:
    """One that is broken at the provider would otherwise hide what became of all that left a walk."""
    answers = reply(status=500), reply('"b"'), reply('"x"'), reply(status=404)
    assert learnt(look_up("abcd", *answers)) == (
        ["b"],
        ("d",),
        ("https://api.example.org/a was 500", "acme: asked for c, answered with x"),
    )


@pytest.mark.parametrize(("status", "error"), [(401, CredentialsRejected), (429, ProviderThrottled)])
def test_a_provider_that_wants_no_more_is_asked_no_more(status: int, error: type[JobwireError]) -> None:
    """What was learnt until then counts."""
    first = [reply('"a"'), reply(status=status), *[reply(status=404)] * (TOGETHER - 2)]
    driven = look_up("abcdefghij", *first)
    assert len(driven.requests) == TOGETHER
    assert learnt(driven) == (["a"], (), (f"https://api.example.org/b was {status}",))
    with pytest.raises(error):
        look_up("a", reply(status=status))


def test_nothing_learnt_at_all_is_an_error() -> None:
    """The first of them."""
    with pytest.raises(ProviderUnavailable, match="/a was 500"):
        look_up("ab", reply(status=500), reply('"x"'))
    with pytest.raises(UnexpectedAnswer, match="asked for a, answered with x"):
        look_up("a", reply('"x"'))


def test_a_connection_that_breaks_ends_the_asking() -> None:
    """What was learnt before counts; nothing learnt is the error itself."""

    def run(learnt: int, answer: Callable[[str], Response]) -> LookUp:
        ids = [str(number) for number in range(TOGETHER + 1)]
        exchange = look_up_each(ids, request, read, where="acme")
        step = next(exchange)
        for _ in range(learnt):
            assert isinstance(step, tuple)
            step = exchange.send(tuple(answer(one.url.rpartition("/")[2]) for one in step))
        with pytest.raises(StopIteration) as stop:
            exchange.throw(ConnectFailed("down"))
        result: LookUp = stop.value.value
        return result

    found = run(1, lambda id_: reply(f'"{id_}"'))
    assert (len(found.found.ids), found.gone, found.flaws) == (TOGETHER, (), ("down",))
    with pytest.raises(ConnectFailed):
        run(0, lambda id_: reply(status=404))


def test_nothing_asked_is_nothing_learnt() -> None:
    """Without a request."""
    driven = look_up("")
    assert (driven.requests, learnt(driven)) == ([], ([], (), ()))
