from __future__ import annotations

import email.utils
import time
from typing import Any

import aiohttp
import pytest

from monitor.simulator import Simulator
from monitor.simulator.server import Call
from tests.simulator.calls import Client, Got, ats_job, long_job
from tests.simulator.lists import PROVIDERS, ROWS, ask, fill, walk


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
async def test_a_status_carries_the_providers_own_error_body(
    sim: Simulator, client: Client, provider: str, status: int
) -> None:
    """A planned status answers once with a JSON error of the provider, then all is well."""
    fault = fill(sim, provider, 2).fault(status=status)
    failed, well = await ask(client, provider), await ask(client, provider)
    assert (failed.status, well.status, fault.hits) == (status, 200, 1)
    assert {"error", "detail", "type"} & failed.json.keys()


@pytest.mark.parametrize(("options", "expected"), [({"retry_after": 7}, "7"), ({"retry_after": 1.5}, "1.5")])
async def test_retry_after_is_sent_as_given(
    sim: Simulator, client: Client, options: dict[str, Any], expected: str
) -> None:
    """Whole seconds, fractions and garbage reach the client unchanged."""
    sim.bindbee.fault(status=429, **options)
    assert (await client.bindbee()).headers["retry-after"] == expected


async def test_retry_after_can_be_an_http_date(sim: Simulator, client: Client) -> None:
    """A date lies as many seconds ahead as planned."""
    sim.worklayer.fault(status=503, retry_after_date=90)
    given = (await client.worklayer()).headers["retry-after"]
    assert email.utils.parsedate_to_datetime(given).timestamp() - sim.worklayer.now().timestamp() == 90


async def test_devrev_repeats_the_wait_in_the_body(sim: Simulator, client: Client) -> None:
    """A 429 of DevRev carries retry_after in its envelope too."""
    sim.devrev.fault(status=429, retry_after=12)
    assert (await client.devrev()).json["retry_after"] == 12


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_an_html_page_or_plain_text_can_stand_where_json_belongs(
    sim: Simulator, client: Client, provider: str
) -> None:
    """html is an error page with 500, or any other status; not_json a 200 with text."""
    server = fill(sim, provider, 1)
    server.fault(html=True)
    server.fault(html=True, status=200)
    server.fault(not_json=True)
    answers = [await ask(client, provider) for _ in range(3)]
    assert [answer.status for answer in answers] == [500, 200, 200]
    assert answers[0].body.startswith(b"<!DOCTYPE html>")
    assert all(answer.headers["content-type"].startswith("text/html") for answer in answers)


async def test_faults_planned_one_after_another_happen_one_after_another(sim: Simulator, client: Client) -> None:
    """Of the faults with an end one strikes each request; those without an end strike besides."""
    fill(sim, "worklayer", 1).fault(extra_field="always", times=None)
    for status in (500, 503):
        sim.worklayer.fault(status=status)
    answers = [await client.worklayer() for _ in range(3)]
    assert [answer.status for answer in answers] == [500, 503, 200]
    assert "always" in answers[2].json["data"][0]


async def test_the_nth_request_and_a_number_of_them_are_hit(sim: Simulator, client: Client) -> None:
    """nth chooses the first request to be hit, times how many."""
    sim.worklayer.fault(nth=2, times=2, status=500)
    assert [(await client.worklayer()).status for _ in range(4)] == [200, 500, 500, 200]


async def test_a_fault_without_end_lasts_until_it_is_cleared(sim: Simulator, client: Client) -> None:
    """times None hits every request; clear_faults ends all trouble."""
    sim.worklayer.fault(times=None, status=503)
    before = [(await client.worklayer()).status for _ in range(3)]
    sim.worklayer.clear_faults()
    assert (before, (await client.worklayer()).status) == ([503, 503, 503], 200)


