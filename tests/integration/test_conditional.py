"""Conditional requests: a 304 saves a page, vouches for that page alone, and is never believed beyond its commit."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis

from monitor.bootstrap import Door
from monitor.pipeline.proofs import AUDIT_EVERY
from monitor.pipeline.scan import ScanReport
from monitor.simulator import Simulator
from monitor.simulator.driver_jobs import list_of
from monitor.simulator.server import Call, Seen
from monitor.store.connect import connect
from tests.chaos.dying import Died, dying
from tests.installation import Hands, Installation, installed

PAGE = 5
PAGES = "jobwire:pages:drivers"
CONFIG = """
sources:
  drivers: {{provider: driver_jobs, base_url: "{sim.base_url}", token: "{token}", per_page: {page},
             removal_limit: 1{options}}}
"""


class World:
    """Twenty-odd drivers behind a simulator whose clock stands still, and an installation that watches them."""

    def __init__(self, sim: Simulator, hands: Hands, store_url: str) -> None:
        self.sim, self.hands, self._store_url = sim, hands, store_url
        self.server = sim.driver_jobs
        self.token = self.server.token
        self.asked = 0

    @asynccontextmanager
    async def watched(self, options: str = "", door: Door = connect) -> AsyncIterator[Installation]:
        config = CONFIG.format(sim=self.server, token=self.token, page=PAGE, options=f", {options}" if options else "")
        async with installed(self._store_url, config, self.hands, door) as watch:
            watch.slots = self.asked * 1000
            self.asked += 1
            yield watch

    def since(self, place: int) -> list[Seen]:
        """The requests since then."""
        return self.server.requests[place:]

    def lists(self) -> dict[str, list[int]]:
        """The ids by list."""
        found: dict[str, list[int]] = {}
        for key, doc in self.server.items.items():
            found.setdefault(list_of(doc), []).append(key)
        return found

    def anyone(self) -> int:
        """A driver of the longest list."""
        return max(self.lists().values(), key=len)[0]

    def change(self, key: int, **fields: Any) -> None:
        """Something that is an event happens to a driver, wherever it stands, and it does not move in its list."""
        self.server.patch(key, {"job.title": f"Driver {self.hands.at:%H%M%S%f} {len(self.server.requests)}"} | fields,
                          touch=False)  # fmt: skip


@pytest.fixture
async def world(redis: Redis, store_url: str) -> AsyncIterator[World]:
    """The world, with a store that is empty."""
    hands = Hands()
    async with Simulator(seed=11, population=24, now=hands.now) as sim:
        yield World(sim, hands, store_url)


def statuses(seen: list[Seen]) -> list[int]:
    """How the requests were answered."""
    return [one.status for one in seen]


async def kept_pages(redis: Redis) -> dict[bytes, bytes]:
    """What is remembered of pages, as it is stored."""
    found: dict[bytes, bytes] = await redis.execute_command("HGETALL", PAGES)  # type: ignore[no-untyped-call]
    return found


async def scan(watch: Installation) -> ScanReport:
    """A scan that must be complete."""
    report = await watch.scan()
    assert report.reason is None, report
    return report


async def test_an_unchanged_source_costs_no_body(world: World) -> None:
    """Every page of the second scan is a 304; the saved requests and bytes are counted and in the log line's tally."""
    async with world.watched() as watch:
        first = await scan(watch)
        place = len(world.server.requests)
        second = await scan(watch)

        assert set(statuses(world.since(place))) == {304}
        assert (first.tally.not_modified, second.tally.not_modified) == (0, second.tally.pages)
        assert second.tally.pages == first.tally.pages > 5
        assert (second.tally.items, second.tally.bytes) == (24, 0)
        assert second.tally.bytes_saved == first.tally.bytes > 10_000
        assert second.tally.requests == first.tally.requests
        assert [event for event in await watch.told() if event.startswith("driver_jobs.")] == []
        assert await watch.services.store.items.size("drivers") == 24


async def test_the_etag_is_sent_back_exactly_as_it_came(world: World) -> None:
    """Weak or strong, quotes and all: proxies add W/ and some servers compare letter by letter."""
    async with world.watched() as watch:
        await scan(watch)
        place = len(world.server.requests)
        await scan(watch)
        sent = {one.headers["if-none-match"] for one in world.since(place)}
    assert sent
    assert all(tag.startswith('W/"') and tag.endswith('"') for tag in sent)


