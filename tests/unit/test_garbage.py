"""How often a process of ours looks for garbage."""

from __future__ import annotations

import subprocess
import sys

from monitor.garbage import NEW_OBJECTS

_SAY = """
import gc
from monitor.garbage import collect_seldom
collect_seldom()
print(gc.isenabled(), gc.get_threshold()[0], gc.get_freeze_count() > 0)
"""


def test_the_collector_goes_on_but_looks_seldom_and_never_at_what_was_loaded() -> None:
    """In a process of its own, because what is set counts for all that runs in it."""
    done = subprocess.run([sys.executable, "-c", _SAY], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["True", str(NEW_OBJECTS), "True"]
