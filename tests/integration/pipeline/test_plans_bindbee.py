"""How wide a walk of Bindbee is, seen from outside; what its connector says; and the lists beside the jobs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis

from monitor.simulator import stamps
from tests.installation import Hands
from tests.integration.pipeline.watching import Watching, rewatched, watching
from tests.simulator.calls import ats_job

JOBS = "/api/ats/v1/jobs"
CONNECTORS = "/api/ats/v1/connectors"


def subject(number: int, kind: str = "job") -> str:
    """How an event names a record of the stand-in."""
    return f"{kind}/{ats_job(number)['id']}"


def record(number: int, **fields: Any) -> dict[str, Any]:
    """A record of one of the other lists; it shares its id with a job."""
    return {"id": ats_job(number)["id"], "remote_id": str(number), "modified_at": "2025-11-20T08:00:00Z", **fields}


@pytest.fixture
async def ats(redis: Redis, store_url: str) -> AsyncIterator[Watching]:
    """Five jobs, already known; the newest was written at 08:05."""
    async with watching("bindbee", store_url, *map(ats_job, range(1, 6)), page_size=2) as one:
        await one.baseline()
        yield one


def after(one: Watching) -> list[str | None]:
    """What the job list was asked for since the last look: `modified_after` of each page."""
    return [seen.query.get("modified_after") for seen in one.asked() if seen.path == JOBS]


async def test_p24_the_regular_walk_asks_for_changes_since_the_newest_stamp_less_an_overlap(ats: Watching) -> None:
    """The provider's own stamps say how far it came; no clock of ours is in it, and every 6 hours all is walked."""
    assert (await ats.state())["watermark"] == "2025-11-20T08:05:00.000Z"

    assert await ats.told(minutes=1) == []
    assert set(after(ats)) == {"2025-11-20T08:03:00.000Z"}

    await ats.told(hours=6)
    assert set(after(ats)) == {None}


async def test_a_change_is_told_by_a_narrow_walk_with_the_same_parameters_on_every_page(ats: Watching) -> None:
    """A job that opens, closes, is renamed: whatever Bindbee wrote since."""
    ats.watch.hands.pass_(minutes=1)
    for number in (1, 2, 3):
        ats.server.patch(ats_job(number)["id"], {"status": "CLOSED"})

    assert await ats.told() == [f"bindbee.job.closed {subject(number)}" for number in (1, 2, 3)]
    pages = after(ats)
    assert (len(pages), set(pages)) == (3, {"2025-11-20T08:03:00.000Z"})
    assert (await ats.state())["watermark"] == "2025-11-20T09:01:00.000Z"
    assert await ats.told(minutes=1) == []


async def test_p24_p26_a_full_resync_that_rewrites_every_stamp_tells_nothing(ats: Watching) -> None:
    """All rows come back with new stamps and the old content; the walk after it is narrow again."""
    ats.watch.hands.pass_(hours=1)
    for number in range(1, 6):
        ats.server.patch(ats_job(number)["id"], {})

    report, news = await ats.scan()

    assert (report.tally.items, news) == (5, [])
    ats.asked()
    assert await ats.told(hours=1) == []
    assert after(ats) == ["2025-11-20T09:58:00.000Z"] * 3


async def test_p25_rows_that_share_the_newest_stamp_are_neither_lost_nor_told_twice(ats: Watching) -> None:
    """More rows of one write become readable after the first of them was seen; the overlap shows them."""
    same = "2025-11-20T08:59:30.000000Z"
    ats.server.patch(ats_job(1)["id"], {"status": "CLOSED", "modified_at": same})
    assert await ats.told(minutes=1) == [f"bindbee.job.closed {subject(1)}"]

    for number in (2, 3, 4):
        ats.server.patch(ats_job(number)["id"], {"status": "CLOSED", "modified_at": same})
    ats.server.put(ats_job(7, modified_at=same))

    news = await ats.told(minutes=1)
    assert sorted(news) == [
        *(f"bindbee.job.closed {subject(number)}" for number in (2, 3, 4)),
        f"bindbee.job.created {subject(7)}",
    ]
    assert await ats.told(minutes=1) == []