async def test_p28_a_304_vouches_for_that_page_alone(world: World) -> None:
    """P28: a change on the second page is told although the first is a 304, and each page has its own validator."""
    longest, ids = max(world.lists().items(), key=lambda pair: len(pair[1]))
    assert len(ids) > PAGE
    on_second = world.server._order(longest)[PAGE]
    async with world.watched() as watch:
        await scan(watch)
        await watch.news()
        place = len(world.server.requests)
        world.change(on_second)
        report = await scan(watch)

        seen = {(one.query["by_state"], one.query["page"]): one for one in world.since(place)}
        assert seen[longest, "1"].status == 304
        assert seen[longest, "2"].status == 200
        assert seen[longest, "1"].headers["if-none-match"] != seen[longest, "2"].headers["if-none-match"]
        events = await watch.news()
        assert [(event["type"], event["subject"]) for event in events] == [
            ("driver_jobs.job_driver.updated", f"job_driver/{on_second}")
        ]
        assert report.tally.not_modified == report.tally.pages - 1
        place = len(world.server.requests)
        await scan(watch)
        assert set(statuses(world.since(place))) == {304}


async def test_p28_what_a_304_vouches_for_counts_as_seen(world: World) -> None:
    """P28: nothing is removed because its page was not sent, and what does go is removed as ever."""
    async with world.watched("confirm_removal: 2") as watch:
        await scan(watch)
        gone = world.anyone()
        world.server.remove(gone)
        for _ in range(3):
            await scan(watch)
        events = await watch.news()
    assert [event["subject"] for event in events if event["type"].endswith(".removed")] == [f"job_driver/{gone}"]


async def test_p28_a_total_that_does_not_fit_is_asked_for_again_without_condition(world: World) -> None:
    """P28: what a 304 says or leaves out can never prove a walk wrong: the list is walked anew from whole answers."""
    longest = max(world.lists().items(), key=lambda pair: len(pair[1]))[0]
    async with world.watched() as watch:
        await scan(watch)
        place = len(world.server.requests)
        world.server.fault(page=1, query={"by_state": longest}, headers={"total": "99"})
        await scan(watch)
        seen = [one for one in world.since(place) if (one.query["by_state"], one.query["page"]) == (longest, "1")]
        assert statuses(seen) == [304, 200]
        assert "if-none-match" not in seen[1].headers
        assert await watch.services.store.items.size("drivers") == 24
        await scan(watch)
        place = len(world.server.requests)
        await scan(watch)
        assert set(statuses(world.since(place))) == {304}


@pytest.mark.parametrize("answered", [False, True], ids=["before", "after"])
async def test_p28_a_lost_commit_takes_its_validator_with_it(world: World, redis: Redis, answered: bool) -> None:
    """P28: a worker dies at each command of a scan in turn; the change is told by the next one whatever was lost,
    and no 304 hides it."""
    changing = world.anyone()
    one_list = f"by_state: {list_of(world.server.items[changing])}"
    for at in range(1, 60):
        await redis.flushall()
        async with world.watched(one_list) as watch:
            await scan(watch)
            await scan(watch)
        world.change(changing)
        try:
            async with world.watched(one_list, dying(at, answered=answered)) as mortal:
                await mortal.scan()
                died = False
        except (Died, BaseExceptionGroup):
            died = True
        await redis.delete("jobwire:lease:drivers")
        async with world.watched(one_list) as watch:
            for _ in range(2):
                await scan(watch)
            told = [type_ for type_ in await watch.told() if type_.endswith("job_driver.updated")]
            assert len(told) == 1, f"died at command {at}"
        if not died:
            break
    assert at > 8


async def test_p28_after_a_failed_scan_nothing_is_vouched_for(world: World) -> None:
    """P28: an item may have come by another page before the walk broke off, so all pages are asked for anew, once."""
    async with world.watched() as watch:
        await scan(watch)
        world.server.fault(status=500, page=2, times=3)
        assert (await watch.scan()).reason == "unavailable"
        place = len(world.server.requests)
        await scan(watch)
        assert not [one for one in world.since(place) if "if-none-match" in one.headers]
        place = len(world.server.requests)
        await scan(watch)
        assert set(statuses(world.since(place))) == {304}


async def test_p28_a_page_that_moved_back_is_read_again(world: World) -> None:
    """P28: a driver changes while its page fails, is told by another page, and changes back so that the first page is
    as it was: the old validator of that page is not believed."""
    async with world.watched() as watch:
        await scan(watch)
        await watch.news()
        key = world.lists()["accepted"][0]
        before = dict(world.server.items[key])
        world.server.patch(key, {"kind": "compliance_check"}, touch=False)
        world.server.fault(status=500, query={"by_state": "accepted"}, times=3)
        assert (await watch.scan()).reason == "unavailable"
        world.server.put(before)
        await scan(watch)
        events = [event["type"] for event in await watch.news() if event["subject"] == f"job_driver/{key}"]
    assert events == ["driver_jobs.job_driver.compliance_check", "driver_jobs.job_driver.accepted"]


