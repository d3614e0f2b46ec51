"""The one typed door to Redis: commands, pipelines and the scripts beside this file.

Commands of Redis 7.0 at most. Replies are bytes. redis-py's own types are unions of awaitables, so they end here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import redis.asyncio
from redis.exceptions import NoScriptError, OutOfMemoryError, RedisError, ResponseError

from monitor.errors import Fenced, StoreFull, StoreUnavailable
from monitor.store.keys import Keys

_FULL = (
    "the store is full: it has reached its maxmemory and takes nothing more. Raise maxmemory, or free memory on its "
    "server; `jobwire doctor` says how much is used"
)

Arg: TypeAlias = bytes | str | int | float


@dataclass(frozen=True, slots=True)
class Call:
    """One script to run: its name, the keys it touches, its arguments."""

    name: str
    keys: Sequence[str]
    args: Sequence[Arg]


class Db:
    """One pool of connections and the key names of one installation."""

    def __init__(self, client: redis.asyncio.Redis, keys: Keys) -> None:
        self.client = client
        self.keys = keys
        self._scripts = {path.stem: path.read_bytes() for path in Path(__file__).parent.glob("*.lua")}
        self._hashes = {name: hashlib.sha1(body).hexdigest() for name, body in self._scripts.items()}  # noqa: S324 - EVALSHA names scripts by SHA-1

    async def run(self, command: str, *args: Arg) -> Any:
        """One command, its reply out; StoreUnavailable when there is none."""
        try:
            return await self.client.execute_command(command, *args)  # type: ignore[no-untyped-call]  # redis-py is untyped here
        except RedisError as error:
            raise _unavailable(error) from error

    async def run_all(self, commands: Sequence[Sequence[Arg]]) -> list[Any]:
        """Several commands in one round trip, their replies in order."""
        pipeline = self.client.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)
        try:
            return list(await pipeline.execute())
        except RedisError as error:
            raise _unavailable(error) from error

    async def script(self, name: str, keys: Sequence[str], args: Sequence[Arg]) -> Any:
        """Run one of the scripts, loading it again after a restart of the store; Fenced when it refuses the lease."""
        call = Call(name, keys, args)
        try:
            reply = await self.client.execute_command(*self._known(call))  # type: ignore[no-untyped-call]  # redis-py is untyped here
        except RedisError as error:
            reply = error
        return await self._outcome(call, reply)

    async def scripts(self, calls: Sequence[Call]) -> list[Any]:
        """Run several scripts one after the other in one round trip; each as `script` does."""
        pipeline = self.client.pipeline(transaction=False)
        for call in calls:
            pipeline.execute_command(*self._known(call))
        try:
            replies = await pipeline.execute(raise_on_error=False)
        except RedisError as error:
            raise _unavailable(error) from error
        return [await self._outcome(call, reply) for call, reply in zip(calls, replies, strict=True)]

    async def _outcome(self, call: Call, reply: Any) -> Any:
        """The reply, or what it says went wrong; a script that the server does not know is run by its text."""
        if isinstance(reply, NoScriptError):
            _, _, *words = self._known(call)
            try:
                reply = await self.client.execute_command("EVAL", self._scripts[call.name], *words)  # type: ignore[no-untyped-call]  # redis-py is untyped here
            except RedisError as error:
                reply = error
        if isinstance(reply, ResponseError) and str(reply).startswith("FENCED"):
            raise Fenced("another worker took over this scan") from reply
        if isinstance(reply, RedisError):
            raise _unavailable(reply) from reply
        return reply

    def _known(self, call: Call) -> tuple[Arg, ...]:
        """The command that runs a script which the server knows."""
        return ("EVALSHA", self._hashes[call.name], len(call.keys), *call.keys, *call.args)

    async def now_ms(self) -> int:
        """The store's own clock, milliseconds since 1970: the one clock all workers share."""
        seconds, micros = await self.run("TIME")
        return int(seconds) * 1000 + int(micros) // 1000

    async def version(self) -> tuple[int, ...]:
        """The server's Redis version (Valkey names the Redis version it is compatible with)."""
        info = await self.run("INFO", "server")
        return tuple(int(part) for part in str(info.get("redis_version", "0")).split(".")[:2])

    async def close(self) -> None:
        """Give all connections back."""
        await self.client.aclose(close_connection_pool=True)


def _unavailable(error: RedisError) -> StoreUnavailable:
    """A driver error in, ours out, without its text's habit of naming the URL with a password."""
    if isinstance(error, OutOfMemoryError):
        return StoreFull(_FULL)
    return StoreUnavailable(f"Redis did not do what was asked: {type(error).__name__}: {error}")


def text(value: Any) -> str:
    """A reply of bytes (or None) in, text out."""
    return value.decode() if isinstance(value, bytes) else "" if value is None else str(value)


def pairs(reply: Any) -> list[tuple[Any, Any]]:
    """A reply of names with values or scores, as a dict, as pairs or all in one list, in; the pairs out."""
    if isinstance(reply, dict):
        return list(reply.items())
    if reply and isinstance(reply[0], tuple | list):
        return [(name, value) for name, value in reply]
    return list(zip(reply[::2], reply[1::2], strict=True))


def texts(reply: Any) -> dict[str, str]:
    """The same, or None for nothing, in, text by text out."""
    return {text(name): text(value) for name, value in pairs(reply or [])}


def first_score(found: Any) -> float:
    """The first score of a reply WITHSCORES."""
    return float(pairs(found[:2])[0][1])


def counted(values: Sequence[Arg]) -> list[Arg]:
    """A list as scripts take it: its length, then its members."""
    return [len(values), *values]
