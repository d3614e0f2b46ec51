from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from monitor.errors import ConnectFailed
from monitor.exchange import Notice, Response
from monitor.providers.bindbee_connector import Connector, Health
from tests.drive import Driven, drive, recorded, reply

NOW = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
DATE = "Mon, 05 Jan 2026 09:30:00 GMT"
AT = "2026-01-05T09:30:00.000Z"
CONNECTOR = Connector("https://api.example.org/api/ats/v1/connectors", SecretStr("ours"))
WELL = {
    "connector_token": "ours",
    "status": "COMPLETE",
    "sync_status": "Done",
    "last_sync_start_time": "2026-01-05T00:00:00Z",
    "next_sync_start_time": "2026-01-06T00:00:00Z",
    "relink_needed_at": None,
    "is_test_connector": False,
    "end_user": "Acme Corp.",
    "integration_slug": "workday",
}


def listed(*connectors: dict[str, Any], cursor: str | None = None) -> Response:
    """An answer with these connectors."""
    return reply({"items": list(connectors), "cursor": cursor}, date=DATE)


def look(*answers: Response, hints: dict[str, str] | None = None, now: datetime | None = NOW) -> Driven[Health]:
    """Ask how the connector is, with these answers."""
    return drive(CONNECTOR.look(hints or {}, now), recorded(answers))


def health(driven: Driven[Health]) -> Health:
    """What came of it."""
    assert driven.result is not None
    return driven.result


def test_a_connector_that_is_well_is_no_news() -> None:
    """When it was asked is noted, by the provider's clock."""
    assert health(look(listed(WELL))) == Health((), {"connector_at": AT}, False)


@pytest.mark.parametrize(
    ("changes", "what", "since", "says"),
    [
        (
            {"status": "RELINK_NEEDED", "relink_needed_at": "2026-01-01T00:00:00Z"},
            "relink_needed",
            "2026-01-01T00:00:00.000Z",
            "The connector of Acme Corp. (workday) has to be linked again by the customer.",
        ),
        ({"status": "RELINK_NEEDED", "end_user": None, "integration_slug": 5}, "relink_needed", None, "this customer"),
        ({"status": "INCOMPLETE"}, "not_linked", None, "not been linked"),
        ({"sync_status": "Failed"}, "sync_failed", "2026-01-05T00:00:00.000Z", "The last sync failed."),
        (
            {"next_sync_start_time": "2026-01-05T08:30:00Z"},
            "sync_late",
            "2026-01-05T08:30:00.000Z",
            "should have synced and did not",
        ),
        (
            {"sync_status": "Syncing", "last_sync_start_time": "2026-01-04T09:30:00Z"},
            "sync_late",
            "2026-01-04T09:30:00.000Z",
            "syncing for more than a day",
        ),
    ],
)
def test_what_is_wrong_is_told_in_words(changes: dict[str, Any], what: str, since: str | None, says: str) -> None:
    """A short word for programs, a sentence for people, and since when."""
    (notice,) = health(look(listed(WELL | changes))).notices
    assert (notice.what, notice.since) == (what, since)
    assert says in notice.text


@pytest.mark.parametrize(
    "changes",
    [
        {"next_sync_start_time": "2026-01-05T08:30:01Z"},
        {"next_sync_start_time": None},
        {"next_sync_start_time": "<string>"},
        {"next_sync_start_time": "2020-01-01T00:00:00Z", "is_test_connector": True},
        {"next_sync_start_time": "2020-01-01T00:00:00Z", "sync_status": "Syncing"},
        {"sync_status": "Syncing", "last_sync_start_time": None},
        {"sync_status": None},
        {"status": "SOMETHING_NEW"},
        {"is_active": False},
    ],
)
def test_what_may_be_well_is_no_news(changes: dict[str, Any]) -> None:
    """Test connectors never sync by themselves; a sync that runs is not late; other words are not understood."""
    assert health(look(listed(WELL | changes))).notices == ()


def test_without_a_clock_of_the_providers_nothing_is_late() -> None:
    """And then it is asked at every scan: nothing says that it was just asked."""
    answer = reply({"items": [WELL | {"next_sync_start_time": "2020-01-01T00:00:00Z"}]})
    assert health(look(answer, now=None)) == Health((), {}, False)


