"""Traces at a real receiver of OTLP over HTTP, read by OpenTelemetry's own messages: they arrive, and ids join."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1 import trace_pb2
from redis.asyncio import Redis
from structlog.testing import capture_logs

from monitor.simulator import Receiver
from tests.installation import SECRET, Installation, installed, listing
from tests.integration.pipeline.delivering import Now
from tests.integration.web.serving import served as serving
from tests.servers import served
from tests.stores import until

DEAD = "http://127.0.0.1:1"


def values(attributes: Any) -> dict[str, Any]:
    """Attributes as plain values."""

    def value(one: KeyValue) -> Any:
        return getattr(one.value, str(one.value.WhichOneof("value")))

    return {one.key: value(one) for one in attributes}


@dataclass(slots=True)
class Collector:
    """What arrived: the requests as they were, and the spans in them."""

    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    status: int = 200

    async def answer(self, request: web.Request) -> web.Response:
        assert (request.method, request.path) == ("POST", "/v1/traces")
        assert request.content_type == "application/x-protobuf"
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        self.bodies.append(await request.read())
        return web.Response(status=self.status)

    def requests(self) -> Iterator[ExportTraceServiceRequest]:
        for body in self.bodies:
            one = ExportTraceServiceRequest()
            one.ParseFromString(body)
            yield one

    async def hears(self, scans: int) -> None:
        """Wait until an attempt, the event above it and so many scans are there."""
        wanted = {"deliver hook": 1, "event worklayer": 1, "scan tax": scans}
        await until(lambda: all(len(self.spans(name)) >= count for name, count in wanted.items()))

    def resource(self) -> dict[str, Any]:
        return values(next(self.requests()).resource_spans[0].resource.attributes)

    def spans(self, name: str) -> list[trace_pb2.Span]:
        """The spans of a name that begins so, in the order in which they began."""
        found = [
            span
            for request in self.requests()
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
            if span.name.startswith(name)
        ]
        return sorted(found, key=lambda span: span.start_time_unix_nano)


@dataclass(slots=True)
class World:
    """A job that changes, an installation that tells a receiver, and the collector that it was told of."""

    watch: Installation
    receiver: Receiver
    provider: Any

    async def change(self, status: str) -> None:
        """The job changes, is scanned, and is told."""
        self.provider.body = jobs(status)
        await self.watch.scan()
        running = self.watch.services
        await running.consumer.relay.relay()
        await running.consumer.deliverer.deliver(running.targets["hook"])


def jobs(status: str) -> bytes:
    """A page of one job."""
    return json.dumps({"data": [{"id": "a", "status": status}], "next_page_token": ""}).encode()


@asynccontextmanager
async def traced(store_url: str, telemetry: str) -> AsyncIterator[World]:
    """An installation with this section `telemetry`, one job that was seen, and one webhook with a secret address."""
    async with listing(jobs("UNCLAIMED")) as (url, provider), Receiver([SECRET]) as receiver:
        config = (
            f'sources: {{tax: {{provider: worklayer, base_url: "{url}", token: a-provider-token}}}}\n'
            f'targets: {{hook: {{type: webhook, url: "{receiver.url}?key=in-the-query", secret: "{SECRET}"}}}}\n'
            "egress: {allow: [127.0.0.0/8]}\n"
            "routes: [{match: {type: 'worklayer.**'}, to: [hook]}]\n"
            f"telemetry: {telemetry}\n"
        )
        async with installed(store_url, config, Now()) as watch:
            await watch.scan()
            yield World(watch, receiver, provider)


async def test_scan_event_and_attempt_arrive_and_their_ids_join(redis: Redis, store_url: str) -> None:
    """The receiver's `traceparent` names the attempt's span, below the event's, which the scan is linked with."""
    collector = Collector()
    async with served(collector.answer) as url:
        with capture_logs() as lines:
            async with traced(store_url, f'{{otlp: "{url}", headers: {{x-api-key: collector-key}}}}') as world:
                await world.change("CLAIMED")
                await collector.hears(scans=2)
        (arrived,) = world.receiver.deliveries

    (attempt,), (event,) = collector.spans("deliver hook"), collector.spans("event worklayer")
    _, scan = collector.spans("scan tax")
    _, trace, span, flags = arrived.headers["traceparent"].split("-")
    assert (attempt.trace_id.hex(), attempt.span_id.hex(), flags) == (trace, span, "01")
    assert (event.trace_id, event.span_id, event.parent_span_id) == (attempt.trace_id, attempt.parent_span_id, b"")
    assert [(link.trace_id, link.span_id) for link in scan.links] == [(event.trace_id, event.span_id)]
    assert scan.trace_id != event.trace_id
    for one in (scan, event, attempt):
        assert 0 < one.start_time_unix_nano <= one.end_time_unix_nano

    (line,) = [line for line in lines if line["event"] == "delivery.attempted"]
    assert (line["trace_id"], line["span_id"], line["event_id"]) == (trace, span, arrived.id)
    (line,) = [line for line in lines if line.get("event_ids") == [arrived.id]]
    assert (line["event"], line["trace_id"]) == ("scan.finished", scan.trace_id.hex())


