from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from pydantic import ValidationError

from monitor.errors import UnexpectedAnswer
from monitor.exchange import Request, Response, ScanEnd
from monitor.providers.base import ScanPlan
from monitor.providers.driver_jobs import VOCABULARY, Options
from monitor.resources import Resource
from tests.drive import Driven, drive, recorded, reply, sample, sample_scan, source

JOB = {
    "id": 350,
    "company": {"id": 429, "image": None, "name": "Hessel-Rutherford"},
    "currency": "GBP",
    "end_date": "2026-06-14",
    "job_type": "fixed_term_contract",
    "number": 8497742,
    "postcode": "LS1 1UR",
    "published_at": "2025-11-20T07:13:11.167Z",
    "start_date": "2025-11-28",
    "title": "Customer Designer",
}
COUNTED = {"total": "told"}
CONTEXT = {"job_title": "Customer Designer", "company": "Hessel-Rutherford", "postcode": "LS1 1UR"}


class Lists:
    """A server with lists that a test may change between two requests; a page gives `size` rows at most."""

    def __init__(self, lists: Mapping[str, Sequence[int]], size: int = 1000, total: bool = True) -> None:
        self.lists = {name: list(rows) for name, rows in lists.items()}
        self.size = size
        self.total = total
        self.meanwhile: dict[tuple[str, int, int], list[int]] = {}
        self.asked: dict[tuple[str, int], int] = {}

    def __call__(self, request: Request) -> Response:
        name, page = request.params["by_state"], int(request.params["page"])
        size = min(int(request.params["per_page"]), self.size)
        times = self.asked[name, page] = self.asked.get((name, page), 0) + 1
        self.lists[name] = self.meanwhile.get((name, page, times), self.lists.get(name, []))
        rows = self.lists[name]
        shown = [{"id": id_} for id_ in rows[(page - 1) * size : page * size]]
        body = {"job_drivers": shown}
        return reply(body, total=len(rows), per_page=size) if self.total else reply(body)


def scan(server: Lists, **options: Any) -> Driven[ScanEnd]:
    """One scan of a made-up server."""
    return drive(source("driver_jobs", **options).scan(ScanPlan()), server)


def resources(item: Mapping[str, Any]) -> list[Resource]:
    """The resources of a made-up row."""
    return source("driver_jobs").resources(json.dumps(item).encode())


def test_the_sample_of_the_documents_is_read_in_full() -> None:
    """Every resource of the first sampled row, literally."""
    items = drive(source("driver_jobs").scan(ScanPlan()), sample_scan("driver_jobs")).items
    assert source("driver_jobs").resources(items[0]) == [
        Resource(
            kind="job_driver",
            id="370",
            title="Customer Designer at Hessel-Rutherford",
            state="accepted",
            fields={
                "currency": "GBP",
                "job": JOB,
                "kind_updated_by": None,
                "money_earned": "0.0",
                "updated_at": "2025-11-20T08:13:11.183Z",
            },
            stamp="2025-11-20T08:13:11.183Z",
        ),
        Resource(
            kind="contract",
            id="298",
            title="Contract 298: Customer Designer at Hessel-Rutherford",
            state="active",
            fields={
                "days_to_expire": 30,
                "end_date": "2025-12-20",
                "job_driver_id": 370,
                "policy_schema": {"markable_as_ended": True},
                "start_date": "2025-11-19",
                **CONTEXT,
            },
            parent="job_driver/370",
            role="last",
        ),
        Resource(
            kind="contract",
            id="299",
            title="Contract 299: Customer Designer at Hessel-Rutherford",
            state="pending",
            fields={
                "days_to_expire": 61,
                "end_date": "2026-01-20",
                "job_driver_id": 370,
                "policy_schema": {"markable_as_ended": False},
                "start_date": "2025-12-21",
                **CONTEXT,
            },
            parent="job_driver/370",
            role="pending",
        ),
        Resource(
            kind="interview",
            id="57",
            title="Interview 57: Customer Designer at Hessel-Rutherford",
            state="pending",
            fields={
                "amend_end_at": None,
                "amend_start_at": None,
                "amended_by": None,
                "end_at": "2025-11-20T08:43:11.261Z",
                "interviewee_id": 370,
                "interviewer_id": 1240,
                "kind": "in_person",
                "location": "London",
                "start_at": "2025-11-20T08:13:11.261Z",
                "job_title": "Customer Designer",
                "company": "Hessel-Rutherford",
            },
            parent="job_driver/370",
        ),
    ]


