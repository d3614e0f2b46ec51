"""One line for each unit of work, and ids by which lines, stored records and receivers' traces are joined."""

from __future__ import annotations

from redis.asyncio import Redis
from structlog.testing import capture_logs

from tests.integration.pipeline.delivering import working


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
