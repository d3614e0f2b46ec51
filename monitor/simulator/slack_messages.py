"""Messages in, the answers of a Slack workspace and what stands in its channels out; no HTTP in here."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from monitor.simulator import slack_rules, slack_text
from monitor.simulator.arrivals import Arrivals


@dataclass(slots=True)
class SlackMessage:
    """One message as it stands in a channel; ``edits`` holds the last 100 earlier payloads, oldest first.

    ``mentions`` is everything in it, or in an earlier version, that pings somebody; ``via`` is webhook or api.
    """

    channel: str
    ts: str
    payload: dict[str, Any] = field(repr=False)
    via: str
    mentions: list[str]
    received_at: float
    edits: list[dict[str, Any]] = field(default_factory=list, repr=False)
    deleted: bool = False

    @property
    def text(self) -> str:
        """The top-level text: what phones and screen readers get."""
        return str(self.payload.get("text") or "")

    @property
    def blocks(self) -> list[dict[str, Any]]:
        """The blocks, empty when there are none."""
        return self.payload.get("blocks") or []

    @property
    def thread_ts(self) -> str | None:
        """The parent this is a reply to, or None."""
        return self.payload.get("thread_ts")


class Workspace:
    """The messages of a workspace and the three methods that change them, each giving the Web API's answer."""

    def __init__(self, on_message: Callable[[SlackMessage], None] | None) -> None:
        self.arrivals: Arrivals[SlackMessage] = Arrivals("messages")
        self.max_total = slack_rules.MAX_TOTAL
        self._on_message = on_message
        self._last_ts = 0.0

    def take(self, channel: str, payload: dict[str, Any], via: str) -> SlackMessage:
        """Post a payload that was found to be in order."""
        self._last_ts = max(time.time(), self._last_ts + 0.000_001)
        stamp, found = f"{self._last_ts:.6f}", slack_text.mentions(payload)
        message = SlackMessage(channel, stamp, _clean(payload), via, found, time.time())
        self.arrivals.add(message)
        if self._on_message is not None:
            self._on_message(message)
        return message

    def post(self, channel: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Answer chat.postMessage: https://docs.slack.dev/reference/methods/chat.postMessage"""
        problem = slack_rules.check(payload, max_total=self.max_total)
        if problem is not None:
            return failed(problem.error, problem.details)
        message = self.take(channel, payload, "api")
        shown = {"type": "message", "bot_id": "B0SIMULATED", "text": message.text, "ts": message.ts}
        answer: dict[str, Any] = {"ok": True, "channel": channel, "ts": message.ts, "message": shown}
        if len(message.text) > 40_000:
            answer["warning"] = "message_truncated"
        return answer

    def update(self, channel: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Answer chat.update: https://docs.slack.dev/reference/methods/chat.update"""
        message = self._find(channel, payload.get("ts"))
        if message is None:
            return failed("message_not_found")
        if message.via == "webhook":
            return failed("cant_update_message")
        problem = slack_rules.check(payload, edit=True, max_total=self.max_total)
        if problem is not None:
            return failed(problem.error, problem.details)
        message.edits = [*message.edits[-99:], message.payload]
        kept = {name: message.payload[name] for name in ("thread_ts", "reply_broadcast") if name in message.payload}
        message.payload = _clean(payload) | kept
        message.mentions += [found for found in slack_text.mentions(payload) if found not in message.mentions]
        self.arrivals.stir()
        if self._on_message is not None:
            self._on_message(message)
        return {"ok": True, "channel": channel, "ts": message.ts, "text": message.text}

    def delete(self, channel: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Answer chat.delete: https://docs.slack.dev/reference/methods/chat.delete"""
        message = self._find(channel, payload.get("ts"))
        if message is None:
            return failed("message_not_found")
        message.deleted = True
        self.arrivals.stir()
        return {"ok": True, "channel": channel, "ts": message.ts}

    def _find(self, channel: str, ts: Any) -> SlackMessage | None:
        wanted = (channel, ts, False)
        return next((m for m in self.arrivals.items if (m.channel, m.ts, m.deleted) == wanted), None)


def render(message: SlackMessage) -> str:
    """Take a message and give how it reads, as plain text lines for a terminal."""
    return "\n".join(slack_text.lines_of(message.payload))


def failed(error: str, details: tuple[str, ...] = ()) -> dict[str, Any]:
    """Give the answer of the Web API for an error string, with what is wrong where for blocks."""
    answer: dict[str, Any] = {"ok": False, "error": error}
    if details:
        answer |= {"errors": list(details), "response_metadata": {"messages": list(details)}}
    return answer


def _clean(payload: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in payload.items() if name != "token"}