async def test_p26_a_walk_that_fails_does_not_move_the_watermark(ats: Watching) -> None:
    """What its last page would have shown is shown by the next walk."""
    ats.watch.hands.pass_(minutes=1)
    for number in (1, 2, 3):
        ats.server.patch(ats_job(number)["id"], {"status": "CLOSED"})
    ats.server.fault(path=JOBS, page=2, status=404)

    report, news = await ats.scan()
    assert (report.reason, len(news)) == ("not_found", 2)
    assert (await ats.state())["watermark"] == "2025-11-20T08:05:00.000Z"

    assert await ats.told(minutes=30) == [f"bindbee.job.closed {subject(3)}"]


async def test_p26_a_row_that_changes_behind_a_long_walk_is_not_lost(ats: Watching) -> None:
    """The walk takes ten minutes; what it has passed changes in its fifth, and a later row is newer still."""
    ats.watch.hands.pass_(hours=6)

    def meanwhile(call: Any, page: int) -> None:
        if call.path == JOBS and page == 2:
            ats.watch.hands.pass_(minutes=5)
            ats.server.patch(ats_job(1)["id"], {"status": "CLOSED"})
            ats.watch.hands.pass_(minutes=5)
            ats.server.patch(ats_job(5)["id"], {"status": "CLOSED"})

    ats.server.on_call = meanwhile
    assert await ats.told() == [f"bindbee.job.closed {subject(5)}"]
    ats.server.on_call = None

    assert await ats.told(minutes=1) == [f"bindbee.job.closed {subject(1)}"]


@pytest.mark.parametrize("minutes", [-10, 10])
async def test_p24_a_host_clock_that_is_wrong_misses_and_repeats_nothing(
    redis: Redis, store_url: str, minutes: int
) -> None:
    """Ours is ten minutes off theirs, which is what stamps and walks are counted by."""
    theirs = Hands()
    async with watching("bindbee", store_url, hands=theirs) as world:
        for number in range(1, 4):
            world.server.put(ats_job(number))
        ours = Hands()
        ours.pass_(minutes=minutes)
        async with rewatched("bindbee", store_url, world.sim, ours) as one:
            await one.baseline()
            for number in (1, 2, 3):
                theirs.pass_(minutes=1)
                one.server.patch(ats_job(number)["id"], {"status": "CLOSED"})
                assert await one.told(minutes=1) == [f"bindbee.job.closed {subject(number)}"]
            assert await one.told(minutes=1) == []


async def test_a_deleted_job_is_found_out_by_the_full_walk(ats: Watching) -> None:
    """There are no tombstones: a walk of changes cannot show it, and its absence there means nothing."""
    ats.server.remove(ats_job(2)["id"])

    assert await ats.told(minutes=1) == []
    assert await ats.told(hours=6) == [f"bindbee.job.removed {subject(2)}"]


async def test_without_stamps_every_walk_is_a_full_one(redis: Redis, store_url: str) -> None:
    """The documents' own sample has `<string>` there."""
    jobs = [ats_job(number, modified_at="<string>") for number in (1, 2)]
    async with watching("bindbee", store_url, *jobs) as one:
        await one.baseline()
        one.server.patch(ats_job(1)["id"], {"status": "CLOSED", "modified_at": "<string>"})
        one.server.remove(ats_job(2)["id"])

        assert await one.told(minutes=1) == [
            f"bindbee.job.closed {subject(1)}",
            f"bindbee.job.removed {subject(2)}",
        ]
        assert after(one) == [None]


async def test_a_filtered_list_is_walked_whole_so_that_what_leaves_it_is_told(redis: Redis, store_url: str) -> None:
    """A walk of changed OPEN jobs would never show the one that has closed."""
    async with watching("bindbee", store_url, ats_job(1), ats_job(2), status="OPEN") as one:
        await one.baseline()
        one.server.patch(ats_job(1)["id"], {"status": "CLOSED"})

        assert await one.told(minutes=1) == [f"bindbee.job.closed {subject(1)}"]
        assert await one.told(minutes=1) == []


