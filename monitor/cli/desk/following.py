"""Events as they happen, over HTTP: server-sent events, through cuts and restarts, none lost and none twice.

https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

from monitor.cli.desk.asked import EventsWanted, Line
from monitor.cli.desk.http import LARGEST, Unreachable, server_at
from monitor.cli.options import Where
from monitor.cli.output import note

_QUIET_S = 35.0  # the server says every ten seconds that it is still there
_RETRY_S = 0.5
_LONGEST_RETRY_S = 10.0


class Messages:
    """Bytes of a stream in, its whole messages out: id and data. Half a message at a cut counts for nothing."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0
        self._id = ""
        self._data: list[bytes] = []

    def feed(self, part: bytes) -> Iterator[tuple[str, bytes]]:
        """The messages that are complete with this part."""
        self._size += len(part)
        self._parts.append(part)
        if self._size > LARGEST:
            raise Unreachable("a message of the stream is too long: it is not jobwire's")
        if b"\n" not in part:
            return
        *lines, rest = b"".join(self._parts).split(b"\n")
        self._parts = [rest]
        for line in lines:
            name, _, value = line.removesuffix(b"\r").partition(b":")
            if name == b"id":
                self._id = value.removeprefix(b" ").decode("utf-8", "replace")
            elif name == b"data":
                self._data.append(value.removeprefix(b" "))
            elif not line.strip() and self._data:
                yield self._id, b"\n".join(self._data)
                self._data = []
        self._size = len(rest) + sum(len(one) for one in self._data)


async def follow_served(
    where: Where,
    url: str,
    place: str,
    wanted: EventsWanted,
    show: Callable[[Line], None],
    flush: Callable[[], None],
) -> None:
    """Show events after a place as they come, through restarts of the server, until cancelled."""
    query, told, pause = {"type": wanted.type, "source": wanted.source}, False, _RETRY_S
    async with server_at(where, url, again=True) as server:
        while True:
            messages = Messages()
            try:
                async for part in server.stream("/stream", {**query, "after": place}, _QUIET_S):
                    told, pause = False, _RETRY_S
                    for id, line in messages.feed(part):
                        show(line)
                        place = id
                    flush()
            except Unreachable as error:
                if not told:
                    note(f"{error} Trying again until it answers.")
                told = True
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_RETRY_S)
