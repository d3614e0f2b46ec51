from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from monitor.errors import CredentialsRejected, ProviderUnavailable, UnexpectedAnswer
from monitor.exchange import Request, Response, ScanEnd
from monitor.providers.base import ScanPlan, Token
from monitor.providers.worklayer import VOCABULARY
from monitor.resources import Resource
from tests.drive import Driven, drive, look_up, recorded, reply, sample_scan, source

TOKEN_OPTIONS: dict[str, Any] = {"client_id": None, "client_secret": None, "token": "fixed"}


def page(*ids: str, following: str | None = "") -> dict[str, Any]:
    """A list answer with bare jobs; None leaves the page token out."""
    body: dict[str, Any] = {"data": [{"id": id_} for id_ in ids]}
    return body if following is None else body | {"next_page_token": following}


def buy(*answers: Any, **options: Any) -> Driven[Token]:
    """Buy a token with these recorded answers."""
    exchange = source("worklayer", **options).credentials().buy
    assert exchange is not None
    return drive(exchange(), recorded(answers))


def test_the_sample_of_the_documents_is_read_in_full() -> None:
    """Both sampled jobs, literally; times keep the digits they came with."""
    driven = drive(source("worklayer").scan(ScanPlan()), sample_scan("worklayer"))
    assert [one for item in driven.items for one in source("worklayer").resources(item)] == [
        Resource(
            kind="job",
            id="a9749189-c82b-488b-a448-8f74c3d254e0",
            title="Tony Stark | 2021 | 1040",
            state="CLAIMED",
            fields={
                "short_id": "7GRK4ERKFLL",
                "name": None,
                "description": "Tony Stark | 2021 | 1040",
                "workspace_id": "91",
                "create_time": "2021-06-08T17:38:41.818Z",
                "update_time": "2022-05-18T18:35:30.136Z",
                "transmit_time": "2022-05-18T18:35:29.131Z",
                "deadline_time": None,
                "total_amount": 199,
                "members": [],
            },
            stamp="2022-05-18T18:35:30.136Z",
        ),
        Resource(
            kind="job",
            id="576d676e-badb-452b-80ec-93a334833740",
            title="Natasha Romanov | 2021 | 1040",
            state="UNDER_CONSTRUCTION",
            fields={
                "short_id": "TWUWSKJVS2S",
                "name": "Personal Return",
                "description": "Natasha Romanov | 2021 | 1040",
                "workspace_id": "91",
                "create_time": "2022-02-17T17:44:31.737Z",
                "update_time": "2022-02-17T17:45:13.285105Z",
                "transmit_time": None,
                "deadline_time": None,
                "total_amount": 299,
                "members": [],
            },
            stamp="2022-02-17T17:45:13.285105Z",
        ),
    ]
    assert driven.result == ScanEnd(complete=True)


def test_the_filter_and_page_size_stay_the_same_on_every_page() -> None:
    """A page token is not bound to its filter, so the filter must not move under it."""
    text = 'status!="CLOSED" AND create_time>="2025-01-01T00:00:00Z"'
    answers = recorded([reply(page("a", following="t1")), reply(page(following="t2")), reply(page("b"))])
    driven = drive(source("worklayer", filter=text, page_size=2).scan(ScanPlan()), answers)
    assert [dict(one.params) for one in driven.requests] == [
        {"page_size": "2", "filter": text},
        {"page_size": "2", "filter": text, "page_token": "t1"},
        {"page_size": "2", "filter": text, "page_token": "t2"},
    ]
    assert {one.url for one in driven.requests} == {"https://api.worklayer.com/v1.0/jobs"}
    assert driven.ids == ["a", "b"]
    assert driven.result == ScanEnd(complete=True)


@pytest.mark.parametrize("last", ["", None])
def test_an_empty_or_missing_page_token_ends_the_list(last: str | None) -> None:
    """The documents say empty; a missing one leads nowhere either."""
    driven = drive(source("worklayer").scan(ScanPlan()), recorded([reply(page("a", following=last))]))
    assert driven.result == ScanEnd(complete=True)


def test_a_page_token_that_comes_twice_fails_the_scan() -> None:
    """Following it would never end."""
    answers = recorded([reply(page("a", following="t1")), reply(page("b", following="t1"))])
    with pytest.raises(UnexpectedAnswer, match="worklayer: page 2 leads back to a page"):
        drive(source("worklayer").scan(ScanPlan()), answers)


def test_a_walk_beyond_max_pages_fails() -> None:
    """The last page allowed still has to be the last one."""
    answers = [reply(page("a", following="t1")), reply(page("b", following="t2")), reply(page("c"))]
    with pytest.raises(UnexpectedAnswer, match="worklayer: more than 2 pages, the max_pages"):
        drive(source("worklayer", max_pages=2).scan(ScanPlan()), recorded(answers))
    assert drive(source("worklayer", max_pages=3).scan(ScanPlan()), recorded(answers)).ids == ["a", "b", "c"]


def test_jobs_are_looked_up_by_id_several_at_once() -> None:
    """404 and 410 are gone; ten ids go out as eight and two."""
    ids = [f"job/{n}" for n in range(10)]

    def server(request: Request) -> Response:
        last = request.url[-1]
        status = {"3": 404, "9": 410}.get(last, 200)
        return reply({"id": f"job/{last}", "status": "CLOSED"}, status=status)

    driven = drive(look_up(source("worklayer"), *ids), server)
    assert driven.groups == [8, 2]
    assert driven.requests[0].url == "https://api.worklayer.com/v1.0/jobs/job%2F0"
    assert driven.result is not None
    assert driven.result.gone == ("job/3", "job/9")
    assert driven.result.found.ids == [f"job/{n}" for n in (0, 1, 2, 4, 5, 6, 7, 8)]
    assert json.loads(bytes(driven.result.found.raws[0])) == {"id": "job/0", "status": "CLOSED"}


