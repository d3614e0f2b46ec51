"""Pages that a 304 vouches for, as a provider sees them."""

from __future__ import annotations

import json

import pytest

from monitor.errors import UnexpectedAnswer
from monitor.exchange import Proof, Request, Response, ScanEnd
from monitor.providers.base import ScanPlan
from monitor.providers.walks import unchanged
from tests.drive import drive, reply, source


def rows(*ids: int) -> bytes:
    """A page of driver_jobs."""
    return json.dumps({"job_drivers": [{"id": id_, "kind": "accepted"} for id_ in ids]}).encode()


def vouched(*ids: str, total: str) -> Response:
    """A 304 with what is remembered."""
    return Response(304, {"total": total}, b"", proof=Proof(b"k", 'W/"1"', {"total": total}, list(ids), 100))


def test_vouched_ids_count_for_the_total() -> None:
    """A walk of one remembered and one read page is complete when both together are as many as there are."""

    def answer(request: Request) -> Response:
        assert request.validate == ("total",)
        return vouched("1", "2", total="3") if request.params["page"] == "1" else reply(rows(3), total="3")

    driven = drive(source("driver_jobs", per_page=2, by_state="accepted").scan(ScanPlan()), answer)
    assert driven.result == ScanEnd(True, hints={"total": "told"})
    assert driven.ids == ["1", "2", "3"]
    assert [(page.vouched, len(page.raws)) for page in driven.pages] == [(True, 0), (False, 1)]


def test_a_walk_in_doubt_is_made_again_without_condition() -> None:
    """One total does not fit: the list is asked for anew, and now nothing is remembered."""
    asked: list[tuple[str, ...] | None] = []

    def answer(request: Request) -> Response:
        asked.append(request.validate)
        return vouched("1", total="2") if request.validate else reply(rows(1), total="1")

    driven = drive(source("driver_jobs", by_state="accepted").scan(ScanPlan()), answer)
    assert driven.result == ScanEnd(True, hints={"total": "told"})
    assert asked[0] == ("total",)
    assert asked[-1] is None


def test_a_304_that_was_not_asked_for_is_no_page() -> None:
    """It is an answer that nobody can use, and said so."""
    with pytest.raises(UnexpectedAnswer, match=r"says that nothing has changed \(304\)"):
        drive(source("driver_jobs").scan(ScanPlan()), lambda _: reply(status=304))
    assert unchanged(reply(rows(1))) is None
