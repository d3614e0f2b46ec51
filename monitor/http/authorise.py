"""How requests prove who sends them: fixed headers, or a token that is bought, kept and renewed in time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Protocol, TypeAlias

from pydantic import SecretStr

from monitor.exchange import Exchange

RENEW_AT = 0.8
"""Share of a token's life after which a new one is bought, so that none ends on the way."""


class Token(Protocol):
    """A bought access token and how many seconds it lives."""

    @property
    def value(self) -> SecretStr:
        """The token itself."""
        ...

    @property
    def lifetime(self) -> float:
        """Seconds from its purchase to its end."""
        ...


class Credentials(Protocol):
    """What this module needs of `monitor.providers.base.Credentials`."""

    @property
    def headers(self) -> Mapping[str, SecretStr]:
        """Headers that are sent as they are."""
        ...

    @property
    def buy(self) -> Callable[[], Exchange[Token]] | None:
        """The exchange that buys a token, None where the headers are all."""
        ...


class Held(Protocol):
    """A token to send: `mark` tells purchases apart, `renew_in` is seconds until it should be asked for again."""

    @property
    def value(self) -> SecretStr:
        """The token itself."""
        ...

    @property
    def mark(self) -> str:
        """The name of its purchase: a server may sell the same token twice."""
        ...

    @property
    def renew_in(self) -> float:
        """Seconds it may be used without asking again."""
        ...


class Tokens(Protocol):
    """Where bought tokens are kept: for this process (`OwnTokens`), or for all workers (`monitor.store.tokens`)."""

    async def token(self, buy: Callable[[], Awaitable[Token]], refused: str | None) -> Held:
        """The token to send now, bought where there is none but the one with the `refused` mark."""
        ...


Purchase: TypeAlias = Callable[[Exchange[Token]], Awaitable[Token]]


@dataclass(frozen=True, slots=True)
class _Own:
    value: SecretStr
    mark: str
    renew_in: float


class OwnTokens:
    """Keeps nothing: each time it is asked it buys, for the one that asks."""

    def __init__(self) -> None:
        self._bought = count(1)

    async def token(self, buy: Callable[[], Awaitable[Token]], refused: str | None) -> Held:  # noqa: ARG002 - always anew
        """Buy a token."""
        token = await buy()
        return _Own(token.value, str(next(self._bought)), RENEW_AT * token.lifetime)


class Authoriser:
    """Credentials in, request headers out; of many requests in want of a new token only one asks for it."""

    def __init__(
        self,
        credentials: Credentials,
        purchase: Purchase,
        monotonic: Callable[[], float],
        tokens: Tokens | None = None,
    ) -> None:
        self._fixed = {name: secret.get_secret_value() for name, secret in credentials.headers.items()}
        self._buy = credentials.buy
        self._purchase = purchase
        self._monotonic = monotonic
        self._tokens = tokens or OwnTokens()
        self._held: Mapping[str, str] | None = None
        self._mark: str | None = None
        self._renew_at = 0.0
        self._asking = asyncio.Lock()

    @property
    def renews(self) -> bool:
        """Whether a refusal (401) is worth one renewal."""
        return self._buy is not None

    async def headers(self, refused: Mapping[str, str] | None = None) -> Mapping[str, str]:
        """The headers to send now. `refused` is an earlier answer of this method that got a 401: not again.

        Raises what the purchase raises: TransportError, or the provider's own word on the credentials.
        """
        if self._buy is None:
            return self._fixed
        if self._usable(refused) is None:
            async with self._asking:
                if self._usable(refused) is None:
                    await self._renew(self._buy, self._mark if refused is self._held else None)
        return self._held or self._fixed

    async def _renew(self, buy: Callable[[], Exchange[Token]], refused: str | None) -> None:
        held = await self._tokens.token(lambda: self._purchase(buy()), refused)
        self._renew_at = self._monotonic() + held.renew_in
        self._mark = held.mark
        self._held = {**self._fixed, "Authorization": f"Bearer {held.value.get_secret_value()}"}

    def _usable(self, refused: Mapping[str, str] | None) -> Mapping[str, str] | None:
        # Identity, not equality: a server may hand out the same token twice, and it was still bought anew.
        return self._held if self._held is not refused and self._monotonic() < self._renew_at else None
