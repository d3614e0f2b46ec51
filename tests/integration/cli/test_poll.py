"""`jobwire poll`: one scan now, or what one would do."""

from __future__ import annotations

from redis.asyncio import Redis

from monitor.simulator import Simulator
from tests.integration.cli.commands import Jobwire


async def dump(redis: Redis) -> dict[bytes, bytes]:
    """Everything in the store, by key: all but its version, and the budget of a credential, which lapses."""
    names = [key for key in await redis.keys("*") if key != b"jobwire:state" and not key.startswith(b"jobwire:budget:")]
    return {key: await redis.dump(key) for key in names}


async def test_a_dry_run_shows_what_a_scan_would_do(shared: Jobwire, sim: Simulator, redis: Redis) -> None:
    """First the silent baseline with its counts, later the events of each scan, which then makes exactly those.

    What is gone is told by the second complete scan that misses it.
    """
    first = await shared("poll", "drivers", "--dry-run", "--json")
    assert (first.code, await dump(redis)) == (0, {})
    (baseline,) = first.json
    assert list(baseline) == ["source", "scan", "events"]
    assert baseline["scan"]["baseline"]
    assert baseline["events"] == []
    assert sum(baseline["scan"]["counts"]["job_driver"].values()) == len(sim.driver_jobs.items)

    assert (await shared("poll", "drivers")).code == 0
    changed = next(id for id, item in sim.driver_jobs.items.items() if item.get("last_contract"))
    sim.driver_jobs.patch(changed, {"last_contract.end_date": "2031-05-01"})
    sim.driver_jobs.remove(next(id for id in sim.driver_jobs.items if id != changed))
    before = await dump(redis)
    (dry,) = (await shared("poll", "drivers", "--dry-run", "--json")).json
    assert await dump(redis) == before
    (real,) = (await shared("poll", "drivers", "--json")).json
    assert [one["type"] for one in dry["events"]] == ["driver_jobs.contract.updated"]
    assert [one["id"] for one in dry["events"]] == [one["id"] for one in real["events"]]
    assert real["scan"]["complete"]
    removal = await shared("poll", "drivers", "--dry-run")
    assert "driver_jobs.job_driver.removed" in removal.lines[0]
    assert removal.lines[-1].endswith("0 changed, 1 removed; 1 event would be stored; nothing was")


async def test_a_failed_scan_exits_with_1_and_its_reason(shared: Jobwire, sim: Simulator) -> None:
    """What went wrong at the provider, on standard error."""
    sim.bindbee.fault(status=404, times=None)

    done = await shared("poll", "ats")

    assert done.code == 1
    assert "error: the scan failed (not_found)" in done.err
    assert "Traceback" not in done.err
    assert sim.bindbee.token not in done.err


async def test_a_scan_that_runs_elsewhere_is_left_alone(shared: Jobwire, redis: Redis) -> None:
    """Exit code 1 and a line, as nothing was done."""
    await redis.set("jobwire:lease:tax", "7:somebody", px=30_000)

    done = await shared("poll", "tax")

    assert done.code == 1
    assert "tax is being scanned by a worker right now" in done.err
