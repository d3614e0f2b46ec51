"""Groups: what one message is about, when it is due, and why it is sent. Pure: values in, values out."""

from __future__ import annotations

from monitor.grouping.message import Group, Member, News, Reason

__all__ = ["Group", "Member", "News", "Reason"]
