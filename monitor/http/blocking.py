"""Calls that block, in threads of their own: bounded in time and number, and never in the way of stopping."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from threading import Thread

from monitor.errors import ConnectFailed, TransportTimeout

MOST = 4
"""Calls of one target that may hang behind our back before no more are begun."""


class Threads:
    """Runs blocking calls one by one in daemon threads, so that one that never returns does not keep the process."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._busy = 0

    async def run(self, call: Callable[[], object], seconds: float) -> object:
        """What the call returns; TransportTimeout after so many seconds, ConnectFailed when it raises.

        What it raises is named by its type alone: its text may quote addresses with passwords.
        """
        if self._busy >= self._most:
            failure = TransportTimeout(f"{self._busy} earlier calls have not returned yet")
            failure.sent = False
            raise failure
        loop = asyncio.get_running_loop()
        result: asyncio.Future[object] = loop.create_future()

        def ended(value: object, error: str | None) -> None:
            self._busy -= 1
            if result.done():
                return
            if error is None:
                result.set_result(value)
            else:
                result.set_exception(ConnectFailed(f"the call failed: {error}"))

        def work() -> None:
            value: object = None
            error: str | None = None
            try:
                value = call()
            except BaseException as raised:  # noqa: BLE001 - whatever a library raises, also SystemExit, ends the call alone
                error = type(raised).__name__
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(ended, value, error)

        self._busy += 1
        Thread(target=work, daemon=True, name="blocking-call").start()
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                return await result
        except TimeoutError:
            raise TransportTimeout(f"the call did not return within {seconds:.1f} s") from None
