"""One message a day in place of many: what it lists, and that it comes once, whoever looks and whenever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from redis.asyncio import Redis

from monitor.bootstrap import Services
from monitor.errors import StoreUnavailable
from monitor.moments import stamp
from monitor.pipeline.digesting import latest
from monitor.silences import parse_matcher
from monitor.simulator import SlackLookalike
from monitor.simulator.slack_text import lines_of
from monitor.targets.digest import Digest
from tests.installation import Hands, Installation, installed, listing
from tests.integration.pipeline.room import Room, room

DAILY = "digest: {at: '09:00', timezone: Europe/London, days: 7}"
ROUTES = "routes: [{to: [chat], continue: true, group_wait: 0s}, {to: [more], group_wait: 0s}]"


async def a_moment_later(services: Services) -> None:
    """The store's clock has moved: what was kept until now is before whatever is looked at next."""
    db = services.store.db
    began = await db.now_ms()
    while await db.now_ms() <= began:
        await asyncio.sleep(0.001)


async def look(here: Room) -> int:
    """One look at the digests, and everything that is due is sent."""
    await a_moment_later(here.services)
    written = await here.services.consumer.digesting.look()
    await here.turn()
    return written


def digests(slack: SlackLookalike) -> list[str]:
    """The headlines of the digests that people got."""
    return [one.text for one in slack.messages if "Digest" in one.text]


async def test_what_happened_is_told_once_a_day_and_not_when_it_happens(redis: Redis, store_url: str) -> None:
    """The target with a digest is quiet until 09:00, the other of the same events is not; both know each event."""
    async with room(store_url, ROUTES, DAILY) as here:
        assert await look(here) == 0
        kept = await here.tell("failed", "1")
        await here.tell("claimed", "2")
        await here.tell("claimed", "3")
        await here.pass_(hours=23)
        assert (await look(here), len(here.of("chat")), len(here.of("more"))) == (0, 0, 1)
        assert await here.reason_of("chat", kept) == ("suppressed", "kept for the digest")
        await here.pass_(hours=1)
        assert await look(here) == 1
        (payload,) = [one.payload for one in here.slack.messages if "Digest" in one.text]
    lines = lines_of(payload)
    assert lines[0] == "🗓 Digest of 21 Nov 2025: 3 events"
    assert "2 × devrev.job.claimed, 1 × devrev.job.failed" in lines[2]
    assert lines[3].startswith("🟠 Job 1")
    assert "late" not in lines[-1]


async def test_a_day_without_anything_to_say_has_no_digest_and_loses_nothing(redis: Redis, store_url: str) -> None:
    """Nothing is sent; what happens after is in the next, once."""
    async with room(store_url, ROUTES, DAILY) as here:
        for expected in (0, 0, 1, 0):
            assert await look(here) == expected
            await here.wait(days=1)
            if expected == 0 and not here.written and here.hands.now().day == 22:
                await here.tell("claimed")
                await here.turn()
        assert len(digests(here.slack)) == 1


async def test_many_workers_and_restarts_write_one_digest(redis: Redis, store_url: str) -> None:
    """Ten look at once, one of them dies before it can record; a new process the same day writes none."""
    hands = Hands()
    async with room(store_url, ROUTES, DAILY, hands) as here:
        await look(here)
        await here.tell("claimed")
        await here.pass_(days=1)
        await a_moment_later(here.services)
        digesting = here.services.consumer.digesting

        class Dies:
            """A store that is cut off at the very step that writes."""

            mark = digesting.digests.mark

            async def move(self, *_: object) -> bool:
                raise StoreUnavailable("gone")

        with pytest.raises(StoreUnavailable):
            await replace(digesting, digests=Dies(), _done={}).look()  # type: ignore[arg-type]  # what it needs of it
        written = await asyncio.gather(*(replace(digesting, _done={}).look() for _ in range(10)))
        assert sum(written) == 1
        await here.turn()
        assert len(digests(here.slack)) == 1
    async with room(store_url, ROUTES, DAILY, hands) as there:
        assert await look(there) == 0
        await there.pass_(hours=20)
        assert (await look(there), there.slack.messages) == (0, [])


