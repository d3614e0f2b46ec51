from __future__ import annotations

import base64
from typing import Any

import pytest

from monitor.simulator import Simulator
from tests.simulator.calls import Client, Clock, Got, tax_job


async def ask_token(sim: Simulator, client: Client, **changes: str) -> Got:
    """Ask for an access token as the documentation shows, with some fields changed."""
    server = sim.worklayer
    body = {"client_id": server.client_id, "client_secret": server.client_secret, "audience": server.audience}
    return await client.send("POST", server.token_url, json=body | {"grant_type": "client_credentials"} | changes)


async def test_client_credentials_buy_a_token_that_works_for_an_hour(
    sim: Simulator, client: Client, clock: Clock
) -> None:
    """The answer has the documented fields; the token is refused when its time is over; each issue is counted."""
    answer = await ask_token(sim, client)
    token = answer.json["access_token"]
    good = await client.worklayer(token=token)
    clock.forward(seconds=3601)
    late = await client.worklayer(token=token)

    assert {key: answer.json[key] for key in ("scope", "expires_in", "token_type")} == {
        "scope": "api:access",
        "expires_in": 3600,
        "token_type": "Bearer",
    }
    assert token.count(".") == 2
    assert (good.status, late.status, sim.worklayer.tokens_issued) == (200, 401, 1)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"client_secret": "wrong"}, 401),
        ({"client_id": "wrong"}, 401),
        ({"audience": "https://elsewhere/"}, 403),
        ({"grant_type": "password"}, 403),
    ],
)
async def test_wrong_credentials_buy_nothing(
    sim: Simulator, client: Client, changes: dict[str, str], status: int
) -> None:
    """A wrong field is refused with an OAuth error body and not counted as an issue."""
    answer = await ask_token(sim, client, **changes)
    assert answer.status == status
    assert "error" in answer.json
    assert sim.worklayer.tokens_issued == 0


async def test_revoked_tokens_force_a_renewal(sim: Simulator, client: Client) -> None:
    """After revocation every old token is a 401 and a new one works."""
    old = (await ask_token(sim, client)).json["access_token"]
    sim.worklayer.revoke_tokens()
    new = (await ask_token(sim, client)).json["access_token"]
    statuses = [(await client.worklayer(token=token)).status for token in (old, new)]
    assert statuses == [401, 200]
    assert (await client.worklayer(token="nobody")).json["error"] == "Unauthorized"


async def test_walks_newest_first_to_the_empty_page_token(sim: Simulator, client: Client) -> None:
    """Following next_page_token until it is empty gives every job once, newest first."""
    for number in range(1, 128):
        sim.worklayer.put(tax_job(number))
    found = await client.walk_worklayer(page_size=50)
    first = (await client.worklayer()).json

    assert found == [tax_job(number)["id"] for number in range(127, 0, -1)]
    assert len(first["data"]) == 50
    assert base64.b64decode(first["next_page_token"]).startswith(b"date/date_created/desc/")


async def test_jobs_made_in_the_same_millisecond_are_all_found(sim: Simulator, client: Client) -> None:
    """Rows that share a creation time across a page edge are neither lost nor repeated."""
    for number in range(1, 12):
        sim.worklayer.put(tax_job(number, create_time="2025-01-01T00:00:00.000Z"))
    found = await client.walk_worklayer(page_size=3)
    assert sorted(found) == sorted(sim.worklayer.items)


async def test_without_a_tie_break_a_shared_millisecond_loses_rows(sim: Simulator, client: Client) -> None:
    """With the bare tokens the published samples suggest, rows at a page edge go missing."""
    sim.worklayer.tie_break = False
    for number in range(1, 12):
        sim.worklayer.put(tax_job(number, create_time="2025-01-01T00:00:00.000Z"))
    assert len(await client.walk_worklayer(page_size=3)) == 3


async def test_the_filter_is_applied_before_paging(sim: Simulator, client: Client) -> None:
    """A filtered walk finds the jobs that match, over page edges."""
    for number in range(1, 31):
        sim.worklayer.put(tax_job(number, "CLOSED" if number % 3 else "CLAIMED"))
    found = await client.walk_worklayer(page_size=4, filter='status!="CLOSED"')
    assert found == [tax_job(number)["id"] for number in range(30, 0, -3)]


@pytest.mark.parametrize(
    "query",
    [
        {"filter": "status ~ x"},
        {"page_size": "-1"},
        {"page_size": "many"},
        {"page_token": "!!"},
        {"page_token": "eA=="},
    ],
)
async def test_a_malformed_request_is_a_bad_request(client: Client, query: dict[str, Any]) -> None:
    """A filter, page size or page token that cannot be read is a 400 that says BadRequest."""
    answer = await client.worklayer(**query)
    assert (answer.status, answer.json["error"]) == (400, "BadRequest")


async def test_a_status_of_a_listed_job_may_be_filtered_for(sim: Simulator, client: Client) -> None:
    """A status nobody has documented is known as soon as a job carries it."""
    unknown = await client.worklayer(filter='status="CANCELED"')
    sim.worklayer.put(tax_job(1, "CANCELED"))
    known = await client.worklayer(filter='status="CANCELED"')
    assert (unknown.status, known.status, len(known.json["data"])) == (400, 200, 1)


async def test_one_job_is_found_by_id_and_by_short_id(sim: Simulator, client: Client) -> None:
    """Both calls give the whole job; an unknown one is a NotFound."""
    job = tax_job(5, "CLOSED")
    sim.worklayer.put(job)
    by_id = await client.worklayer(f"/v1.0/jobs/{job['id']}")
    by_short_id = await client.worklayer("/v1.0/jobs/getByShortId:S5")
    missing = await client.worklayer("/v1.0/jobs/nobody")
    assert by_id.json == by_short_id.json == job
    assert (missing.status, missing.json["error"]) == (404, "NotFound")


async def test_the_largest_page_is_cut_to_the_maximum(sim: Simulator, client: Client) -> None:
    """A page size above the maximum gives the maximum."""
    for number in range(1, 131):
        sim.worklayer.put(tax_job(number))
    assert len((await client.worklayer(page_size=1000)).json["data"]) == 100
