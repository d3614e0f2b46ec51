"""Buttons of Slack messages: what they are called, what they carry, and what a click on one asks for. Pure.

https://docs.slack.dev/reference/block-kit/block-elements (button value 2000 characters, option value 150)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]

ACKNOWLEDGE, SNOOZE, OPEN, RUNBOOK = "jobwire_ack", "jobwire_snooze", "jobwire_open", "jobwire_runbook"
UNTIL_CHANGE, TOMORROW = "change", "tomorrow"
CLICKED = "in Slack"
"""The comment of who clicked."""

MORNING = 9
"""The hour of `tomorrow`, in the target's zone."""

_HOURS = {"1h": timedelta(hours=1), "4h": timedelta(hours=4)}
_CHOICES = (("1h", "1 hour"), ("4h", "4 hours"), (TOMORROW, "until tomorrow 09:00"), (UNTIL_CHANGE, "until it changes"))
_GROUP = "group:"
_FEW = 4
_LONGEST_URL = 3000


@dataclass(frozen=True, slots=True)
class Wish:
    """What a click asks for: `choice` is None to acknowledge, else how long to snooze.

    `conditions` are the ids it is about; without any it is about all that are open in the `group` of this key.
    """

    choice: str | None
    conditions: tuple[str, ...]
    group: str | None = None

    @property
    def span(self) -> timedelta | None:
        """How long to snooze where that is a number of hours."""
        return _HOURS.get(self.choice or "")


def buttons(
    ids: Sequence[str], group: str, url: str | None, runbook: str | None, *, clicks: bool, acknowledged: bool
) -> list[Json]:
    """The ids of what is open, their group's key and two addresses in, the actions block out (none without a button).

    `clicks` says that somebody listens to clicks; links work without that.
    """
    reference = ",".join(ids) if len(ids) <= _FEW else f"{_GROUP}{group}"
    elements: list[Json] = []
    if clicks and ids:
        if not acknowledged:
            elements.append(_button("Acknowledge", ACKNOWLEDGE, value=reference, style="primary"))
        elements.append(_menu(reference))
    elements += [
        _button(text, action, url=one)
        for text, action, one in (("Open", OPEN, url), ("Runbook", RUNBOOK, runbook))
        if one and one.startswith(("https://", "http://")) and len(one) <= _LONGEST_URL
    ]
    return [{"type": "actions", "elements": elements}] if elements else []


def wish(action: Json) -> Wish | None:
    """One action of a click as Slack sends it in, what it asks for out; None when it is none of ours to act on."""
    if action.get("action_id") == ACKNOWLEDGE:
        return _wish(None, str(action.get("value") or ""))
    if action.get("action_id") == SNOOZE:
        option = action.get("selected_option")
        choice, _, reference = str(option.get("value") if isinstance(option, dict) else "").partition(" ")
        return _wish(choice, reference) if choice in dict(_CHOICES) else None
    return None


def _wish(choice: str | None, reference: str) -> Wish | None:
    if reference.startswith(_GROUP):
        return Wish(choice, (), reference.removeprefix(_GROUP))
    ids = tuple(one for one in reference.split(",") if one)
    return Wish(choice, ids) if ids else None


def _button(text: str, action: str, **more: str) -> Json:
    return {"type": "button", "text": _plain(text), "action_id": action, **more}


def _menu(reference: str) -> Json:
    options = [{"text": _plain(text), "value": f"{choice} {reference}"} for choice, text in _CHOICES]
    return {"type": "static_select", "placeholder": _plain("Snooze"), "action_id": SNOOZE, "options": options}


def _plain(text: str) -> Json:
    return {"type": "plain_text", "text": text, "emoji": False}
