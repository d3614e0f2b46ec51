"""New signing secrets for targets, and how every worker learns of them: it looks into the store once a second.

A secret is shown once, to whoever asked for it; in the store it lies sealed. A worker that dies between the two has
made a secret that nobody knows: the old one signs along meanwhile, and another rotation ends it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from monitor.errors import UsageError
from monitor.moments import from_millis, stamp, to_millis
from monitor.pipeline.target import TargetRuntime
from monitor.store.secrets import Sealed, Secrets
from monitor.targets.keyring import Kept, Keyring, TooManySecrets, rotated, signing
from monitor.targets.signature import Kind, kind_of, new_secret, public_key

LOOK_SECONDS = 1.0
OVERLAP = 86_400.0
LONGEST_OVERLAP = 30 * 86_400.0
_TRIES = 10

NO_KEY = (
    "store.key is not set, and without it no secret is kept in the store: make one with `openssl rand -base64 32`, "
    "give it to all workers as JOBWIRE_KEY or store.key, and rotate then. Or rotate in the config file: "
    "secrets: [newest, oldest]"
)


@dataclass(frozen=True, slots=True)
class Rotated:
    """A rotation that was made: the new secret, its public key (Ed25519), and until when older ones sign along."""

    target: str
    kind: Kind
    secret: str = field(repr=False)
    public: str | None
    until: Sequence[tuple[Kind, str]]

    def told(self) -> dict[str, object]:
        """What command line and API tell of it, secret and all."""
        return {
            "target": self.target,
            "kind": self.kind,
            "secret": self.secret,
            "public_key": self.public,
            "signing_along": [{"kind": kind, "until": until} for kind, until in self.until],
        }


@dataclass(slots=True)
class Rotation:
    """Rotates the secrets of targets and keeps their keyrings up to date. `random` gives so many random bytes."""

    secrets: Secrets
    targets: Mapping[str, TargetRuntime]
    now: Callable[[], datetime]
    random: Callable[[int], bytes] = os.urandom
    _seen: dict[str, Sealed] = field(default_factory=dict)

    async def look(self) -> None:
        """Take up what other processes have rotated; a keyring whose secrets cannot be read is locked."""
        found = await self.secrets.all()
        for name, keyring in self._keyrings():
            self._taken(keyring, found.get(name, Sealed(name)))

    async def rotate(self, name: str, overlap: float = OVERLAP, kind: Kind | None = None) -> Rotated:
        """Make a new secret for a target, of the kind of its newest one unless told; what signs now signs along.

        `overlap` in seconds is for how long. UsageError where it cannot be done, with what to do.
        """
        keyring = self._keyring(name)
        if not self.secrets.has_key:
            raise UsageError(f"nothing is rotated: {NO_KEY}")
        if not 0 <= overlap <= LONGEST_OVERLAP:
            raise UsageError("the overlap is from 0s to 30d")
        for _ in range(_TRIES):
            before = await self.secrets.of(name)
            kept = self.secrets.open(before, Kept)
            if kept is None:
                raise UsageError(f"nothing is rotated: {_unreadable(name, has_key=True)}")
            new, following = self._next(keyring, kept, overlap, kind)
            if await self.secrets.replace(before, following):
                keyring.take(following)
                return self._made(name, new, following)
        raise UsageError(f"nothing is rotated: {name} is being rotated by others all the time; try again")

    async def forget(self, name: str) -> bool:
        """Forget what rotation made for a target, so that the config's secrets sign; False where there was nothing."""
        keyring = self._keyring(name)
        forgotten = await self.secrets.forget(name)
        keyring.take(())
        return forgotten

    def _next(
        self, keyring: Keyring, kept: Sequence[Kept], overlap: float, kind: Kind | None
    ) -> tuple[str, Sequence[Kept]]:
        now_ms = to_millis(self.now())
        newest = signing(keyring.configured, kept, now_ms)[0]
        new = new_secret(kind or kind_of(newest.secret), self.random)
        try:
            return new, rotated(keyring.configured, kept, new, now_ms, round(overlap * 1000))
        except TooManySecrets as error:
            first = stamp(from_millis(error.until_ms))
            raise UsageError(
                f"nothing is rotated: {error}, as many as may be. The first of them ends at {first}: rotate then, "
                "or end them all at once with an overlap of 0s"
            ) from None

    def _made(self, name: str, new: str, following: Sequence[Kept]) -> Rotated:
        now_ms = to_millis(self.now())
        until = [
            (kind_of(one.secret), stamp(from_millis(one.until_ms)))
            for one in following
            if one.until_ms is not None and one.signs_at(now_ms)
        ]
        kind = kind_of(new)
        structlog.get_logger().info("target.rotated", target=name, kind=kind, signing_along=len(until))
        return Rotated(name, kind, new, public_key(new), until)

    def _taken(self, keyring: Keyring, sealed: Sealed) -> None:
        if self._seen.get(sealed.target, Sealed(sealed.target)) == sealed:
            return
        kept = self.secrets.open(sealed, Kept)
        if kept is None:
            problem = _unreadable(sealed.target, has_key=self.secrets.has_key)
            structlog.get_logger().error("target.secrets_locked", target=sealed.target, problem=problem)
            keyring.lock(problem)
        else:
            keyring.take(kept)
            structlog.get_logger().info("target.secrets_taken", target=sealed.target)
        self._seen[sealed.target] = sealed

    def _keyrings(self) -> list[tuple[str, Keyring]]:
        found = ((name, keyring_of(one)) for name, one in self.targets.items())
        return [(name, keyring) for name, keyring in found if keyring is not None]

    def _keyring(self, name: str) -> Keyring:
        found = dict(self._keyrings()).get(name)
        if found is None:
            raise UsageError(
                f"nothing is rotated: {name} signs nothing; only a webhook, or a template with a secret, does"
            )
        return found


def keyring_of(runtime: TargetRuntime) -> Keyring | None:
    """The keyring of a target that signs, None for any other."""
    found = getattr(runtime.target, "keyring", None)
    return found if isinstance(found, Keyring) else None


def _unreadable(name: str, *, has_key: bool) -> str:
    why = "store.key is another than they were sealed with, or another version wrote them"
    why = why if has_key else "store.key is not set"
    return (
        f"the rotated secrets of {name} cannot be read: {why}. Give this process the key (JOBWIRE_KEY or store.key), "
        f"or forget them with `jobwire target rotate {name} --forget`, after which the config's secrets sign"
    )
