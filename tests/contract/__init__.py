"""What every entry of a registry must be able to do, tested by being registered."""

from __future__ import annotations
