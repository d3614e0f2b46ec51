"""POST /slack/interactions: clicks on the buttons of our messages, by whoever Slack says has clicked.

Verified before anything is read, acted on once however often Slack sends it, answered at once: what people see is the
message itself, which is edited as soon as the condition is acknowledged or snoozed.
https://docs.slack.dev/interactivity/handling-user-interaction
"""

from __future__ import annotations

import asyncio
import time as clock
from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import msgspec
import structlog
from aiohttp import web

from monitor.bootstrap import Services
from monitor.errors import TransportError
from monitor.exchange import Exchange, Request, Response, ask
from monitor.targets.slack_actions import CLICKED, MORNING, TOMORROW, Wish, wish
from monitor.targets.slack_options import SlackOptions
from monitor.targets.slack_signature import genuine
from monitor.web.operations import addresses_of, operation
from monitor.web.problems import Problem

_NAME = 80


class ClickWish(msgspec.Struct, frozen=True):
    """A click as Slack tells it: JSON in a field of a form."""

    payload: str


class SlackClicks:
    """The handler of clicks."""

    def __init__(self, running: Services) -> None:
        self._running = running
        self._once = running.store.once
        self._telling: set[asyncio.Task[None]] = set()

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
        signature = request.headers["X-Slack-Signature"]
        if await self._once.begin(f"slack {signature}", signature) is not None:
            return web.Response()
        name, options = next(
            ((name, one) for name, one in known.items() if _in(one, payload)), next(iter(known.items()))
        )
        user = payload.get("user") if isinstance(payload.get("user"), dict) else {}
        assert isinstance(user, dict)  # noqa: S101 - seen to in the line before
        if options.users and user.get("id") not in options.users:
            self._refuse(name, options, str(payload.get("response_url") or ""))
            return web.Response()
        by = str(user.get("name") or user.get("username") or user.get("id") or "somebody in Slack")[:_NAME]
        for one in wishes:
            await self._act(one, by, options)
        await self._once.end(f"slack {signature}", signature, 200, b"")
        return web.Response()

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

    async def _act(self, one: Wish, by: str, options: SlackOptions) -> None:
        attention, now = self._running.attention, self._running.clock.now()
        ids = one.conditions or await self._open_in(one.group or "")
        for id in ids:
            if one.choice is None:
                await attention.acknowledge(id, by=by, comment=CLICKED)
            else:
                await attention.snooze(id, until=_until(one, now, options.timezone), by=by, comment=CLICKED)
        structlog.get_logger().info("slack.clicked", by=by, what=one.choice or "acknowledge", conditions=len(ids))

    async def _open_in(self, group: str) -> list[str]:
        """The ids of what is open in a group (`target/lane`)."""
        ledgers = (await self._running.store.conditions.all()).values()
        return [
            one.id
            for ledger in ledgers
            for one in ledger.open
            if any(f"{place.target}/{place.lane}" == group and not place.left for place in one.places)
        ]

    def _refuse(self, name: str, options: SlackOptions, url: str) -> None:
        """Tell whoever may not click, and nobody else, by the address that Slack gave for that; later, not now."""
        host = urlsplit(url).hostname or ""
        if not (host == "slack.com" or host.endswith(".slack.com") or host == urlsplit(options.api_url).hostname):
            return
        task = asyncio.create_task(self._tell(name, url))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _tell(self, name: str, url: str) -> None:
        try:
            await self._running.targets[name].sender.run(_ephemeral(url))
        except TransportError as error:
            structlog.get_logger().warning("slack.refusal_not_told", target=name, error=str(error))


def _ephemeral(url: str) -> Exchange[Response]:
    text = "You may not acknowledge or snooze this here: ask whoever runs jobwire to add you to `users`."
    body = msgspec.json.encode({"response_type": "ephemeral", "replace_original": False, "text": text})
    headers = {"content-type": "application/json; charset=utf-8"}
    return (yield from ask(Request("POST", url, headers=headers, body=body, authorise=False, idempotent=False)))


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
