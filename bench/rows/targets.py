"""Many targets, of which one refuses connections and one never answers: what the others lose."""

from __future__ import annotations

import socket
from collections.abc import Sequence

from bench.measure import Spent, interleave
from bench.place import Place, sending
from bench.report import Row
from bench.rows.committing import Committer
from bench.rows.consuming import consume

CONCURRENCY = 4
SHARE = 0.95


async def measure(place: Place) -> Sequence[Row]:
    """Deliveries a second of the healthy targets with the two bad ones, against the same without them."""
    sizes, healthy = place.sizes, place.sizes.targets - 2
    expected = healthy * sizes.events_each
    good = [f"{place.stand.url}/sink/0/t{n}" for n in range(healthy)]
    bad = [f"http://127.0.0.1:{_unused_port()}/dead", f"{place.stand.url}/hang/t"]

    async def deliver(urls: Sequence[str]) -> Spent:
        await place.empty()
        async with place.installed(sending(urls, CONCURRENCY, ", timeout: 1s")) as services:
            committer = Committer(services)
            await committer.commit(committer.changes(sizes.events_each))
            spent = await consume(services, place.redis, expected)
        arrived = await place.stand.count()
        if arrived < expected:
            raise RuntimeError(f"{expected} deliveries were due and {arrived} arrived")
        return spent

    cases = {"without": lambda: deliver(good), "with": lambda: deliver([*good[:1], *bad, *good[1:]])}
    rounds = await interleave(sizes.rounds, cases)
    ratio = rounds.ratio("with", "without", "rate")
    return [
        Row(
            f"{sizes.targets:,} targets, one dead, one hanging: others",
            "/s",
            rounds.middle("with", "rate"),
            rounds.middle("without", "rate"),
            ratio,
            f"ratio >= {SHARE}",
            ratio >= SHARE,
        ),
        Row(
            "  CPU a delivery of the others",
            "us each",
            rounds.middle("with", "us"),
            rounds.middle("without", "us"),
            rounds.ratio("without", "with", "us"),
        ),
    ]


def _unused_port() -> int:
    """A port of loopback at which nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