async def test_p28_a_page_with_an_unreadable_item_is_not_remembered(world: World) -> None:
    """P28: what could not be stored must be read again, and the rest of the source is vouched for."""
    key = world.anyone()
    good = world.server.items[key]["interviews"]
    world.server.patch(key, {"interviews": "three"}, touch=False)
    async with world.watched() as watch:
        assert (await scan(watch)).tally.unreadable == 1
        place = len(world.server.requests)
        assert (await scan(watch)).tally.unreadable == 1
        assert statuses(world.since(place)).count(200) == 1
        world.server.patch(key, {"interviews": good}, touch=False)
        assert (await scan(watch)).tally.unreadable == 0
        place = len(world.server.requests)
        await scan(watch)
        assert set(statuses(world.since(place))) == {304}


async def test_p28_a_state_that_must_settle_keeps_its_page_from_being_vouched_for(world: World) -> None:
    """P28: what waits is not stored, so its page is read until it is."""
    async with world.watched("settle: 60s") as watch:
        await scan(watch)
        await watch.news()
        world.server.patch(world.lists()["application"][0], {"kind": "verified"}, touch=False)
        told = []
        for _ in range(4):
            world.hands.pass_(seconds=40)
            await scan(watch)
            told.append([type_ for type_ in await watch.told() if type_.endswith(".verified")])
    assert [len(one) for one in told] == [0, 0, 1, 0]


async def test_p28_two_pages_with_one_item_are_not_vouched_for(world: World) -> None:
    """P28: an id that came twice may be stored from either page, so the next scan asks for everything."""
    world.server.fault(duplicate_row=1, page=2, nth=1)
    async with world.watched() as watch:
        report = await watch.scan()
        assert report.tally.duplicates > 0
        place = len(world.server.requests)
        await watch.scan()
        assert not [one for one in world.since(place) if "if-none-match" in one.headers]


async def test_another_config_and_another_account_ask_for_everything(world: World, redis: Redis) -> None:
    """Validators belong to request, credentials and what the config makes of items; the old ones are dropped."""
    async with world.watched() as watch:
        await scan(watch)
        await scan(watch)
    kept = set(await kept_pages(redis))
    place = len(world.server.requests)
    async with world.watched("track: [job.wage]") as watch:
        await scan(watch)
    assert not [one for one in world.since(place) if "if-none-match" in one.headers]
    assert not kept & set(await kept_pages(redis))
    world.token = world.server.issue_token()
    place = len(world.server.requests)
    async with world.watched("track: [job.wage]") as watch:
        await scan(watch)
        assert not [one for one in world.since(place) if "if-none-match" in one.headers]
        assert len(await kept_pages(redis)) == len(kept)


async def test_p28_a_server_whose_validator_lies_is_found_by_the_audit(world: World) -> None:
    """P28: its ETag stays although a page changes; a scan in twenty asks for everything, tells what was missed, and
    after that no 304 of this server is believed."""
    async with world.watched() as watch:
        await scan(watch)
        world.server.fault(headers={"etag": 'W/"always"'}, times=None)
        await scan(watch)
        await watch.news()
        world.change(world.anyone())
        scans = 0
        while not (told := [type_ for type_ in await watch.told() if type_.endswith(".updated")]):
            await scan(watch)
            scans += 1
            assert scans <= AUDIT_EVERY
        assert len(told) == 1
        assert scans > 2
        place = len(world.server.requests)
        for _ in range(2):
            world.change(world.anyone())
            await scan(watch)
            assert [type_ for type_ in await watch.told() if type_.endswith(".updated")] != []
        assert not [one for one in world.since(place) if "if-none-match" in one.headers]


async def test_p28_pages_without_a_validator_are_known_by_their_bytes(world: World) -> None:
    """P28: the same bytes are not read again, other bytes are, and each page speaks for itself alone."""
    longest = max(world.lists().items(), key=lambda pair: len(pair[1]))[0]
    on_second = world.server._order(longest)[PAGE]
    world.server.fault(headers={"etag": ""}, times=None)
    async with world.watched() as watch:
        first = await scan(watch)
        await watch.news()
        second = await scan(watch)
        assert (first.tally.repeated, second.tally.repeated) == (0, second.tally.pages)
        assert (second.tally.items, second.tally.not_modified, second.tally.bytes_saved) == (24, 0, 0)
        assert second.tally.bytes == first.tally.bytes
        world.change(on_second)
        third = await scan(watch)
        assert third.tally.repeated == third.tally.pages - 1
        assert [event["subject"] for event in await watch.news()] == [f"job_driver/{on_second}"]
        assert (await scan(watch)).tally.repeated == third.tally.pages
        assert await watch.services.store.items.size("drivers") == 24


