from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from pydantic import ValidationError

from monitor.exchange import Request
from monitor.providers import PROVIDERS
from monitor.providers.base import ScanPlan
from tests.drive import drive, recorded, reply, source


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("https://api.example.org/", "https://api.example.org"),
        ("http://127.0.0.1:8080/prefix/", "http://127.0.0.1:8080/prefix"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_a_base_url_is_a_host_root_with_or_without_a_prefix(written: str, kept: str) -> None:
    """The provider adds its own path."""
    driven = drive(source("devrev", base_url=written).scan(ScanPlan()), recorded([reply({"jobs": []})]))
    assert driven.requests[0].url == f"{kept}/jobs.list"


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("api.example.org", "write http:// or https:// and a host"),
        ("ftp://api.example.org", "write http:// or https:// and a host"),
        ("https://", "write http:// or https:// and a host"),
        ("https:///jobs", "write http:// or https:// and a host"),
        ("https://[::1", "write http:// or https:// and a host"),
        ("https://api.example.org:99999", "write http:// or https:// and a host"),
        ("https://api.example.org/a b", "write http:// or https:// and a host"),
        ("https://api.example.org/?key=1", "leave out everything from the ? or # on"),
        ("https://api.example.org/#top", "leave out everything from the ? or # on"),
    ],
)
def test_other_addresses_are_refused_with_what_is_allowed(written: str, says: str) -> None:
    """Before anything is called."""
    with pytest.raises(ValidationError) as caught:
        source("devrev", base_url=written)
    assert says in str(caught.value)


@pytest.mark.parametrize("written", ["abc", " abc\n", "Bearer abc", "bearer  abc"])
def test_a_token_may_be_pasted_with_what_stood_around_it(written: str) -> None:
    """Files end in a line break, and documents show the whole header."""
    headers = source("devrev", token=written).credentials().headers
    assert headers["Authorization"].get_secret_value() == "Bearer abc"


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        (datetime(2024, 2, 21, 21, 22, 12, tzinfo=UTC), "2024-02-21T21:22:12+00:00"),
        (datetime(2024, 2, 21, 23, 22, tzinfo=timezone(timedelta(hours=2))), "2024-02-21T21:22:00+00:00"),
        (datetime(2024, 2, 21, 21, 22), "2024-02-21T21:22:00Z"),  # noqa: DTZ001 - as YAML gives it
        (date(2024, 2, 21), "2024-02-21"),
    ],
)
def test_a_time_that_yaml_has_read_is_written_out_again(written: Any, sent: str) -> None:
    """Unquoted times in YAML arrive as such; one without a zone counts as UTC at the API."""
    end = reply({"items": [], "cursor": None})
    driven = drive(source("bindbee", modified_after=written).scan(ScanPlan()), lambda request: end)
    assert driven.requests[0].params["modified_after"] == sent


def test_the_zone_of_calendar_dates_is_an_iana_name() -> None:
    """Any that the system knows."""
    options = PROVIDERS["driver_jobs"].options
    given = {"provider": "driver_jobs", "base_url": "https://x.example.org", "token": "abc"}
    assert options.model_validate(given | {"timezone": "Asia/Kathmandu"}).timezone == "Asia/Kathmandu"
    with pytest.raises(ValidationError, match="write an IANA name such as Europe/London or UTC"):
        options.model_validate(given | {"timezone": "BST"})


def test_requests_do_not_show_headers_or_bodies() -> None:
    """They may hold secrets."""
    request = Request("POST", "https://api.example.org", headers={"X-Key": "hush"}, body=b"hush")
    assert "hush" not in repr(request)
