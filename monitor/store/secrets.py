"""Signing secrets that rotation made: sealed with `store.key`, one field a target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from monitor.store.db import Db
from monitor.store.vault import Vault

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sealed:
    """What lies in the store for one target: bytes that only the key opens, and that tell one version from another."""

    target: str
    content: bytes = b""


class Secrets:
    """The sealed secrets of all targets. Without a vault there are none to be opened or written."""

    def __init__(self, db: Db, vault: Vault | None) -> None:
        self._db = db
        self._vault = vault

    @property
    def has_key(self) -> bool:
        """Whether secrets can be opened and written here."""
        return self._vault is not None

    async def all(self) -> Mapping[str, Sealed]:
        """What lies in the store, by target."""
        found = await self._db.run("HGETALL", self._db.keys.secrets)
        return {name.decode(): Sealed(name.decode(), content) for name, content in found.items()}

    async def of(self, target: str) -> Sealed:
        """What lies in the store for one target; empty where nothing does."""
        return Sealed(target, await self._db.run("HGET", self._db.keys.secrets, target) or b"")

    def open(self, sealed: Sealed, type: type[T]) -> Sequence[T] | None:
        """The sealed list; None where the key is missing or another one, or another version wrote it.

        Nothing sealed is an empty list.
        """
        if not sealed.content:
            return []
        opened = self._vault.open(sealed.content, self._place(sealed.target)) if self._vault else None
        try:
            return msgspec.json.decode(opened, type=list[type]) if opened is not None else None  # type: ignore[valid-type]  # a type that the caller hands in
        except msgspec.DecodeError:
            return None

    async def replace(self, before: Sealed, values: Sequence[object]) -> bool:
        """Seal a list in the place of what was there; False where that is no longer there, and nothing was written."""
        if self._vault is None:
            raise ValueError("nothing can be sealed without a key")
        content = self._vault.seal(msgspec.json.encode(values), self._place(before.target))
        args = (before.target, before.content, content)
        return bool(int(await self._db.script("replace_secrets", [self._db.keys.secrets], args)))

    async def forget(self, target: str) -> bool:
        """Forget what rotation made for a target; False where there was nothing."""
        return bool(await self._db.run("HDEL", self._db.keys.secrets, target))

    def _place(self, target: str) -> str:
        return f"{self._db.keys.secrets}\x1f{target}"
