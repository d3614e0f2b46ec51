"""POST /slack/interactions: clicks on the buttons of our messages, by whoever Slack says has clicked.

Verified before anything is read, acted on once however often Slack sends it, answered at once: what people see is the
message itself, which is edited as soon as the condition is acknowledged or snoozed.
https://docs.slack.dev/interactivity/handling-user-interaction
"""

from __future__ import annotations

import asyncio
import time as clock
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

import msgspec
import structlog
from aiohttp import web

from monitor.bootstrap import Services
from monitor.conditions import Condition
from monitor.errors import TransportError
from monitor.targets.slack_actions import CLICKED, MORNING, TOMORROW, Wish, wish
from monitor.targets.slack_options import SlackOptions
from monitor.targets.slack_people import whisper, whispers_at
from monitor.targets.slack_signature import genuine
from monitor.targets.telling import count
from monitor.web.operations import addresses_of, operation
from monitor.web.problems import Problem
from monitor.web.slack_people import People
from monitor.web.slack_shown import shown_in

ANSWER_WITHIN = 2.0
"""Seconds until Slack gets its answer, which it wants within three, whatever the store does."""

_NAME = 80
_REFUSED = "You may not acknowledge or snooze this here: ask whoever runs jobwire to add you to `users`."
_NEWER = (
    "{news} of this group opened or changed after the message that you clicked was written. That was left as it is."
)
_OVER = "This is over already: there is nothing left to acknowledge or snooze."
_LOST = "Your click could not be recorded, and nothing has changed. Please try again."


class ClickWish(msgspec.Struct, frozen=True):
    """A click as Slack tells it: JSON in a field of a form."""

    payload: str


@dataclass(frozen=True, slots=True)
class _Click:
    """A click that Slack signed: what came, and the targets that it may be about."""

    signature: str
    payload: Mapping[str, Any]
    targets: Mapping[str, SlackOptions]

    @property
    def options(self) -> SlackOptions:
        return next(iter(self.targets.values()))

    @property
    def user(self) -> str:
        return str(self._who.get("id") or "")

    @property
    def by(self) -> str:
        """What whoever clicked is called."""
        return str(self._who.get("name") or self._who.get("username") or self.user or "somebody in Slack")[:_NAME]

    @property
    def answer_at(self) -> str:
        return str(self.payload.get("response_url") or "")

    @property
    def _who(self) -> Mapping[str, Any]:
        user = self.payload.get("user")
        return user if isinstance(user, dict) else {}


