"""Buttons of Slack messages: what they are called, what they carry, and what a click on one asks for. Pure.

https://docs.slack.dev/reference/block-kit/block-elements (button value 2000 characters, option value 150)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeAlias

from monitor.targets.slack_blocks import plain_object

Json: TypeAlias = dict[str, Any]

ACKNOWLEDGE, SNOOZE, OPEN, RUNBOOK = "jobwire_ack", "jobwire_snooze", "jobwire_open", "jobwire_runbook"
UNTIL_CHANGE, TOMORROW = "change", "tomorrow"
CLICKED = "in Slack"
"""The comment of who clicked."""

MORNING = 9
"""The hour of `tomorrow`, in the target's zone."""

_HOURS = {"1h": timedelta(hours=1), "4h": timedelta(hours=4)}
_CHOICES = (("1h", "1 hour"), ("4h", "4 hours"), (TOMORROW, "until tomorrow 09:00"), (UNTIL_CHANGE, "until it changes"))
_GROUP, _SHOWN = "group:", "shown:"
_FEW = 4
_CARRIED = 141
"""Characters that the value of an option (150) has room for beside the choice."""

_LONGEST_URL = 3000


@dataclass(frozen=True, slots=True)
class Wish:
    """What a click asks for: `choice` is None to acknowledge, else how long to snooze.

    `conditions` are the ids it is about; without any it is about what is open in the `group` of this key, as far as
    the message showed it: that is no newer than `newest`, the latest place in the event log that it showed. Messages
    of earlier versions did not carry that: None.
    """

    choice: str | None
    conditions: tuple[str, ...]
    group: str | None = None
    newest: str | None = None

    @property
    def span(self) -> timedelta | None:
        """How long to snooze where that is a number of hours."""
        return _HOURS.get(self.choice or "")


def reference_of(shown: Sequence[tuple[str, str]], group: str) -> str:
    """What is open as (id, place in the event log) and the key of its group in, what its buttons carry out.

    A few by name. Of many there is room for the newest alone: what came later was not shown, and is not clicked.
    """
    if len(shown) <= _FEW:
        return ",".join(id for id, _ in shown)
    return f"{_SHOWN}{latest(at for _, at in shown)}:{group}"


def latest(places: Iterable[str]) -> str:
    """Places in the event log (`1763790000000-5`) in, the last of them out."""
    return max(places, key=order)


def order(place: str) -> tuple[int, int]:
    """A place in the event log in, what to compare it by out; the beginning for what is none."""
    at, _, number = place.partition("-")
    return (int(at), int(number or 0)) if f"{at}{number or 0}".isdecimal() and at else (0, 0)


def buttons(reference: str, url: str | None, runbook: str | None, *, clicks: bool, acknowledged: bool) -> list[Json]:
    """What buttons carry (empty: nothing is open) and two addresses in, the actions block out, none without a button.

    `clicks` says that somebody listens to clicks; links work without that.
    """
    elements: list[Json] = []
    if clicks and reference:
        if not acknowledged:
            elements.append(_button("Acknowledge", ACKNOWLEDGE, value=reference, style="primary"))
        if len(reference) <= _CARRIED:
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
    if reference.startswith(_SHOWN):
        newest, _, group = reference.removeprefix(_SHOWN).partition(":")
        return Wish(choice, (), group, newest)
    if reference.startswith(_GROUP):
        return Wish(choice, (), reference.removeprefix(_GROUP))
    ids = tuple(one for one in reference.split(",") if one)
    return Wish(choice, ids) if ids else None


def _button(text: str, action: str, **more: str) -> Json:
    return {"type": "button", "text": plain_object(text), "action_id": action, **more}


def _menu(reference: str) -> Json:
    options = [{"text": plain_object(text), "value": f"{choice} {reference}"} for choice, text in _CHOICES]
    return {"type": "static_select", "placeholder": plain_object("Snooze"), "action_id": SNOOZE, "options": options}
