"""Jinja for templates of the operator's: values alone are seen, null is nothing, and no template runs for long. Pure.

https://jinja.palletsprojects.com/en/stable/sandbox/
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jinja2 import ChainableUndefined
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from monitor.targets.telling.cleaning import unping

STEPS, SIZE, POWER = 100_000, 1_000_000, 1_000
"""Steps of all ranges of one rendering together, what a repeated text or list may grow to, and the highest power."""


class Sandbox(ImmutableSandboxedEnvironment):
    """An environment in which a product or a power is refused before it takes the memory."""

    intercepted_binops = frozenset({"*", "**"})

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Two values and `*` or `**` in, what it makes of them out; OverflowError for what is too large."""
        for one, other in ((left, right), (right, left)):
            if isinstance(other, int) and isinstance(one, str | bytes | list | tuple) and len(one) * other > SIZE:
                raise OverflowError(f"{operator} makes more than {SIZE:,} of these")
        if operator == "**" and isinstance(right, int | float) and abs(right) > POWER:
            raise OverflowError(f"a power above {POWER:,}")
        return super().call_binop(context, operator, left, right)


def sandbox(safe: Callable[[str], str] | None) -> Sandbox:
    """What makes all that is written out harmless in, the environment out; the filter `unping` is in it."""
    environment = Sandbox(
        undefined=ChainableUndefined,
        autoescape=False,
        finalize=lambda value: "" if value is None else safe(str(value)) if safe else value,
    )
    environment.filters["unping"] = lambda value: unping(str(value))
    return environment


class Steps:
    """`range` for one rendering: what all its loops step through together has an end, loops within loops as well."""

    def __init__(self) -> None:
        self._left = STEPS

    def __call__(self, *given: int) -> range:
        """As the built-in; OverflowError once there are no steps left."""
        made = range(*given)
        # What is longer than a machine word has no length in Python.
        self._left -= len(made) if abs(made.stop - made.start) <= STEPS * 1_000 else STEPS + 1
        if self._left < 0:
            raise OverflowError(f"its ranges have more than {STEPS:,} steps together")
        return made
