"""A worker's door to the store through which something goes wrong at a chosen command: death, a lost reply, a pause."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

import redis.asyncio

from monitor.bootstrap import Door
from monitor.errors import StoreUnavailable
from monitor.store.connect import pool_of
from monitor.store.db import Arg, Call, Db
from monitor.store.keys import Keys

Meanwhile: TypeAlias = Callable[[], Awaitable[None]]


class Died(BaseException):
    """The process is gone: nothing in it can catch this, and nothing it does afterwards reaches the store."""


class Trouble:
    """What befalls a worker at its command number `at`; nothing by itself. As a door it opens the store with it."""

    def __init__(self, at: int) -> None:
        self.left = at

    @property
    def happened(self) -> bool:
        """Whether the worker lived long enough to meet it."""
        return self.left <= 0

    async def __call__(self, url: str, prefix: str) -> Db:
        return _TroubledDb(url, prefix, self)

    async def pass_(self, command: Any) -> Any:
        """One command on its way to the store; its reply."""
        self.left -= 1
        return await (self.befall(command) if self.left == 0 else command)

    async def befall(self, command: Any) -> Any:
        """The command at which it happens."""
        return await command

    async def over(self) -> None:
        """Returns when it has passed."""


class Death(Trouble):
    """The worker dies: before the command is sent, or after it was done but not `answered`."""

    def __init__(self, at: int, *, answered: bool) -> None:
        super().__init__(at)
        self.answered = answered

    async def pass_(self, command: Any) -> Any:
        if self.happened:
            command.close()
            raise Died
        return await super().pass_(command)

    async def befall(self, command: Any) -> Any:
        await _done_or_not(command, done=self.answered)
        raise Died


class LostReply(Trouble):
    """The connection breaks, the worker lives on: the command is lost on its way, or `done` and its reply is lost."""

    def __init__(self, at: int, *, done: bool) -> None:
        super().__init__(at)
        self.done = done

    async def befall(self, command: Any) -> Any:
        await _done_or_not(command, done=self.done)
        raise StoreUnavailable("the connection broke")


class Fall(Trouble):
    """The store is killed and comes back by `restart`: between two commands, or with one `done` and not answered."""

    def __init__(self, at: int, restart: Meanwhile, *, done: bool) -> None:
        super().__init__(at)
        self.done = done
        self._restart = restart
        self._falling: asyncio.Task[None] | None = None

    async def befall(self, command: Any) -> Any:
        if self.done:
            await command
        await self._fall()
        if not self.done:
            return await command
        raise StoreUnavailable("the connection broke")

    async def over(self) -> None:
        """Returns when the store is back: a worker that ends meanwhile does not wait for it."""
        if self._falling is not None:
            await self._falling

    async def _fall(self) -> None:
        async def fall() -> None:
            await self._restart()

        self._falling = asyncio.create_task(fall())
        await asyncio.shield(self._falling)


class Pause(Trouble):
    """The worker is stopped before the command, `meanwhile` happens, and it goes on as if nothing had been."""

    def __init__(self, at: int, meanwhile: Meanwhile) -> None:
        super().__init__(at)
        self.meanwhile = meanwhile

    async def befall(self, command: Any) -> Any:
        await self.meanwhile()
        return await command


async def _done_or_not(command: Any, *, done: bool) -> None:
    if done:
        await command
    else:
        command.close()


class _TroubledDb(Db):
    """The door itself: every command goes past the trouble, those of one round trip one by one."""

    def __init__(self, url: str, prefix: str, trouble: Trouble) -> None:
        super().__init__(redis.asyncio.Redis(connection_pool=pool_of(url)), Keys(prefix))
        self.trouble = trouble

    async def run(self, command: str, *args: Arg) -> Any:
        return await self.trouble.pass_(super().run(command, *args))

    async def run_all(self, commands: Sequence[Sequence[Arg]]) -> list[Any]:
        reply: list[Any] = await self.trouble.pass_(super().run_all(commands))
        return reply

    async def script(self, name: str, keys: Sequence[str], args: Sequence[Arg]) -> Any:
        return await self.trouble.pass_(super().script(name, keys, args))

    async def scripts(self, calls: Sequence[Call]) -> list[Any]:
        # One by one: a worker may die between two scripts of one round trip, too.
        return [await self.script(call.name, call.keys, call.args) for call in calls]


def dying(at: int, *, answered: bool) -> Door:
    """A door for `bootstrap.services` that dies at command number `at`."""
    return Death(at, answered=answered)
