"""What a piece of work costs: CPU and wall of this process, CPU of the store; rounds, medians and ratios."""

from __future__ import annotations

import gc
import resource
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from statistics import median

from redis.asyncio import Redis


@dataclass(slots=True)
class Spent:
    """What `items` items cost, in seconds: CPU (user and system) of this process, wall, CPU of the store."""

    items: int = 1
    cpu: float = 0.0
    wall: float = 0.0
    store: float = 0.0

    @property
    def us(self) -> float:
        """CPU an item, in microseconds."""
        return self.cpu / self.items * 1e6

    @property
    def store_us(self) -> float:
        """CPU of the store an item, in microseconds."""
        return self.store / self.items * 1e6

    @property
    def rate(self) -> float:
        """Items a second."""
        return self.items / self.wall


Case = Callable[[], Awaitable[Spent]]


@dataclass(frozen=True, slots=True)
class Rounds:
    """What the cases of a measurement cost, round by round."""

    spent: Mapping[str, Sequence[Spent]] = field(default_factory=dict)

    def middle(self, case: str, figure: str) -> float:
        """The median of one figure of one case."""
        return float(median(getattr(one, figure) for one in self.spent[case]))

    def ratio(self, over: str, under: str, figure: str) -> float:
        """The median, over rounds, of one case's figure over another's in the same round."""
        pairs = zip(self.spent[over], self.spent[under], strict=True)
        return float(median(getattr(one, figure) / getattr(other, figure) for one, other in pairs))


async def interleave(rounds: int, cases: Mapping[str, Case]) -> Rounds:
    """Every case once a round, in turn, so that a busy neighbour meets all of them; the first one alternates."""
    spent: dict[str, list[Spent]] = {name: [] for name in cases}
    for number in range(rounds):
        for name in sorted(cases, reverse=number % 2 == 1):
            gc.collect()
            spent[name].append(await cases[name]())
    return Rounds(spent)


@asynccontextmanager
async def spending(items: int, redis: Redis) -> AsyncIterator[Spent]:
    """Measure the block, which works on so many items; what it gives is filled in at the end."""
    spent = Spent(items)
    store, cpu, wall = await store_cpu(redis), own_cpu(), time.perf_counter()
    yield spent
    spent.wall, spent.cpu = time.perf_counter() - wall, own_cpu() - cpu
    spent.store = await store_cpu(redis) - store


def own_cpu() -> float:
    """Seconds of CPU this process has used, user and system."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def store_cpu(redis: Redis) -> float:
    """Seconds of CPU the store has used."""
    used = await redis.info("cpu")
    return float(used["used_cpu_user"]) + float(used["used_cpu_sys"])


def percentile(values: Sequence[float], share: float) -> float:
    """The value that so large a share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
