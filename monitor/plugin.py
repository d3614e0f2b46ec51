"""What a registry entry is: the options a plugin takes in the config file, and how it is built from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel

O = TypeVar("O", bound=BaseModel)  # noqa: E741 - reads as Options
P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Plugin(Generic[O, P]):
    """One provider or target: `options` validates its part of the config, `build(name, options)` makes it."""

    options: type[O]
    build: Callable[[str, O], P]
