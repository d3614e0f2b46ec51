"""What would be, tried without consequences: who gets an event, and what; and a message marked as a test."""

from __future__ import annotations

from typing import Any

import msgspec
import structlog
from aiohttp import web

from monitor.answers.preview import MessageView, digest_of, preview_given, preview_stored
from monitor.answers.routetree import ShownRoute, route_tree
from monitor.answers.routing import DecisionsView, checked_event, decided, decisions_view, sample_event
from monitor.answers.trying import TriedView, try_target
from monitor.bootstrap import Services
from monitor.clock import Clock
from monitor.errors import UsageError
from monitor.web.operations import addresses_of, operation
from monitor.web.problems import Problem, answer
from monitor.web.questions import TARGET, Short, one_of, wish_of
from monitor.web.shapes import Listing


class RoutingWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole `event` as /api/v1/events shows it, or its `type` and as you like the `source` and `state` of one."""

    event: dict[str, Any] | None = None
    type: Short | None = None
    source: Short | None = None
    state: Short | None = None


class PreviewWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The event that a message would be about, as /api/v1/events shows it."""

    event: dict[str, Any]


class Trials:
    """The handlers that try things out."""

    def __init__(self, running: Services, clock: Clock | None = None) -> None:
        self._running = running
        self._clock = clock or Clock()

    def routes(self) -> list[web.RouteDef]:
        """Which address is whose."""
        return addresses_of(self)

    @operation("GET", "/api/v1/routes", Listing[ShownRoute])
    async def tree(self, _: web.Request) -> web.Response:
        """The routes in the order of the file, with what they inherit, and what deserves a look."""
        return answer(Listing([one.view() for one in route_tree(self._running.settings)], None))

    @operation("POST", "/api/v1/routes/test", DecisionsView, body=RoutingWish)
    async def test(self, request: web.Request) -> web.Response:
        """Which targets would get an event, and by which route. Nothing is sent."""
        wish, settings = wish_of(await request.read(), RoutingWish), self._running.settings
        if (wish.event is None) == (wish.type is None):
            raise Problem(400, 'write either "event", or "type" and as you like "source" and "state"')
        try:
            event = (
                checked_event(wish.event, "the body")
                if wish.event is not None
                else sample_event(settings, wish.type or "", wish.source, wish.state)
            )
        except UsageError as error:
            raise Problem(400, str(error)) from None
        return answer(decisions_view(decided(settings, event)))

    @operation("GET", "/api/v1/events/{id}/preview", MessageView, words=(TARGET,), problems=(404, 409))
    async def preview(self, request: web.Request) -> web.Response:
        """The exact message that `target` would get about a stored event, without secrets. Nothing is sent."""
        name = one_of(request, "target", self._running.targets)
        if name is None:
            raise Problem(400, "target: say whose message, such as ?target=ops")
        stored = await self._running.store.log.get(request.match_info["id"])
        if stored is None:
            raise Problem(404, "no event of this id is kept: /api/v1/events lists those that are")
        return await self._shown(name, stored.body)

    @operation("POST", "/api/v1/targets/{name}/preview", MessageView, body=PreviewWish, problems=(404,))
    async def previewed(self, request: web.Request) -> web.Response:
        """The exact message that a target would get about the event in the body, without secrets."""
        name, wish = self._target(request), wish_of(await request.read(), PreviewWish)
        target = self._running.targets[name].target
        try:
            event = checked_event(wish.event, "the body")
            return answer(preview_given(self._running.settings, target, name, event, self._clock.now()))
        except UsageError as error:
            raise Problem(400, str(error)) from None

    @operation("GET", "/api/v1/targets/{name}/digest", MessageView, problems=(404, 409))
    async def digest(self, request: web.Request) -> web.Response:
        """The digest of a target as it would be if it were due now. Nothing is sent."""
        name = self._target(request)
        try:
            body = await digest_of(self._running, name)
        except UsageError as error:
            raise Problem(409, str(error)) from None
        return await self._shown(name, body)

    @operation("POST", "/api/v1/targets/{name}/test", TriedView, problems=(404,))
    async def tried(self, request: web.Request) -> web.Response:
        """A message to a target, marked as a test, past routes and queues; `delivered` says whether it took it."""
        name = self._target(request)
        await (
            self._running.rotation.look()
        )  # this process may not have sent for long, and secrets may have been rotated
        found = await try_target(self._running.targets[name], self._clock)
        structlog.get_logger().info("target.tested", target=name, delivered=found.delivered, status=found.status)
        return answer(found)

    async def _shown(self, name: str, body: bytes) -> web.Response:
        target = self._running.targets[name].target
        try:
            return answer(await preview_stored(self._running, target, name, body, self._clock.now()))
        except UsageError as error:
            raise Problem(409, str(error)) from None

    def _target(self, request: web.Request) -> str:
        name = request.match_info["name"]
        if name not in self._running.targets:
            raise Problem(404, "no target has this name: /api/v1/targets lists them")
        return name
