"""/metrics: what Prometheus reads, counted in the store, so that every process tells the same."""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from redis.asyncio import Redis

from monitor.store import totals
from monitor.store.fleet import ALIVE_MS, Fleet, WorkerFacts
from monitor.store.lanes import Attempt, Settled
from monitor.web.families import FAMILIES
from tests.integration.web.serving import Served, jobs, served

PROMTOOL, PROMETHEUS = shutil.which("promtool"), shutil.which("prometheus")
LUA = Path(totals.__file__).with_name("settle.lua")
LABELS = {"source", "target", "version", "state", "outcome", "answer", "severity", "what", "le"}
NO_PROMETHEUS = "prometheus is not installed (apt-get install it; .ci/run does)"


async def text_of(at: Served) -> str:
    """What is told now."""
    async with at.http.get(at.url + "/metrics") as answer:
        assert answer.status == 200, await answer.text()
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        return await answer.text()


async def told(at: Served) -> dict[str, float]:
    """Every sample by its name and labels."""
    samples = [line.rsplit(" ", 1) for line in (await text_of(at)).splitlines() if not line.startswith("# ")]
    return {name: float(value) for name, value in samples}


async def changed(at: Served) -> None:
    """The source is scanned twice and three jobs have changed in between; their events are in lanes."""
    await at.watch.scan()
    at.listing.body = jobs("a", "b", "c", status="CLAIMED")
    await at.watch.scan()
    await at.watch.services.consumer.relay.relay()


async def attempted(at: Served, verdict: str, status: int | None, ms: int) -> list[Settled]:
    """One lane of `ops` is attempted with this outcome; what was recorded."""
    lanes = at.watch.services.store.lanes
    (one,) = await lanes.claim("ops", lease_ms=60_000, limit=1, take=1)
    attempt = Attempt(1, "2026-01-05T09:30:00Z", status, ms, None, '"status":999,"ms":999', "127.0.0.1")
    made = [Settled(one, verdict, 60.0, [(one.waiting[0].id, attempt)])]
    await lanes.settle("ops", made)
    return made


async def test_every_line_is_of_a_declared_family_and_labels_are_few(redis: Redis, store_url: str) -> None:
    """Each family is declared once, before its samples; label names are those of a short list."""
    async with served(store_url) as at:
        await changed(at)
        await attempted(at, "delivered", 204, 12)
        lines = (await text_of(at)).splitlines()

    declared = [line.split()[2] for line in lines if line.startswith("# TYPE ")]
    assert declared == [name for name in FAMILIES if name in declared]
    assert set(FAMILIES) - set(declared) <= {name for name in FAMILIES if re.search("quota|expiry|reload|by_ver", name)}
    for line in lines:
        if not line.startswith("# "):
            found = re.fullmatch(r"(jobwire_[a-z_]+?)(_bucket|_sum|_count)?(?:\{(.*)\})? [0-9.e+-]+", line)
            assert found, line
            assert found[1] in FAMILIES or found[1] + (found[2] or "") in FAMILIES, line
            assert set(re.findall(r'(\w+)="', found[3] or "")) <= LABELS, line


async def test_scans_are_counted_as_they_end(redis: Redis, store_url: str) -> None:
    """By outcome, with what they saw and cost; a failed one counts as what it failed for."""
    async with served(store_url) as at:
        await changed(at)
        at.listing.status = 500
        await at.watch.scan()
        found = await told(at)

    assert found['jobwire_scans_total{source="tax",outcome="complete"}'] == 2
    assert sum(value for name, value in found.items() if name.startswith("jobwire_scans_total")) == 3
    assert found['jobwire_scan_seconds_count{source="tax"}'] == 3
    assert found['jobwire_scan_items_total{source="tax"}'] == 6
    assert found['jobwire_scan_changes_total{source="tax"}'] == 6
    assert found['jobwire_scan_events_total{source="tax"}'] == 3
    assert found['jobwire_scan_requests_total{source="tax"}'] >= 3
    assert found['jobwire_scan_received_bytes_total{source="tax"}'] > 0
    assert found['jobwire_source_items{source="tax"}'] == 3
    assert found['jobwire_source_up{source="tax"}'] == 0
    assert found['jobwire_source_stale_after_seconds{source="tax"}'] == 3 * 3600
    assert found["jobwire_events_total"] == 4