def test_a_look_up_may_be_wrapped_but_must_be_about_the_job_asked_for() -> None:
    """An answer about another job would be a false change."""
    wrapped = drive(look_up(source("worklayer"), "a"), recorded([reply({"data": {"id": "a", "name": "x"}})]))
    assert wrapped.result is not None
    assert bytes(wrapped.result.found.raws[0]) == b'{"id": "a", "name": "x"}'
    with pytest.raises(UnexpectedAnswer, match="asked for a, answered with b"):
        drive(look_up(source("worklayer"), "a"), recorded([reply({"id": "b"})]))
    with pytest.raises(ProviderUnavailable):
        drive(look_up(source("worklayer"), "a"), recorded([reply(status=500)]))


def test_a_token_is_bought_with_the_client_credentials() -> None:
    """RFC 6749, as Auth0 takes it: JSON with the audience; it lives as long as it says."""
    driven = buy(reply({"access_token": "abc.def", "expires_in": 3600, "token_type": "Bearer"}))
    request = driven.requests[0]
    assert (request.method, request.url) == ("POST", "https://taxfyle.auth0.com/oauth/token")
    assert not request.authorise
    assert json.loads(request.body or b"") == {
        "grant_type": "client_credentials",
        "client_id": "jobwire",
        "client_secret": "canary-client-secret",
        "audience": "https://api.worklayer.com/public/",
    }
    assert driven.result is not None
    assert (driven.result.value.get_secret_value(), driven.result.lifetime) == ("abc.def", 3600.0)


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refused_client_is_a_matter_of_credentials(status: int) -> None:
    """Whatever status the token server picks for it; its words are told, the secret never."""
    answer = {"error": "access_denied", "error_description": "Unauthorized: canary-client-secret"}
    with pytest.raises(CredentialsRejected) as caught:
        buy(reply(answer, status=status))
    assert str(caught.value) == (
        f"worklayer answered {status} to POST /oauth/token at taxfyle.auth0.com: access_denied: Unauthorized: *** "
        "- check client_id, client_secret and audience"
    )


@pytest.mark.parametrize("body", [{}, {"access_token": ""}, {"access_token": "a\r\nb"}, {"access_token": 5}, []])
def test_a_token_that_cannot_be_sent_is_an_unexpected_answer(body: Any) -> None:
    """Better here than in a header."""
    with pytest.raises(UnexpectedAnswer, match="POST /oauth/token"):
        buy(reply(body))


def test_a_fixed_token_is_sent_as_it_is() -> None:
    """Nothing is bought then."""
    credentials = source("worklayer", **TOKEN_OPTIONS).credentials()
    assert credentials.buy is None
    assert credentials.headers["Authorization"].get_secret_value() == "Bearer fixed"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"token": "fixed"}, "has both token and client_id or client_secret: give one way in"),
        ({"client_secret": None}, "needs token, or client_id and client_secret: client_secret missing"),
        (TOKEN_OPTIONS | {"token": None}, "client_id and client_secret missing"),
        ({"client_secret": ""}, "at least 1"),
        ({"filter": ""}, "at least 1 character"),
        ({"token_url": "taxfyle"}, "write http:// or https:// and a host"),
    ],
)
def test_there_is_exactly_one_way_in(changes: dict[str, Any], says: str) -> None:
    """A token, or a client with its secret."""
    with pytest.raises(ValidationError) as caught:
        source("worklayer", **changes)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("item", "title"),
    [
        ({"id": "1", "description": " ", "name": "Return", "short_id": "S"}, "Return"),
        ({"id": "1", "description": None, "name": None, "short_id": "7GRK"}, "7GRK"),
        ({"id": 1, "description": ["odd"]}, "Job 1"),
        ({"id": "1", "description": "two\nlines"}, "two lines"),
    ],
)
def test_a_job_is_called_by_its_description_or_what_else_there_is(item: dict[str, Any], title: str) -> None:
    """On one line, whatever is missing or odd."""
    assert source("worklayer").resources(json.dumps(item).encode())[0].title == title


def test_seven_fraction_digits_are_a_time() -> None:
    """.NET ticks, as one page of the documents shows them."""
    raw = b'{"id": "1", "update_time": "2022-02-17T17:45:23.1891131Z"}'
    assert source("worklayer").resources(raw)[0].stamp == "2022-02-17T17:45:23.1891131Z"


def test_members_compare_by_user_and_role_in_any_order() -> None:
    """A new name, picture or order is no change of members; another role is."""
    shape = VOCABULARY.kinds["job"].shapes["members"]
    client = {"user_id": "u1", "role": "CLIENT", "given_name": "Tony"}
    pro = {"user_id": "u2", "role": "CHAMPION"}
    assert shape([client, pro]) == shape([pro, client | {"given_name": "Anthony"}])
    assert shape([client]) != shape([client | {"role": "CHAMPION"}])
    assert shape(None) == shape([])
    assert shape("odd") == "odd"
    assert shape(["u1", None]) == ['"u1"', "null"]


def test_a_deadline_is_alive_until_the_job_is_over() -> None:
    """The literal of the cancelled state is published nowhere, so both spellings end it."""
    rule = VOCABULARY.kinds["job"].deadlines[0]
    states = ("UNDER_CONSTRUCTION", "CLAIMED", None, "SOMETHING_NEW", "CLOSED", "CANCELED", "CANCELLED")
    assert [state for state in states if rule.alive(state)] == [*states[:4]]
    assert [rung / 3_600 for rung in rule.before] == [72, 24, 4]
