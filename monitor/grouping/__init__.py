"""Groups: what one message is about, when it is due, and why it is sent. Pure: values in, values out.

book       what a target was told of a group, and the timers: what the store keeps
look       one condition against the book: is there news?
plan       what is said when a group is looked at, why, and when to look again
message    what a message about a group says
remarks    what people did about conditions, for targets that tell it
backlog    many groups that waited, summed up for one message
"""

from __future__ import annotations

from monitor.grouping.message import Group, Member, News, Reason

__all__ = ["Group", "Member", "News", "Reason"]
