"""POST: a scan as soon as may be, asked for by an operator, or by a provider's own webhook.

A webhook is verified and then believed in nothing: all it does is to have a look taken. However many ask before a
scan begins, that one scan answers; one more is made for those who ask while it runs.
"""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import structlog
from aiohttp import web

from monitor.answers.scanning import ScanView, scan_dry
from monitor.bootstrap import Services
from monitor.moments import from_millis, stamp
from monitor.web.operations import addresses_of, operation
from monitor.web.problems import Problem, answer
from monitor.web.questions import DRY, HOOK, one_of
from monitor.web.shapes import AskedView, ChallengeView
from monitor.web.signatures import verified

LARGEST_BODY = 1_000_000
DRY_S = 60.0
"""How long a dry run may take: somebody waits for it."""

EVENTS_SHOWN = 1000
"""How many events of a dry run are told."""


class Asking:
    """The handlers that ask for scans."""

    def __init__(self, running: Services, dry_s: float = DRY_S) -> None:
        self._running = running
        self._dry_s = dry_s
        self._looking = asyncio.Lock()

    def routes(self) -> list[web.RouteDef]:
        """Which address is whose."""
        return addresses_of(self)

    @operation(
        "POST",
        "/api/v1/sources/{name}/poll",
        AskedView,
        status=202,
        words=(DRY,),
        problems=(404, 409, 504),
        also=(200, ScanView),
    )
    async def poll(self, request: web.Request) -> web.Response:
        """A scan now, also where credentials were rejected; with `dry_run` what one would make, and nothing is stored.

        Of the events that it would make the first 1,000 are shown, and `scan.events` counts all of them.
        """
        name, dry = request.match_info["name"], one_of(request, "dry_run", ("false", "true")) == "true"
        source = self._running.sources.get(name)
        if source is None:
            raise Problem(404, "no source has this name: /api/v1/sources lists them")
        if not source.options.enabled:
            raise Problem(409, "this source is disabled in the config: it is not scanned")
        return await (self._dry(name) if dry else self._asked(name, operator=True))

    @operation(
        "POST",
        "/hooks/{name}",
        AskedView,
        status=202,
        words=(HOOK,),
        problems=(401, 404),
        guarded=False,
        also=(200, ChallengeView),
    )
    async def hook(self, request: web.Request) -> web.Response:
        """A scan now, because the provider says that something changed."""
        name = request.match_info["name"]
        source = self._running.sources.get(name)
        secret = source.options.hook_secret if source else None
        if source is None or secret is None or not secret.get_secret_value():
            raise Problem(404, "no source of this name takes webhooks: set its hook_secret")
        body = await request.read()
        provider = source.provider.vocabulary.provider
        if not verified(provider, request.headers, body, secret):
            structlog.get_logger().warning("hook.refused", source=name, remote=request.remote)
            raise Problem(401, "the webhook does not prove that it knows the hook_secret")
        challenge = _challenge(body) if provider == "devrev" else None
        if challenge is not None:
            return answer(ChallengeView(challenge))
        return await self._asked(name, operator=False)

    async def _dry(self, name: str) -> web.Response:
        if self._looking.locked():
            raise Problem(503, "another dry run is under way: one at a time", Retry_After="5")
        try:
            async with self._looking, asyncio.timeout(self._dry_s):
                return answer((await scan_dry(self._running, name, EVENTS_SHOWN)).view())
        except TimeoutError:
            raise Problem(
                504, f"the source takes longer than {self._dry_s:g} s: run `jobwire poll --dry-run`"
            ) from None

    async def _asked(self, name: str, *, operator: bool) -> web.Response:
        at = await self._running.store.sources.ask(name, operator=operator)
        structlog.get_logger().info("scan.asked", source=name, by="operator" if operator else "hook")
        return answer(AskedView(name, stamp(from_millis(at))), 202)


def _challenge(body: bytes) -> str | None:
    """What DevRev wants to hear back when a webhook is set up (https://developer.devrev.ai/public/guides/webhooks)."""
    try:
        said: Any = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return None
    verify = said.get("verify") if isinstance(said, dict) and said.get("type") == "verify" else None
    challenge = verify.get("challenge") if isinstance(verify, dict) else None
    return challenge if isinstance(challenge, str) else None
