"""Slack messages in, Slack's own answers and a list of what people would see out.

One server plays an incoming webhook and the Web API methods chat.postMessage, chat.update, chat.delete and auth.test.
"""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl

from aiohttp import web

from monitor.simulator import slack_rules
from monitor.simulator.limits import Bucket
from monitor.simulator.script import Replies, Reply, Script
from monitor.simulator.slack_messages import SlackMessage, Workspace, failed
from monitor.simulator.wire import Listener, send

WEBHOOK_PATH = "/services/T0SIMULATED/B0SIMULATED/x0simulatedx0simulatedx0"
WEBHOOK_CHANNEL = "C0WEBHOOK"


class SlackLookalike:
    """A Slack workspace on a real socket that knows the documented limits, rates and error strings.

    ``token`` is the bot token it wants (None: any). With ``enforce_rate`` a channel takes 1 message a second after a
    burst of ``burst``, and edits 50 a minute, then 429. ``channels`` are those that exist (None: any), ``archived``
    those that are closed, ``usergroups`` who belongs to which group. ``on_message`` is called for each message and edit
    that Slack takes. ``rejected`` counts the answers by error string.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        token: str | None = None,
        on_message: Callable[[SlackMessage], None] | None = None,
        enforce_rate: bool = False,
        burst: int = 5,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.token = token
        self.enforce_rate = enforce_rate
        self.channels: set[str] | None = None
        self.archived: set[str] = set()
        self.usergroups: dict[str, list[str]] = {}
        self.rejected: dict[str, int] = {}
        self.workspace = Workspace(on_message)
        self._listener = Listener(self._serve, host, port)
        self._script = Script()
        self._methods = {
            "chat.postMessage": self.workspace.post,
            "chat.update": self.workspace.update,
            "chat.delete": self.workspace.delete,
        }
        self._posts = Bucket(rate=1.0, burst=burst, clock=clock)
        self._edits = Bucket(rate=50 / 60, burst=50, clock=clock)

    @property
    def webhook_url(self) -> str:
        """The incoming webhook."""
        return self._listener.url + WEBHOOK_PATH

    @property
    def api_url(self) -> str:
        """The root of the Web API: methods are one path segment below it."""
        return f"{self._listener.url}/api"

    @property
    def messages(self) -> list[SlackMessage]:
        """The messages Slack took, oldest first, the last 10,000."""
        return self.workspace.arrivals.items

    def script(self, replies: Replies, then: Reply | int | Mapping[str, Any] | None = None) -> None:
        """Prepare the answers to the next requests (a status, a ``Reply`` or its fields), and to all after them.

        A reply without a status lets the message through and only changes the manners: ``Reply(reset=True)`` is a
        message that was posted although the sender never learns it.
        """
        self._script.set(replies, then)

    async def wait_for(
        self,
        predicate: Callable[[list[SlackMessage]], bool],
        timeout: float = 10,  # noqa: ASYNC109 - the error tells what had arrived
    ) -> list[SlackMessage]:
        """Wait until ``predicate`` holds for all messages so far and give them; raises ``TimeoutError``."""
        return await self.workspace.arrivals.wait_for(predicate, timeout)

    def thread(self, ts: str) -> list[SlackMessage]:
        """Give the replies under a message, oldest first."""
        return [message for message in self.messages if message.thread_ts == ts]

    async def start(self) -> None:
        """Listen; after ``stop`` on the same port again."""
        await self._listener.start()

    async def stop(self) -> None:
        """Stop listening."""
        await self._listener.stop()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        reply = self._script.take()
        lets_through = reply.status is None and reply.redirect is None
        usual = self._answer(request, body) if lets_through else (200, {}, b"")
        status, headers, answer = reply.over(*usual)
        return await send(request, status, headers, answer, reply.manners)

    def _answer(self, request: web.Request, body: bytes) -> tuple[int, dict[str, str], bytes]:
        payload = _payload(request, body)
        if request.path == WEBHOOK_PATH and request.method == "POST":
            status, text, headers = self._webhook(payload)
            return status, {"content-type": "text/plain", **headers}, text.encode()
        if request.path.startswith("/services/"):
            return 404, {"content-type": "text/plain"}, b"no_service"
        status, document, headers = self._method(request, payload)
        if not document.get("ok"):
            self._reject(str(document.get("error")))
        return status, {"content-type": "application/json; charset=utf-8", **headers}, json.dumps(document).encode()

    # Incoming webhook: plain text answers, https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks

    def _webhook(self, payload: Any) -> tuple[int, str, dict[str, str]]:
        wait = self._posts.take(WEBHOOK_CHANNEL) if self.enforce_rate else 0
        if wait:
            self._reject("rate_limited")
            return 429, "rate_limited", {"Retry-After": str(wait)}
        problem = slack_rules.check(payload, max_total=self.workspace.max_total)
        if problem is not None:
            self._reject(problem.error)
            return 400, problem.error, {}
        self.workspace.take(WEBHOOK_CHANNEL, payload, "webhook")
        return 200, "ok", {}

    # Web API: HTTP 200 with ok true or false, https://docs.slack.dev/apis/web-api

    def _method(self, request: web.Request, payload: Any) -> tuple[int, dict[str, Any], dict[str, str]]:
        name = request.path.removeprefix("/api/")
        error = self._refusal(request, name, payload)
        if error is not None:
            return 200, failed(error), {}
        if name == "auth.test":
            return 200, {"ok": True, "team": "Simulated", "user": "jobwire", "bot_id": "B0SIMULATED"}, {}
        if name == "usergroups.users.list":
            found = self.usergroups.get(str(payload.get("usergroup")))
            return 200, failed("no_such_subteam") if found is None else {"ok": True, "users": found}, {}
        channel = str(payload["channel"])
        wait = self._wait(name, channel)
        if wait:
            return 429, failed("ratelimited"), {"Retry-After": str(wait)}
        return 200, self._methods[name](channel, payload), {}

    def _refusal(self, request: web.Request, name: str, payload: Any) -> str | None:
        if not isinstance(payload, dict):
            return "invalid_json"
        error = self._authenticate(request, payload)
        if error is not None or name in ("auth.test", "usergroups.users.list"):
            return error
        if name not in self._methods:
            return "unknown_method"
        return self._channel_problem(str(payload.get("channel") or ""))

    def _wait(self, name: str, channel: str) -> int:
        if not self.enforce_rate or name == "chat.delete":
            return 0
        return self._edits.take("workspace") if name == "chat.update" else self._posts.take(channel)

    def _authenticate(self, request: web.Request, payload: dict[str, Any]) -> str | None:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ") or str(payload.get("token") or "")
        if not given:
            return "not_authed"
        return None if self.token is None or hmac.compare_digest(given, self.token) else "invalid_auth"

    def _channel_problem(self, channel: str) -> str | None:
        if channel in self.archived:
            return "is_archived"
        known = self.channels is None or channel in self.channels
        return None if channel and known else "channel_not_found"

    def _reject(self, error: str) -> None:
        self.rejected[error] = self.rejected.get(error, 0) + 1


def _payload(request: web.Request, body: bytes) -> Any:
    """Give the message of a request: JSON, a form field ``payload`` with JSON, or plain form fields."""
    text = body.decode(errors="replace")
    if request.content_type == "application/x-www-form-urlencoded":
        fields: dict[str, Any] = dict(parse_qsl(text))
        if "payload" not in fields:
            for name in ("blocks", "attachments"):
                fields |= {name: _parsed(fields[name])} if name in fields else {}
            return fields
        text = fields["payload"]
    return _parsed(text)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
