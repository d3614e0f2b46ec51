"""What Slack answers: the word for what is wrong, and where a message was put. Pure."""

from __future__ import annotations

import re

import msgspec

from monitor.exchange import Response
from monitor.targets.answers import named

_WORD = re.compile(r"[a-z][a-z0-9_]{1,79}")


def posted(answer: bytes | None) -> dict[str, str]:
    """The Web API's answer to a message in, its `channel` (the id) and `ts` out; {} where it names none."""
    try:
        told = msgspec.json.decode(answer or b"")
    except (ValueError, RecursionError):
        return {}
    found = told if isinstance(told, dict) else {}
    return {
        name: found[name] for name in ("channel", "ts") if isinstance(found.get(name), str) and len(found[name]) < 64
    }


def webhook_error(response: Response) -> str | None:
    """What is wrong with a webhook's answer, None when it is the one that means success: 200 and `ok`."""
    text = response.body.decode("utf-8", "replace").strip()
    if response.status == 200 and text == "ok":
        return None
    return text if _WORD.fullmatch(text) and text != "ok" else _status(response)


def api_error(response: Response) -> str | None:
    """What is wrong with a Web API answer, None when it is JSON with `ok` true; failures come as 200 too."""
    try:
        answer = msgspec.json.decode(response.body)
    except (ValueError, RecursionError):
        return _status(response)
    told = answer if isinstance(answer, dict) else {}
    if response.status == 200 and told.get("ok") is True:
        return None
    error = told.get("error")
    return error if isinstance(error, str) and _WORD.fullmatch(error) else _status(response)


def _status(response: Response) -> str:
    return f"{named(response.status)}, which is not its word for success"
