"""PagerDuty's Events API v2 as its pages describe it, and stricter: what is not documented is refused.

https://developer.pagerduty.com/docs/send-alert-event https://developer.pagerduty.com/docs/send-change-event
https://developer.pagerduty.com/docs/events-api-v2-overview (errors, limits, regions)
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from monitor.exchange import Request, Response
from monitor.moments import parse_instant

KEY = "0123456789abcdef0123456789abcdef"
LARGEST = 512 * 1024
_ALERT = {"routing_key", "event_action", "dedup_key", "payload", "images", "links", "client", "client_url"}
_CHANGE = {"routing_key", "payload", "links", "images"}
_PAYLOAD = {
    "summary", "source", "severity", "timestamp", "component", "group", "class", "custom_details",
}  # fmt: skip
_CHANGED = {"summary", "source", "timestamp", "custom_details"}


@dataclass(slots=True)
class PagerDuty:
    """One account: `incidents` by dedup_key with their state, `pages` and `changes` in the order in which they came.

    `answers` are given in place of its own, by number of the request, counted from 0.
    """

    key: str = KEY
    incidents: dict[str, str] = field(default_factory=dict)
    pages: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    answers: dict[int, Response] = field(default_factory=dict)
    refuses: Callable[[Mapping[str, Any]], bool] = lambda event: False
    requests: int = 0

    def answer(self, request: Request) -> Response:
        """What it answers to a request."""
        assert request.method == "POST"
        assert request.headers["content-type"] == "application/json"
        return self.take(urlsplit(request.url).path, request.body or b"")

    def take(self, path: str, body: bytes) -> Response:
        """What it answers to a body at a path."""
        number, self.requests = self.requests, self.requests + 1
        if number in self.answers:
            return self.answers[number]
        if len(body) > LARGEST:
            return Response(413, {}, b"")
        event = json.loads(body)
        wrong = list(_wrong(path, event))
        if event.get("routing_key") != self.key:
            wrong = ["Invalid routing key"]
        if wrong or self.refuses(event):
            told = {"status": "invalid event", "message": "Event object is invalid", "errors": wrong}
            return Response(400, {}, json.dumps(told).encode())
        self.events.append(event)
        if path == "/v2/change/enqueue":
            self.changes.append(event["payload"]["summary"])
            return Response(202, {}, b'{"status":"success","message":"Change event processed"}')
        self._alert(event)
        told = {"status": "success", "message": "Event processed", "dedup_key": event["dedup_key"]}
        return Response(202, {}, json.dumps(told).encode())

    def _alert(self, event: Mapping[str, Any]) -> None:
        key, action = event["dedup_key"], event["event_action"]
        if action == "trigger" and key not in self.incidents:
            self.incidents[key] = "triggered"
            self.pages.append(event["payload"]["summary"])
        elif action == "acknowledge" and key in self.incidents:
            self.incidents[key] = "acknowledged"
        elif action == "resolve":
            self.incidents.pop(key, None)


def _wrong(path: str, event: Mapping[str, Any]) -> Iterator[str]:
    if path == "/v2/change/enqueue":
        yield from _unknown(event, _CHANGE)
        yield from _payload(event.get("payload"), _CHANGED, ("summary",))
    elif path == "/v2/enqueue":
        yield from _unknown(event, _ALERT)
        action = event.get("event_action")
        if action not in {"trigger", "acknowledge", "resolve"}:
            yield "'event_action' is invalid (must be one of: 'trigger', 'acknowledge', 'resolve')"
        key = event.get("dedup_key")
        if (action != "trigger" and not key) or (key is not None and not 0 < len(key) <= 255):
            yield "'dedup_key' is missing, blank or too long"
        if action == "trigger":
            yield from _payload(event.get("payload"), _PAYLOAD, ("summary", "source", "severity"))
    else:
        yield f"there is nothing at {path}"
    for link in event.get("links", ()):
        parts = urlsplit(link["href"])
        if set(link) - {"href", "text"} or parts.scheme not in {"http", "https"} or not parts.hostname:
            yield "'links' holds what is no link"


def _unknown(event: Mapping[str, Any], known: set[str]) -> Iterator[str]:
    for one in set(event) - known:
        yield f"'{one}' is not a member"


def _payload(payload: Any, known: set[str], needed: tuple[str, ...]) -> Iterator[str]:
    if not isinstance(payload, dict):
        yield "'payload' is missing"
        return
    yield from _unknown(payload, known)
    for one in needed:
        if not isinstance(payload.get(one), str) or not payload[one].strip():
            yield f"'payload.{one}' is missing or blank"
    if len(payload.get("summary", "")) > 1024:
        yield "'payload.summary' is too long (maximum is 1024 characters)"
    if "severity" in payload and payload["severity"] not in {"critical", "warning", "error", "info"}:
        yield "'payload.severity' is invalid"
    if "timestamp" in payload and parse_instant(payload["timestamp"]) is None:
        yield "'payload.timestamp' is invalid"
    if not isinstance(payload.get("custom_details", {}), dict):
        yield "'payload.custom_details' is no object"
