from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from monitor.errors import ProviderRejected, UnexpectedAnswer
from monitor.exchange import ScanEnd
from monitor.providers.base import ScanPlan
from monitor.providers.bindbee_kinds import VOCABULARY
from monitor.resources import Resource
from tests.drive import Answering, drive, look_up, recorded, reply, sample_scan, source

UUID = "018b4bfb-5ece-70b1-ad5e-862a9433aa65"


def page(*ids: str, **envelope: Any) -> dict[str, Any]:
    """A list answer with bare jobs."""
    return {"items": [{"id": id_} for id_ in ids], "page_size": len(ids), **envelope}


def lists(*pages: dict[str, Any]) -> Answering:
    """Answers of the list, page after page, and of a service that shows no connectors."""
    return recorded([*map(reply, pages), reply({"detail": "Not Found"}, status=404)])


def test_the_sample_of_the_documents_is_read_in_full() -> None:
    """Literally; the placeholder in modified_at is no time, so the job has no stamp."""
    driven = drive(source("bindbee").scan(ScanPlan()), sample_scan("bindbee"))
    assert [one for item in driven.items for one in source("bindbee").resources(item)] == [
        Resource(
            kind="job",
            id="3c90c3cc-0d44-4b50-8888-8dd25736052a",
            title="SOFTWARE ENGINEER",
            state="OPEN",
            fields={
                "remote_id": "123321",
                "modified_at": "<string>",
                "custom_fields": {
                    "category_group": "REG",
                    "disability_type": "ASBERG",
                    "hire_date": "1991-03-16T00:00:00",
                    "hire_source": "REFER",
                    "nationality": "USA",
                    "original_hire_date": "1991-03-16T00:00:00",
                },
                "name": "SOFTWARE ENGINEER",
                "description": "We are looking for a software engineer to join our team.",
                "code": "SE-2021-01",
                "job_posting_urls": "https://www.company.com/careers/software-engineer",
                "remote_created_at": "2021-01-01T00:00:00Z",
                "remote_updated_at": "2021-01-01T00:00:00Z",
                "confidential": False,
                "departments": UUID,
                "offices": UUID,
                "hiring_managers": UUID,
                "recruiters": UUID,
                "raw_data": {"key_1": "Platform dependent data 1", "key_2": "Platform dependent data 2"},
            },
        )
    ]
    assert driven.result == ScanEnd(complete=True)


def test_both_tokens_are_sent() -> None:
    """The key of the environment and the token of the customer's connector."""
    headers = source("bindbee").credentials().headers
    assert {name: secret.get_secret_value() for name, secret in headers.items()} == {
        "Authorization": "Bearer canary-api-key",
        "x-connector-token": "canary-connector-token",
    }


def test_every_selecting_option_becomes_a_parameter_of_every_page() -> None:
    """Filters are not in the cursor: they must be the same on each page."""
    answers = lists(page("a", cursor="c1"), page(cursor=None))
    options = {
        "ids": ["a", "b"],
        "remote_id": 3235005483341316245,
        "code": "DEV-01",
        "status": "-",
        "offices": "o1,o2",
        "include_raw_data": True,
        "include_custom_fields": True,
        "page_size": 200,
        "modified_after": "2024-02-21T21:22:12.993Z",
        "expand": ["departments[id, name]", "offices"],
    }
    driven = drive(source("bindbee", **options).scan(ScanPlan()), answers)
    expected = {
        "ids": "a,b",
        "remote_id": "3235005483341316245",
        "code": "DEV-01",
        "status": "-",
        "offices": "o1,o2",
        "include_raw_data": "true",
        "include_custom_fields": "true",
        "page_size": "200",
        "modified_after": "2024-02-21T21:22:12.993Z",
        "expand": "departments[id,name],offices",
    }
    assert [dict(one.params) for one in driven.requests[:-1]] == [expected, expected | {"cursor": "c1"}]
    assert {one.url for one in driven.requests[:-1]} == {"https://api.bindbee.dev/api/ats/v1/jobs"}


def test_nothing_is_sent_that_was_not_asked_for() -> None:
    """Only the page size has a default of ours."""
    driven = drive(source("bindbee").scan(ScanPlan()), lists(page(cursor=None)))
    assert dict(driven.requests[0].params) == {"page_size": "100"}


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("2024-02-21T21:22:12.993Z", "2024-02-21T21:22:12.993Z"),
        ("2024-02-21", "2024-02-21"),
    ],
)
def test_modified_after_is_passed_on_as_written(written: str, sent: str) -> None:
    """It is ISO 8601 either way."""
    driven = drive(source("bindbee", modified_after=written).scan(ScanPlan()), lists(page(cursor=None)))
    assert driven.requests[0].params["modified_after"] == sent


def test_only_a_null_cursor_ends_the_list() -> None:
    """Neither a short nor an empty page does."""
    answers = lists(page("a", cursor="c1"), page(cursor="c2"), page("b", "c", cursor=None))
    driven = drive(source("bindbee").scan(ScanPlan()), answers)
    assert driven.ids == ["a", "b", "c"]
    assert driven.result == ScanEnd(complete=True)


