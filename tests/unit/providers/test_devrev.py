from __future__ import annotations

import json
from typing import Any

import pytest

from monitor.errors import (
    CredentialsRejected,
    ProviderError,
    ProviderNotFound,
    ProviderRejected,
    ProviderThrottled,
    ProviderUnavailable,
    UnexpectedAnswer,
)
from monitor.exchange import Request, ScanEnd
from monitor.providers.base import ScanPlan
from monitor.providers.devrev import VOCABULARY
from monitor.resources import FieldChange, Resource
from tests.drive import drive, look_up, recorded, reply, sample, sample_scan, source

FILE = {"type": "string", "name": "string", "size": 0}
PICTURE = {"display_id": "string", "id": "string", "file": FILE}
USER = {
    "type": "dev_user",
    "display_id": "string",
    "id": "string",
    "display_name": "string",
    "display_picture": PICTURE,
    "email": "string",
    "full_name": "string",
    "state": "active",
}


def bodies(requests: list[Request]) -> list[Any]:
    """The JSON bodies of requests."""
    return [json.loads(request.body or b"null") for request in requests]


def page(*ids: str, **envelope: str) -> dict[str, Any]:
    """A list answer with bare jobs."""
    return {"jobs": [{"id": id_} for id_ in ids], **envelope}


def test_the_sample_of_the_documents_is_read_in_full() -> None:
    """Literally, users and artifacts included."""
    driven = drive(source("devrev").scan(ScanPlan()), sample_scan("devrev"))
    assert [one for item in driven.items for one in source("devrev").resources(item)] == [
        Resource(
            kind="job",
            id="string",
            title="string",
            state="completed",
            fields={
                "created_by": USER,
                "created_date": "2023-01-01T12:00:00.000Z",
                "display_id": "string",
                "modified_by": USER,
                "modified_date": "2023-01-01T12:00:00.000Z",
                "object_version": 0,
                "job_category": "bulk_upgrade",
                "job_id": "string",
                "metadata_list": [{"type": "bool", "key": "string", "value": "string"}],
                "output_artifacts": [PICTURE],
                "progress": 0,
                "retry_count": 0,
                "title": "string",
            },
            stamp="2023-01-01T12:00:00.000Z",
        )
    ]
    assert driven.result == ScanEnd(complete=True, watermark="2023-01-01T12:00:00.000Z")


def test_every_selecting_option_is_in_the_body_of_every_page() -> None:
    """Only the cursor differs from page to page."""
    options = {
        "category": ["export_work", "merge_account"],
        "created_by": "don:identity:dvrv-us-1:devo/0:devu/30",
        "owned_by_id": ["u1"],
        "parent_ids": ["p1"],
        "state": ["queued", "started"],
        "sort_by": ["created_date:desc"],
        "limit": 100,
    }
    answers = recorded([reply(page("a", next_cursor="c1", prev_cursor="p")), reply(page("b", prev_cursor="p2"))])
    driven = drive(source("devrev", **options).scan(ScanPlan()), answers)
    expected = options | {"created_by": ["don:identity:dvrv-us-1:devo/0:devu/30"]}
    assert bodies(driven.requests) == [expected, expected | {"cursor": "c1"}]
    assert {(one.method, one.url, one.idempotent) for one in driven.requests} == {
        ("POST", "https://api.devrev.ai/jobs.list", True)
    }
    assert driven.result == ScanEnd(complete=True)


def test_the_beta_header_is_sent_unless_switched_off() -> None:
    """The jobs are part of DevRev's beta API."""
    on = drive(source("devrev").scan(ScanPlan()), recorded([reply(page())]))
    off = drive(source("devrev", beta=False).scan(ScanPlan()), recorded([reply(page())]))
    assert on.requests[0].headers["X-Devrev-Scope"] == "beta"
    assert "X-Devrev-Scope" not in off.requests[0].headers
    assert bodies(on.requests) == [{"limit": 50}]


@pytest.mark.parametrize("last", [{}, {"next_cursor": None}, {"next_cursor": ""}])
def test_an_absent_cursor_ends_the_list(last: dict[str, Any]) -> None:
    """Null and empty lead nowhere either; a page without jobs does not end it."""
    answers = recorded([reply(page("a", next_cursor="c1")), reply(page(next_cursor="c2")), reply(page("b") | last)])
    driven = drive(source("devrev").scan(ScanPlan()), answers)
    assert driven.ids == ["a", "b"]
    assert driven.result == ScanEnd(complete=True)


def test_walking_backwards_follows_the_previous_cursor() -> None:
    """Mode `before` starts at the end; the next cursor would lead straight back there."""
    answers = recorded([reply(page("y", "z", prev_cursor="p1")), reply(page("x", next_cursor="n1"))])
    driven = drive(source("devrev", mode="before").scan(ScanPlan()), answers)
    assert bodies(driven.requests) == [
        {"limit": 50, "mode": "before"},
        {"limit": 50, "mode": "before", "cursor": "p1"},
    ]
    assert driven.ids == ["y", "z", "x"]
    assert driven.result == ScanEnd(complete=True)


def test_a_cursor_that_comes_twice_fails_the_scan() -> None:
    """Served verbatim for ever, the documents' own sample would lead in circles."""
    answer = reply(sample("devrev", "list.json"))
    with pytest.raises(UnexpectedAnswer, match="devrev: page 2 leads back to a page that was read already"):
        drive(source("devrev").scan(ScanPlan()), recorded([answer, answer]))