async def test_a_change_that_must_settle_is_told_though_walks_have_gone_past_it(redis: Redis, store_url: str) -> None:
    """P16: the walks of changes show it once; it is asked for by its id until it is believed."""
    async with watching("bindbee", store_url, ats_job(1), ats_job(2), settle="9m") as one:
        await one.baseline()
        one.watch.hands.pass_(minutes=1)
        one.server.patch(ats_job(1)["id"], {"status": "CLOSED"})

        assert [await one.told(minutes=2) for _ in range(5)] == [[]] * 5
        assert await one.told(minutes=2) == [f"bindbee.job.closed {subject(1)}"]
        one.asked()
        assert await one.told(minutes=2) == []
        assert {seen.path for seen in one.asked()} <= {JOBS, CONNECTORS}


class TestConnector:
    """The connector behind the lists: reads go on when it does not."""

    async def test_it_is_asked_for_every_five_minutes_at_the_most(self, ats: Watching) -> None:
        """By the provider's clock, with the API key alone."""
        asked = []
        for _ in range(10):
            await ats.told(minutes=1)
            asked.append([seen.path for seen in ats.asked()].count(CONNECTORS))

        assert asked == [0, 0, 0, 0, 1, 0, 0, 0, 0, 1]

    @pytest.mark.parametrize(
        ("trouble", "reason"), [("relink_needed", "relink_needed"), ("sync_failed", "sync_failed")]
    )
    async def test_trouble_is_told_once_and_so_is_its_end(self, ats: Watching, trouble: str, reason: str) -> None:
        """The lists are read all the same: the source is failing, and fresh."""
        connector = ats.sim.bindbee.connector
        getattr(connector, trouble)(ats.watch.hands.now())

        report = None
        news: list[dict[str, Any]] = []
        for _ in range(12):
            ats.watch.hands.pass_(minutes=1)
            report = await ats.watch.scan()
            assert report.reason is None
            news += await ats.watch.news()
        assert [event["type"] for event in news] == ["jobwire.source.failing"]
        assert news[0]["data"]["details"]["reason"] == reason
        assert "Northgate Logistics Ltd" in news[0]["data"]["details"]["error"]
        stored = await ats.state()
        assert (stored["announced"], stored["reason"]) == ("failing", reason)
        assert stored["fresh_at"] == stamps.iso(ats.watch.hands.now())

        connector.healthy(ats.watch.hands.now())
        told = [line for _ in range(6) for line in await ats.told(minutes=1)]
        assert told == ["jobwire.source.recovered source/it"]
        assert {"announced", "noticed", "reason", "error"}.isdisjoint(await ats.state())

    async def test_a_sync_that_does_not_come_is_told(self, ats: Watching) -> None:
        """An hour after its own schedule, by the provider's clock."""
        due = stamps.iso(ats.watch.hands.now())
        ats.sim.bindbee.connector.record |= {"next_sync_start_time": due, "sync_status": None}

        assert await ats.told(minutes=59) == []
        assert await ats.told(minutes=6) == ["jobwire.source.failing source/it"]
        assert (await ats.state())["reason"] == "sync_late"

    @pytest.mark.parametrize("status", [403, 404])
    async def test_an_api_that_does_not_show_connectors_is_taken_as_it_is(self, ats: Watching, status: int) -> None:
        """In silence, and without asking at every scan."""
        ats.server.fault(path=CONNECTORS, status=status, times=None)

        for _ in range(12):
            assert await ats.told(minutes=1) == []
        assert [seen.path for seen in ats.asked()].count(CONNECTORS) == 2

    async def test_a_connector_list_that_fails_keeps_what_was_known(self, ats: Watching) -> None:
        """No word is neither good nor bad news."""
        ats.sim.bindbee.connector.relink_needed(ats.watch.hands.now())
        assert await ats.told(minutes=6) == ["jobwire.source.failing source/it"]
        ats.server.fault(path=CONNECTORS, not_json=True, times=None)

        assert [await ats.told(minutes=6) for _ in range(3)] == [[]] * 3
        assert (await ats.state())["announced"] == "failing"


