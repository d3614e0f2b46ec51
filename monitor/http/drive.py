"""How a generator of requests is run: each step is answered, each transport error is thrown into it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from monitor.errors import TransportError
from monitor.exchange import Answer, Exchange, Response, Step

T = TypeVar("T")


async def drive(exchange: Exchange[T], answer: Callable[[Step], Awaitable[Answer]]) -> T:
    """An exchange in, its result out: `answer` answers each step, its TransportErrors are thrown in."""
    try:
        step = next(exchange)
        while True:
            try:
                reply = await answer(step)
            except TransportError as error:
                step = exchange.throw(error)
            else:
                step = exchange.send(reply)
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        exchange.close()


async def together(requests: Sequence[Awaitable[Response]]) -> tuple[Response, ...]:
    """All at once, answers in order; the first failure cancels the rest and is raised."""
    tasks = [asyncio.ensure_future(request) for request in requests]
    try:
        return tuple(await asyncio.gather(*tasks))
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