async def test_attempts_are_counted_once_by_outcome_and_answer(redis: Redis, store_url: str) -> None:
    """A record that is written twice counts once; what an answer quotes is not mistaken for a figure."""
    async with served(store_url) as at:
        await changed(at)
        made = await attempted(at, "delivered", 204, 12)
        await at.watch.services.store.lanes.settle("ops", made)
        await attempted(at, "retry", None, 15_000)
        await attempted(at, "failed", 404, 120_000)
        found = await told(at)

    def attempts(outcome: str, answer: str) -> float:
        return found[f'jobwire_attempts_total{{target="ops",outcome="{outcome}",answer="{answer}"}}']

    assert (attempts("delivered", "2xx"), attempts("retry", "none"), attempts("failed", "4xx")) == (1, 1, 1)
    assert found['jobwire_attempt_seconds_bucket{target="ops",le="0.05"}'] == 1
    assert found['jobwire_attempt_seconds_bucket{target="ops",le="10"}'] == 1
    assert found['jobwire_attempt_seconds_bucket{target="ops",le="15"}'] == 2
    assert found['jobwire_attempt_seconds_bucket{target="ops",le="60"}'] == 2
    assert found['jobwire_attempt_seconds_bucket{target="ops",le="+Inf"}'] == 3
    assert found['jobwire_attempt_seconds_sum{target="ops"}'] == 135.012
    assert found['jobwire_target_backlog{target="ops"}'] == 2


async def test_an_arrival_is_counted_by_how_long_ago_its_change_was_seen(redis: Redis, store_url: str) -> None:
    """From the event's place in the log, by the store's clock; a replay is no late arrival."""
    async with served(store_url) as at:
        await changed(at)
        store = at.watch.services.store
        claimed = await store.lanes.claim("ops", lease_ms=60_000, limit=4, take=1)
        old, again, *_ = names = [store.db.keys.delivery(one.waiting[0].id) for one in claimed]
        long_ago = f"{await store.db.now_ms() - 2_000_000}-0"
        await store.db.run("HSET", old, "stream", long_ago)
        await store.db.run("HSET", again, "stream", long_ago, "replays", 1)
        attempt = Attempt(1, "2026-01-05T09:30:00Z", 200, 5, None, "", "127.0.0.1")
        await store.lanes.settle(
            "ops", [Settled(one, "delivered", 0.0, [(one.waiting[0].id, attempt)]) for one in claimed]
        )
        assert len(names) == 4
        found = await told(at)

    assert found['jobwire_delivery_seconds_bucket{target="ops",le="1800"}'] == 2
    assert found['jobwire_delivery_seconds_bucket{target="ops",le="3600"}'] == 3
    assert found['jobwire_delivery_seconds_count{target="ops"}'] == 3
    assert found['jobwire_delivery_seconds_sum{target="ops"}'] >= 2000


def test_the_script_and_its_reader_share_their_limits() -> None:
    """A limit that one of them has alone would lose what is counted by it."""
    (limits,) = re.findall(r"local limits = \{([^}]*)\}", LUA.read_text())
    assert tuple(int(one) for one in limits.split(",")) == totals.AFTER_MS
    assert totals.AFTER_MS[: len(totals.TOOK_MS)] == totals.TOOK_MS


async def test_steps_that_lag_are_told(redis: Redis, store_url: str) -> None:
    """An event that nobody has put into lanes ages; the work counts as late after half a minute."""
    async with served(store_url) as at:
        await at.watch.scan()
        assert (await told(at))["jobwire_relay_lag_seconds"] < 30
        db = at.watch.services.store.db
        await db.run("DEL", db.keys.events)
        await db.run("XADD", db.keys.events, "1000-0", "id", "evt_1", "type", "jobwire.test", "body", "{}")
        found = await told(at)

    assert found["jobwire_relay_lag_seconds"] > 1000
    assert found['jobwire_work_late{what="steps"}'] == 1


async def test_conditions_are_counted_by_severity(redis: Redis, store_url: str) -> None:
    """What has not ended, whoever has it."""
    async with served(store_url) as at:
        await at.watch.scan()
        at.listing.status = 401
        await at.watch.scan()
        await at.watch.services.consumer.relay.relay()
        found = await told(at)

    assert sum(value for name, value in found.items() if name.startswith("jobwire_conditions{")) == 1
    assert sum(v for n, v in found.items() if n.startswith("jobwire_conditions{") and 'state="open"' in n) == 1


