"""Who calls each source: with whose credentials, on whose budget, and with tokens that all workers share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass

from aiohttp import ClientSession
from pydantic import SecretStr

from monitor.clock import Clock
from monitor.http import Caller, Limits
from monitor.http.authorise import RENEW_AT
from monitor.http.pace import Pace
from monitor.providers.base import Credentials, Provider, identity
from monitor.settings import Source as SourceSetting
from monitor.store.db import Db
from monitor.store.governor import Budget, SharedGovernor
from monitor.store.tokens import SharedTokens
from monitor.store.vault import Vault, key_bytes


@dataclass(frozen=True, slots=True)
class Sharing:
    """What workers share their budgets and tokens by: the store, this worker's name, the key that seals tokens.

    Without a `key` tokens are not shared: each process buys its own, and none lies in the store.
    """

    db: Db
    worker: str
    key: SecretStr | None = None


@dataclass(frozen=True, slots=True)
class _Called:
    setting: SourceSetting
    provider: Provider
    credentials: Credentials
    credential: str


def open_callers(
    sources: Mapping[str, tuple[SourceSetting, Provider]],
    session: ClientSession,
    clock: Clock,
    stack: AsyncExitStack,
    sharing: Sharing | None,
) -> dict[str, Caller]:
    """Sources by name in, a caller for each out; without `sharing` each has a budget and tokens of its own."""
    called = {name: _called(setting, provider) for name, (setting, provider) in sources.items()}
    budgets = _budgets(called.values())
    vault = Vault(key_bytes(sharing.key.get_secret_value())) if sharing and sharing.key else None
    callers = {}
    for name, one in called.items():
        options = one.setting.options
        governor = tokens = None
        if sharing is not None:
            budget = budgets[one.credential]
            local = Pace(budget.rate, clock)
            governor = SharedGovernor(sharing.db, one.credential, f"{sharing.worker}/{name}", budget, local, clock)
            stack.push_async_callback(governor.close)
            if vault is not None and one.credentials.buy is not None:
                tokens = SharedTokens(sharing.db, vault, one.credential, clock, RENEW_AT)
        limits = Limits(options.timeout, options.max_body, options.rate, options.concurrency)
        callers[name] = Caller(session, one.credentials, limits, one.provider.wait_hint, clock, governor, tokens)
    return callers


def _called(setting: SourceSetting, provider: Provider) -> _Called:
    credentials = provider.credentials()
    name = identity(setting.provider, setting.options.base_url, credentials, setting.name)
    return _Called(setting, provider, credentials, name)


def _budgets(called: Iterable[_Called]) -> dict[str, Budget]:
    """What the sources of each credential may spend together: the lowest rate and the highest concurrency of them."""
    found: dict[str, Budget] = {}
    for one in called:
        options, before = one.setting.options, found.get(one.credential, Budget(None, 1))
        rates = [rate for rate in (options.rate, before.rate) if rate is not None]
        found[one.credential] = Budget(min(rates, default=None), max(options.concurrency, before.concurrency))
    return found
