"""What the config file says of a target that gets one message a day in place of each event's own."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from monitor.targets.base import GroupedOptions
from monitor.values import TimeOfDay, ZoneName

DIGEST = "jobwire.digest"
"""The type of the event that a digest is: written for one target, and sent to no other."""


class Digest(BaseModel):
    """When a target gets its digest, and how far ahead that looks."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    at: TimeOfDay = Field(description="local time of day at which it is sent")
    timezone: ZoneName = Field(default="UTC", description="zone in which that counts, and the days in it")
    days: int = Field(default=7, ge=1, le=60, description="it lists the deadlines of so many days from today on")


class DigestOptions(GroupedOptions):
    """Options of a target that may be told once a day instead of at once."""

    digest: Digest | None = Field(
        default=None,
        description="one message a day with the next deadlines and what has happened, in place of a message each time",
    )