async def test_after_a_downtime_one_digest_covers_it_and_says_that_it_is_late(redis: Redis, store_url: str) -> None:
    """Down from Thursday to Sunday afternoon: one digest, for Sunday, with all that happened, marked late."""
    async with room(store_url, ROUTES, DAILY) as here:
        await look(here)
        await here.tell("claimed")
        await here.pass_(days=3, hours=5)
        assert await look(here) == 1
        (message,) = [one for one in here.slack.messages if "Digest" in one.text]
    assert message.text.startswith("🗓 Digest of 23 Nov 2025: 1 event")
    assert "late: it was due 5 hours before" in lines_of(message.payload)[-1]


async def test_digests_that_could_not_be_sent_become_one_that_names_the_others(redis: Redis, store_url: str) -> None:
    """The target is off for two days: what it gets then is the last digest, and which is missing."""
    async with room(store_url, ROUTES, DAILY) as here:
        await look(here)
        await here.services.store.switch.off("chat")
        for id in ("1", "2"):
            await here.tell("claimed", id)
            await here.pass_(days=1)
            assert await look(here) == 1
        assert digests(here.slack) == []
        await here.services.store.switch.on("chat")
        await here.turn()
        (message,) = [one for one in here.slack.messages if "Digest" in one.text]
    assert message.text.startswith("🗓 Digest of 22 Nov 2025: 1 event")
    assert "those of 21 Nov 2025 could not be sent" in lines_of(message.payload)[-1]


async def test_what_has_ended_by_then_is_told_as_over(redis: Redis, store_url: str) -> None:
    """The condition that is still open is not; what merely happened is neither."""
    async with room(store_url, ROUTES, DAILY) as here:
        await look(here)
        for what, id in (("failed", "1"), ("failed", "2"), ("claimed", "3")):
            await here.tell(what, id)
        await here.pass_(hours=1)
        await here.tell("deleted", "1")
        await here.pass_(hours=1)
        await a_moment_later(here.services)
        event = await here.services.consumer.digesting.as_it_would_be("chat")
        assert event is not None
        states = {(one["type"], one["key"]): one["state"] for one in event.data["details"]["important"]}
    assert {type_.rpartition(".")[2] + key[-1]: state for (type_, key), state in states.items()} == {
        "failed1": "resolved",
        "failed2": "open",
        "claimed3": None,
        "deleted1": None,
    }


async def test_a_digest_can_be_looked_at_before_its_time(redis: Redis, store_url: str) -> None:
    """As it would be now, as often as one likes; the real one comes all the same."""
    async with room(store_url, ROUTES, DAILY) as here:
        await look(here)
        digesting = here.services.consumer.digesting
        assert await digesting.as_it_would_be("chat") is None
        await here.tell("claimed")
        await here.pass_(hours=2)
        await a_moment_later(here.services)
        for _ in range(2):
            event = await digesting.as_it_would_be("chat")
            assert event is not None
            assert event.data["details"]["events"] == {"devrev.job.claimed": 1}
        assert await digesting.as_it_would_be("hook") is None
        await here.pass_(hours=22)
        assert await look(here) == 1


async def test_what_is_silenced_is_in_no_digest(redis: Redis, store_url: str) -> None:
    """A silence keeps its events out of the digest too, and the delivery names it."""
    async with room(store_url, ROUTES, DAILY) as here:
        await look(here)
        now = here.hands.now()
        await here.services.attention.silence(
            [parse_matcher("type=*.*.claimed")], starts_at=now, ends_at=now.replace(hour=20), by="me", comment="noise"
        )
        silenced = await here.tell("claimed")
        await here.pass_(days=1)
        assert await look(here) == 0
        assert (await here.reason_of("chat", silenced))[1].startswith("silence ")


