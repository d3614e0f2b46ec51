"""A bucket of tokens for each caller, of the last ten thousand who called: no number of callers takes more memory."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

MOST = 10_000
"""How many callers are remembered. Whoever is forgotten begins anew, with a full bucket."""


@dataclass(frozen=True, slots=True)
class Level:
    """How a bucket stands after a request: whether that was allowed, and what is left.

    `name` is what the limit is called and `full` how many requests it holds; `left` are left. `wait` seconds from now
    one more is allowed (0: now), `refilled` seconds from now it is full again; an empty one takes `window` for that.
    """

    name: str
    allowed: bool
    full: int
    left: int
    wait: float
    refilled: float
    window: float

    @property
    def retry_after(self) -> int:
        """Whole seconds after which one more is allowed, at least 1."""
        return max(1, math.ceil(self.wait))


@dataclass(slots=True)
class Buckets:
    """Buckets that hold `full` requests and get `rate` more a second; `monotonic` gives seconds."""

    name: str
    rate: float
    full: int
    monotonic: Callable[[], float]
    most: int = MOST
    _known: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)

    def __len__(self) -> int:
        return len(self._known)

    def take(self, caller: str) -> Level:
        """One request of a caller: taken from its bucket, unless that is empty."""
        held, now = self._held(caller), self.monotonic()
        allowed = held >= 1.0
        if allowed:
            held -= 1.0
        self._known[caller] = (held, now)
        self._known.move_to_end(caller)
        if len(self._known) > self.most:
            self._known.popitem(last=False)
        return self._level(held, allowed=allowed)

    def look(self, caller: str) -> Level:
        """How a caller stands; nothing is taken, and `allowed` says whether something could be."""
        held = self._held(caller)
        return self._level(held, allowed=held >= 1.0)

    def _held(self, caller: str) -> float:
        found = self._known.get(caller)
        if found is None:
            return float(self.full)
        held, at = found
        return min(float(self.full), held + (self.monotonic() - at) * self.rate)

    def _level(self, held: float, *, allowed: bool) -> Level:
        return Level(
            name=self.name,
            allowed=allowed,
            full=self.full,
            left=int(held),
            wait=max(0.0, (1.0 - held) / self.rate),
            refilled=(self.full - held) / self.rate,
            window=self.full / self.rate,
        )


@dataclass(slots=True)
class Lately:
    """What has happened lately, of the last ten thousand such things; `monotonic` gives seconds."""

    seconds: float
    monotonic: Callable[[], float]
    most: int = MOST
    _known: OrderedDict[str, float] = field(default_factory=OrderedDict)

    def note(self, what: str) -> None:
        """It happens now."""
        self._known[what] = self.monotonic()
        self._known.move_to_end(what)
        if len(self._known) > self.most:
            self._known.popitem(last=False)

    def __contains__(self, what: str) -> bool:
        at = self._known.get(what)
        return at is not None and self.monotonic() - at < self.seconds
