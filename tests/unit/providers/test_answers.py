from __future__ import annotations

from typing import Any

import msgspec
import pytest
from pydantic import SecretStr

from monitor.errors import (
    CredentialsRejected,
    ProviderError,
    ProviderNotFound,
    ProviderRejected,
    ProviderThrottled,
    ProviderUnavailable,
    UnexpectedAnswer,
)
from monitor.exchange import Request, Response
from monitor.providers.answers import QUOTED, Reader, usual_words
from tests.drive import reply

READER = Reader("acme", check="color", secrets=(SecretStr("hush-hush"), SecretStr("")))
REQUEST = Request("GET", "https://api.example.org/v1/things", params={"key": "hush-hush"})
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"


class Things(msgspec.Struct):
    things: list[msgspec.Raw]


def failure(response: Response) -> ProviderError:
    """The error that this answer becomes."""
    with pytest.raises(ProviderError) as caught:
        READER.data(REQUEST, response, msgspec.json.Decoder(Things))
    return caught.value


def test_a_200_in_the_documented_shape_is_data() -> None:
    """Other keys do not matter."""
    read = READER.data(REQUEST, reply({"things": [1, "x"], "more": None}), msgspec.json.Decoder(Things))
    assert [bytes(raw) for raw in read.things] == [b"1", b'"x"']


@pytest.mark.parametrize(
    ("status", "error", "advice"),
    [
        (400, ProviderRejected, "check color"),
        (401, CredentialsRejected, "it does not accept the credentials"),
        (403, CredentialsRejected, "these credentials may not do this"),
        (404, ProviderNotFound, "there is nothing at this address; check base_url"),
        (405, ProviderRejected, "check color"),
        (408, ProviderUnavailable, "it is down or busy; the next scan tries again"),
        (410, ProviderNotFound, "there is nothing at this address; check base_url"),
        (422, ProviderRejected, "check color"),
        (429, ProviderThrottled, "it asks to wait"),
        (500, ProviderUnavailable, "it is down or busy; the next scan tries again"),
        (502, ProviderUnavailable, "it is down or busy; the next scan tries again"),
        (503, ProviderThrottled, "it asks to wait"),
        (504, ProviderUnavailable, "it is down or busy; the next scan tries again"),
    ],
)
def test_each_status_is_the_error_that_says_what_can_be_done(
    status: int, error: type[ProviderError], advice: str
) -> None:
    """One table for all providers."""
    caught = failure(reply({"error": "no such colour"}, status=status))
    assert type(caught) is error
    assert str(caught) == f"acme answered {status} to GET /v1/things at api.example.org: no such colour - {advice}"


@pytest.mark.parametrize("status", [204, 206, 304])
def test_other_good_statuses_are_unexpected(status: int) -> None:
    """Only a 200 has a list."""
    assert isinstance(failure(reply(status=status)), UnexpectedAnswer)


def test_a_redirect_names_the_host_it_leads_to() -> None:
    """The host only: a path may hold secrets."""
    caught = failure(reply(status=302, location="https://login.example.net/sso?ticket=hush-hush"))
    assert str(caught) == (
        "acme: the answer to GET /v1/things at api.example.org is a redirect (302) to login.example.net, "
        "which is not followed; check base_url"
    )
    assert "to nowhere," in str(failure(reply(status=301)))
    assert "to nowhere," in str(failure(reply(status=301, location="https://[broken")))


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "is empty where JSON was due"),
        (b" \n", "is empty where JSON was due"),
        (
            b"<!DOCTYPE html><title>Sign&nbsp;in </title>",
            "is an HTML page titled “Sign in” where JSON was due; check base_url",
        ),
        ("\ufeff<html><body>".encode(), "is an HTML page without a title where JSON was due; check base_url"),
        (b"{", "is not JSON that can be read: Input data was truncated"),
        (b"OK", "is not JSON that can be read: JSON is malformed: invalid character (byte 0)"),
        (b"\xff\xfe", "is not JSON that can be read: JSON is malformed: invalid character (byte 0)"),
        (b"[]", "is not in the documented shape: Expected `object`, got `array`"),
        (b"{}", "is not in the documented shape: Object missing required field `things`"),
        (b'{"things": {}}', "is not in the documented shape: Expected `array`, got `object` - at `$.things`"),
        (b'{"things": null}', "is not in the documented shape: Expected `array`, got `null` - at `$.things`"),
        (b'{"things": ' + b"[" * 100_000, "is not JSON that can be read: maximum recursion depth exceeded"),
    ],
)
def test_a_200_that_is_something_else_is_explained(body: bytes, says: str) -> None:
    """HTML of a proxy, half a body, another shape."""
    caught = failure(reply(body))
    assert isinstance(caught, UnexpectedAnswer)
    assert str(caught).startswith(f"acme: the answer to GET /v1/things at api.example.org {says}")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "without a word"),
        (b"<html><head><TITLE>502 Bad\nGateway</TITLE>", "HTML page titled “502 Bad Gateway”"),
        (b"upstream connect error", "upstream connect error"),
        (b"tabs\tand\r\nlines\x00\x1b[31m", "tabs and lines [31m"),
        (b'{"unknown": ["shape"]}', '{"unknown": ["shape"]}'),
        (b'"just text"', '"just text"'),
        (b"\xff broken", "\ufffd broken"),
        (b"x" * 300, "x" * (QUOTED - 1) + "…"),
        (b'{"error": "' + b"y" * 100_000 + b'"}', '{"error": "' + "y" * (QUOTED - 12) + "…"),
        (b"[" * 100_000, "[" * (QUOTED - 1) + "…"),
    ],
)
def test_whatever_is_said_is_quoted_on_one_short_line(body: bytes, words: str) -> None:
    """HTML by its title, control characters gone, 200 characters at most."""
    assert READER.words(reply(body, status=500)) == words


