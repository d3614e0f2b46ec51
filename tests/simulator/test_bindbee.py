from __future__ import annotations

from typing import Any

import pytest

from monitor.simulator import Simulator
from tests.simulator.calls import Client, Clock, ats_job


async def test_walks_to_the_null_cursor(sim: Simulator, client: Client) -> None:
    """Following the cursor until it is null gives every job once, in the order of the ids."""
    for number in range(1, 128):
        sim.bindbee.put(ats_job(number))
    found, sizes = await client.walk_bindbee()
    assert found == [ats_job(number)["id"] for number in range(1, 128)]
    assert sizes == [50, 50, 27]


async def test_short_and_empty_pages_are_not_the_end(sim: Simulator, client: Client) -> None:
    """With short pages only the null cursor tells that all rows were seen."""
    sim.bindbee.short_pages = True
    for number in range(1, 31):
        sim.bindbee.put(ats_job(number))
    found, sizes = await client.walk_bindbee(page_size=8)
    assert found == list(sim.bindbee.items)
    assert 0 in sizes[:-1]
    assert any(0 < size < 8 for size in sizes[:-1])


@pytest.mark.parametrize("size", ["0", "-3", "201", "many"])
async def test_a_page_size_out_of_range_is_refused_not_cut(client: Client, size: str) -> None:
    """A page size outside 1 to 200 is a 422 whose detail is a list."""
    answer = await client.bindbee(page_size=size)
    assert answer.status == 422
    assert answer.json["detail"][0]["loc"] == ["query", "page_size"]


async def test_the_largest_page_can_be_that_of_the_older_documentation(sim: Simulator, client: Client) -> None:
    """With a maximum of 100, 101 is refused and 100 taken."""
    sim.bindbee.max_page_size = 100
    assert [(await client.bindbee(page_size=size)).status for size in (100, 101)] == [200, 422]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"ids": f"{ats_job(1)['id']},{ats_job(3)['id']}"}, ["1", "3"]),
        ({"remote_id": "2"}, ["2"]),
        ({"code": "C-4"}, ["4"]),
        ({"status": "CLOSED"}, ["3", "4"]),
        ({"offices": "office-0"}, ["2", "4"]),
        ({"modified_after": "2025-11-20T08:02:00Z"}, ["3", "4"]),
        ({"modified_after": "2025-11-20T08:01:59.999999"}, ["2", "3", "4"]),
        ({"modified_after": "2025-11-20T09:03:00+01:00"}, ["4"]),
        ({"status": "CLOSED", "offices": "office-0"}, ["4"]),
        ({}, ["1", "2", "3", "4"]),
    ],
)
async def test_filters_choose_the_jobs(
    sim: Simulator, client: Client, query: dict[str, Any], expected: list[str]
) -> None:
    """Each documented filter works; modified_after is exclusive and takes text without a zone as UTC."""
    for number in range(1, 5):
        sim.bindbee.put(ats_job(number, "OPEN" if number < 3 else "CLOSED"))
    assert [job["remote_id"] for job in (await client.bindbee(**query)).json["items"]] == expected


async def test_a_patch_brings_a_job_behind_the_watermark(sim: Simulator, client: Client, clock: Clock) -> None:
    """modified_at is the service's own write clock: any write makes the job newer than before."""
    for number in (1, 2):
        sim.bindbee.put(ats_job(number))
    clock.forward(minutes=5)
    sim.bindbee.patch(ats_job(1)["id"], {"status": "CLOSED"})
    found = (await client.bindbee(modified_after="2025-11-20T09:04:00Z")).json["items"]
    assert [(job["remote_id"], job["status"]) for job in found] == [("1", "CLOSED")]


async def test_raw_data_and_custom_fields_come_only_when_asked_for(sim: Simulator, client: Client) -> None:
    """Both are null unless their parameter is true."""
    sim.bindbee.put(ats_job(1))
    bare = (await client.bindbee()).json["items"][0]
    full = (await client.bindbee(include_raw_data="true", include_custom_fields="true")).json["items"][0]
    assert (bare["raw_data"], bare["custom_fields"]) == (None, None)
    assert (full["raw_data"], full["custom_fields"]) == ({"b": 2}, {"a": 1})


async def test_expand_replaces_ids_by_objects_with_the_wanted_fields(sim: Simulator, client: Client) -> None:
    """Named relations become objects, whole or with the fields in brackets; others stay ids."""
    sim.bindbee.related["dep-1"] = {"id": "dep-1", "name": "Operations", "remote_id": "9"}
    sim.bindbee.put(ats_job(1, recruiters=["u1"]))
    job = (await client.bindbee(expand="departments[id,name],offices")).json["items"][0]
    assert job["departments"] == [{"id": "dep-1", "name": "Operations"}]
    assert job["offices"] == [{"id": "office-1", "name": None}]
    assert job["recruiters"] == ["u1"]


