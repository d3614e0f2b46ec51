"""What somebody asks for with a button of the page; afterwards they are where they were, and read what was done."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import structlog
from aiohttp import web

from monitor.bootstrap import Services, replaying
from monitor.status import Choice, decide_removals
from monitor.status.replay import done as outcome
from monitor.web.pages.render import short
from monitor.web.pages.sayings import SAID, SEAL, Sayings
from monitor.web.problems import Problem

_PAGE = "somebody on the page"
_TICKED = 200
"""Deliveries that one form may name; a page shows fewer."""

_LONGEST = 300


class Acts:
    """The handlers of forms. Who may, and whether a page of ours asks, was seen to before (`monitor.web.guard`)."""

    def __init__(self, running: Services, sayings: Sayings) -> None:
        self._running = running
        self._sayings = sayings
        self._replaying = replaying(running)

    def routes(self) -> list[web.RouteDef]:
        """Which address is whose."""
        return [
            web.post("/do/sources/{name}/poll", self.poll),
            web.post("/do/sources/{name}/removals/{word}", self.removals),
            web.post("/do/targets/{name}/{word}", self.switch),
            web.post("/do/deliveries/{id}/replay", self.replay),
            web.post("/do/deliveries", self.replay_many),
            web.post("/do/conditions/{id}", self.attend),
        ]

    async def poll(self, request: web.Request) -> web.Response:
        """A scan now."""
        name = self._source(request)
        await self._running.store.sources.ask(name, operator=True)
        return self._back(request, f"{name} is scanned as soon as may be")

    async def removals(self, request: web.Request) -> web.Response:
        """Removals that are held: release or discard them."""
        name, word = self._source(request), request.match_info["word"]
        if word not in {"release", "discard"}:
            raise Problem(404, "removals are released or discarded")
        done = await decide_removals(self._running.store.sources, name, "release" if word == "release" else "discard")
        if done is None:
            return self._back(request, f"{name}: nothing is held any more")
        structlog.get_logger().info("removals.decided", source=name, decision=word, by="page")
        return self._back(request, f"{name}: the next complete scan will {word} {done.count:,} removals")

    async def switch(self, request: web.Request) -> web.Response:
        """A target on or off."""
        name, word = request.match_info["name"], request.match_info["word"]
        if name not in self._running.settings.targets or word not in {"enable", "disable"}:
            raise Problem(404, "no target has this name, or this cannot be done with it")
        store = self._running.store
        await (store.switch.on(name) if word == "enable" else store.switch.off(name))
        structlog.get_logger().info("target.switched", target=name, on=word == "enable", by="page")
        return self._back(request, f"{name} is {word}d")

    async def replay(self, request: web.Request) -> web.Response:
        """One delivery again."""
        (found,) = await self._replaying.named([request.match_info["id"]])
        if found.target is None:
            raise Problem(404, "no such delivery is kept any more")
        structlog.get_logger().info("delivery.replayed", delivery=found.id, target=found.target, by="page")
        return self._back(request, f"{found.id} to {found.target}: {found.result}")

    async def replay_many(self, request: web.Request) -> web.Response:
        """Deliveries that were ticked again, or all that were given up at a target."""
        form = await request.post()
        target = str(form.get("failed_of", ""))
        if not target:
            ids = [str(one) for one in form.getall("id", [])][:_TICKED]
            if not ids:
                return self._back(request, "nothing was ticked, so nothing is sent again")
            results = Counter(one.result for one in await self._replaying.named(ids))
        elif target in self._running.settings.targets:
            now_ms = await self._running.store.db.now_ms()
            choice = Choice(target, max(0, now_ms - self._running.store.log.kept_ms), now_ms, failed=True)
            results = Counter((await outcome(target, self._replaying.run(choice))).results)
        else:
            raise Problem(404, "no target has this name")
        structlog.get_logger().info("deliveries.replayed", count=results.total(), results=dict(results), by="page")
        return self._back(
            request, ", ".join(f"{amount:,} {word}" for word, amount in results.items()) or "nothing had failed"
        )

    async def attend(self, request: web.Request) -> web.Response:
        """A condition acknowledged, or put off for an hour or until it changes."""
        named, word = request.match_info["id"], str((await request.post()).get("word", ""))
        attention, now = self._running.attention, self._running.clock.now()
        if word == "acknowledge":
            found = await attention.acknowledge(named, by=_PAGE)
        elif word in {"1h", "change"}:
            until = now + timedelta(hours=1) if word == "1h" else None
            found = await attention.snooze(named, until=until, by=_PAGE)
        else:
            raise Problem(400, "word: acknowledge, 1h or change")
        if not found:
            raise Problem(404, "this is not open any more")
        done = "acknowledged" if word == "acknowledge" else "snoozed"
        return self._back(request, f"{short(found[0].title) or found[0].key}: {done}")

    def _source(self, request: web.Request) -> str:
        name = request.match_info["name"]
        source = self._running.sources.get(name)
        if source is None or not source.options.enabled:
            raise Problem(404, "no source of this name is scanned")
        return name

    def _back(self, request: web.Request, done: str) -> web.Response:
        """To the page that asked, which says what was done; only ever within this site."""
        came = urlsplit(request.headers.get("Referer", "/"))
        safe = came.path if came.path.startswith("/") and not came.path.startswith("//") else "/"
        asked = [pair for pair in parse_qsl(came.query) if pair[0] not in {SAID, SEAL}]
        words = [*asked, *self._sayings.sealed(request, short(done, _LONGEST))]
        raise web.HTTPSeeOther(f"{safe}?{urlencode(words, quote_via=quote, safe='')}")
