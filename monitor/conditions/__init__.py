"""Conditions: what opens them, what ends them, and who has seen to them. Pure: values in, values out.

families     which events open one, and what ends it
condition    one as a value
life         opened, made worse, seen to, ended
ending       whether one is over
ledger       all conditions of one thing, and what an event makes of them
brief        what lists and counts need of those that are open
"""

from __future__ import annotations

from monitor.conditions.condition import (
    Acknowledgement,
    Condition,
    Place,
    Snooze,
    Status,
    condition_id,
)

__all__ = ["Acknowledgement", "Condition", "Place", "Snooze", "Status", "condition_id"]
