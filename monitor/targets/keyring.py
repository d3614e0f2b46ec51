"""Which secrets sign for a target: those of the config file, and those that rotation made. Pure.

The rule, in the order in which it is asked:

1. Nothing was ever rotated: the config's secrets sign, newest first.
2. Rotation knows every secret of the config: rotation says which sign. The newest signs until the next rotation, each
   older one until its overlap ends, whether or not it still stands in the config.
3. The config holds a secret that rotation does not know, so it was changed since: the config's secrets sign, all of
   them; what rotation promised until a time still signs until then; the newest one of rotation ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf

from monitor.errors import SecretsLocked
from monitor.targets.signature import Signer, same_spelling, signer

MOST_OLD = 10
"""So many older secrets may sign along: each makes the header longer and the receiver try once more."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A secret that rotation knows, and when it stops signing (ms since 1970; None: not before the next rotation)."""

    secret: str = field(repr=False)
    until_ms: int | None = None

    def signs_at(self, now_ms: float) -> bool:
        """Whether it has not ended yet."""
        return self.until_ms is None or now_ms < self.until_ms


class TooManySecrets(ValueError):
    """A rotation would leave more old secrets signing than are allowed; `until_ms` is when the first of them ends."""

    def __init__(self, until_ms: int) -> None:
        super().__init__(f"{MOST_OLD} old secrets still sign")
        self.until_ms = until_ms


def signing(configured: Sequence[str], kept: Sequence[Kept], now_ms: float) -> list[Kept]:
    """The config's secrets and what rotation knows in, newest first each; the secrets that sign now out, newest first.

    Each with its own end; two spellings of one secret are one.
    """
    alive = [one for one in kept if one.signs_at(now_ms)]
    if kept and _knows_all(configured, kept):
        return _each_once(alive)
    promised = [one for one in alive if one.until_ms is not None]
    return _each_once([*(Kept(secret) for secret in configured), *promised])


def rotated(configured: Sequence[str], kept: Sequence[Kept], new: str, now_ms: int, overlap_ms: int) -> list[Kept]:
    """What rotation is to know once `new` is the newest: TooManySecrets where it may not be.

    What signs now signs for `overlap_ms` more; older ones that would sign longer end then too. Secrets that have
    ended but still stand in the config are remembered, so that they do not begin anew.
    """
    end = now_ms + overlap_ms
    before = signing(configured, kept, now_ms)
    older = [Kept(one.secret, end if one.until_ms is None else min(one.until_ms, end)) for one in before]
    still = [one.until_ms for one in older if one.until_ms is not None and one.signs_at(now_ms)]
    if len(still) > MOST_OLD:
        raise TooManySecrets(min(still))
    ended = [Kept(secret, now_ms) for secret in configured]
    return _each_once([Kept(new), *older, *ended])


class Keyring:
    """The secrets of one target, as its messages need them. `repr` shows none.

    It is told what rotation knows by `take`, and where that cannot be read, why not by `lock`.
    """

    def __init__(self, configured: Sequence[str]) -> None:
        self.configured = tuple(configured)
        self._made = {secret: signer(secret) for secret in self.configured}
        self._signers: tuple[Signer, ...] = tuple(self._made.values())
        self._kept: tuple[Kept, ...] = ()
        self._locked: str | None = None
        self._good_until_ms = inf

    def take(self, kept: Sequence[Kept]) -> None:
        """Sign by what rotation knows from now on; ValueError leaves everything as it was."""
        made = {one.secret: self._made.get(one.secret) or signer(one.secret) for one in kept}
        made |= {secret: self._made[secret] for secret in self.configured}
        self._kept, self._made, self._locked = tuple(kept), made, None
        self._good_until_ms = -inf

    def lock(self, problem: str) -> None:
        """Refuse to sign, and say why: rotation made secrets that cannot be read here."""
        self._locked = problem

    def signers(self, now_ms: float) -> tuple[Signer, ...]:
        """What signs at this time, newest first; SecretsLocked where it is not known."""
        if self._locked is not None:
            raise SecretsLocked(self._locked)
        if now_ms >= self._good_until_ms:
            current = signing(self.configured, self._kept, now_ms)
            self._signers = tuple(self._made[one.secret] for one in current)
            self._good_until_ms = min((one.until_ms for one in current if one.until_ms is not None), default=inf)
        return self._signers


def _knows_all(configured: Sequence[str], kept: Sequence[Kept]) -> bool:
    known = {same_spelling(one.secret) for one in kept}
    return all(same_spelling(secret) in known for secret in configured)


def _each_once(secrets: Sequence[Kept]) -> list[Kept]:
    found: dict[str, Kept] = {}
    for one in secrets:
        found.setdefault(same_spelling(one.secret), one)
    return list(found.values())