@pytest.mark.parametrize(
    "said",
    [
        "key hush-hush is unknown",
        f"token {JWT} has expired",
        "Authorization: Bearer s3cr3t-opaque is revoked",
        "x" * 190 + "hush-hush and more",
    ],
)
def test_secrets_are_cut_out_of_what_is_quoted(said: str) -> None:
    """Our own, anything in the shape of a JWT, and what follows Bearer; also where the text is cut."""
    for caught in (failure(reply({"error": said}, status=401)), failure(reply(said, status=500))):
        for secret in ("hush", JWT[:20], "s3cr3t"):
            assert secret not in str(caught)
        assert "***" in str(caught)


def test_the_parameters_and_the_user_part_of_a_url_are_not_told() -> None:
    """Both may hold secrets."""
    asked = Request("GET", "https://user:hush-hush@api.example.org:8443/v1/things?key=hush-hush")
    caught = READER.unexpected(asked, "is odd")
    assert str(caught) == "acme: the answer to GET /v1/things at api.example.org is odd"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "30"}, 30.0),
        ({"retry_after": "1.5"}, 1.5),
        ({"retry_after": "soon"}, None),
        ({"retry_after": ""}, None),
        ({}, None),
        ({"retry_after": "Mon, 05 Jan 2026 09:31:00 GMT"}, None),
        ({"retry_after": "Mon, 05 Jan 2026 09:31:00 GMT", "date": "Mon, 05 Jan 2026 09:30:00 GMT"}, 60.0),
        ({"retry_after": "Mon, 05 Jan 2026 09:29:00 GMT", "date": "Mon, 05 Jan 2026 09:30:00 GMT"}, 0.0),
        ({"retry_after": "30", "date": "never"}, 30.0),
    ],
)
def test_a_throttled_answer_says_how_long(headers: dict[str, str], seconds: float | None) -> None:
    """Seconds, fractions or a date measured by the answer's own clock; garbage is none."""
    for status in (429, 503):
        caught = failure(Response(status, {name.replace("_", "-"): value for name, value in headers.items()}, b""))
        assert isinstance(caught, ProviderThrottled)
        assert caught.retry_after == seconds


def test_the_hint_of_a_provider_counts_when_the_header_is_silent() -> None:
    """The header is the better word."""
    reader = Reader("acme", check="color", hint=lambda response: 7.0)
    assert reader.wait(reply(status=429)) == 7.0
    assert reader.wait(reply(status=429, retry_after=3)) == 3.0


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"error": "Invalid token"}, "Invalid token"),
        ({"error": "access_denied", "error_description": "Unauthorized"}, "access_denied: Unauthorized"),
        ({"error": {"code": 5, "message": "No"}}, "No"),
        ({"message": "No", "statusCode": 400}, "No"),
        ({"detail": "No"}, "No"),
        ({"errors": ["one", 2, None, {"x": 1}]}, "one; 2"),
        ({"errors": []}, None),
        ({}, None),
        (["No"], None),
        (None, None),
    ],
)
def test_the_usual_error_bodies_are_understood(body: Any, words: str | None) -> None:
    """Rails, devise, OAuth2 and most others."""
    assert usual_words(body) == words
