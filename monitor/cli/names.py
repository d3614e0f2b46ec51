"""Names that people type, and what is said where there is no such one."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from monitor.errors import UsageError


def known(what: str, name: str | None, names: Iterable[str]) -> None:
    """Raises UsageError, with the names that exist, when a name is given that does not."""
    allowed = sorted(names)
    if name is not None and name not in allowed:
        near = get_close_matches(name, allowed, n=1)
        there = f"the config has: {', '.join(allowed)}" if allowed else f"the config has no {what}"
        raise UsageError(f"no {what} is called {name!r}; {f'did you mean {near[0]}? ' if near else ''}{there}")
