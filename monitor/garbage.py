"""How often Python looks for unreachable cycles: seldom, because what scans and deliveries make dies by itself."""

from __future__ import annotations

import gc

NEW_OBJECTS = 50_000
"""New objects that may gather before the youngest are looked through; Python's own number is 700 (2,000 from 3.13)."""


def collect_seldom() -> None:
    """Called once when a process has loaded its modules: they are never looked through, and new objects seldom.

    One page of items is thousands of objects, none of them in a cycle. Looking through them while they live was a
    fifth of the time of a scan. What gathers meanwhile is a few megabytes at the most, whatever the list.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, *gc.get_threshold()[1:])
