from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw
from pydantic import ValidationError

from monitor.errors import UnexpectedAnswer
from monitor.exchange import Page, Request, Response, ScanEnd
from monitor.providers.base import ScanPlan
from monitor.providers.bindbee_kinds import LISTS, VOCABULARY, KindName, marked, parted, resource_of
from monitor.resources import FieldChange
from tests.drive import drive, look_up, reply, source

ROOT = "https://api.bindbee.dev/api/ats/v1/"
REFUSED = {"modified_after": "refused"}
ALL = ["job", "interview", "offer", "application"]


def through(kind: KindName, item: dict[str, Any]) -> Any:
    """A record of a list, handed over and read again."""
    page = marked(kind, Page([str(item.get("id"))], [Raw(json.dumps(item).encode())]))
    return resource_of(bytes(page.raws[0]))


@pytest.mark.parametrize("kind", list(LISTS))
def test_an_item_says_which_list_it_was_in(kind: KindName) -> None:
    """Its id does, and so do its bytes, which are JSON as before; jobs stay as they were sent."""
    page = marked(kind, Page(["7"], [Raw(b'{"id": "7"}')]))
    assert parted(page.ids[0]) == (kind, "7")
    assert (page.ids[0] == "7") == (kind == "job")
    assert json.loads(bytes(page.raws[0])) == ({"id": "7"} if kind == "job" else {f"bindbee.{kind}": {"id": "7"}})
    assert (through(kind, {"id": "7"}).kind, through(kind, {"id": "7"}).id) == (kind, "7")


@pytest.mark.parametrize("kind", ["interview", "offer", "application"])
def test_a_broken_record_of_another_list_is_an_unexpected_answer(kind: KindName) -> None:
    """As one of the jobs is."""
    for item in (b"null", b"{", b"{}", b'{"id": null}', b""):
        with pytest.raises(UnexpectedAnswer, match="bindbee"):
            resource_of(b'{"bindbee.%s":%s}' % (kind.encode(), item))


@pytest.mark.parametrize(
    ("kind", "item", "title", "state"),
    [
        (
            "interview",
            {"start_at": "2026-01-09T10:00:00Z", "status": "SCHEDULED"},
            "Interview at 2026-01-09",
            "SCHEDULED",
        ),
        ("interview", {"start_at": None, "remote_id": 12, "status": "-"}, "Interview 12", None),
        ("offer", {"remote_id": "o-1", "status": "SENT-MANUALLY"}, "Offer o-1", "SENT-MANUALLY"),
        ("offer", {"status": None}, "Offer 7", None),
        ("application", {"current_stage": "018b4bfb-5ece"}, "Application 7", "018b4bfb-5ece"),
        ("application", {"current_stage": {"id": "018b", "name": "Phone screen"}}, "Application 7", "Phone screen"),
        ("application", {"current_stage": {"id": "018b", "name": None}}, "Application 7", "018b"),
        ("application", {"current_stage": {}}, "Application 7", "{}"),
        ("application", {"current_stage": None}, "Application 7", None),
    ],
)
def test_titles_and_states(kind: KindName, item: dict[str, Any], title: str, state: str | None) -> None:
    """An application has no status of its own: the stage that it is in is its state."""
    found = through(kind, {"id": "7", **item})
    assert found.title.startswith(title)
    assert found.state == state
    assert "status" not in found.fields
    assert "current_stage" not in found.fields


