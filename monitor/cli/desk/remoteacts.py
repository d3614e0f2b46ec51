"""Questions answered over HTTP, with those that change something, or that try something out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from http import HTTPStatus
from typing import Literal

import msgspec

from monitor.cli.desk.asked import (
    DIGEST,
    Attention,
    Decision,
    EventGiven,
    Kind,
    Line,
    ReplayWanted,
    SampleWanted,
    SilenceWanted,
    Tried,
    values,
)
from monitor.cli.desk.http import Refused, Unreachable, quoted, server_at
from monitor.cli.desk.remote import Asked
from monitor.cli.options import Where
from monitor.errors import UsageError
from monitor.moments import stamp

_NOTHING, _CONFLICT = HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT
_IDS_AT_ONCE = 1000


@asynccontextmanager
async def served(where: Where, url: str) -> AsyncIterator[Remote]:
    """A URL in, the desk of whoever answers there out, for the time of the block."""
    async with server_at(where, url) as server:
        try:
            yield Remote(server)
        except (KeyError, TypeError, AttributeError, msgspec.DecodeError) as error:
            raise Unreachable(
                f"{server.address.root} does not answer as this version of jobwire does "
                f"({type(error).__name__}: {error}): is it another one?"
            ) from error


class Remote(Asked):
    """Everything that commands ask, answered over HTTP."""

    async def attend(self, named: str, word: Attention) -> Sequence[Line]:
        """The conditions as they are now; none where nothing open is named so."""
        snooze = "until-change" if word.until_change else stamp(word.until) if word.until is not None else None
        wish = {"by": word.by, "comment": word.comment, "snooze": snooze, "undo": word.undo}
        path = f"/conditions/{quoted(named, '/')}/ack"
        found = await self._server.call("POST", path, body=wish, also={_NOTHING})
        return self._read(found.body).lines if found.status != _NOTHING else []

    async def silence(self, wanted: SilenceWanted) -> Line:
        """A new silence."""
        wish = {
            "matchers": list(wanted.matchers),
            "starts_at": stamp(wanted.starts_at) if wanted.starts_at is not None else None,
            "ends_at": stamp(wanted.ends_at),
            "by": wanted.by,
            "comment": wanted.comment,
            "until_change": wanted.until_change,
        }
        return (await self._server.call("POST", "/silences", body=wish)).body

    async def expire(self, named: str) -> Literal["over", "over already"] | None:
        """End a silence; None where there is none of this id."""
        before = [values(one) for one in await self.silences()]
        over = any(one["id"] == named and one["state"] == "expired" for one in before)
        found = await self._server.call("DELETE", f"/silences/{quoted(named)}", also={_NOTHING})
        if found.status == _NOTHING:
            return None
        return "over already" if over else "over"

    async def decide(self, source: str, decision: Decision) -> int | None:
        """Release or discard what is held; how many, None where nothing is."""
        path = f"/sources/{quoted(source)}/removals/{decision}"
        found = await self._server.call("POST", path, also={_CONFLICT})
        return int(values(found.body)["count"]) if found.status != _CONFLICT else None

    async def switch(self, target: str, *, on: bool) -> Line:
        """A target enabled or disabled."""
        path = f"/targets/{quoted(target)}/{'enable' if on else 'disable'}"
        return (await self._server.call("POST", path)).body

    async def rotate(self, target: str, overlap: str, kind: Kind | None) -> Line:
        """A new signing secret."""
        with _told():
            wish = {"overlap": overlap, "kind": kind}
            return (await self._server.call("POST", f"/targets/{quoted(target)}/rotate", body=wish)).body

    async def forget(self, target: str) -> bool:
        """Forget the secrets that rotation made; whether there were any."""
        found = await self._server.call("DELETE", f"/targets/{quoted(target)}/secrets")
        return bool(values(found.body)["forgotten"])

    async def replay(self, ids: Sequence[str], target: str | None, *, dry_run: bool) -> Sequence[Line]:
        """Deliveries by their ids, or those of events, and what became of each."""
        found: list[Line] = []
        for start in range(0, len(ids), _IDS_AT_ONCE):
            wish = {"ids": list(ids[start : start + _IDS_AT_ONCE]), "target": target, "dry_run": dry_run}
            found += self._read((await self._server.call("POST", "/deliveries/replay", body=wish)).body).lines
        return found

    async def count(self, wanted: ReplayWanted) -> Line:
        """How much of a choice would be sent again."""
        return await self._replay(wanted, dry_run=True)

    async def replay_since(self, wanted: ReplayWanted) -> Line:
        """Send a choice again; what became of it."""
        return await self._replay(wanted, dry_run=False)

    async def poll(self, source: str, *, dry_run: bool) -> Line:
        """A scan asked for, or what it would make."""
        query = {"dry_run": "true" if dry_run else None}
        return (await self._server.call("POST", f"/sources/{quoted(source)}/poll", query)).body

    async def routed(self, event: EventGiven | SampleWanted) -> Line:
        """Which targets would get an event."""
        wish = (
            {"event": event.values}
            if isinstance(event, EventGiven)
            else {"type": event.type, "source": event.source, "state": event.state}
        )
        return (await self._server.call("POST", "/routes/test", body=wish)).body

    async def preview(self, event: EventGiven | str, target: str) -> Line:
        """The message that a target would get about an event, or DIGEST."""
        with _told():
            if isinstance(event, EventGiven):
                wish = {"event": event.values}
                return (await self._server.call("POST", f"/targets/{quoted(target)}/preview", body=wish)).body
            if event == DIGEST:
                return (await self._server.call("GET", f"/targets/{quoted(target)}/digest")).body
            path = f"/events/{quoted(event)}/preview"
            found = await self._server.call("GET", path, {"target": target}, also={_NOTHING})
        if found.status == _NOTHING:
            raise UsageError(f"no event has the id {event!r}: `jobwire events` lists them; or give a file")
        return found.body

    async def send_test(self, target: str) -> Tried:
        """A message to a target, marked as a test."""
        view = values((await self._server.call("GET", f"/targets/{quoted(target)}")).body)
        found = await self._server.call("POST", f"/targets/{quoted(target)}/test")
        return Tried(found.body, str(view["address"]))

    async def _replay(self, wanted: ReplayWanted, *, dry_run: bool) -> Line:
        wish = {
            "since": stamp(wanted.since),
            "until": stamp(wanted.until),
            "failed": wanted.failed,
            "type": wanted.type,
            "dry_run": dry_run,
        }
        return (await self._server.call("POST", f"/targets/{quoted(wanted.target)}/replay", body=wish)).body


@contextmanager
def _told() -> Iterator[None]:
    """What the server cannot do as things are (409) is bad usage, as it is on the store."""
    try:
        yield
    except Refused as error:
        if error.status != _CONFLICT:
            raise
        raise UsageError(error.detail) from None