@pytest.mark.parametrize(
    ("later", "asked"), [(0, 0), (299, 0), (300, 1), (-1, 1)], ids=["at once", "soon", "due", "clock went back"]
)
def test_it_is_asked_every_five_minutes(later: int, asked: int) -> None:
    """In between, what was learnt is repeated, trouble too."""
    first = health(look(listed(WELL | {"status": "RELINK_NEEDED"})))
    again = look(listed(WELL), hints=dict(first.hints), now=NOW + timedelta(seconds=later))
    assert len(again.requests) == asked
    assert bool(health(again).notices) == (not asked)
    if not asked:
        assert health(again) == Health(first.notices, first.hints, False)


@pytest.mark.parametrize("status", [401, 403, 404])
def test_an_api_that_does_not_show_connectors_is_taken_as_it_is(status: int) -> None:
    """What was known of it before is forgotten."""
    before = {"connector": '["relink_needed","text",null]'}
    assert health(look(reply(status=status), hints=before)) == Health((), {"connector_at": AT}, False)


@pytest.mark.parametrize("answer", [reply(status=500), reply("<html>"), reply({}), reply({"items": [None]})])
def test_an_answer_that_says_nothing_changes_nothing(answer: Response) -> None:
    """It is asked again after five minutes."""
    before = {"connector": '["relink_needed","text",null]', "connector_at": "2026-01-01T00:00:00Z"}
    assert health(look(answer, hints=before)) == Health(
        (Notice("relink_needed", "text"),), {"connector": before["connector"], "connector_at": AT}, False
    )


def test_no_answer_changes_nothing_either() -> None:
    """The lists were read; that is what the scan is for."""

    def broken(_: object) -> Response:
        raise AssertionError

    exchange = CONNECTOR.look({"connector": '["sync_failed","text",null]'}, NOW)
    next(exchange)
    with pytest.raises(StopIteration) as stop:
        exchange.throw(ConnectFailed("down"))
    assert stop.value.value.notices == (Notice("sync_failed", "text"),)


def test_ours_is_told_from_the_others_by_its_token_which_is_in_no_request() -> None:
    """A secret has no place in a URL; the pages are walked instead, and not without end."""
    other = WELL | {"connector_token": "theirs", "status": "RELINK_NEEDED"}
    driven = look(listed(other, cursor="c1"), listed(WELL, other))
    assert health(driven).notices == ()
    assert [dict(one.params) for one in driven.requests] == [
        {"page_size": "100"},
        {"page_size": "100", "cursor": "c1"},
    ]
    assert "ours" not in repr(driven.requests)
    assert health(look(listed(other))) == Health((), {"connector_at": AT}, False)
    endless = drive(CONNECTOR.look({}, NOW), lambda request: listed(other, cursor="again"))
    assert len(endless.requests) == 10


@pytest.mark.parametrize(
    ("changes", "first"),
    [
        ({"sync_status": "Syncing", "avg_sync_duration": None}, True),
        ({"sync_status": "Syncing", "avg_sync_duration": 312}, False),
        ({"sync_status": "Syncing"}, False),
        ({"sync_status": "Done", "avg_sync_duration": None}, False),
    ],
)
def test_the_first_sync_is_told_from_later_ones(changes: dict[str, Any], *, first: bool) -> None:
    """Older answers do not say how long syncs take; then none is taken for the first."""
    assert health(look(listed(WELL | changes))).first_sync is first


@pytest.mark.parametrize("told", ["", "{", "[]", '["a"]', "null"])
def test_hints_that_cannot_be_read_are_forgotten(told: str) -> None:
    """They may be of another version."""
    hints = {"connector": told, "connector_at": AT}
    assert health(look(hints=hints)).notices == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*WELL, "items", "cursor"]), inner),
)


@given(JSON, JSON)
def test_any_answer_at_all_is_borne(record: Any, body: Any) -> None:
    """The health of a connector never fails a scan."""
    fields = record if isinstance(record, dict) else {"status": record}
    for answer in (listed(fields | {"connector_token": "ours"}), reply(body)):
        found = drive(CONNECTOR.look({}, NOW), recorded([answer] * 10)).result
        assert found is not None
        assert len(found.notices) <= 1
