"""Each provider's documented sample, served as it is and then changed one thing at a time."""

from __future__ import annotations

import copy
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import web
from redis.asyncio import Redis

from tests.installation import Installation, installed, listing, sample

OPTIONS = {
    "driver_jobs": "token: t, by_state: [accepted]",
    "worklayer": "token: t",
    "bindbee": "token: t, connector_token: c",
    "devrev": "token: t",
}
LISTS = {"driver_jobs": "job_drivers", "worklayer": "data", "bindbee": "items", "devrev": "jobs"}


@dataclass(slots=True)
class Served:
    """One provider's sample as a server shows it, and the installation that watches it."""

    provider: str
    document: dict[str, Any]
    watch: Installation

    @property
    def rows(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.document[LISTS[self.provider]]
        return rows

    async def baseline(self) -> None:
        await self.watch.scan()
        await self.watch.services.consumer.ringer.ring()
        await self.watch.news()

    async def events_after(self, change: Callable[[list[dict[str, Any]]], object]) -> list[dict[str, Any]]:
        change(self.rows)
        report = await self.watch.scan()
        assert report.reason is None, report
        return await self.watch.news()


@asynccontextmanager
async def _served(provider: str, store_url: str) -> AsyncIterator[Served]:
    document = sample(provider)
    document |= {"next_page_token": ""} if provider == "worklayer" else {}
    document |= {"cursor": None} if provider == "bindbee" else {}
    document.pop("next_cursor", None)

    def body(_: web.Request) -> web.Response:
        rows = document[LISTS[provider]]
        headers = {"total": str(len(rows)), "per-page": "20"} if provider == "driver_jobs" else {}
        return web.json_response(document, headers=headers)

    async with listing(body) as (url, _):
        config = f'sources: {{it: {{provider: {provider}, base_url: "{url}", {OPTIONS[provider]}}}}}\n'
        async with installed(store_url, config) as watch:
            yield Served(provider, document, watch)


@pytest.fixture(params=sorted(LISTS))
async def served(request: pytest.FixtureRequest, redis: Redis, store_url: str) -> AsyncIterator[Served]:
    """The sample of one provider, on its last page, behind a real server."""
    async with _served(request.param, store_url) as one:
        yield one


@pytest.fixture
async def drivers(redis: Redis, store_url: str) -> AsyncIterator[Served]:
    """The driver-jobs sample."""
    async with _served("driver_jobs", store_url) as one:
        yield one


async def test_first_sight_is_silent_but_for_one_baseline(served: Served) -> None:
    """P9: a source's first scan stores everything and tells one `baselined` event with counts."""
    report = await served.watch.scan()

    events = await served.watch.news()
    assert report.reason is None
    assert [event["type"] for event in events] == ["jobwire.source.baselined"]
    assert events[0]["data"]["details"]["total"] == report.tally.silent


async def test_nothing_is_told_when_nothing_changed(served: Served) -> None:
    """A second look at the same answer parses nothing and tells nothing."""
    await served.baseline()

    report = await served.watch.scan()

    assert (report.tally.changed, await served.watch.news()) == (0, [])


async def test_reordered_keys_and_new_fields_are_no_events(served: Served) -> None:
    """P12, P15: key order and a field that the provider adds make no entity event, and at most one notice."""
    await served.baseline()

    def reorder(rows: list[dict[str, Any]]) -> None:
        for index, row in enumerate(rows):
            rows[index] = {"brand_new": {"a": [1, 2]}, **dict(reversed(row.items()))}

    told = [event["type"] for event in await served.events_after(reorder)]
    assert set(told) <= {"jobwire.source.schema_drift"}
    assert await served.events_after(reorder) == []


@pytest.mark.parametrize(
    ("provider", "field", "before", "after", "type_"),
    [
        ("driver_jobs", "kind", "accepted", "rejected", "driver_jobs.job_driver.rejected"),
        ("worklayer", "status", "CLAIMED", "CLOSED", "worklayer.job.closed"),
        ("bindbee", "status", "OPEN", "CLOSED", "bindbee.job.closed"),
        ("devrev", "state", "completed", "failed", "devrev.job.failed"),
    ],
)
async def test_a_changed_state_is_exactly_one_event(
    provider: str, field: str, before: str, after: str, type_: str, redis: Redis, store_url: str
) -> None:
    """One state changes: one event, named after the new state, with what was before and after."""
    async with _served(provider, store_url) as one:
        await one.baseline()

        events = await one.events_after(lambda rows: rows[0].update({field: after}))

        assert [event["type"] for event in events] == [type_]
        assert events[0]["data"]["state"] == {"before": before, "after": after}
        assert events[0]["data"]["revision"] == 2
        await one.watch.scan()
        assert await one.watch.news() == []


async def test_state_and_fields_changed_together_are_one_event(redis: Redis, store_url: str) -> None:
    """A scan that sees a new state and three new fields makes the state's event with all of them in it."""
    async with _served("worklayer", store_url) as one:
        await one.baseline()

        events = await one.events_after(
            lambda rows: rows[1].update(
                status="UNCLAIMED", name="X", total_amount=300, transmit_time="2026-01-01T00:00:00Z"
            )
        )

        assert [event["type"] for event in events] == ["worklayer.job.unclaimed"]
        assert {change["field"] for change in events[0]["data"]["changes"]} == {"name", "total_amount", "transmit_time"}


async def test_days_to_expire_is_never_an_event(drivers: Served) -> None:
    """P14: the provider counts days down in every contract every day; nothing happened."""
    await drivers.baseline()

    def midnight(rows: list[dict[str, Any]]) -> None:
        for row in rows:
            row["last_contract"]["days_to_expire"] -= 1

    assert await drivers.events_after(midnight) == []


async def test_a_nested_interview_change_is_seen_though_the_parent_did_not_move(drivers: Served) -> None:
    """A nested interview's state is compared by value, whatever the parent's updated_at says."""
    await drivers.baseline()

    events = await drivers.events_after(lambda rows: rows[0]["interviews"][0].update(status="scheduled"))

    assert [event["type"] for event in events] == ["driver_jobs.interview.scheduled"]
    assert events[0]["data"]["resource"]["parent"] == "it/job_driver/370"


async def test_a_renewal_is_told_on_both_contracts(drivers: Served) -> None:
    """A new pending contract is `created`, and `renewal_offered` on the present one, whose revision stays."""
    await drivers.baseline()
    offered = {
        "id": 301,
        "days_to_expire": 90,
        "end_date": "2026-03-20",
        "start_date": "2025-12-21",
        "state": "pending",
    }

    events = await drivers.events_after(lambda rows: rows[2].update(pending_contract=offered))

    assert [(event["type"], event["subject"], event["data"]["revision"]) for event in events] == [
        ("driver_jobs.contract.created", "contract/301", 1),
        ("driver_jobs.contract.renewal_offered", "contract/297", 1),
    ]
    assert [one["key"] for one in events[1]["data"]["related"]] == ["it/contract/301"]


async def test_a_new_driver_brings_its_contracts_along_in_one_event(drivers: Served) -> None:
    """What a new job_driver brings is listed in its `created` and has no events of its own."""
    await drivers.baseline()
    new = copy.deepcopy(drivers.rows[0])
    new["id"] = 400
    new["last_contract"]["id"], new["pending_contract"]["id"], new["interviews"][0]["id"] = 410, 411, 412

    events = await drivers.events_after(lambda rows: rows.append(new))

    assert [event["type"] for event in events] == ["driver_jobs.job_driver.created"]
    assert {one["key"] for one in events[0]["data"]["related"]} == {
        "it/contract/410",
        "it/contract/411",
        "it/interview/412",
    }


async def test_removal_takes_two_complete_scans_and_a_return_is_restored(drivers: Served) -> None:
    """P3, P18: absence is told after two complete scans; the return continues the revisions."""
    await drivers.baseline()
    away = drivers.rows.pop(1)

    assert await drivers.events_after(lambda rows: None) == []
    (removed,) = await drivers.events_after(lambda rows: None)
    (restored,) = await drivers.events_after(lambda rows: rows.append(away))

    assert (removed["type"], removed["data"]["revision"]) == ("driver_jobs.job_driver.removed", 2)
    assert removed["data"]["state"] == {"before": "accepted", "after": None}
    assert [one["key"] for one in removed["data"]["related"]] == ["it/contract/300"]
    assert (restored["type"], restored["data"]["revision"]) == ("driver_jobs.job_driver.restored", 3)


async def test_an_emptied_list_is_held_and_removes_nothing(drivers: Served) -> None:
    """P2, P4: all items gone at once is more than the limit: told once as held, and nothing is removed."""
    await drivers.baseline()
    kept = list(drivers.rows)

    first = await drivers.events_after(lambda rows: rows.clear())
    later = [event for _ in range(3) for event in await drivers.events_after(lambda rows: None)]
    back = await drivers.events_after(lambda rows: rows.extend(kept))

    assert [event["type"] for event in first] == ["jobwire.source.removals_held"]
    assert (later, back) == ([], [])


async def test_a_vanished_interview_is_removed_after_two_scans_though_the_item_did_not_change_again(
    drivers: Served,
) -> None:
    """A resource missing inside an item is counted by complete scans like an item, also when nothing else moves."""
    await drivers.baseline()

    first = await drivers.events_after(lambda rows: rows[0]["interviews"].clear())
    second = await drivers.events_after(lambda rows: None)

    assert (first, [event["type"] for event in second]) == ([], ["driver_jobs.interview.removed"])
    assert await drivers.events_after(lambda rows: None) == []


async def test_an_unknown_state_is_an_event_and_told_once_as_drift(served: Served) -> None:
    """A state that nobody documented works like any other and raises one schema_drift for the source and state."""
    await served.baseline()
    field = {"driver_jobs": "kind", "worklayer": "status", "bindbee": "status", "devrev": "state"}[served.provider]
    kind = "job_driver" if served.provider == "driver_jobs" else "job"

    events = await served.events_after(lambda rows: rows[0].update({field: "ON_FIRE"}))
    again = await served.events_after(lambda rows: rows[0].update({field: "x"}))
    third = await served.events_after(lambda rows: rows[0].update({field: "ON_FIRE"}))

    assert [event["type"] for event in events] == [f"{served.provider}.{kind}.on_fire", "jobwire.source.schema_drift"]
    assert [event["type"] for event in again][:1] == [f"{served.provider}.{kind}.x"]
    assert [event["type"] for event in third] == [f"{served.provider}.{kind}.on_fire"]


@pytest.mark.parametrize(
    "broken",
    [b"<html><title>502 Bad Gateway</title></html>", b'{"unexpected": true}', b"[]", b"{", b"null", b'"text"', b""],
    ids=["html", "other", "list", "cut", "null", "text", "empty"],
)
async def test_a_broken_answer_is_a_failed_scan_and_no_event(broken: bytes, served: Served) -> None:
    """P1: what is not the documented list fails the scan with a reason; nothing is removed or changed."""
    await served.baseline()
    intact = json.dumps(served.document)

    async with listing(broken) as (url, _):
        config = f'sources: {{it: {{provider: {served.provider}, base_url: "{url}", {OPTIONS[served.provider]}}}}}\n'
        async with installed(store_from(served), config) as other:
            other.slots = served.watch.slots
            report = await other.scan()
            served.watch.slots = other.slots

    assert report.reason in ("unexpected_answer", "unavailable")
    assert report.error
    await served.watch.scan()
    assert await served.watch.news() == []
    assert json.dumps(served.document) == intact


def store_from(served: Served) -> str:
    """The URL of the store that the installation works on."""
    pool = served.watch.services.store.db.client.connection_pool
    return f"unix://{pool.connection_kwargs['path']}"
