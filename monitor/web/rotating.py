"""POST /api/v1/targets/NAME/rotate: a new signing secret, told in this one answer; and forgetting those made so.

It hands out a secret, so it is there only where callers prove themselves: with `web.tokens`.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from aiohttp import web

from monitor.bootstrap import Services
from monitor.errors import UsageError
from monitor.targets.signature import Kind
from monitor.values import parse_duration
from monitor.web.operations import addresses_of, operation
from monitor.web.problems import Problem, answer
from monitor.web.shapes import ForgottenView, RotatedView


class RotateWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long the old secret signs along, and of which kind the new one is (as the old, if not given)."""

    overlap: Annotated[str, msgspec.Meta(max_length=20)] = "24h"
    kind: Kind | None = None


class Rotating:
    """The handlers that rotate."""

    def __init__(self, running: Services) -> None:
        self._running = running

    def routes(self) -> list[web.RouteDef]:
        """Which address is whose."""
        return addresses_of(self)

    @operation("POST", "/api/v1/targets/{name}/rotate", RotatedView, status=201, body=RotateWish, problems=(404, 409))
    async def rotate(self, request: web.Request) -> web.Response:
        """A new secret for a webhook target; what signed until now signs along."""
        if not self._running.settings.web.tokens:
            raise Problem(403, "this answer would hold a secret: set web.tokens, or use `jobwire target rotate`")
        name = request.match_info["name"]
        if name not in self._running.settings.targets:
            raise Problem(404, "no target has this name: /api/v1/targets lists them")
        wish, overlap = _wish(await request.read())
        try:
            made = await self._running.rotation.rotate(name, overlap, wish.kind)
        except UsageError as error:
            raise Problem(409, str(error)) from None
        return answer(made.told(), 201)

    @operation("DELETE", "/api/v1/targets/{name}/secrets", ForgottenView, problems=(404, 409))
    async def forget(self, request: web.Request) -> web.Response:
        """What rotation made is forgotten: a target signs with the secrets of the config again."""
        name = request.match_info["name"]
        if name not in self._running.settings.targets:
            raise Problem(404, "no target has this name: /api/v1/targets lists them")
        try:
            return answer(ForgottenView(name, await self._running.rotation.forget(name)))
        except UsageError as error:
            raise Problem(409, str(error)) from None


def _wish(body: bytes) -> tuple[RotateWish, float]:
    """What the body asks for, and its overlap in seconds; nothing asks for what is usual."""
    try:
        wish = msgspec.json.decode(body or b"{}", type=RotateWish)
        return wish, parse_duration(wish.overlap)
    except (msgspec.DecodeError, ValueError):
        raise Problem(400, 'write {"overlap": "24h", "kind": "whsec" or "whsk"}, either may be left out') from None