class SlackClicks:
    """The handler of clicks."""

    def __init__(self, running: Services) -> None:
        self._running = running
        self._once = running.store.once
        self._people = People(running.targets, clock.monotonic)
        self._working: set[asyncio.Task[None]] = set()

    def routes(self) -> list[web.RouteDef]:
        """Which address is whose."""
        return addresses_of(self)

    @operation("POST", "/slack/interactions", None, body=ClickWish, form=True, problems=(401,), guarded=False)
    async def clicked(self, request: web.Request) -> web.Response:
        """200 for whatever Slack signed, whether there was something to do or not; 401 for everybody else."""
        body = await request.read()
        known = self._signers(request.headers, body)
        if not known:
            structlog.get_logger().warning("slack.refused", remote=request.remote)
            raise Problem(401, "this was not signed by Slack with a signing_secret of ours within five minutes")
        payload = _payload(body)
        wishes = [one for one in map(wish, payload.get("actions") or []) if one is not None]
        if payload.get("type") != "block_actions" or not wishes:
            return web.Response()
        click = _Click(request.headers["X-Slack-Signature"], payload, _meant(known, payload))
        work = asyncio.create_task(self._take(click, wishes))
        self._working.add(work)
        work.add_done_callback(self._working.discard)
        done, _ = await asyncio.wait({work}, timeout=ANSWER_WITHIN)
        if done:
            work.result()
        else:
            # Slack waits for three seconds; what takes longer goes on, and who clicked is told if it fails.
            watching = asyncio.create_task(self._watch(click, work))
            self._working.add(watching)
            watching.add_done_callback(self._working.discard)
        return web.Response()

    async def _take(self, click: _Click, wishes: Sequence[Wish]) -> None:
        """Act on a click, once however often it is sent."""
        key = f"slack {click.signature}"
        if await self._once.begin(key, click.signature) is not None:
            return
        for name, options in click.targets.items():
            if not await self._people.may(name, options, click.user):
                await self._tell(click, _REFUSED)
                return
        for one in wishes:
            await self._act(one, click)
        await self._once.end(key, click.signature, 200, b"")

    async def _watch(self, click: _Click, work: asyncio.Task[None]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001 - whatever it was, somebody believes that it was done
            structlog.get_logger().exception("slack.click_lost", by=click.by, error=str(error))
            await self._tell(click, _LOST)

    def _signers(self, headers: Mapping[str, str], body: bytes) -> dict[str, SlackOptions]:
        """The Slack targets whose signing secret signed this request, by name."""
        found = {}
        for name, setting in self._running.settings.targets.items():
            options = setting.options
            if isinstance(options, SlackOptions):
                secrets = [options.signing_secret] if options.signing_secret else options.signing_secrets
                if genuine(headers, body, [one.get_secret_value() for one in secrets], clock.time()):
                    found[name] = options
        return found

    async def _act(self, one: Wish, click: _Click) -> None:
        attention, now = self._running.attention, self._running.clock.now()
        message = click.payload.get("message")
        shown = await shown_in(one, message if isinstance(message, dict) else {}, self._running)
        found: list[Condition] = []
        for id in shown.conditions:
            if one.choice is None:
                found += await attention.acknowledge(id, by=click.by, comment=CLICKED)
            else:
                until = _until(one, now, click.options.timezone)
                found += await attention.snooze(id, until=until, by=click.by, comment=CLICKED)
        structlog.get_logger().info(
            "slack.clicked",
            by=click.by,
            what=one.choice or "acknowledge",
            conditions=len(shown.conditions),
            newer=shown.newer,
        )
        if shown.newer:
            await self._tell(click, _NEWER.format(news=count(shown.newer, "condition")))
        elif not found:
            await self._tell(click, _OVER)

    async def _tell(self, click: _Click, text: str) -> None:
        """A word to whoever clicked, and nobody else, by the address that Slack gave for that."""
        if not whispers_at(click.answer_at, click.options):
            return
        try:
            await self._running.targets[next(iter(click.targets))].sender.run(whisper(click.answer_at, text))
        except TransportError as error:
            structlog.get_logger().warning("slack.not_told", by=click.by, error=str(error))


def _meant(known: Mapping[str, SlackOptions], payload: Mapping[str, Any]) -> Mapping[str, SlackOptions]:
    """The targets that a click may be about: those of its channel, else all whose secret signed it."""
    return {name: one for name, one in known.items() if _in(one, payload)} or known


def _until(one: Wish, now: datetime, zone: str) -> datetime | None:
    """When a snooze ends; None until it changes."""
    if one.choice == TOMORROW:
        local = ZoneInfo(zone)
        day = now.astimezone(local).date() + timedelta(days=1)
        return datetime.combine(day, time(MORNING), local)
    return now + one.span if one.span else None


def _in(options: SlackOptions, payload: Mapping[str, Any]) -> bool:
    """Whether a click was in this target's channel."""
    channel = payload.get("channel")
    named = {str(channel.get(name)) for name in ("id", "name")} if isinstance(channel, dict) else set()
    return (options.channel or "").removeprefix("#") in named


def _payload(body: bytes) -> dict[str, Any]:
    """The JSON in the form field `payload`; {} for anything else, which Slack does not send."""
    try:
        found = msgspec.json.decode(parse_qs(body.decode(), max_num_fields=10)["payload"][0])
    except (ValueError, KeyError, RecursionError, msgspec.DecodeError):
        return {}
    actions = found.get("actions") if isinstance(found, dict) else None
    if (
        not isinstance(found, dict)
        or not isinstance(actions, list)
        or not all(isinstance(one, dict) for one in actions)
    ):
        return {}
    return found