async def test_workers_are_counted_while_they_beat(redis: Redis, store_url: str) -> None:
    """By version; the config is well only when it is for all of them; who is silent does not count."""
    async with served(store_url) as at:
        db = at.watch.services.store.db
        fleet, now_ms = Fleet(db), await db.now_ms()
        assert (await told(at))["jobwire_workers"] == 0
        await fleet.beat(
            "w1", WorkerFacts("1.0", config_ok=True, config_at=now_ms - 5000, seen_at=now_ms, lag_worst=2.5)
        )
        await fleet.beat("w2", WorkerFacts("1.1", config_ok=False, config_at=now_ms, seen_at=now_ms))
        await fleet.beat("w3", WorkerFacts("0.9", config_ok=True, config_at=1, seen_at=now_ms - ALIVE_MS - 1))
        await fleet.beat("w4", WorkerFacts("0.8", config_ok=True, config_at=1, seen_at=1))
        found = await told(at)

        assert found["jobwire_workers"] == 2
        assert found['jobwire_workers_by_version{version="1.1"}'] == 1
        assert found['jobwire_loop_lag_seconds{what="workers"}'] == 2.5
        assert found['jobwire_loop_lag_seconds{what="web"}'] >= 0
        assert found["jobwire_config_last_reload_successful"] == 0
        assert found["jobwire_config_last_reload_success_timestamp_seconds"] == (now_ms - 5000) / 1000
        assert sorted(await db.run("HKEYS", db.keys.workers)) == [b"w1", b"w2", b"w3"], "w4 died long ago"
        await fleet.leave("w2")

        assert (await told(at))["jobwire_config_last_reload_successful"] == 1


@pytest.mark.skipif(PROMTOOL is None, reason=NO_PROMETHEUS)
async def test_promtool_finds_nothing_to_say(redis: Redis, store_url: str) -> None:
    """`promtool check metrics`: the format, and the names by Prometheus's own conventions."""
    async with served(store_url) as at:
        await changed(at)
        await attempted(at, "delivered", 204, 12)
        text = await text_of(at)
    checking = await asyncio.create_subprocess_exec(
        str(PROMTOOL), "check", "metrics", stdin=asyncio.subprocess.PIPE, stdout=-1, stderr=-1
    )
    out, err = await checking.communicate(text.encode())
    assert (checking.returncode, out.decode() + err.decode()) == (0, "")


@pytest.mark.skipif(PROMETHEUS is None, reason=NO_PROMETHEUS)
async def test_a_real_prometheus_scrapes_it(redis: Redis, store_url: str, tmp_path: Path) -> None:
    """With a token, as an operator configures it; what was counted can be asked for."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with served(store_url, web=", tokens: [t0ken]") as at:
        await changed(at)
        config = tmp_path / "prometheus.yml"
        config.write_text(
            "global: {scrape_interval: 1s}\n"
            "scrape_configs: [{job_name: jobwire, authorization: {credentials: t0ken}, "
            f"static_configs: [{{targets: ['{at.url.removeprefix('http://')}']}}]}}]\n"
        )
        log = (tmp_path / "log").open("wb")
        options = (f"--config.file={config}", f"--storage.tsdb.path={tmp_path}/data")
        process = await asyncio.create_subprocess_exec(
            str(PROMETHEUS), *options, f"--web.listen-address=127.0.0.1:{port}", stdout=log, stderr=log
        )
        try:
            found = await asked(at, f"http://127.0.0.1:{port}", "jobwire_scans_total", process)
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()
            log.close()

    assert [(one["metric"]["source"], one["metric"]["outcome"], one["value"][1]) for one in found] == [
        ("tax", "complete", "2")
    ]


async def asked(at: Served, url: str, query: str, process: asyncio.subprocess.Process) -> list[dict[str, Any]]:
    """What Prometheus answers to a query, as soon as it answers something."""
    async with asyncio.timeout(90):
        while True:
            assert process.returncode is None
            try:
                async with at.http.get(f"{url}/api/v1/query", params={"query": query}) as answer:
                    found: list[dict[str, Any]] = (await answer.json())["data"]["result"] if answer.ok else []
                    if found:
                        return found
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)