def test_the_sample_gives_each_row_its_contracts() -> None:
    """Refs, states and roles of all sampled rows."""
    driven = drive(source("driver_jobs").scan(ScanPlan()), sample_scan("driver_jobs"))
    found = [one for item in driven.items for one in source("driver_jobs").resources(item)]
    assert [(one.ref, one.state, one.role) for one in found] == [
        ("job_driver/370", "accepted", None),
        ("contract/298", "active", "last"),
        ("contract/299", "pending", "pending"),
        ("interview/57", "pending", None),
        ("job_driver/372", "accepted", None),
        ("contract/300", "expired", "last"),
        ("job_driver/369", "accepted", None),
        ("contract/297", "active", "last"),
    ]
    assert driven.result == ScanEnd(complete=True, hints=COUNTED)


def test_every_list_is_asked_for_with_its_parameters() -> None:
    """Three lists make one scan, in the order in which rows move through them."""
    driven = scan(Lists({}), per_page=20)
    assert [(one.method, one.url, dict(one.params)) for one in driven.requests] == [
        ("GET", "https://drivers.example.org/api/v1/job_drivers", {"by_state": state, "page": "1", "per_page": "20"})
        for state in ("application", "accepted", "all_rejected")
    ]
    assert all(one.authorise for one in driven.requests)


def test_only_the_chosen_lists_are_walked() -> None:
    """`by_state` takes one word or a list; the order of walking is the same."""
    one = scan(Lists({}), by_state="accepted")
    two = scan(Lists({}), by_state=["all_rejected", "application"])
    assert [request.params["by_state"] for request in one.requests] == ["accepted"]
    assert [request.params["by_state"] for request in two.requests] == ["application", "all_rejected"]


def test_pages_after_the_first_go_out_together() -> None:
    """The first page tells the total; the others do not depend on each other."""
    driven = scan(Lists({"accepted": range(1, 651)}), by_state="accepted")
    assert driven.groups == [1, 4, 2]
    assert driven.ids == [str(id_) for id_ in range(1, 651)]
    assert driven.result == ScanEnd(complete=True, hints=COUNTED)


def test_a_server_that_gives_shorter_pages_is_walked_to_its_end() -> None:
    """A per_page that the server cuts down costs requests, not rows."""
    driven = scan(Lists({"accepted": range(1, 48)}, size=20), by_state="accepted", per_page=100)
    assert driven.ids == [str(id_) for id_ in range(1, 48)]
    assert driven.result == ScanEnd(complete=True, hints=COUNTED)


def test_without_a_total_the_walk_ends_at_a_page_without_rows() -> None:
    """The header may be missing: then only an empty page is the end."""
    driven = scan(Lists({"accepted": range(1, 31)}, total=False), by_state="accepted", per_page=10)
    assert [request.params["page"] for request in driven.requests] == ["1", "2", "3", "4"]
    assert driven.result == ScanEnd(complete=True)


@pytest.mark.parametrize("rows", [(), (1, 2), range(1, 31)])
def test_a_list_that_has_lost_its_total_proves_nothing(rows: Sequence[int]) -> None:
    """An API that told totals before is held to it: without one, what is not in the list may be there all the same."""
    provider = source("driver_jobs", by_state="accepted", per_page=10)
    end = drive(provider.scan(ScanPlan(hints=COUNTED)), Lists({"accepted": rows}, total=False)).result
    assert end == ScanEnd(False, "list accepted: no total came with it, as one did before", hints=COUNTED)


def test_lists_of_one_scan_all_have_totals_or_none() -> None:
    """Where the first list is counted, an empty one without a total is an answer cut short."""

    def server(request: Request) -> Response:
        return reply({"job_drivers": []}, **({"total": 0} if request.params["by_state"] == "application" else {}))

    end = drive(source("driver_jobs", by_state=["application", "accepted"]).scan(ScanPlan()), server).result
    assert end == ScanEnd(False, "list accepted: no total came with it, as one did before", hints=COUNTED)


def test_an_empty_page_in_the_middle_does_not_end_the_walk() -> None:
    """The total says that there is more."""
    rows = {"1": [1, 2], "2": [], "3": [3, 4], "4": [5, 6]}

    def server(request: Request) -> Response:
        return reply({"job_drivers": [{"id": id_} for id_ in rows[request.params["page"]]]}, total=6)

    driven = drive(source("driver_jobs", by_state="accepted", per_page=2).scan(ScanPlan()), server)
    assert driven.ids == ["1", "2", "3", "4", "5", "6"]
    assert driven.result == ScanEnd(complete=True, hints=COUNTED)


def test_a_list_that_shifts_while_it_is_read_is_walked_again() -> None:
    """A row is inserted between two pages: one row comes twice and the total moves, so the walk does not count."""
    server = Lists({"accepted": [1, 2, 3, 4]})
    server.meanwhile["accepted", 2, 1] = [9, 1, 2, 3, 4]
    driven = scan(server, by_state="accepted", per_page=2)
    assert driven.ids == ["1", "2", "2", "3", "4", "9", "1", "2", "3", "4"]
    assert driven.result == ScanEnd(complete=True, hints=COUNTED)


