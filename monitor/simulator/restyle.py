"""A document in, the same facts in another dress out: what must never look like a change."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from monitor.simulator import stamps

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def restyle(value: Any, styles: Sequence[str]) -> Any:
    """Take JSON and the names of styles, and give it with each of them changed, at every depth.

    ``keys`` turns the order of keys round; ``arrays`` that of arrays; ``numbers`` writes whole numbers as 199.0 and
    back (ids are left alone); ``times`` writes the same instant with another zone; ``nulls`` leaves out fields that
    are null; ``singles`` writes an array of one text as that text. Raises ``ValueError`` for an unknown name.
    """
    for style in styles:
        if style not in _STYLES:
            raise ValueError(f"restyle knows {', '.join(_STYLES)}, not {style!r}")
        value = _everywhere(value, _STYLES[style], "")
    return value


def _everywhere(value: Any, change: Callable[[Any, str], Any], key: str) -> Any:
    """Change every node, the inner ones first; ``key`` is the field a node stands in."""
    if isinstance(value, dict):
        value = {name: _everywhere(item, change, name) for name, item in value.items()}
    elif isinstance(value, list):
        value = [_everywhere(item, change, key) for item in value]
    return change(value, key)


def _keys(value: Any, _: str) -> Any:
    return dict(reversed(value.items())) if isinstance(value, dict) else value


def _arrays(value: Any, _: str) -> Any:
    return value[::-1] if isinstance(value, list) else value


def _numbers(value: Any, key: str) -> Any:
    if isinstance(value, bool) or key == "id" or key.endswith("_id"):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return float(value) if isinstance(value, int) else value


def _times(value: Any, _: str) -> Any:
    if isinstance(value, str) and _TIME.fullmatch(value):
        return stamps.parse(value).isoformat(timespec="microseconds")
    return value


def _nulls(value: Any, _: str) -> Any:
    if isinstance(value, dict):
        return {name: item for name, item in value.items() if item is not None}
    return value


def _singles(value: Any, _: str) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str) else value


_STYLES: dict[str, Callable[[Any, str], Any]] = {
    "keys": _keys,
    "arrays": _arrays,
    "numbers": _numbers,
    "times": _times,
    "nulls": _nulls,
    "singles": _singles,
}
