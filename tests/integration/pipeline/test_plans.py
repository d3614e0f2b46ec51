"""How wide a walk is, seen from outside: what is asked of Worklayer, and that nothing is missed or made up by it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from tests.integration.pipeline.watching import Watching, watching
from tests.simulator.calls import tax_job

OPEN = 'status!="CLOSED"'


def subject(number: int) -> str:
    """How an event names a job of the stand-in."""
    return f"job/{tax_job(number)['id']}"


@pytest.fixture
async def tax(redis: Redis, store_url: str) -> AsyncIterator[Watching]:
    """Six tax jobs in three pages, the third and the sixth of them closed; already known."""
    jobs = [tax_job(number, "CLOSED" if number % 3 == 0 else "CLAIMED") for number in range(1, 7)]
    async with watching("worklayer", store_url, *jobs, page_size=2) as one:
        await one.baseline()
        yield one


def lists(one: Watching) -> list[str | None]:
    """The filters of the list requests since the last look, first pages only."""
    return [
        seen.query.get("filter") for seen in one.asked() if seen.path == "/v1.0/jobs" and "page_token" not in seen.query
    ]


async def test_the_regular_walk_sees_open_jobs_and_once_a_day_all(tax: Watching) -> None:
    """Closed jobs are not read again until the full walk that is due after 24 hours."""
    await tax.told(minutes=1)
    assert lists(tax) == [OPEN]

    await tax.told(hours=23, minutes=58)
    assert lists(tax) == [OPEN]

    await tax.told(minutes=1)
    assert lists(tax) == [None]


async def test_a_job_that_closes_is_told_once_in_the_next_scan(tax: Watching) -> None:
    """It has left the walk of open jobs; asked for by its id, it says what it has become."""
    tax.server.patch(tax_job(1)["id"], {"status": "CLOSED"})

    assert await tax.told(minutes=1) == [f"worklayer.job.closed {subject(1)}"]
    assert [seen.path for seen in tax.asked()][-1] == f"/v1.0/jobs/{tax_job(1)['id']}"
    assert await tax.told(minutes=1) == []
    assert all(seen.path == "/v1.0/jobs" for seen in tax.asked())
    assert await tax.told(hours=24) == []


async def test_a_job_that_is_opened_again_is_told(tax: Watching) -> None:
    """A back edge: the job is in the walk of open jobs again."""
    tax.server.patch(tax_job(3)["id"], {"status": "UNCLAIMED"})

    assert await tax.told(minutes=1) == [f"worklayer.job.unclaimed {subject(3)}"]


async def test_a_new_job_that_is_closed_before_it_was_ever_seen_is_told_by_the_full_walk(tax: Watching) -> None:
    """No walk of open jobs can show it: the price of a narrow walk, at the most `full_every` late."""
    tax.server.put(tax_job(9, "CLOSED"))

    assert await tax.told(minutes=1) == []
    assert await tax.told(hours=24) == [f"worklayer.job.created {subject(9)}"]


async def test_a_cancelled_job_stays_in_the_walk_and_is_not_asked_for(tax: Watching) -> None:
    """The filter can name CLOSED alone, so every other state is shown by it."""
    tax.server.patch(tax_job(2)["id"], {"status": "CANCELED"})

    news = await tax.told(minutes=1)

    assert [line for line in news if line.startswith("worklayer")] == [f"worklayer.job.canceled {subject(2)}"]
    tax.asked()
    assert await tax.told(minutes=1) == []
    assert all(seen.path == "/v1.0/jobs" for seen in tax.asked())


async def test_p3_a_job_that_is_gone_is_removed_once_a_full_walk_misses_it_as_well(tax: Watching) -> None:
    """A 404 may mean that there is no such call: while no id was ever found, a full walk has to agree."""
    tax.server.remove(tax_job(1)["id"])

    assert await tax.told(minutes=1) == []
    assert await tax.told(minutes=1) == [f"worklayer.job.removed {subject(1)}"]
    assert await tax.told(minutes=1) == []


@pytest.mark.parametrize("status", [500, 403])
async def test_a_look_up_that_fails_removes_nothing_and_is_made_up_for(tax: Watching, status: int) -> None:
    """P1: what a missing job has become is not known then; the next scan asks again."""
    tax.server.patch(tax_job(1)["id"], {"status": "CLOSED"})
    tax.server.fault(path="/v1.0/jobs/*", status=status, times=None)

    assert await tax.told(minutes=1) == []
    assert await tax.told(minutes=1) == []
    tax.server.clear_faults()
    assert await tax.told(minutes=1) == [f"worklayer.job.closed {subject(1)}"]


async def test_a_job_that_is_broken_at_the_provider_holds_up_no_other(tax: Watching) -> None:
    """One id answers 500 for ever; what became of the others that left the walk is told all the same."""
    for number in (1, 2):
        tax.server.patch(tax_job(number)["id"], {"status": "CLOSED"})
    tax.server.fault(path=f"/v1.0/jobs/{tax_job(1)['id']}", status=500, times=None)

    assert await tax.told(minutes=1) == [f"worklayer.job.closed {subject(2)}"]
    tax.server.clear_faults()
    assert await tax.told(minutes=1) == [f"worklayer.job.closed {subject(1)}"]


async def test_p1_a_page_that_fails_removes_nothing(tax: Watching) -> None:
    """The walk is not complete: what was on that page is neither looked up nor counted."""
    tax.server.fault(page=2, path="/v1.0/jobs", status=404)

    report, news = await tax.scan(minutes=1)

    assert (report.reason, news) == ("not_found", [])
    assert all(seen.path == "/v1.0/jobs" for seen in tax.asked())


async def test_p2_an_empty_answer_removes_nothing(tax: Watching) -> None:
    """A 200 with an empty list, though jobs are open: each is asked for and found as it was."""
    tax.server.fault(path="/v1.0/jobs", empty=True)

    assert await tax.told(minutes=1) == []
    tax.server.patch(tax_job(4)["id"], {"status": "UNCLAIMED"})
    assert await tax.told(minutes=1) == [f"worklayer.job.unclaimed {subject(4)}"]


@pytest.mark.parametrize("fault", ["drop_row", "duplicate_row"])
async def test_p6_p7_rows_that_slide_between_pages_make_no_events(tax: Watching, fault: str) -> None:
    """A job that was missed so is found by its id; one that came twice is one."""
    tax.server.fault(page=2, path="/v1.0/jobs", times=2, **{fault: 1})

    assert await tax.told(minutes=1) == []
    assert await tax.told(minutes=1) == []
    assert await tax.told(minutes=1) == []


async def test_p5_a_forgotten_page_token_starts_the_walk_anew(tax: Watching) -> None:
    """Once in a walk; all of its pages are read again, so it is as complete as any other."""
    fault = tax.server.fault(page=2, path="/v1.0/jobs", status=400)
    tax.server.patch(tax_job(1)["id"], {"status": "CLOSED"})

    assert await tax.told(minutes=1) == [f"worklayer.job.closed {subject(1)}"]
    assert fault.hits == 1

    tax.server.fault(page=2, path="/v1.0/jobs", status=400, times=None)
    report, news = await tax.scan(minutes=1)
    assert (report.reason, news) == ("rejected", [])


async def test_p27_a_repeated_page_token_ends_in_an_error_and_removes_nothing(tax: Watching) -> None:
    """The walk is bounded, and it proves nothing."""
    tax.server.fault(path="/v1.0/jobs", repeat_cursor=True, times=None)

    report, news = await tax.scan(minutes=1)

    assert (report.reason, news) == ("unexpected_answer", [])
    assert len(tax.asked()) <= 5


async def test_a_filter_of_ours_that_is_refused_is_tried_again_after_the_next_full_walk(tax: Watching) -> None:
    """A 400 to it costs one request, and every walk is full until the next one that is due anyway."""
    fault = tax.server.fault(query={"filter": OPEN}, status=400, times=None)
    tax.server.patch(tax_job(1)["id"], {"status": "CLOSED"})

    assert await tax.told(minutes=1) == [f"worklayer.job.closed {subject(1)}"]
    assert lists(tax) == [OPEN, None]

    tax.server.patch(tax_job(3)["id"], {"status": "CLAIMED"})
    assert await tax.told(minutes=1) == [f"worklayer.job.claimed {subject(3)}"]
    assert lists(tax) == [None]

    tax.server.remove(tax_job(2)["id"])
    assert await tax.told(minutes=1) == [f"worklayer.job.removed {subject(2)}"]
    assert fault.hits == 1

    await tax.told(hours=24)
    tax.server.clear_faults()
    tax.asked()
    await tax.told(minutes=1)
    assert lists(tax) == [OPEN]


async def test_a_job_that_leaves_the_users_filter_is_told_and_then_left_alone(redis: Redis, store_url: str) -> None:
    """By its id, which the filter does not touch; after that it is not asked for at each scan."""
    jobs = [tax_job(number) for number in (1, 2)]
    for job in jobs:
        job["members"] = [{"user_id": "ann", "role": "CHAMPION"}]
    async with watching("worklayer", store_url, *jobs, filter="""'members.user_id:"ann"'""") as one:
        await one.baseline()
        one.server.patch(jobs[0]["id"], {"members": [{"user_id": "bob", "role": "CHAMPION"}]})

        assert await one.told(minutes=1) == [f"worklayer.job.members_changed {subject(1)}"]
        assert [seen.query.get("filter") for seen in one.asked()] == [f'members.user_id:"ann" AND {OPEN}', None]
        for _ in range(20):
            assert await one.told(minutes=1) == []
        assert sum(seen.path != "/v1.0/jobs" for seen in one.asked()) <= 5


async def test_a_filter_that_speaks_of_the_status_makes_every_walk_a_full_one(redis: Redis, store_url: str) -> None:
    """Ours cannot be joined to it; what leaves it is looked for after each walk."""
    own = 'status="CLAIMED"'
    async with watching("worklayer", store_url, tax_job(1), tax_job(2), filter=f"'{own}'") as one:
        await one.baseline()
        one.server.patch(tax_job(1)["id"], {"status": "CLOSED"})

        assert await one.told(minutes=1) == [f"worklayer.job.closed {subject(1)}"]
        assert lists(one) == [own]


async def test_p4_jobs_that_left_the_filter_long_ago_are_no_flood_of_removals(redis: Redis, store_url: str) -> None:
    """They are looked for again now and then, all of them at once after a pause; only what is newly lost counts."""
    jobs = [tax_job(number) for number in range(1, 7)]
    async with watching("worklayer", store_url, *jobs, filter="""'status="CLAIMED"'""") as one:
        await one.baseline()
        for number in range(1, 6):
            one.server.patch(tax_job(number)["id"], {"status": "CLOSED"})
            assert await one.told(minutes=1) == [f"worklayer.job.closed {subject(number)}"]
        one.asked()

        assert await one.told(hours=48) == []
        assert sum(seen.path != "/v1.0/jobs" for seen in one.asked()) == 5
        one.server.remove(tax_job(1)["id"])
        assert await one.told(hours=48) == [f"worklayer.job.removed {subject(1)}"]


async def test_a_state_that_must_settle_is_told_once_it_has(redis: Redis, store_url: str) -> None:
    """P16: a job that has left the walk is asked for again as long as its new state is waiting to be believed."""
    async with watching("worklayer", store_url, tax_job(1), tax_job(2), settle="5m") as one:
        await one.baseline()
        one.server.patch(tax_job(1)["id"], {"status": "CLOSED"})

        assert [await one.told(minutes=2) for _ in range(3)] == [[], [], []]
        assert await one.told(minutes=2) == [f"worklayer.job.closed {subject(1)}"]
