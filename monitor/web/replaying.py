"""POST .../replay: what was sent is sent again, by an operator; with an Idempotency-Key once, however often asked."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeAlias, TypeVar

import msgspec
import structlog
from aiohttp import web

from monitor.bootstrap import Services, replaying
from monitor.errors import TargetDisabled, UsageError
from monitor.moments import from_millis, parse_moment, to_millis
from monitor.routing import type_glob
from monitor.status import Choice, ReplayCount, ReplayDone
from monitor.status.replay import Replayed, done, within_reach
from monitor.web.operations import addresses_of, operation
from monitor.web.problems import Problem, answer
from monitor.web.questions import ONCE
from monitor.web.shapes import Listing

_KEY_LIMIT = 255
_LOOK_S = 0.05
_REFUSED = {
    "gone": "its event is older than what is kept: it cannot be sent any more",
    "unconfigured": "the config has no such target any more",
}

W = TypeVar("W")
Beat: TypeAlias = Callable[[], Awaitable[None]]
Work: TypeAlias = Callable[[int, Beat], Awaitable[object]]
"""Does what was asked: what time it is (ms), and what to call now and then while it goes on."""


class ReplayWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is sent again: since when, until when, only what was given up (`failed`), only types that fit a pattern.

    With `dry_run` it is counted, and nothing is sent.
    """

    since: str
    until: str | None = None
    failed: bool = False
    type: str | None = None
    dry_run: bool = False


class NamedWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Ids of deliveries, or of events for all of theirs; only those to `target`. With `dry_run` nothing is sent."""

    ids: Annotated[list[Annotated[str, msgspec.Meta(max_length=200)]], msgspec.Meta(min_length=1, max_length=1000)]
    target: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    dry_run: bool = False


class Replays:
    """The handlers that send again."""

    def __init__(self, running: Services) -> None:
        self._running = running
        self._store = running.store
        self._once = running.store.once
        self._replaying = replaying(running)

    def routes(self) -> list[web.RouteDef]:
        """Which address is whose."""
        return addresses_of(self)

    @operation("POST", "/api/v1/deliveries/{id}/replay", Replayed, status=202, words=(ONCE,), problems=(404, 409, 422))
    async def one(self, request: web.Request) -> web.Response:
        """One delivery again."""
        id = request.match_info["id"]

        async def work(_: int, __: Beat) -> object:
            (found,) = await self._replaying.named([id])
            if found.result == "unknown" or found.target is None:
                raise Problem(404, "no such delivery: /api/v1/deliveries lists those that are kept")
            if found.result == "disabled":
                raise await self._disabled(found.target)
            if found.result in _REFUSED:
                raise Problem(409, _REFUSED[found.result])
            structlog.get_logger().info("delivery.replayed", delivery=found.id, target=found.target)
            return found

        return await self._answered(request, b"", work)

    @operation(
        "POST",
        "/api/v1/deliveries/replay",
        Listing[Replayed],
        status=202,
        words=(ONCE,),
        body=NamedWish,
        problems=(404, 422),
        also=(200, Listing[Replayed]),
    )
    async def named(self, request: web.Request) -> web.Response:
        """Deliveries by their ids, with what became of each; with `dry_run` how each stands, and nothing is sent."""
        body = await request.read()
        wish = _wish(body, NamedWish, '{"ids": ["evt_...", "dlv_..."]}, and as you like "target" and "dry_run": true')
        if wish.target is not None and wish.target not in self._running.settings.targets:
            raise Problem(404, "no target has this name: /api/v1/targets lists them")
        _key(request)  # also where nothing is sent: a key that is refused later is refused now
        if wish.dry_run:
            return answer(Listing(await self._replaying.find(wish.ids, wish.target), None))

        async def work(_: int, __: Beat) -> object:
            found = await self._replaying.named(wish.ids, wish.target)
            structlog.get_logger().info("deliveries.replayed", count=len(found), target=wish.target)
            return Listing(found, None)

        return await self._answered(request, body, work)

    @operation(
        "POST",
        "/api/v1/targets/{name}/replay",
        ReplayDone,
        status=202,
        words=(ONCE,),
        body=ReplayWish,
        problems=(404, 409, 422),
        also=(200, ReplayCount),
    )
    async def many(self, request: web.Request) -> web.Response:
        """What a target was sent since a time, or with `failed` what was given up since; `dry_run` counts it only."""
        name, body = request.match_info["name"], await request.read()
        if name not in self._running.settings.targets:
            raise Problem(404, "no target has this name: /api/v1/targets lists them")
        wish = _wish(body, ReplayWish, '{"since": "2h"}, and as you like "until", "failed": true, "type" and "dry_run"')
        _key(request)  # also where nothing is sent: a key that is refused later is refused now
        if wish.dry_run:
            return answer(await self._replaying.count(self._choice(name, wish, await self._store.db.now_ms())))

        async def work(asked_ms: int, beat: Beat) -> ReplayDone:
            choice = self._choice(name, wish, asked_ms)
            if "disabled" in await self._store.reading.target(name):
                raise await self._disabled(name)
            result = await done(name, self._replaying.run(choice), beat)
            structlog.get_logger().info("target.replayed", target=name, count=result.count, results=result.results)
            return result

        return await self._answered(request, body, work)

    async def _disabled(self, target: str) -> Problem:
        """What is said of a target to which nothing is sent."""
        return Problem(409, str(TargetDisabled(target, (await self._store.reading.backlog(target)).size)))

    def _choice(self, name: str, wish: ReplayWish, now_ms: int) -> Choice:
        moments = [parse_moment(text, from_millis(now_ms)) if text else None for text in (wish.since, wish.until)]
        since, until = (to_millis(one) if one else None for one in moments)
        if since is None or (wish.until and until is None):
            raise Problem(400, f"{'since' if since is None else 'until'}: no time: write 2h or 2026-01-05T09:30:00Z")
        try:
            within_reach(since, now_ms, self._store.log.kept_ms)
        except UsageError as error:
            raise Problem(422, str(error)) from None
        pattern = type_glob(wish.type) if wish.type else None
        return Choice(name, since, now_ms if until is None else until, wish.failed, pattern)

    async def _answered(self, request: web.Request, body: bytes, work: Work) -> web.Response:
        """Do the work, or with an Idempotency-Key that is known, wait for whoever does it and give the same answer."""
        key = _key(request)
        if key is None:
            return answer(await work(await self._store.db.now_ms(), _nothing), 202)
        asked = hashlib.blake2b(request.path.encode() + b"\n" + body, digest_size=16).hexdigest()
        # It ends: whoever does the work either answers, gives up, or lets its lease lapse.
        while (kept := await self._once.begin(key, asked)) is not None:
            if kept.asked != asked:
                raise Problem(422, "this Idempotency-Key was used for another call: take a new one for each")
            if kept.status is not None:
                return answer(kept.body.encode(), kept.status)
            await asyncio.sleep(_LOOK_S)
        try:
            value = msgspec.json.encode(await work(await self._store.db.now_ms(), lambda: self._once.go_on(key)))
        except BaseException:
            await asyncio.shield(self._once.give_up(key))
            raise
        await self._once.end(key, asked, 202, value)
        return answer(value, 202)


def _key(request: web.Request) -> str | None:
    """The caller's key, None where there is none; Problem 400 for one that cannot be kept."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and not 0 < len(key) <= _KEY_LIMIT:
        raise Problem(400, f"Idempotency-Key: 1 to {_KEY_LIMIT} characters, such as a UUID")
    return key


async def _nothing() -> None:
    return


def _wish(body: bytes, type: type[W], usage: str) -> W:
    try:
        return msgspec.json.decode(body, type=type)
    except msgspec.DecodeError:
        raise Problem(400, f"write {usage}") from None
