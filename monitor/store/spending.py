"""Budgets of what a receiver takes, shared by all targets and workers that send to it."""

from __future__ import annotations

from monitor.exchange import Budget
from monitor.store.db import Db


class Spending:
    """The buckets of all budgets; time is the store's."""

    def __init__(self, db: Db) -> None:
        self._db = db

    async def take(self, budget: Budget) -> tuple[float, bool]:
        """Take one; seconds to wait before asking again (0: it is taken), and whether a pause is the reason."""
        return await self._spend(budget, 0.0)

    async def pause(self, budget: Budget, seconds: float) -> None:
        """Nobody takes anything for so long; a longer pause that is there already stays."""
        await self._spend(budget, seconds)

    async def _spend(self, budget: Budget, pause: float) -> tuple[float, bool]:
        name = self._db.keys.budget(budget.name)
        wait_ms, paused = await self._db.script("spend", [name], [budget.rate, budget.burst, round(pause * 1000)])
        return int(wait_ms) / 1000, bool(paused)