async def test_p28_after_a_failed_scan_the_same_bytes_vouch_for_nothing(world: World) -> None:
    """P28: a driver changes while its page fails, is told by another page, and changes back: the old page is read."""
    world.server.fault(headers={"etag": ""}, times=None)
    async with world.watched() as watch:
        await scan(watch)
        await watch.news()
        key = world.lists()["accepted"][0]
        before = dict(world.server.items[key])
        world.server.patch(key, {"kind": "compliance_check"}, touch=False)
        world.server.fault(status=500, query={"by_state": "accepted"}, times=3)
        assert (await watch.scan()).reason == "unavailable"
        world.server.put(before)
        assert (await scan(watch)).tally.repeated == 0
        events = [event["type"] for event in await watch.news() if event["subject"] == f"job_driver/{key}"]
    assert events == ["driver_jobs.job_driver.compliance_check", "driver_jobs.job_driver.accepted"]


async def test_p28_what_is_remembered_in_the_form_of_before_or_damaged_is_no_harm(world: World, redis: Redis) -> None:
    """P28: pages that an older version remembered still get their 304; one that cannot be read is asked for anew."""
    async with world.watched() as watch:
        await scan(watch)
        kept = await kept_pages(redis)
        damaged, *others = kept
        for key in others:
            before = msgspec.json.decode(zlib.decompress(kept[key]))[:4]
            await redis.execute_command("HSET", PAGES, key, msgspec.json.encode(before))  # type: ignore[no-untyped-call]
        await redis.execute_command("HSET", PAGES, damaged, b"damaged")  # type: ignore[no-untyped-call]
        place = len(world.server.requests)
        await scan(watch)
        assert sorted(statuses(world.since(place))) == [200, *[304] * len(others)]
        place = len(world.server.requests)
        await scan(watch)
        assert set(statuses(world.since(place))) == {304}


async def test_an_honest_server_passes_every_audit(world: World) -> None:
    """One scan in twenty is read whole, the others are not."""
    whole = 0
    async with world.watched() as watch:
        for _ in range(2 * AUDIT_EVERY + 1):
            whole += (await scan(watch)).tally.not_modified == 0
    assert whole == 3


async def test_pages_that_are_no_longer_asked_for_are_forgotten(world: World, redis: Redis) -> None:
    """A list that shrinks and grows again to the very page it was is read, and what came back is told."""
    longest = max(world.lists().items(), key=lambda pair: len(pair[1]))[0]
    tail = world.server._order(longest)[PAGE:]
    held = [world.server.items[key] for key in tail]
    async with world.watched("confirm_removal: 1") as watch:
        await scan(watch)
        kept = len(await kept_pages(redis))
        for key in tail:
            world.server.remove(key)
        await scan(watch)
        assert len(await kept_pages(redis)) < kept
        for doc in held:
            world.server.put(doc)
        await scan(watch)
        told = await watch.told()
    assert told.count("driver_jobs.job_driver.removed") == told.count("driver_jobs.job_driver.restored") == len(tail)


async def test_a_poll_that_keeps_nothing_asks_without_condition(world: World, redis: Redis) -> None:
    """A dry run shows what is there now, and leaves what is remembered as it is."""
    async with world.watched() as watch:
        await scan(watch)
        before = await kept_pages(redis)
        world.change(world.anyone())
        place = len(world.server.requests)
        events: list[Any] = []
        await watch.services.scanner.preview(watch.services.sources["drivers"], events.append)
        assert [event.type for event in events] == ["driver_jobs.job_driver.updated"]
        assert not [one for one in world.since(place) if "if-none-match" in one.headers]
        assert await kept_pages(redis) == before


async def test_a_worker_without_its_lease_remembers_nothing(world: World, redis: Redis) -> None:
    """The validator goes through the same fence as the items."""
    async with world.watched() as watch:
        await scan(watch)
        before = await kept_pages(redis)
        world.change(world.anyone())
        asked = asyncio.Event()

        def lose(call: Call, page: int) -> None:
            asked.set()

        world.server.on_call = lose
        world.server.fault(delay=0.1, times=None)
        running = asyncio.create_task(watch.scan())
        await asyncio.wait_for(asked.wait(), 60)
        await redis.set("jobwire:lease:drivers", "99:somebody")
        assert (await running).reason == "fenced"
        assert await kept_pages(redis) == before
