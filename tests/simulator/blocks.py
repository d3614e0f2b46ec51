"""Pieces of Block Kit."""

from __future__ import annotations

from typing import Any


def section(text: str = "hello") -> dict[str, Any]:
    """A section block."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def header(text: str) -> dict[str, Any]:
    """A header block."""
    return {"type": "header", "text": {"type": "plain_text", "text": text}}


def context(*texts: str) -> dict[str, Any]:
    """A context block."""
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text} for text in texts]}


def button(**more: Any) -> dict[str, Any]:
    """An actions block with one button."""
    element = {"type": "button", "text": {"type": "plain_text", "text": "Open"}, "action_id": "open", **more}
    return {"type": "actions", "elements": [element]}