async def test_attributes_say_what_was_done_in_the_words_of_the_standard(redis: Redis, store_url: str) -> None:
    """HTTP's as the semantic conventions name them, ours under `jobwire.`; who sends stands in the resource."""
    collector = Collector()
    async with served(collector.answer) as url:
        async with traced(store_url, f'{{otlp: "{url}"}}') as world:
            await world.change("CLAIMED")
            await collector.hears(scans=2)
        (arrived,) = world.receiver.deliveries

    (attempt,), (event,) = collector.spans("deliver"), collector.spans("event worklayer")
    said = values(attempt.attributes)
    assert attempt.kind == trace_pb2.Span.SPAN_KIND_CLIENT
    assert attempt.status.code == trace_pb2.Status.STATUS_CODE_UNSET
    assert said["http.request.method"] == "POST"
    assert said["http.response.status_code"] in {200, 204}
    assert (said["server.address"], said["server.port"]) == ("127.0.0.1", int(world.receiver.url.split(":")[2][:5]))
    assert (said["jobwire.target"], said["jobwire.attempt"], said["jobwire.outcome"]) == ("hook", 1, "delivered")
    assert values(event.attributes) == {
        "jobwire.event.id": arrived.id,
        "jobwire.event.type": "worklayer.job.claimed",
        "jobwire.source": "tax",
    }
    scan = values(collector.spans("scan")[-1].attributes)
    assert [scan[f"jobwire.scan.{name}"] for name in ("outcome", "changed", "epoch")] == ["complete", 1, 2]
    resource = collector.resource()
    assert (resource["service.name"], resource["service.namespace"]) == ("jobwire", "jobwire")
    assert resource["service.instance.id"] == world.watch.services.scanner.owner


async def test_nothing_secret_goes_to_a_collector(redis: Redis, store_url: str) -> None:
    """No query, no path, no token, no secret, no body; its own key goes to it in the header alone."""
    collector = Collector()
    telemetry = '{otlp: "%s", headers: {x-api-key: collector-key}}'
    async with served(collector.answer) as url, traced(store_url, telemetry % url) as world:
        await world.change("CLAIMED")
        await collector.hears(scans=2)
    sent = b"".join(collector.bodies)
    assert b"deliver hook" in sent
    for secret in ("in-the-query", "a-provider-token", SECRET, "collector-key", "UNCLAIMED"):
        assert secret.encode() not in sent
    assert {headers["x-api-key"] for headers in collector.headers} == {"collector-key"}


async def test_what_fails_is_an_error_with_a_short_word(redis: Redis, store_url: str) -> None:
    """A receiver's 500 and a provider's answer that is none; texts, which may quote, stay in our own log."""
    collector = Collector()
    async with served(collector.answer) as url, traced(store_url, f'{{otlp: "{url}"}}') as world:
        world.receiver.script([500])
        await world.change("CLAIMED")
        world.provider.status = 500
        await world.watch.scan()
        await collector.hears(scans=3)

    (attempt,), scan = collector.spans("deliver"), collector.spans("scan")[-1]
    for one, word in ((attempt, "500"), (scan, "unavailable")):
        assert one.status.code == trace_pb2.Status.STATUS_CODE_ERROR
        assert (one.status.message, values(one.attributes)["error.type"]) == (word, word)
    assert values(attempt.attributes)["jobwire.outcome"] == "retry"


async def test_a_collector_that_is_not_there_harms_nothing(redis: Redis, store_url: str) -> None:
    """Everything is scanned and told; what became of the spans is counted, and the log has a line, not a flood."""
    with capture_logs() as lines:
        async with traced(store_url, f'{{otlp: "{DEAD}"}}') as world:
            for status in ("CLAIMED", "DONE", "PAID"):
                await world.change(status)
            assert len(world.receiver.deliveries) == 3
            exporter = world.watch.services.exporter
    assert exporter is not None
    assert exporter.counts().sent == 0
    assert len([line for line in lines if line["event"].startswith("telemetry.")]) <= 2


async def test_without_the_section_nothing_is_sent(redis: Redis, store_url: str) -> None:
    """There is no exporter at all."""
    async with traced(store_url, "{}") as world:
        await world.change("CLAIMED")
        assert world.watch.services.exporter is None


async def test_sent_and_dropped_spans_are_counted_for_prometheus(redis: Redis, store_url: str) -> None:
    """Workers add to totals in the store, so that every process tells the same."""
    async with serving(store_url) as at:
        fleet = at.watch.services.store.fleet
        await fleet.count_spans(7, 0)
        await fleet.count_spans(1, 2)
        async with at.http.get(at.url + "/metrics") as answer:
            text = await answer.text()
    assert 'jobwire_spans_total{outcome="sent"} 8\n' in text
    assert 'jobwire_spans_total{outcome="dropped"} 2\n' in text


def test_without_the_library_check_says_what_to_install(tmp_path: Path) -> None:
    """With the place in the file; a file that asks for no traces is good all the same."""
    program = """
import sys
from pathlib import Path
sys.modules["opentelemetry"] = None
from monitor.settings import check
print(*check(Path(sys.argv[1]), {}).problems, sep="\\n")
"""
    said = []
    for telemetry in ("otlp: http://127.0.0.1:4318", ""):
        path = tmp_path / "jobwire.yaml"
        path.write_text(f"sources: {{tax: {{provider: worklayer, token: t}}}}\ntelemetry:\n  {telemetry}\n")
        done = subprocess.run(
            [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True, timeout=120
        )
        said.append(done.stdout.strip())
    assert "jobwire.yaml:2:" in said[0] or "jobwire.yaml:3:" in said[0]
    assert "pip install -r requirements-extras.lock" in said[0]
    assert said[1] == ""