async def test_path_method_and_query_choose_the_requests(sim: Simulator, client: Client) -> None:
    """Only requests that match all of them are hit and counted."""
    fill(sim, "driver_jobs", 1)
    fill(sim, "devrev", 1)
    sim.driver_jobs.fault(query={"by_state": "application"}, status=500)
    sim.devrev.fault(path="/jobs.get", method="POST", status=500)
    statuses = [(await client.drivers(state)).status for state in ("accepted", "application", "all_rejected")]
    calls = [await client.devrev(), await client.devrev("jobs.get", id=long_job(1)["id"])]
    assert statuses == [200, 500, 200]
    assert [call.status for call in calls] == [200, 500]


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_one_page_of_a_walk_can_be_chosen(sim: Simulator, client: Client, provider: str) -> None:
    """page counts the pages of a walk, whatever the provider's way of paging."""
    fault = fill(sim, provider, 9).fault(page=2, empty=True)
    first = await ask(client, provider, 3)
    assert len(first.json[ROWS[provider]]) == 3
    assert fault.hits == 0
    assert len(await walk(client, provider, 3)) < 9
    assert fault.hits == 1


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_an_empty_list_stands_where_much_was(sim: Simulator, client: Client, provider: str) -> None:
    """empty gives a 200 without rows that looks like the end of the list."""
    fill(sim, provider, 5).fault(empty=True)
    answer = await ask(client, provider, 2)
    assert (answer.status, answer.json[ROWS[provider]]) == (200, [])
    assert not (answer.json.get("next_page_token"))
    assert not (answer.json.get("cursor"))
    assert not (answer.json.get("next_cursor"))


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_repeated_cursor_leads_in_a_circle(sim: Simulator, client: Client, provider: str) -> None:
    """repeat_cursor makes a walk see the same rows for ever."""
    fill(sim, provider, 9).fault(repeat_cursor=True, times=None)
    found = await walk(client, provider, 3)
    assert len(found) > 20
    assert len(set(found)) < 9


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_row_is_repeated_across_pages(sim: Simulator, client: Client, provider: str) -> None:
    """duplicate_row shows the last row of a page again on the next, as after an insertion."""
    server = fill(sim, provider, 9)
    server.fault(page=2, duplicate_row=1)
    second_page = (await walk(client, provider, 3))[2:4]
    assert second_page[0] == second_page[1]


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_row_is_lost_between_pages(sim: Simulator, client: Client, provider: str) -> None:
    """drop_row leaves out the first row of a page, as after a deletion."""
    server = fill(sim, provider, 9)
    server.fault(page=2, drop_row=1)
    assert len(set(await walk(client, provider, 3))) == 8


async def test_the_total_can_change_in_the_middle_of_a_walk(sim: Simulator, client: Client) -> None:
    """total_add makes one page announce another total."""
    fill(sim, "driver_jobs", 9).fault(page=2, total_add=1)
    pages = [await client.drivers(page=page, per_page=3) for page in (1, 2, 3)]
    assert [page.headers["total"] for page in pages] == ["9", "10", "9"]


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_json_of_the_wrong_type_can_be_served(sim: Simulator, client: Client, provider: str) -> None:
    """The list, a row or the whole document can be of another JSON type."""
    server = fill(sim, provider, 2)
    for kind in ("list", "row", "document"):
        server.fault(wrong_type=kind)
    answers = [(await ask(client, provider)).json for _ in range(3)]
    assert isinstance(answers[0][ROWS[provider]], dict)
    assert isinstance(answers[1][ROWS[provider]][0], str)
    assert isinstance(answers[2], list)


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_rows_can_gain_lose_and_change_fields(sim: Simulator, client: Client, provider: str) -> None:
    """An unknown field, a missing one and a changed one come with the answer and leave the document alone."""
    server = fill(sim, provider, 1)
    server.fault(extra_field="brand_new", set_rows={"id": "changed", "deep.er": 1}, unset_rows=["updated_at"])
    row = (await ask(client, provider)).json[ROWS[provider]][0]
    again = (await ask(client, provider)).json[ROWS[provider]][0]
    assert row["id"] == "changed"
    assert row["deep"] == {"er": 1}
    assert "brand_new" in row
    assert "updated_at" not in row
    assert "brand_new" not in again


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_reordered_keys_are_the_same_document(sim: Simulator, client: Client, provider: str) -> None:
    """reorder changes the bytes and nothing else."""
    fill(sim, provider, 3).fault(reorder=True)
    turned, usual = await ask(client, provider), await ask(client, provider)
    assert turned.body != usual.body
    assert turned.json == usual.json


async def test_a_delay_holds_the_answer_back(sim: Simulator, client: Client) -> None:
    """delay waits that many seconds before the first byte."""
    sim.bindbee.fault(delay=0.2)
    began = time.monotonic()
    assert (await client.bindbee()).status == 200
    assert time.monotonic() - began >= 0.2


async def test_a_truncated_body_ends_before_its_announced_length(sim: Simulator, client: Client) -> None:
    """truncate sends that many bytes of a longer body and ends the connection."""
    fill(sim, "worklayer", 3).fault(truncate=40)
    with pytest.raises(aiohttp.ClientPayloadError):
        await client.worklayer()


