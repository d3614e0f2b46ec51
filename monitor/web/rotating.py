"""POST /api/v1/targets/NAME/rotate: a new signing secret, told in this one answer.

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
from monitor.web.problems import Problem, answer
from monitor.web.questions import only


class _Wish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    overlap: Annotated[str, msgspec.Meta(max_length=20)] = "24h"
    kind: Kind | None = None


class Rotating:
    """The handler that rotates."""

    def __init__(self, running: Services) -> None:
        self._running = running

    def routes(self) -> list[web.RouteDef]:
        """Which address is whose."""
        return [web.post("/api/v1/targets/{name}/rotate", self.rotate)]

    async def rotate(self, request: web.Request) -> web.Response:
        """A new secret for a webhook target; what signed until now signs along."""
        only(request)
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


def _wish(body: bytes) -> tuple[_Wish, float]:
    """What the body asks for, and its overlap in seconds; nothing asks for what is usual."""
    try:
        wish = msgspec.json.decode(body or b"{}", type=_Wish)
        return wish, parse_duration(wish.overlap)
    except (msgspec.DecodeError, ValueError):
        raise Problem(400, 'write {"overlap": "24h", "kind": "whsec" or "whsk"}, either may be left out') from None