@asynccontextmanager
async def drivers(store_url: str, slack: SlackLookalike, target: str) -> AsyncIterator[Installation]:
    """Two contracts, one that ends in five days and one in fifty, and a target with a digest of them."""

    def row(id: int, end_date: str) -> dict[str, Any]:
        contract = {"id": 9 + id, "end_date": end_date, "start_date": "2025-01-01", "state": "active"}
        return {
            "id": id,
            "kind": "accepted",
            "job": {"title": f"Driver <!channel> {id}"},
            "interviews": [],
            "last_contract": contract | {"job_driver_id": id},
        }

    rows = [row(1, "2025-11-25"), row(2, "2026-01-09")]

    def body(request: web.Request) -> web.Response:
        shown = rows if request.query["by_state"] == "accepted" else []
        return web.json_response({"job_drivers": shown}, headers={"total": str(len(shown))})

    async with listing(body) as (url, _):
        config = (
            f'sources: {{uk: {{provider: driver_jobs, base_url: "{url}", token: t, timezone: Europe/London}}}}\n'
            f"targets: {{chat: {target}}}\negress: {{allow: [127.0.0.0/8]}}\n"
            "routes: [{match: {kind: contract}, to: [chat]}]\n"
        )
        async with installed(store_url, config, Hands(datetime(2025, 11, 20, 9, 0, tzinfo=UTC))) as watch:
            yield watch


@pytest.mark.parametrize("type_", ["slack", "template"])
async def test_the_deadlines_of_the_next_days_are_listed(redis: Redis, store_url: str, type_: str) -> None:
    """Those within the days it looks ahead, whatever rungs were told already; nothing a provider wrote pings."""
    async with SlackLookalike() as slack:
        where = f'webhook_url: "{slack.webhook_url}"'
        if type_ == "template":
            where = f'url: "{slack.webhook_url}", body: {{text: "{{{{ text }}}}"}}'
        async with drivers(store_url, slack, f"{{type: {type_}, {where}, {DAILY}}}") as watch:
            consumer = watch.services.consumer
            await consumer.digesting.look()
            await watch.scan()
            await consumer.ringer.ring()
            await consumer.relay.relay()
            watch.hands.pass_(days=1)
            await a_moment_later(watch.services)
            assert await consumer.digesting.look() == 1
            await consumer.relay.relay()
            await consumer.deliverer.deliver(watch.services.targets["chat"])
        (message,) = slack.messages
    told = "\n".join(lines_of(message.payload))
    assert "1 deadline, 1 event" in told
    assert "in 4 days, 25 Nov 2025: " in told
    assert "9 Jan 2026" not in told
    assert "1 × driver_jobs.contract.expiring" in told
    assert slack.rejected == {}


@pytest.mark.parametrize(
    ("at", "now", "day", "due"),
    [
        ("09:00", "2026-03-28T09:00:00Z", "2026-03-28", "2026-03-28T09:00:00.000Z"),
        ("09:00", "2026-03-29T08:00:00Z", "2026-03-29", "2026-03-29T08:00:00.000Z"),
        ("09:00", "2026-03-29T07:59:59Z", "2026-03-28", "2026-03-28T09:00:00.000Z"),
        ("01:30", "2026-03-29T00:59:59Z", "2026-03-28", "2026-03-28T01:30:00.000Z"),
        ("01:30", "2026-03-29T01:30:00Z", "2026-03-29", "2026-03-29T01:30:00.000Z"),
        ("01:30", "2026-10-25T00:30:00Z", "2026-10-25", "2026-10-25T00:30:00.000Z"),
        ("01:30", "2026-10-25T01:30:00Z", "2026-10-25", "2026-10-25T00:30:00.000Z"),
    ],
)
def test_one_a_day_where_clocks_change(at: str, now: str, day: str, due: str) -> None:
    """An hour that is skipped is as far after the gap, one that is repeated counts the first time."""
    digest = Digest.model_validate({"at": at, "timezone": "Europe/London"})
    found, when = latest(digest, datetime.fromisoformat(now))
    assert (found.isoformat(), stamp(when)) == (day, due)
