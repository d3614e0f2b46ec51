"""How wide a walk of DevRev is, seen from outside: what is active, and what began and ended between two scans."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis

from monitor.simulator import stamps
from tests.integration.pipeline.watching import Watching, watching
from tests.simulator.calls import long_job

ACTIVE = ["queued", "started", "in_progress"]
BY_CHANGE = {"sort_by": ["modified_date:desc"]}
BY_BIRTH = {"sort_by": ["created_date:desc"], "state": ["completed", "failed"]}


def subject(number: int) -> str:
    """How an event names a job of the stand-in."""
    return f"job/{long_job(number)['id']}"


def job(one: Watching, number: int, state: str) -> dict[str, Any]:
    """A job that was made and changed just now."""
    now = stamps.iso(one.watch.hands.now())
    return long_job(number, state, created_date=now, modified_date=now)


@pytest.fixture
async def jobs(redis: Redis, store_url: str) -> AsyncIterator[Watching]:
    """Twelve jobs, already known: three each queued and started, six over; the newest was changed at 08:58."""
    states = ("queued", "started", "completed", "failed")
    documents = [long_job(number, states[number % 4]) for number in range(1, 13)]
    async with watching("devrev", store_url, *documents, limit=4) as one:
        await one.baseline()
        yield one


def walks(one: Watching) -> list[dict[str, Any]]:
    """What the lists were asked for since the last look: first pages only, without the limit."""
    bodies = [seen.body for seen in one.asked() if seen.path == "/jobs.list" and "cursor" not in seen.body]
    return [{name: value for name, value in body.items() if name != "limit"} for body in bodies]


async def test_the_regular_walk_sees_what_is_active_and_what_has_changed(jobs: Watching) -> None:
    """Two short walks; every 6 hours one of everything."""
    report, _ = await jobs.scan(minutes=1)
    assert report.tally.items < 12
    assert walks(jobs) == [{"state": ACTIVE}, BY_CHANGE]

    await jobs.told(hours=6)
    assert walks(jobs) == [{}]


async def test_a_job_that_is_queued_and_completed_between_two_scans_is_told(jobs: Watching) -> None:
    """No scan has seen it active; it is among the newest changes."""
    jobs.watch.hands.pass_(minutes=1)
    jobs.server.put(job(jobs, 20, "completed"))

    assert await jobs.told() == [f"devrev.job.created {subject(20)}"]
    assert await jobs.told(minutes=1) == []


async def test_a_job_that_completes_is_told_once(jobs: Watching) -> None:
    """In the next scan, whether it is met among the changes or asked for by its id."""
    jobs.watch.hands.pass_(minutes=1)
    jobs.server.patch(long_job(4)["id"], {"state": "completed"})

    assert await jobs.told() == [f"devrev.job.completed {subject(4)}"]
    assert all(seen.path == "/jobs.list" for seen in jobs.asked())
    assert await jobs.told(minutes=1) == []


async def test_a_job_that_is_over_and_taken_back_is_told(jobs: Watching) -> None:
    """A retry: it is active again."""
    jobs.watch.hands.pass_(minutes=1)
    jobs.server.patch(long_job(3)["id"], {"state": "queued", "retry_count": 1})

    assert await jobs.told() == [f"devrev.job.queued {subject(3)}"]


async def test_p3_a_job_that_is_gone_is_removed_once_a_full_walk_misses_it_as_well(jobs: Watching) -> None:
    """It was active, so the walk must have shown it; its id answers 404, and no id was ever found before."""
    jobs.server.remove(long_job(4)["id"])

    assert await jobs.told(minutes=1) == []
    assert await jobs.told(minutes=1) == [f"devrev.job.removed {subject(4)}"]


async def test_p25_changes_of_one_instant_are_neither_lost_nor_told_twice(jobs: Watching) -> None:
    """One of them is seen first; the others become readable later, under the same stamp."""
    jobs.watch.hands.pass_(minutes=1)
    same = stamps.iso(jobs.watch.hands.now())
    jobs.server.put(job(jobs, 20, "completed"))
    assert await jobs.told() == [f"devrev.job.created {subject(20)}"]

    for number in (21, 22, 23):
        jobs.server.put(long_job(number, "failed", created_date=same, modified_date=same))
    assert sorted(await jobs.told(minutes=1)) == [f"devrev.job.created {subject(number)}" for number in (21, 22, 23)]
    assert await jobs.told(minutes=1) == []


async def test_p26_a_walk_that_fails_does_not_move_the_watermark(jobs: Watching) -> None:
    """The second walk breaks off at once; the next scan begins where that one had to."""
    before = (await jobs.state())["watermark"]
    jobs.watch.hands.pass_(minutes=1)
    jobs.server.put(job(jobs, 20, "completed"))
    jobs.server.fault(path="/jobs.list", nth=3, status=404)

    report, _ = await jobs.scan()
    assert report.reason == "not_found"
    assert (await jobs.state())["watermark"] == before

    assert await jobs.told(minutes=30) == [f"devrev.job.created {subject(20)}"]


async def test_a_sort_field_that_is_refused_is_tried_once_between_full_walks(jobs: Watching) -> None:
    """Then the jobs created since, that are over already, are walked; they are what no scan could see active."""
    jobs.sim.devrev.sortable = ("created_date",)
    jobs.watch.hands.pass_(minutes=1)
    jobs.server.put(job(jobs, 20, "completed"))

    assert await jobs.told() == [f"devrev.job.created {subject(20)}"]
    assert walks(jobs) == [{"state": ACTIVE}, BY_CHANGE, BY_BIRTH]

    jobs.watch.hands.pass_(minutes=1)
    jobs.server.put(job(jobs, 21, "failed"))
    assert await jobs.told() == [f"devrev.job.created {subject(21)}"]
    assert walks(jobs) == [{"state": ACTIVE}, BY_BIRTH]

    await jobs.told(hours=6)
    jobs.sim.devrev.sortable = ("created_date", "modified_date")
    jobs.asked()
    await jobs.told(minutes=1)
    assert walks(jobs) == [{"state": ACTIVE}, BY_CHANGE]


async def test_an_api_that_does_not_sort_at_all_shows_the_rest_in_the_full_walk(jobs: Watching) -> None:
    """What was active is told at once all the same."""
    jobs.sim.devrev.sortable = ()
    jobs.watch.hands.pass_(minutes=1)
    jobs.server.put(job(jobs, 20, "completed"))
    jobs.server.patch(long_job(4)["id"], {"state": "failed"})

    assert await jobs.told() == [f"devrev.job.failed {subject(4)}"]
    assert walks(jobs) == [{"state": ACTIVE}, BY_CHANGE, BY_BIRTH]
    assert await jobs.told(minutes=1) == []
    assert walks(jobs) == [{"state": ACTIVE}]

    assert await jobs.told(hours=6) == [f"devrev.job.created {subject(20)}"]


async def test_states_of_ours_that_are_refused_make_every_walk_a_full_one(jobs: Watching) -> None:
    """Until the next full walk that is due; they are the documented ones, but the API is young."""
    refused = {"type": "invalid_enum_value", "message": "state: 'in_progress' is not allowed"}
    jobs.server.fault(path="/jobs.list", status=400, body=refused)
    jobs.watch.hands.pass_(minutes=1)
    jobs.server.patch(long_job(4)["id"], {"state": "completed"})

    assert await jobs.told() == [f"devrev.job.completed {subject(4)}"]
    assert walks(jobs) == [{"state": ACTIVE}, {}]
    await jobs.told(minutes=1)
    assert walks(jobs) == [{}]
    await jobs.told(hours=6)
    jobs.asked()
    await jobs.told(minutes=1)
    assert walks(jobs) == [{"state": ACTIVE}, BY_CHANGE]


async def test_states_of_the_users_make_every_walk_a_full_one(redis: Redis, store_url: str) -> None:
    """Theirs is the list; what leaves it is asked for by its id, and told."""
    async with watching("devrev", store_url, long_job(1, "queued"), long_job(2, "queued"), state="[queued]") as one:
        await one.baseline()
        one.server.patch(long_job(1)["id"], {"state": "started"})

        assert await one.told(minutes=1) == [f"devrev.job.started {subject(1)}"]
        assert walks(one) == [{"state": ["queued"]}]
        assert await one.told(minutes=1) == []


async def test_the_users_other_filters_are_in_every_walk(redis: Redis, store_url: str) -> None:
    """A narrow walk shows no job that a full one would not."""
    async with watching("devrev", store_url, long_job(1, "queued"), category="export_work") as one:
        await one.baseline()
        one.watch.hands.pass_(minutes=1)
        one.server.put(job(one, 2, "completed") | {"job_category": "merge_account"})

        assert await one.told() == []
        only = {"category": ["export_work"]}
        assert walks(one) == [{"state": ACTIVE} | only, BY_CHANGE | only]


async def test_p5_a_forgotten_cursor_starts_the_walk_anew(jobs: Watching) -> None:
    """Once in a walk; nothing is told twice by it."""
    fault = jobs.server.fault(path="/jobs.list", page=2, status=400)
    jobs.watch.hands.pass_(minutes=1)
    jobs.server.patch(long_job(4)["id"], {"state": "completed"})

    assert await jobs.told() == [f"devrev.job.completed {subject(4)}"]
    assert fault.hits == 1


async def test_an_empty_organisation_is_walked_whole_until_it_has_a_job(redis: Redis, store_url: str) -> None:
    """Without a stamp nothing says how far a walk came; there is nothing to save either."""
    async with watching("devrev", store_url) as one:
        await one.baseline()
        await one.told(minutes=1)
        assert walks(one) == [{}]

        one.server.put(job(one, 1, "completed"))
        assert await one.told(minutes=1) == [f"devrev.job.created {subject(1)}"]
        one.asked()
        await one.told(minutes=1)
        assert walks(one) == [{"state": ACTIVE}, BY_CHANGE]