def test_jobs_are_looked_up_by_their_don() -> None:
    """404 is gone; 301 means a new id, under which the list has it."""
    driven = drive(
        look_up(source("devrev"), "a", "b", "c"),
        recorded(
            [
                reply({"job": {"id": "a", "state": "failed"}}),
                reply({"type": "not_found"}, status=404),
                reply(status=301, location="https://api.devrev.ai/jobs.get?id=d"),
            ]
        ),
    )
    assert bodies(driven.requests) == [{"id": "a"}, {"id": "b"}, {"id": "c"}]
    assert {one.url for one in driven.requests} == {"https://api.devrev.ai/jobs.get"}
    assert driven.result is not None
    assert [json.loads(bytes(raw)) for raw in driven.result.found.raws] == [{"id": "a", "state": "failed"}]
    assert driven.result.gone == ("b",)


@pytest.mark.parametrize(
    ("position", "status", "error", "words"),
    [
        (0, 400, ProviderRejected, "artifact_already_attached_to_a_parent: string"),
        (1, 401, CredentialsRejected, "dev_org_deactivated: string"),
        (2, 403, CredentialsRejected, "forbidden: string"),
        (3, 404, ProviderNotFound, "not_found: string"),
        (4, 413, ProviderRejected, "request_entity_too_large: string"),
        (5, 429, ProviderThrottled, "too_many_requests: string"),
        (6, 500, ProviderUnavailable, "internal_error: string (reference string)"),
        (7, 503, ProviderThrottled, "service_unavailable: string"),
    ],
)
def test_each_documented_error_body_is_read(position: int, status: int, error: type[ProviderError], words: str) -> None:
    """The eight bodies of the API documents."""
    recorded_error = json.loads(sample("devrev", "errors.json"))[position]
    assert recorded_error["status"] == status
    with pytest.raises(error) as caught:
        drive(source("devrev").scan(ScanPlan()), recorded([reply(recorded_error["body"], status=status)]))
    assert f"devrev answered {status} to POST /jobs.list at api.devrev.ai: {words} - " in str(caught.value)


def test_a_wrong_enum_value_tells_what_is_allowed() -> None:
    """The cheapest way to learn the live enumeration."""
    body = {"message": "bad", "type": "invalid_enum_value", "allowed_values": ["queued", "failed"]}
    with pytest.raises(ProviderRejected, match=r"invalid_enum_value: bad \(allowed: queued, failed\)"):
        drive(source("devrev").scan(ScanPlan()), recorded([reply(body, status=400)]))


def test_the_body_of_a_429_says_how_long_to_wait() -> None:
    """Seconds in the body; without them the reset header."""
    devrev = source("devrev")
    assert devrev.wait_hint(reply({"type": "too_many_requests", "retry_after": 30}, status=429)) == 30.0
    assert devrev.wait_hint(reply({"retry_after": -1}, status=429)) is None
    assert devrev.wait_hint(reply({"retry_after": "soon"}, status=429)) is None
    assert devrev.wait_hint(reply("<html>", status=503)) is None
    date = "Mon, 05 Jan 2026 09:30:00 GMT"
    assert devrev.wait_hint(reply(status=429, x_ratelimit_reset=1767605410, date=date)) == 10.0
    answer = reply({"type": "too_many_requests", "retry_after": 30}, status=429)
    with pytest.raises(ProviderThrottled) as caught:
        drive(devrev.scan(ScanPlan()), recorded([answer]))
    assert caught.value.retry_after == 30.0


@pytest.mark.parametrize(
    ("item", "title"),
    [
        ({"id": "don:1", "title": "Export of tickets"}, "Export of tickets"),
        ({"id": "don:1", "title": "", "job_id": "export-7"}, "export-7"),
        ({"id": "don:1", "display_id": "JOB-7"}, "JOB-7"),
        ({"id": "don:1"}, "Job don:1"),
    ],
)
def test_a_job_is_called_by_its_title_or_what_else_there_is(item: dict[str, Any], title: str) -> None:
    """An id that is opaque and long comes last."""
    assert source("devrev").resources(json.dumps(item).encode())[0].title == title


@pytest.mark.parametrize(
    ("before", "after", "retried"),
    [(0, 1, True), (None, 1, True), (2, 1, False), (1, None, False), ("1", 2, False), (False, True, False)],
)
def test_a_job_is_retried_when_its_counter_grew(before: Any, after: Any, *, retried: bool) -> None:
    """A counter that falls or is no number is no retry."""
    named = {one.what: one for one in VOCABULARY.kinds["job"].named}
    assert named["retried"].when(FieldChange("retry_count", before, after)) is retried
    assert named["progressed"].fields == {"progress"}
    assert "progress" not in VOCABULARY.kinds["job"].tracked


def test_artifacts_compare_by_their_ids() -> None:
    """A renamed file is no new artifact."""
    shape = VOCABULARY.kinds["job"].shapes["output_artifacts"]
    assert shape([{"id": "a", "file": FILE}, {"id": "b"}]) == shape([{"id": "b"}, {"id": "a"}])
    assert shape([{"id": "a"}]) != shape([{"id": "b"}])