def test_a_row_that_slides_past_the_reader_is_noticed_by_the_count() -> None:
    """One row goes and another comes: the total stays, but a row was seen twice and another never."""
    server = Lists({"accepted": [1, 2, 3, 4]})
    server.meanwhile["accepted", 2, 1] = [3, 1, 2, 4]
    driven = scan(server, by_state="accepted", per_page=2)
    assert driven.ids == ["1", "2", "2", "4", "3", "1", "2", "4"]
    assert driven.result == ScanEnd(complete=True, hints=COUNTED)


def test_a_list_that_never_holds_still_leaves_the_scan_incomplete() -> None:
    """After three walks the scan says why it proves nothing; the other lists are walked all the same."""

    def short(request: Request) -> Response:
        if request.params["by_state"] != "accepted":
            return reply({"job_drivers": [{"id": 7}]}, total=1)
        rows = [{"id": 1}] if request.params["page"] == "1" else []
        return reply({"job_drivers": rows}, total=2)

    driven = drive(source("driver_jobs", per_page=1).scan(ScanPlan()), short)
    assert driven.result == ScanEnd(False, "list accepted: 1 different rows were seen where 2 were due", hints=COUNTED)
    assert [request.params["by_state"] for request in driven.requests] == [
        "application",
        *["accepted"] * 6,
        "all_rejected",
    ]


def test_a_total_that_moves_on_every_walk_is_the_reason() -> None:
    """The first and the last page must agree."""
    totals = iter(range(4, 100))

    def growing(request: Request) -> Response:
        rows = [{"id": f"{request.params['page']}-{n}"} for n in range(2 if request.params["page"] < "3" else 0)]
        return reply({"job_drivers": rows}, total=next(totals))

    driven = drive(source("driver_jobs", by_state="accepted", per_page=2).scan(ScanPlan()), growing)
    assert driven.result == ScanEnd(
        False, "list accepted: its total moved from 11 to 16 while it was read", hints=COUNTED
    )


def test_a_server_that_ignores_the_page_number_does_not_hold_the_scan() -> None:
    """A full page again and again proves nothing; a short one, without a total, is all there is."""
    full = drive(
        source("driver_jobs", by_state="accepted", per_page=2).scan(ScanPlan()),
        lambda request: reply({"job_drivers": [{"id": 1}, {"id": 2}]}),
    )
    short = drive(
        source("driver_jobs", by_state="accepted").scan(ScanPlan()),
        lambda request: reply({"job_drivers": [{"id": 1}, {"id": 2}]}),
    )
    assert full.result == ScanEnd(complete=False, reason="list accepted: page 2 repeats the page before it")
    assert (short.result, len(short.requests)) == (ScanEnd(complete=True), 2)


def test_a_walk_beyond_max_pages_fails() -> None:
    """The limit is said, and which list it was."""
    with pytest.raises(UnexpectedAnswer, match=r"driver_jobs: list accepted: more than 3 pages, the max_pages"):
        scan(Lists({"accepted": range(100)}), by_state="accepted", per_page=10, max_pages=3)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"kind": "accepted"}, "missing required field `id`"),
        ({"id": None}, "got `null`"),
        ({"id": 1.5}, "got `float`"),
        ({"id": True}, "got `bool`"),
        ({"id": ""}, "its id is empty"),
        ({"id": {"value": 1}}, "got `object`"),
        ("370", "Expected `object`, got `str`"),
    ],
)
def test_a_row_without_an_id_fails_the_scan_by_page_and_position(row: Any, says: str) -> None:
    """Nothing can be said about a row that cannot be told from others."""
    answer = reply({"job_drivers": [{"id": 1}, row]}, total=2)
    with pytest.raises(UnexpectedAnswer, match="driver_jobs: page 1 of list accepted: item 2 of 2") as caught:
        drive(source("driver_jobs", by_state="accepted").scan(ScanPlan()), recorded([answer]))
    assert says in str(caught.value)


def test_a_pending_contract_that_became_the_last_one_is_one_contract() -> None:
    """The same id twice in a row is one resource: the last contract."""
    contract = {"id": 5, "state": "active"}
    found = resources({"id": 1, "last_contract": contract, "pending_contract": contract})
    assert [(one.ref, one.role) for one in found] == [("job_driver/1", None), ("contract/5", "last")]


def test_a_row_with_nothing_but_an_id_still_has_a_name() -> None:
    """Titles fall back to what there is; no state is no state."""
    found = resources({"id": 1, "last_contract": {"id": 5}, "interviews": [{"id": 6}], "pending_contract": None})
    assert [(one.title, one.state, one.fields) for one in found] == [
        ("Job driver 1", None, {}),
        ("Contract 5", None, {}),
        ("Interview 6", None, {}),
    ]


