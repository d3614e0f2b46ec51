"""Conditions: what opens them, what ends them, and who has seen to them. Pure: values in, values out."""

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