async def test_a_reset_connection_gives_no_answer_and_is_logged(sim: Simulator, client: Client) -> None:
    """reset drops the connection; the log shows status 0."""
    sim.devrev.fault(reset=True, times=None)
    with pytest.raises((aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)):
        await client.devrev()
    assert sim.devrev.requests[-1].status == 0


async def test_a_body_can_drip(sim: Simulator, client: Client) -> None:
    """drip sends a few bytes at a time, slower than any read timeout between two of them."""
    fill(sim, "bindbee", 1).fault(drip=0.02, drip_bytes=40)
    began = time.monotonic()
    answer = await client.bindbee()
    assert answer.json["items"][0]["id"] == ats_job(1)["id"]
    assert time.monotonic() - began >= 0.02 * (len(answer.body) // 40)


@pytest.mark.parametrize("packed", [False, True])
async def test_a_huge_body_is_streamed_and_still_json(sim: Simulator, client: Client, packed: bool) -> None:
    """huge_mb pads the document by that many megabytes, without a length, also as a compressed bomb."""
    fill(sim, "driver_jobs", 1).fault(huge_mb=3, gzip=packed)
    answer = await client.drivers()
    assert len(answer.body) > 3 * 1024 * 1024
    assert "content-length" not in answer.headers
    assert answer.json["job_drivers"][0]["id"] == 1


@pytest.mark.parametrize("options", [{"stauts": 500}, {"status": "many"}, {"wrong_type": "everything"}])
async def test_an_unknown_or_ill_typed_option_is_an_error(sim: Simulator, options: dict[str, Any]) -> None:
    """A misspelt fault fails where it is planned, not silently in a test that then proves nothing."""
    with pytest.raises(ValueError, match=next(iter(options))):
        sim.bindbee.fault(**options)


@pytest.mark.parametrize("style", ["keys", "arrays", "numbers", "times", "nulls", "singles"])
async def test_the_same_facts_can_come_in_another_dress(sim: Simulator, client: Client, style: str) -> None:
    """Each style changes the bytes of the rows, and undoing it gives the same facts."""
    offices, when = ["only-one"], "2025-11-20T08:01:00.000Z"
    job = ats_job(1, offices=offices, openings=2, closed=None, remote_created_at=when, tags=["a", "b"])
    sim.bindbee.put(job)
    sim.bindbee.fault(restyle=[style])
    dressed, usual = await client.bindbee(), await client.bindbee()
    row = dressed.json["items"][0]
    assert dressed.body != usual.body
    assert row["id"] == job["id"]
    expected: dict[str, bool] = {
        "keys": list(row) == list(reversed(usual.json["items"][0])),
        "arrays": row["tags"] == ["b", "a"],
        "numbers": isinstance(row["openings"], float),
        "times": row["remote_created_at"] == "2025-11-20T08:01:00.000000+00:00",
        "nulls": "closed" not in row,
        "singles": row["offices"] == "only-one",
    }
    assert expected[style]


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_rows_can_be_older_than_what_was_served_before(sim: Simulator, client: Client, provider: str) -> None:
    """stale_rows shows rows as before their last change, as a lagging replica does."""
    server = fill(sim, provider, 1)
    before = (await ask(client, provider)).json[ROWS[provider]]
    server.patch(next(iter(server.items)), {"title": "new"})
    server.fault(stale_rows=True)
    stale, fresh = await ask(client, provider), await ask(client, provider)
    assert stale.json[ROWS[provider]][0] == {**before[0], **_counted(stale)}
    assert fresh.json[ROWS[provider]][0]["title"] == "new"


def _counted(answer: Got) -> dict[str, Any]:
    """The part of a stored driver that is counted anew at each answer."""
    row = next(iter(answer.json.values()))[0] if "job_drivers" in answer.json else {}
    return {"last_contract": row["last_contract"]} if row else {}


async def test_something_can_happen_between_two_pages(sim: Simulator, client: Client) -> None:
    """on_call is told the page that is asked for, before it is answered."""
    fill(sim, "worklayer", 6)
    newest = list(sim.worklayer.items)[-1]

    def vanish(call: Call, page: int) -> None:
        if page == 2 and newest in sim.worklayer.items:
            sim.worklayer.remove(newest)

    sim.worklayer.on_call = vanish
    assert newest in await walk(client, "worklayer", 2)
    assert newest not in sim.worklayer.items


async def test_an_unknown_style_is_an_error(sim: Simulator) -> None:
    """restyle names what it knows."""
    with pytest.raises(ValueError, match="singles"):
        sim.bindbee.fault(restyle=["fancy"])