def test_unknown_fields_are_kept_and_unknown_states_shown_as_they_are() -> None:
    """The API grows without notice."""
    found = resources(
        {
            "id": 1,
            "kind": "on_holiday",
            "new_field": {"a": [1]},
            "job": "a text",
            "last_contract": {"id": 2, "state": 7, "end_date": 20251220},
            "interviews": [{"id": "x-1", "status": ["odd"], "job_title": "its own"}],
        }
    )
    assert [(one.ref, one.state) for one in found] == [
        ("job_driver/1", "on_holiday"),
        ("contract/2", "7"),
        ("interview/x-1", '["odd"]'),
    ]
    assert found[0].fields == {"new_field": {"a": [1]}, "job": "a text"}
    assert found[1].fields == {"end_date": 20251220}
    assert found[2].fields == {"job_title": "its own"}


@pytest.mark.parametrize(
    ("item", "says"),
    [
        ([], "an item is a list where an object was due"),
        ({"kind": "accepted"}, "an item has null as its id"),
        ({"id": 1, "last_contract": "298"}, "`last_contract` of job_driver 1 is a text where an object was due"),
        ({"id": 1, "pending_contract": {}}, "`pending_contract` of job_driver 1 has null as its id"),
        ({"id": 1, "interviews": {}}, "`interviews` of job_driver 1 is an object where a list was due"),
        ({"id": 1, "interviews": [{"id": 2}, {}]}, "interview 2 of job_driver 1 has null as its id"),
    ],
)
def test_parts_that_cannot_be_told_apart_are_an_unexpected_answer(item: Any, says: str) -> None:
    """A contract without id must not look like a contract that has gone."""
    with pytest.raises(UnexpectedAnswer, match="driver_jobs: ") as caught:
        source("driver_jobs").resources(json.dumps(item).encode())
    assert says in str(caught.value)


def test_a_new_pending_contract_is_an_offer_to_renew_the_last_one() -> None:
    """`renewal_offered` is told on the contract that runs and names the new one."""
    item = json.loads(sample("driver_jobs", "list.json"))["job_drivers"][0]
    siblings = resources(item)
    created = next(one for one in siblings if one.role == "pending")
    offers = VOCABULARY.follow_ups(created, siblings)
    assert [(one.ref, one.what, one.related) for one in offers] == [
        ("contract/298", "renewal_offered", ("contract/299",))
    ]
    others = [one for one in siblings if one is not created]
    assert [offer for one in others for offer in VOCABULARY.follow_ups(one, siblings)] == []


def test_contracts_expire_only_while_active_and_interviews_wait_only_while_planned() -> None:
    """A deadline is alive in the states in which somebody would act on it."""
    contract, interview = (VOCABULARY.kinds[kind].deadlines[0] for kind in ("contract", "interview"))
    states = ("active", "pending", "expired", "rejected", "scheduled", "amended", "cancelled", None)
    assert [state for state in states if contract.alive(state)] == ["active"]
    assert [state for state in states if interview.alive(state)] == ["pending", "scheduled", "amended"]
    assert [rung / 86_400 for rung in contract.before] == [30, 14, 7, 3, 1]
    assert [rung / 3_600 for rung in interview.before] == [24, 1]


def test_the_end_of_the_token_is_read_from_its_claims() -> None:
    """The bearer token is a JWT of 30 days."""
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM1IiwiZXhwIjoxNzY2MjE4MzkxfQ.c2lnbmF0dXJl"
    credentials = source("driver_jobs", token=token).credentials()
    assert credentials.expires_at is not None
    assert credentials.expires_at.isoformat() == "2025-12-20T08:13:11+00:00"
    assert credentials.headers["Authorization"].get_secret_value() == f"Bearer {token}"
    assert source("driver_jobs").credentials().expires_at is None


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"by_state": ["accepted", "former"]}, "'application', 'accepted' or 'all_rejected'"),
        ({"by_state": []}, "at least 1 item"),
        ({"per_page": 0}, "greater than or equal to 1"),
        ({"token": " "}, "is empty: is the variable behind it set?"),
        ({"token": "two words"}, "cannot be sent in a header"),
        ({"base_url": "drivers.example.org"}, "write http:// or https:// and a host"),
        ({"timezone": "Mars/Olympus"}, "is not a time zone"),
    ],
)
def test_wrong_options_are_explained(changes: dict[str, Any], says: str) -> None:
    """What is wrong and what is allowed."""
    with pytest.raises(ValidationError) as caught:
        source("driver_jobs", **changes)
    assert says in str(caught.value)


def test_dates_count_in_london_unless_said_otherwise() -> None:
    """The API states no zone; the service is British."""
    fields = Options.model_fields
    assert fields["timezone"].default == "Europe/London"
    assert fields["every"].default == 60.0