def test_a_missing_cursor_proves_nothing() -> None:
    """The documents require it: what was seen counts, but nothing may be missed because of this scan."""
    driven = drive(source("bindbee").scan(ScanPlan()), lists(page("a")))
    assert driven.ids == ["a"]
    assert driven.result == ScanEnd(False, "list jobs: page 1 does not say whether it is the last")


def test_a_cursor_that_comes_twice_fails_the_scan() -> None:
    """Even when it comes back only after others."""
    answers = [reply(page("a", cursor=cursor)) for cursor in ("c1", "c2", "c1")]
    with pytest.raises(UnexpectedAnswer, match="bindbee: jobs: page 3 leads back"):
        drive(source("bindbee").scan(ScanPlan()), recorded(answers))


def test_a_job_is_looked_up_in_the_form_the_list_gives() -> None:
    """Otherwise its fields would seem to change; filters do not apply to one job."""
    bindbee = source("bindbee", expand="offices", include_raw_data=True, status="OPEN")
    driven = drive(
        look_up(bindbee, "a", "b"),
        recorded([reply({"id": "a", "status": "CLOSED"}), reply({"detail": "Not found"}, status=404)]),
    )
    assert [(one.url, dict(one.params)) for one in driven.requests] == [
        (f"https://api.bindbee.dev/api/ats/v1/jobs/{id_}", {"include_raw_data": "true", "expand": "offices"})
        for id_ in ("a", "b")
    ]
    assert driven.result is not None
    assert (list(driven.result.found.ids), driven.result.gone) == (["a"], ("b",))


def test_the_array_of_a_validation_error_is_told_in_words() -> None:
    """`detail` is a list of complaints on 422, a text otherwise."""
    body = {"detail": [{"loc": ["query", "page_size"], "msg": "must be <= 100", "type": "value_error"}, "odd"]}
    with pytest.raises(ProviderRejected) as caught:
        drive(source("bindbee").scan(ScanPlan()), recorded([reply(body, status=422)]))
    assert str(caught.value) == (
        "bindbee answered 422 to GET /api/ats/v1/jobs at api.bindbee.dev: query.page_size: must be <= 100 "
        "- check the options that narrow the list, and page_size"
    )


def test_the_reset_header_tells_how_long_to_wait() -> None:
    """Seconds since 1970, measured by the answer's own clock; Retry-After is the better word."""
    bindbee = source("bindbee")
    date = "Mon, 05 Jan 2026 09:30:00 GMT"
    reset = 1767605442
    assert bindbee.wait_hint(reply(status=429, x_ratelimit_reset=reset, date=date)) == 42.0
    assert bindbee.wait_hint(reply(status=429, x_ratelimit_reset=reset - 100, date=date)) == 0.0
    assert bindbee.wait_hint(reply(status=429, x_ratelimit_reset=reset, date=date, retry_after=5)) is None
    assert bindbee.wait_hint(reply(status=503, x_ratelimit_reset=reset, date=date)) is None
    assert bindbee.wait_hint(reply(status=429, x_ratelimit_reset="soon", date=date)) is None
    assert bindbee.wait_hint(reply(status=429, x_ratelimit_reset=reset, date="yesterday")) is None


@pytest.mark.parametrize("status", ["-", "", None])
def test_a_job_without_status_has_no_state(status: Any) -> None:
    """`-` is Bindbee's word for a source that gave none."""
    assert source("bindbee").resources(json.dumps({"id": "1", "status": status}).encode())[0].state is None


def test_a_status_of_the_source_is_passed_through() -> None:
    """Values outside the enumeration arrive verbatim."""
    assert source("bindbee").resources(b'{"id": "1", "status": "On Hold"}')[0].state == "On Hold"


def test_the_forms_of_a_relation_compare_as_equal() -> None:
    """A text, a list, objects and another order say the same."""
    for field in ("departments", "offices", "hiring_managers", "recruiters"):
        shape = VOCABULARY.kinds["job"].shapes[field]
        assert shape("x") == shape(["x"]) == shape([{"id": "x", "name": "Sales"}])
        assert shape(["x", "y"]) == shape(["y", "x"])
        assert shape(None) == shape([])
    urls = VOCABULARY.kinds["job"].shapes["job_posting_urls"]
    assert urls("https://x") == urls([{"value": "https://x", "type": "POSTING"}])


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"page_size": 201}, "less than or equal to 200"),
        ({"modified_after": "yesterday"}, "is not a time: write ISO 8601"),
        ({"ids": []}, "at least 1 item"),
        ({"connector_token": ""}, "is empty"),
        ({"include_raw_data": "maybe"}, "valid boolean"),
    ],
)
def test_wrong_options_are_explained(changes: dict[str, Any], says: str) -> None:
    """What is wrong and what is allowed."""
    with pytest.raises(ValidationError) as caught:
        source("bindbee", **changes)
    assert says in str(caught.value)
