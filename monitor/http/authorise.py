"""How requests prove who sends them: fixed headers, or a token that is bought, kept and renewed in time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
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


Purchase: TypeAlias = Callable[[Exchange[Token]], Awaitable[Token]]


class Authoriser:
    """Credentials in, request headers out; of many callers in want of a new token only one buys it."""

    def __init__(self, credentials: Credentials, purchase: Purchase, monotonic: Callable[[], float]) -> None:
        self._fixed = {name: secret.get_secret_value() for name, secret in credentials.headers.items()}
        self._buy = credentials.buy
        self._purchase = purchase
        self._monotonic = monotonic
        self._held: Mapping[str, str] | None = None
        self._renew_at = 0.0
        self._buying = asyncio.Lock()

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
            async with self._buying:
                if self._usable(refused) is None:
                    token = await self._purchase(self._buy())
                    self._renew_at = self._monotonic() + RENEW_AT * token.lifetime
                    self._held = {**self._fixed, "Authorization": f"Bearer {token.value.get_secret_value()}"}
        return self._held or self._fixed

    def _usable(self, refused: Mapping[str, str] | None) -> Mapping[str, str] | None:
        # Identity, not equality: a server may hand out the same token twice, and it was still bought anew.
        return self._held if self._held is not refused and self._monotonic() < self._renew_at else None
