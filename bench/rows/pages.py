"""Sweeping a list of which every page is as it was: vouched for by a 304, or by its own bytes."""

from __future__ import annotations

from collections.abc import Sequence

import aiohttp

from bench.limits import pages as limit
from bench.measure import Rounds, Spent, interleave, spending
from bench.place import Place
from bench.report import Row
from bench.rows.scanning import pages_of

US = 4.0


async def measure(place: Place) -> Sequence[Row]:
    """CPU an item of both, against bare GETs of the same pages, conditional ones and plain ones."""
    await place.stand.prepare(pages_of(place.sizes.items), 0)
    names = {"304": "pages that are a 304", "plain": "pages with the same bytes"}
    return [row for case, name in names.items() for row in _rows(name, await _rounds(place, case))]


async def _rounds(place: Place, case: str) -> Rounds:
    size = place.sizes.items
    url = f"{place.stand.url}/{size}" + ("/plain" if case == "plain" else "")
    config = (
        f'sources: {{it: {{provider: driver_jobs, base_url: "{url}", token: t, by_state: application, '
        "every: 60s, removal_limit: 1}}\n"
    )
    await place.empty()
    async with place.installed(config) as services, aiohttp.ClientSession() as session:
        slots = iter(range(1, 1000))

        async def scan() -> int:
            report = await services.scanner.scan(services.sources["it"], next(slots), force=True)
            if report.reason or report.tally.items != size:
                raise RuntimeError(f"the scan was not complete: {report}")
            return report.tally.not_modified + report.tally.repeated

        async def ours() -> Spent:
            async with spending(size, place.redis) as spent:
                vouched = await scan()
            if vouched != size // 100:
                raise RuntimeError(f"only {vouched} pages were taken as they are")
            return spent

        async def bare() -> Spent:
            async with spending(size, place.redis) as spent:
                read = await limit.read(session, url, size // 100, conditional=case == "304")
            if (read == 0) != (case == "304"):
                raise RuntimeError(f"{read} bytes were read")
            return spent

        await scan()
        return await interleave(place.sizes.rounds, {"limit": bare, "ours": ours})


def _rows(name: str, rounds: Rounds) -> list[Row]:
    us = rounds.middle("ours", "us")
    return [
        Row(
            f"{name}: CPU",
            "us/item",
            us,
            rounds.middle("limit", "us"),
            rounds.ratio("limit", "ours", "us"),
            f"<= {US:.0f} us",
            us <= US,
        ),
        Row("  CPU of the store", "us/item", rounds.middle("ours", "store_us")),
    ]
