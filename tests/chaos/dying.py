"""A worker that dies at a chosen command to the store: before it is sent, or after it was done but not answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import redis.asyncio

from monitor.bootstrap import Door
from monitor.store.connect import pool_of
from monitor.store.db import Arg, Call, Db
from monitor.store.keys import Keys


class Died(BaseException):
    """The process is gone: nothing in it can catch this, and nothing it does afterwards reaches the store."""


class DyingDb(Db):
    """A door to the store that shuts for good at command number `at`, `answered` by the store or not."""

    def __init__(self, url: str, at: int, *, answered: bool) -> None:
        super().__init__(redis.asyncio.Redis(connection_pool=pool_of(url)), Keys())
        self.left = at
        self.answered = answered
        self.dead = False

    async def run(self, command: str, *args: Arg) -> Any:
        return await self._mortal(super().run(command, *args))

    async def run_all(self, commands: Sequence[Sequence[Arg]]) -> list[Any]:
        reply: list[Any] = await self._mortal(super().run_all(commands))
        return reply

    async def script(self, name: str, keys: Sequence[str], args: Sequence[Arg]) -> Any:
        return await self._mortal(super().script(name, keys, args))

    async def scripts(self, calls: Sequence[Call]) -> list[Any]:
        # One by one: a worker may die between two scripts of one round trip, too.
        return [await self.script(call.name, call.keys, call.args) for call in calls]

    async def _mortal(self, call: Any) -> Any:
        if self.dead:
            call.close()
            raise Died
        self.left -= 1
        if self.left > 0:
            return await call
        self.dead = True
        if self.answered:
            await call
        else:
            call.close()
        raise Died


def dying(at: int, *, answered: bool) -> Door:
    """A door for `bootstrap.services` that dies at command number `at`."""

    async def opened(url: str) -> Db:
        return DyingDb(url, at, answered=answered)

    return opened
