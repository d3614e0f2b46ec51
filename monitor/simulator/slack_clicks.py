"""A click on a button in, the signed request Slack would send for it out.

https://docs.slack.dev/interactivity/handling-user-interaction and
https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any
from urllib.parse import urlencode

from monitor.simulator.slack_messages import SlackMessage


def sign(body: bytes, secret: str, timestamp: int) -> dict[str, str]:
    """Take a raw body, a signing secret and epoch seconds, and give the two headers of signature version 0."""
    content = b":".join((b"v0", str(timestamp).encode(), body))
    digest = hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": str(timestamp), "X-Slack-Signature": f"v0={digest}"}


def click(
    message: SlackMessage, action_id: str, *, secret: str, timestamp: int, user: str = "U0CLICKER"
) -> tuple[bytes, dict[str, str]]:
    """Take a message and one of its action ids and give body and headers of the request Slack sends on a click.

    Raises ``ValueError`` when the message has no such action.
    """
    action = next((found for found in _actions(message.payload) if found.get("action_id") == action_id), None)
    if action is None:
        raise ValueError(f"the message has no action {action_id!r}")
    payload = {
        "type": "block_actions",
        "user": {"id": user, "username": user.lower(), "team_id": "T0SIMULATED"},
        "team": {"id": "T0SIMULATED", "domain": "simulated"},
        "channel": {"id": message.channel, "name": "alerts"},
        "message": {"type": "message", "ts": message.ts, **message.payload},
        "container": {"type": "message", "message_ts": message.ts, "channel_id": message.channel},
        "actions": [{**action, "action_ts": str(timestamp)}],
        "response_url": "https://hooks.slack.example/actions/T0SIMULATED/1/x",
        "trigger_id": "1.2.3",
    }
    body = urlencode({"payload": json.dumps(payload)}).encode()
    return body, sign(body, secret, timestamp) | {"Content-Type": "application/x-www-form-urlencoded"}


def _actions(value: Any) -> list[dict[str, Any]]:
    """Give every interactive element in a piece of Block Kit."""
    if isinstance(value, list):
        return [found for item in value for found in _actions(item)]
    if not isinstance(value, dict):
        return []
    own = [value] if "action_id" in value else []
    return own + [found for item in value.values() for found in _actions(item)]
