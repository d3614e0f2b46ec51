"""/api/v1/conditions and /api/v1/silences: what is open and who has it, said and read over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, TypeVar

import msgspec
from aiohttp import web

from monitor.bootstrap import Services
from monitor.errors import UsageError
from monitor.moments import parse_instant
from monitor.silences import parse_matcher
from monitor.status import ConditionView, SilenceView, condition_view, condition_views, silence_view, silence_views
from monitor.values import parse_duration
from monitor.web.operations import addresses_of, operation
from monitor.web.problems import Problem, answer
from monitor.web.questions import AFTER, ALL, LIMIT, SOURCE, Short, after, cursor, limit_of, one_of, wish_of
from monitor.web.reading import Page
from monitor.web.shapes import Listing

T = TypeVar("T")
Long = Annotated[str, msgspec.Meta(max_length=2000)]


class AckWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who has it, or puts it off (`snooze`: a time, a moment or `until-change`), or has it no more (`undo`)."""

    by: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    comment: Long = ""
    snooze: Short | None = None
    undo: bool = False


class SilenceWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is silenced, until when (`ends_at` or `for`), by whom and why."""

    matchers: Annotated[list[Long], msgspec.Meta(min_length=1, max_length=50)]
    by: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    comment: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
    ends_at: Short | None = None
    starts_at: Short | None = None
    for_: Short | None = msgspec.field(name="for", default=None)
    until_change: bool = False


class Attending:
    """The handlers for conditions and silences."""

    def __init__(self, running: Services) -> None:
        self._running = running

    def routes(self) -> list[web.RouteDef]:
        """Which address is whose."""
        return addresses_of(self)

    @operation("GET", "/api/v1/conditions", Listing[ConditionView], words=(SOURCE, ALL, LIMIT, AFTER))
    async def conditions(self, request: web.Request) -> web.Response:
        """What is open, what nobody has first; with `all=1` also what ended lately."""
        source, every = one_of(request, "source", self._running.sources), one_of(request, "all", ("0", "1"))
        ledgers, now = await self._running.store.conditions.all(), self._running.clock.now()
        found = condition_views(ledgers, now, every=every == "1", source=source)
        return answer(_part(request, found, lambda one: (one.opened_at, one.id)))

    @operation("POST", "/api/v1/conditions/{id:.+}/ack", Listing[ConditionView], body=AckWish, problems=(404,))
    async def ack(self, request: web.Request) -> web.Response:
        """Somebody has it, or puts it off (`snooze`), or does not have it any more (`undo`)."""
        named, word, now = request.match_info["id"], wish_of(await request.read(), AckWish), self._running.clock.now()
        attention = self._running.attention
        if word.undo:
            found = await attention.reopen(named, by=word.by, comment=word.comment)
        elif word.snooze is not None:
            until = None if word.snooze == "until-change" else _moment("snooze", word.snooze, now, now)
            found = await attention.snooze(named, until=until, by=word.by, comment=word.comment)
        else:
            found = await attention.acknowledge(named, by=word.by, comment=word.comment)
        if not found:
            raise Problem(404, "nothing open has this id or key: /api/v1/conditions lists what is open")
        return answer(Page([condition_view(one, now) for one in found]))

    @operation("GET", "/api/v1/silences", Listing[SilenceView], words=(LIMIT, AFTER))
    async def silences(self, request: web.Request) -> web.Response:
        """The silences, those that count now first."""
        found = silence_views(await self._running.store.silences.all(), self._running.clock.now())
        return answer(_part(request, found, lambda one: (one.created_at, one.id)))

    @operation("POST", "/api/v1/silences", SilenceView, status=201, body=SilenceWish)
    async def silence(self, request: web.Request) -> web.Response:
        """A new silence."""
        wish, now = wish_of(await request.read(), SilenceWish), self._running.clock.now()
        begins = _moment("starts_at", wish.starts_at, now, now) if wish.starts_at else now
        if (wish.for_ is None) == (wish.ends_at is None):
            raise Problem(400, 'write either "for", such as "2h", or "ends_at"')
        end = _moment("ends_at", wish.ends_at or wish.for_ or "", begins, now)
        try:
            made = await self._running.attention.silence(
                [parse_matcher(one) for one in wish.matchers],
                starts_at=begins,
                ends_at=end,
                by=wish.by,
                comment=wish.comment,
                until_change=wish.until_change,
            )
        except (ValueError, UsageError) as error:
            raise Problem(400, str(error)) from None
        return answer(silence_view(made, now), 201)

    @operation("DELETE", "/api/v1/silences/{id}", SilenceView, problems=(404,))
    async def expire(self, request: web.Request) -> web.Response:
        """A silence ends now."""
        found = await self._running.attention.unsilence(request.match_info["id"])
        if found is None:
            raise Problem(404, "no silence has this id: /api/v1/silences lists them")
        return answer(silence_view(found, self._running.clock.now()))


def _part(request: web.Request, found: list[T], place_of: Callable[[T], tuple[str, str]]) -> Page:
    """As much of a list as was asked for, from behind the place that `after` stands for.

    Lists are cut by what stays as it is (when it began, its id), so that what is acknowledged between two pages is
    neither left out nor comes twice. A part is in the order of the list.
    """
    begin, limit = after(request, tuple[str, str]), limit_of(request)
    places = sorted(place for place in map(place_of, found) if begin is None or place > begin)
    chosen = set(places[:limit])
    more = cursor(places[limit - 1]) if len(places) > limit else None
    return Page([one for one in found if place_of(one) in chosen], more)


def _moment(name: str, text: str, begins: datetime, now: datetime) -> datetime:
    """A moment or a duration in, the moment out."""
    moment = parse_instant(text)
    try:
        moment = moment or begins + timedelta(seconds=parse_duration(text))
    except (ValueError, OverflowError):
        raise Problem(400, f"{name}: write a moment such as 2026-01-05T09:00:00Z, or a time such as 2h") from None
    if name != "starts_at" and moment <= now:
        raise Problem(400, f"{name}: that is over already")
    return moment