class TestOtherLists:
    """Interviews, offers and applications of the same connector, where they are asked for."""

    KINDS = "[job, interview, offer, application]"

    @pytest.fixture
    async def all(self, redis: Redis, store_url: str) -> AsyncIterator[Watching]:
        """One record in each list, all with the same id; already known."""
        async with watching("bindbee", store_url, ats_job(1), kinds=self.KINDS) as one:
            others, id_ = one.sim.bindbee.others, ats_job(1)["id"]
            others["scheduled-interviews"][id_] = record(1, status="SCHEDULED", start_at="2025-12-01T09:00:00Z")
            others["offers"][id_] = record(1, status="DRAFT", start_date="2026-01-01")
            others["applications"][id_] = record(1, current_stage="Review", rejected_at=None)
            await one.baseline()
            yield one

    def change(self, one: Watching, kind: str, **fields: Any) -> None:
        """Write a record of another list anew."""
        doc = one.sim.bindbee.others[kind][ats_job(1)["id"]]
        doc |= {**fields, "modified_at": stamps.iso(one.watch.hands.now(), 6)}

    async def test_each_has_its_own_states_and_events(self, all: Watching) -> None:
        """Records that share an id are different things."""
        all.watch.hands.pass_(minutes=1)
        self.change(all, "scheduled-interviews", status="AWAITING_FEEDBACK")
        self.change(all, "offers", status="SENT-MANUALLY")
        self.change(all, "applications", current_stage="Phone screen")
        all.server.patch(ats_job(1)["id"], {"status": "CLOSED"})

        assert await all.told() == [
            f"bindbee.job.closed {subject(1)}",
            f"bindbee.interview.awaiting_feedback {subject(1, 'interview')}",
            f"bindbee.offer.sent_manually {subject(1, 'offer')}",
            f"bindbee.application.phone_screen {subject(1, 'application')}",
        ]
        assert await all.told(minutes=1) == []

    async def test_named_changes(self, all: Watching) -> None:
        """An interview that moves, an application that is rejected in the stage it is in."""
        all.watch.hands.pass_(minutes=1)
        self.change(all, "scheduled-interviews", start_at="2025-12-02T09:00:00Z")
        self.change(all, "applications", rejected_at="2025-11-20T09:00:00Z")

        assert await all.told() == [
            f"bindbee.interview.rescheduled {subject(1, 'interview')}",
            f"bindbee.application.rejected {subject(1, 'application')}",
        ]

    async def test_each_list_has_its_own_watermark(self, all: Watching) -> None:
        """One that is written often does not carry the others along."""
        all.watch.hands.pass_(hours=1)
        all.server.patch(ats_job(1)["id"], {"status": "CLOSED"})
        await all.told()
        all.asked()

        await all.told(minutes=1)

        assert {seen.path.rpartition("/")[2]: seen.query.get("modified_after") for seen in all.asked()} == {
            "jobs": "2025-11-20T09:58:00.000Z",
            "scheduled-interviews": "2025-11-20T07:58:00.000Z",
            "offers": "2025-11-20T07:58:00.000Z",
            "applications": "2025-11-20T07:58:00.000Z",
        }

    async def test_one_that_is_gone_is_asked_for_in_its_own_list(self, all: Watching) -> None:
        """The job with the same id stays."""
        del all.sim.bindbee.others["offers"][ats_job(1)["id"]]

        assert await all.told(hours=6) == [f"bindbee.offer.removed {subject(1, 'offer')}"]

    async def test_p11_lists_that_are_added_later_are_told_from_then_on(self, redis: Redis, store_url: str) -> None:
        """What was in them before is not news, and jobs go on being told."""
        hands = Hands()
        async with watching("bindbee", store_url, ats_job(1), hands=hands) as before:
            await before.baseline()
            before.sim.bindbee.others["offers"][ats_job(1)["id"]] = record(1, status="DRAFT")
            hands.pass_(minutes=1)
            before.server.patch(ats_job(1)["id"], {"status": "CLOSED"})
            async with rewatched("bindbee", store_url, before.sim, hands, kinds="[job, offer]") as one:
                one.watch.slots, one.watch.place = before.watch.slots, before.watch.place

                assert await one.told() == [f"bindbee.job.closed {subject(1)}"]
                one.watch.hands.pass_(minutes=1)
                self.change(one, "offers", status="SENT")
                assert await one.told() == [f"bindbee.offer.sent {subject(1, 'offer')}"]
