"""One line for each unit of work, and ids by which lines, stored records and receivers' traces are joined."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from monitor.errors import StoreUnavailable
from monitor.events import Event
from monitor.pipeline.telling import EventIds
from monitor.simulator import Receiver
from tests.installation import installed, listing
from tests.integration.pipeline.delivering import Now, working


def page(status: str) -> bytes:
    """A page of three jobs in this state."""
    return json.dumps({"data": [{"id": id, "status": status} for id in "abc"], "next_page_token": ""}).encode()


def news(id: str) -> Event:
    """An event of this id."""
    return Event(id=id, source="/tax", type="worklayer.job.claimed", subject="job/1", time="", sequence="", data={})


async def test_ids_lead_from_a_scan_to_its_source_and_from_an_attempt_to_event_delivery_and_trace(
    redis: Redis, store_url: str
) -> None:
    """What the log names is what commands show and what the receiver got."""
    async with working(store_url, {"hook": ""}) as work:
        with capture_logs() as lines:
            await work.change("a")
            await work.deliver()
        (scan,) = [line for line in lines if line["event"] == "scan.finished"]
        (attempt,) = [line for line in lines if line["event"] == "delivery.attempted"]
        (stored,) = await work.deliveries()
        (arrived,) = work.receivers["hook"].deliveries
        state = await work.services.store.sources.state("tax")

        assert (scan["source"], scan["epoch"], scan["outcome"], scan["events"]) == (
            "tax",
            int(state["epoch"]),
            "complete",
            1,
        )
        assert (attempt["delivery"], attempt["event_id"]) == (stored.id, stored.event)
        assert (arrived.id, arrived.headers["traceparent"].split("-")[1]) == (stored.event, attempt["trace_id"])
        assert {"target", "attempt", "outcome", "status", "ms"} <= attempt.keys()


async def test_one_change_is_followed_by_its_ids_alone(redis: Redis, store_url: str) -> None:
    """An event's id finds its scan and all attempts; what the receiver got finds the attempt that brought it."""
    async with working(store_url, {"hook": "retry: [1s]"}) as work:
        work.receivers["hook"].script([500])
        with capture_logs() as lines:
            await work.change("a", "b")
            await work.deliver()
            await work.due()
            await work.deliver()
        bodies = [arrived for arrived in work.receivers["hook"].deliveries if '"id":"a"' in arrived.body.decode()]

    written = [json.dumps(line) for line in lines]
    found = [json.loads(line) for line in written if bodies[0].id in line]
    scan, *attempts = found
    assert (scan["event"], [one["event"] for one in attempts]) == (
        "scan.finished",
        ["delivery.attempted"] * len(bodies),
    )
    assert {one["delivery"] for one in attempts} == {attempts[0]["delivery"]}
    for arrived, attempt in zip(bodies, attempts, strict=True):
        _, trace, span, _ = arrived.headers["traceparent"].split("-")
        assert (attempt["trace_id"], attempt["span_id"]) == (trace, span)
        (one,) = [line for line in written if span in line]
        assert json.loads(one) == attempt


async def test_a_message_about_several_events_names_them_all(redis: Redis, store_url: str) -> None:
    """Not only the first: every event and delivery of a group is found in the line of the attempt."""
    async with AsyncExitStack() as stack:
        told = await stack.enter_async_context(Receiver([]))
        url, provider = await stack.enter_async_context(listing(page("UNCLAIMED")))
        config = (
            f'sources: {{tax: {{provider: worklayer, base_url: "{url}", token: t}}}}\n'
            f'targets: {{chat: {{type: template, url: "{told.url}", body: "{{{{text | tojson}}}}"}}}}\n'
            "egress: {allow: [127.0.0.0/8]}\n"
            "routes: [{match: {type: 'worklayer.**'}, to: [chat], group_wait: 0s}]\n"
        )
        watch = await stack.enter_async_context(installed(store_url, config, Now()))
        running = watch.services
        await watch.scan()
        provider.body = page("CLAIMED")
        with capture_logs() as lines:
            await watch.scan()
            await running.consumer.relay.relay()
            await running.consumer.deliverer.deliver(running.targets["chat"])

    (scan,) = [line for line in lines if line["event"] == "scan.finished"]
    attempts = [line for line in lines if line["event"] == "delivery.attempted"]
    assert len(scan["event_ids"]) == 3
    named = [id for line in attempts for id in line.get("event_ids", [line["event_id"]])]
    assert sorted(named) == sorted(scan["event_ids"])
    assert len({id for line in attempts for id in line.get("deliveries", [line["delivery"]])}) == 3


def test_many_events_of_a_scan_stand_in_lines_of_a_hundred() -> None:
    """None is missing, and none stands twice."""
    ids = [f"evt_{number}" for number in range(250)]
    with capture_logs() as lines, EventIds("tax", 7) as made:
        for id in ids:
            made.note(news(id))
    assert [len(line["event_ids"]) for line in lines] == [100, 50]
    assert {(line["event"], line["source"], line["epoch"]) for line in lines} == {("scan.events", "tax", 7)}
    assert [*made.first, *lines[0]["event_ids"], *lines[1]["event_ids"]] == ids


def test_a_scan_that_is_broken_off_says_what_it_had_made() -> None:
    """There is no other line about it."""

    def break_off() -> None:
        with EventIds("tax", 7) as made:
            made.note(news("evt_1"))
            raise StoreUnavailable("gone")

    with capture_logs() as lines, pytest.raises(StoreUnavailable):
        break_off()
    (line,) = lines
    assert (line["event"], line["by"], line["event_ids"]) == ("scan.broken_off", "StoreUnavailable", ["evt_1"])
