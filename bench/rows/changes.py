"""Items that are seen for the first time, and items that have all changed."""

from __future__ import annotations

from collections.abc import Sequence

import aiohttp

from bench.limits import changes as limit
from bench.measure import Rounds, Spent, interleave, spending
from bench.place import Place
from bench.report import Row
from bench.rows.scanning import Watch, watching_list

RATE = 12_000
STORE_US = 20.0
BLOCKED_MS = 10.0


async def first(place: Place) -> Sequence[Row]:
    """First sight of every item: the baseline, which tells nothing."""
    size = place.sizes.changed
    async with watching_list(place, size) as watch, aiohttp.ClientSession() as session:

        async def bare() -> Spent:
            await place.redis.delete("limit:digests", "limit:documents")
            return await _bare(session, watch, told=False)

        async def ours() -> Spent:
            await _forget(watch)
            return await _ours(watch, events=0)

        rounds = await interleave(place.sizes.rounds, {"limit": bare, "ours": ours})
        await _forget(watch)
        blocked = await _blocked(place, watch)
    return _rows(f"first sight of {size:,} items", rounds, blocked)


async def changed(place: Place) -> Sequence[Row]:
    """Every item in another state than before, one event each."""
    size = place.sizes.changed
    async with watching_list(place, size) as watch, aiohttp.ClientSession() as session:
        await limit.take(session, place.redis, watch.url, told=False)
        await watch.scan()
        generations = {"limit": 0, "ours": 0}

        async def turn(case: str) -> None:
            generations[case] += 1
            await watch.show(generations[case])
            await place.redis.delete("limit:events", "jobwire:events")

        async def bare() -> Spent:
            await turn("limit")
            return await _bare(session, watch, told=True)

        async def ours() -> Spent:
            await turn("ours")
            return await _ours(watch, events=size)

        rounds = await interleave(place.sizes.rounds, {"limit": bare, "ours": ours})
        await turn("ours")
        blocked = await _blocked(place, watch)
    return _rows(f"{size:,} items all changed, an event each", rounds, blocked)


async def _bare(session: aiohttp.ClientSession, watch: Watch, *, told: bool) -> Spent:
    async with spending(watch.size, watch.place.redis) as spent:
        written = await limit.take(session, watch.place.redis, watch.url, told=told)
    if written != watch.size:
        raise RuntimeError(f"the limit wrote {written} items of {watch.size}")
    return spent


async def _ours(watch: Watch, events: int) -> Spent:
    async with spending(watch.size, watch.place.redis) as spent:
        report = await watch.scan()
    if report.tally.changed != watch.size or report.tally.events != events:
        raise RuntimeError(f"the scan saw something else than {watch.size} changes: {report.tally}")
    return spent


async def _forget(watch: Watch) -> None:
    """Forget all that is known of the source."""
    keys = [key async for key in watch.place.redis.scan_iter("jobwire:*")]
    if keys:
        await watch.place.redis.delete(*keys)


async def _blocked(place: Place, watch: Watch) -> tuple[float, float]:
    """Milliseconds that a script call of one more scan keeps the store busy: median and 99th percentile.

    The server's own histogram of calls, which costs nothing; all but a handful of the calls are commits.
    """
    await place.redis.config_resetstat()
    await watch.scan()
    stats = (await place.redis.info("latencystats"))["latency_percentiles_usec_evalsha"]
    return float(stats["p50"]) / 1000, float(stats["p99"]) / 1000


def _rows(name: str, rounds: Rounds, blocked: tuple[float, float]) -> list[Row]:
    rate, store = rounds.middle("ours", "rate"), rounds.middle("ours", "store_us")
    return [
        Row(
            f"{name}: CPU",
            "us/item",
            rounds.middle("ours", "us"),
            rounds.middle("limit", "us"),
            rounds.ratio("limit", "ours", "us"),
        ),
        Row(
            "  items a second",
            "/s",
            rate,
            rounds.middle("limit", "rate"),
            rounds.ratio("ours", "limit", "rate"),
            f">= {RATE:,}/s",
            rate >= RATE,
        ),
        Row(
            "  CPU of the store",
            "us/item",
            store,
            rounds.middle("limit", "store_us"),
            rounds.ratio("limit", "ours", "store_us"),
            f"<= {STORE_US:.0f} us",
            store <= STORE_US,
        ),
        Row("  a script call keeps the store busy, p50", "ms", blocked[0]),
        Row("  the same, p99", "ms", blocked[1], None, None, f"<= {BLOCKED_MS:.0f} ms", blocked[1] <= BLOCKED_MS),
    ]
