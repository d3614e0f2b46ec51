"""The door to Redis at its barest, typed."""

from __future__ import annotations

from typing import Any

from redis.asyncio import Redis


async def call(redis: Redis, *words: str | bytes | int) -> Any:
    """One command, its reply out."""
    return await redis.execute_command(*words)  # type: ignore[no-untyped-call]  # redis-py is untyped here