async def test_both_credentials_are_checked(sim: Simulator, client: Client) -> None:
    """A wrong key is 401, a missing connector token 422, one of another category 403, an unknown one 401."""
    url = f"{sim.bindbee.base_url}/api/ats/v1/jobs"
    key = {"Authorization": f"Bearer {sim.bindbee.token}"}
    cases = [
        {"Authorization": "Bearer wrong", "x-connector-token": sim.bindbee.connector_token},
        key,
        key | {"x-connector-token": sim.bindbee.hris_connector_token},
        key | {"x-connector-token": "unknown"},
    ]
    answers = [await client.get(url, headers=headers) for headers in cases]
    assert [answer.status for answer in answers] == [401, 422, 403, 401]
    assert [type(answer.json["detail"]) for answer in answers] == [str, list, str, str]


async def test_the_rate_limit_is_announced_and_enforced(sim: Simulator, client: Client) -> None:
    """Every answer says what is left; beyond the limit comes a 429 with Retry-After, also for other lists."""
    sim.bindbee.limits.limit = 3
    answers = [await client.bindbee() for _ in range(2)]
    answers += [await client.bindbee("/api/ats/v1/offers"), await client.bindbee()]
    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == ["2", "1", "0", "0"]
    assert answers[3].json == {"detail": "Rate limit exceeded"}
    assert 1 <= int(answers[3].headers["retry-after"]) <= 60


async def test_one_job_is_found_by_id(sim: Simulator, client: Client) -> None:
    """A known id gives the job, an unknown one a 404 with a text."""
    sim.bindbee.put(ats_job(1))
    found = await client.bindbee(f"/api/ats/v1/jobs/{ats_job(1)['id']}")
    missing = await client.bindbee(f"/api/ats/v1/jobs/{ats_job(2)['id']}")
    assert found.json["remote_id"] == "1"
    assert (missing.status, type(missing.json["detail"])) == (404, str)


async def test_connector_health_needs_the_key_alone(sim: Simulator, client: Client, clock: Clock) -> None:
    """The connector list tells status and syncs without a connector token, per category."""
    headers = {"Authorization": f"Bearer {sim.bindbee.token}"}
    sim.bindbee.connector.relink_needed(clock())
    ats = (await client.get(f"{sim.bindbee.base_url}/api/ats/v1/connectors", headers=headers)).json["items"]
    hris = (await client.get(f"{sim.bindbee.base_url}/api/hris/v1/connectors", headers=headers)).json["items"]
    assert [(item["status"], item["sync_status"]) for item in ats] == [("RELINK_NEEDED", "Done")]
    assert ats[0]["relink_needed_at"] == "2025-11-20T09:00:00.000Z"
    assert hris == []


async def test_a_healthy_connector_syncs_and_a_broken_one_keeps_its_old_times(sim: Simulator, clock: Clock) -> None:
    """Each change of data, and each due time, is a sync; after a failure or a lost link the times stand still."""
    connector = sim.bindbee.connector

    def last_sync() -> str:
        return str(connector.listing("ats", clock())["items"][0]["last_sync_start_time"])[:16]

    clock.forward(hours=1)
    sim.bindbee.put(ats_job(1))
    after_change = last_sync()
    clock.forward(days=2)
    by_itself = last_sync()
    clock.forward(hours=1)
    connector.sync_failed(clock())
    failed = connector.record["sync_status"]
    clock.forward(days=2)
    sim.bindbee.put(ats_job(2))
    standing = last_sync()
    connector.healthy(clock())
    assert (after_change, by_itself) == ("2025-11-20T10:00", "2025-11-22T10:00")
    assert (failed, standing) == ("Failed", "2025-11-22T11:00")
    assert (last_sync(), connector.record["sync_status"]) == ("2025-11-24T11:00", "Done")


@pytest.mark.parametrize("kind", ["scheduled-interviews", "offers", "applications"])
async def test_the_other_lists_page_like_jobs(sim: Simulator, client: Client, kind: str) -> None:
    """Interviews, offers and applications have the same envelope, cursor and get-by-id."""
    for number in range(1, 6):
        sim.bindbee.others[kind][ats_job(number)["id"]] = ats_job(number, "SENT")
    found, _ = await client.walk_bindbee(path=f"/api/ats/v1/{kind}", page_size=2)
    one = await client.bindbee(f"/api/ats/v1/{kind}/{ats_job(2)['id']}")
    assert found == [ats_job(number)["id"] for number in range(1, 6)]
    assert one.json["status"] == "SENT"


async def test_an_invalid_cursor_is_refused(client: Client) -> None:
    """A cursor the service did not make is a 400."""
    assert (await client.bindbee(cursor="bm9wZQ==")).status == 400