def test_an_application_is_rejected_once_a_time_of_it_is_known() -> None:
    """Taken back, or at another time, it is merely updated."""
    named = {one.what: one for one in VOCABULARY.kinds["application"].named}["rejected"]
    assert named.when(FieldChange("rejected_at", None, "2026-01-01T00:00:00Z"))
    assert not named.when(FieldChange("rejected_at", "2026-01-01T00:00:00Z", None))
    assert not named.when(FieldChange("rejected_at", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"))


def empty(request: Request) -> Response:
    """Every list is empty, and connectors are not shown."""
    return reply(status=404) if request.url.endswith("/connectors") else reply({"items": [], "cursor": None})


def test_each_list_is_asked_for_what_belongs_to_it() -> None:
    """Filters of jobs narrow jobs alone; stages come with their names; twice the same list is once."""
    one = source("bindbee", kinds=[*ALL, "offer"], status="OPEN", expand="offices", include_raw_data=True)
    driven = drive(one.scan(ScanPlan()), empty)
    base = {"page_size": "100", "include_raw_data": "true"}
    assert [(asked.url.removeprefix(ROOT), dict(asked.params)) for asked in driven.requests[:-1]] == [
        ("jobs", base | {"status": "OPEN", "expand": "offices"}),
        ("scheduled-interviews", base),
        ("offers", base),
        ("applications", base | {"expand": "current_stage[id,name]"}),
    ]
    assert driven.result == ScanEnd(complete=True)


def test_every_list_is_walked_though_one_is_not_whole() -> None:
    """What the others show counts; the scan is not complete, and says which list it was."""

    def answer(request: Request) -> Response:
        return reply({"items": [{"id": "1"}]}) if request.url.endswith("offers") else empty(request)

    driven = drive(source("bindbee", kinds=ALL).scan(ScanPlan()), answer)
    assert driven.result is not None
    assert (driven.result.complete, driven.result.reason) == (
        False,
        "list offers: page 1 does not say whether it is the last",
    )
    assert [asked.url.removeprefix(ROOT) for asked in driven.requests] == [*LISTS.values(), "connectors"]
    assert driven.ids == ["offer/1"]


def test_records_are_looked_up_in_their_own_lists() -> None:
    """In the form that the list gives them, and with ids that cannot break out of the path."""
    one = source("bindbee", kinds=ALL)
    answers = {"offers/1": {"id": "1"}, "jobs/1": {"id": "1"}, "applications/a%2Fb": {"id": "a/b"}}

    def answer(request: Request) -> Response:
        known = answers.get(request.url.removeprefix(ROOT))
        return reply(known) if known else reply(status=404)

    driven = drive(look_up(one, "offer/1", "1", "application/a/b", "interview/9"), answer)
    assert driven.result is not None
    assert list(driven.result.found.ids) == ["offer/1", "1", "application/a/b"]
    assert [one.resources(bytes(raw))[0].kind for raw in driven.result.found.raws] == ["offer", "job", "application"]
    assert driven.result.gone == ("interview/9",)


def test_kinds_are_those_that_there_are() -> None:
    """At least one."""
    assert source("bindbee", kinds="offer").vocabulary.kinds
    for wrong in (["candidate"], []):
        with pytest.raises(ValidationError):
            source("bindbee", kinds=wrong)


def plan(since: str | None, **more: Any) -> ScanPlan:
    """A narrow plan."""
    return ScanPlan(full=False, since=since, **more)


@pytest.mark.parametrize(
    ("own", "since", "asked"),
    [
        (None, "2026-01-05T08:00:00.000Z", "2026-01-05T07:58:00.000Z"),
        ("2025-01-01T00:00:00Z", "2026-01-05T08:00:00.000Z", "2026-01-05T07:58:00.000Z"),
        ("2026-01-05T07:59:00Z", "2026-01-05T08:00:00.000Z", "2026-01-05T07:59:00Z"),
        ("2027-01-01", "2026-01-05T08:00:00.000Z", "2027-01-01"),
        ("2025-01-01", None, "2025-01-01"),
        (None, None, None),
        (None, '{"offer":"2026-01-05T08:00:00.000Z"}', None),
        (None, '{"job":"2026-01-05T08:00:00.000Z"}', "2026-01-05T07:58:00.000Z"),
    ],
)
def test_p24_a_narrow_walk_asks_for_changes_since_the_later_of_watermark_and_wish(
    own: str | None, since: str | None, asked: str | None
) -> None:
    """A list whose watermark is not known is walked as in a full walk, and the scan says so."""
    driven = drive(source("bindbee", **({"modified_after": own} if own else {})).scan(plan(since)), empty)
    assert driven.requests[0].params.get("modified_after") == asked
    assert driven.result is not None
    assert driven.result.full is (asked is None or (asked == own and since is None))


@pytest.mark.parametrize("status", [400, 422])
def test_where_our_time_is_refused_the_list_is_walked_whole_until_the_next_full_walk(status: int) -> None:
    """A narrow walk is our own wish: that the API does not grant it must not stop the source."""
    asked: list[str | None] = []

    def refusing(request: Request) -> Response:
        if request.url.endswith("/connectors"):
            return empty(request)
        asked.append(request.params.get("modified_after"))
        return empty(request) if asked[-1] is None else reply({"detail": "no"}, status=status)

    one, since = source("bindbee"), "2026-01-05T08:00:00.000Z"
    first = drive(one.scan(plan(since)), refusing).result
    assert first is not None
    assert (first.complete, first.full, first.hints) == (True, True, REFUSED)
    again = drive(one.scan(plan(since, hints=REFUSED)), refusing).result
    assert again is not None
    assert (again.full, again.hints) == (True, REFUSED)
    whole = drive(one.scan(ScanPlan(hints=REFUSED)), refusing).result
    assert whole is not None
    assert dict(whole.hints) == {}
    assert asked == ["2026-01-05T07:58:00.000Z", None, None, None]


def test_the_first_sync_is_no_baseline() -> None:
    """Until it has ended the lists show a part of the data, unmarked: the rest would all be told as new."""
    syncing = {"connector_token": "canary-connector-token", "sync_status": "Syncing", "avg_sync_duration": None}

    def answer(request: Request) -> Response:
        return reply({"items": [syncing]}) if request.url.endswith("/connectors") else empty(request)

    first = drive(source("bindbee").scan(ScanPlan()), answer).result
    assert first is not None
    assert (first.complete, first.reason) == (
        False,
        "the connector's first sync is still running: the lists show a part of the data",
    )
    later = drive(source("bindbee").scan(ScanPlan(since="2026-01-05T08:00:00.000Z")), answer).result
    assert later is not None
    assert later.complete
