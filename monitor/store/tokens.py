"""Access tokens that one worker buys for all: kept sealed in the store until they end."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import msgspec
import structlog
from pydantic import SecretStr

from monitor.clock import Clock
from monitor.errors import StoreUnavailable
from monitor.store.db import Arg, Db
from monitor.store.vault import Vault

_LOCK_MS = 15_000
_LOOK_SECONDS = 0.05
_SOON = 1.0


class Bought(Protocol):
    """A token as it was bought: its text and how many seconds it lives."""

    @property
    def value(self) -> SecretStr:
        """The token itself."""
        ...

    @property
    def lifetime(self) -> float:
        """Seconds from its purchase to its end."""
        ...


@dataclass(frozen=True, slots=True)
class Held:
    """A token to send: `mark` tells purchases apart, `renew_in` is seconds until it should be asked for again."""

    value: SecretStr
    mark: str
    renew_in: float


class _Kept(msgspec.Struct, frozen=True):
    token: str
    mark: str
    lifetime: float


class SharedTokens:
    """The token of one credential, the same in all workers that have the same key.

    It is renewed after the share `renew_at` of its life.
    """

    def __init__(self, db: Db, vault: Vault, credential: str, clock: Clock, renew_at: float) -> None:
        name = vault.name(credential)
        self._db = db
        self._vault = vault
        self._clock = clock
        self._renew_at = renew_at
        self._token = db.keys.token(name)
        self._buying = db.keys.buying(name)
        self._decoder = msgspec.json.Decoder(_Kept)

    async def token(self, buy: Callable[[], Awaitable[Bought]], refused: str | None) -> Held:
        """The token to send now; whoever comes first buys it when there is none, or when it is the `refused` one.

        While another worker buys, a token that still lives is used. Raises what `buy` raises. Without the
        store each process buys its own.
        """
        mark = secrets.token_hex(8)
        try:
            held = await self._found(refused, mark)
        except StoreUnavailable as error:
            structlog.get_logger().warning("tokens.store_unavailable", error=str(error))
            held = None
        if held is not None:
            return held
        try:
            bought = await buy()
        except BaseException:
            await self._settle(mark, None)
            raise
        await self._settle(mark, bought)
        return Held(bought.value, mark, self._renew_at * bought.lifetime)

    async def _found(self, refused: str | None, mark: str) -> Held | None:
        """A token to use; None once the right to buy one is ours."""
        while True:
            kept, left = await self._read(refused)
            if kept is not None and self._due(kept, left) > 0:
                return _held(kept, self._due(kept, left))
            if await self._db.run("SET", self._buying, mark, "NX", "PX", _LOCK_MS):
                return await self._bought_meanwhile(refused, mark)
            if kept is not None:
                return _held(kept, min(_SOON, left))
            await self._clock.sleep(_LOOK_SECONDS)

    async def _bought_meanwhile(self, refused: str | None, mark: str) -> Held | None:
        """The token of a worker who gave the lock back between our look and our turn, if there was one."""
        kept, left = await self._read(refused)
        if kept is None or self._due(kept, left) <= 0:
            return None
        await self._settle(mark, None)
        return _held(kept, self._due(kept, left))

    async def _read(self, refused: str | None) -> tuple[_Kept | None, float]:
        """The kept token, unless it is the refused one, and the seconds it has left."""
        sealed, left_ms = await self._db.run_all([("GET", self._token), ("PTTL", self._token)])
        opened = self._vault.open(sealed, self._token) if sealed else None
        kept = self._decoder.decode(opened) if opened else None
        return (kept, left_ms / 1000) if kept and kept.mark != refused and left_ms > 0 else (None, 0.0)

    def _due(self, kept: _Kept, left: float) -> float:
        """Seconds until a kept token should be renewed; 0 or less when it should have been."""
        return left - (1 - self._renew_at) * kept.lifetime

    async def _settle(self, mark: str, bought: Bought | None) -> None:
        """Give the lock back, and keep what was bought under it; a lock that was lost keeps nothing."""
        args: list[Arg] = [mark]
        if bought is not None:
            kept = _Kept(bought.value.get_secret_value(), mark, bought.lifetime)
            args += [self._vault.seal(msgspec.json.encode(kept), self._token), round(bought.lifetime * 1000)]
        try:
            await self._db.script("keep_token", [self._token, self._buying], args)
        except StoreUnavailable as error:
            structlog.get_logger().warning("tokens.store_unavailable", error=str(error))


def _held(kept: _Kept, renew_in: float) -> Held:
    return Held(SecretStr(kept.token), kept.mark, renew_in)
