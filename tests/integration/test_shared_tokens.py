"""Bought tokens are shared: one purchase for all workers, sealed in the store, renewed in time and once after a 401."""

from __future__ import annotations

import asyncio
import base64
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from monitor.clock import Clock
from monitor.errors import CredentialsRejected
from monitor.providers.base import Token
from monitor.simulator import Simulator
from monitor.store.db import Db
from monitor.store.keys import Keys
from monitor.store.tokens import SharedTokens
from monitor.store.vault import Vault, key_bytes
from tests.installation import Hands, Installation, installed
from tests.stores import until

ROOT = Path(__file__).resolve().parents[2]
KEY = base64.b64encode(bytes(range(32))).decode()
CONFIG = """
store: {{key: "{key}"}}
sources:
  tax: {{provider: worklayer, base_url: "{sim.base_url}", client_id: "{sim.client_id}",
         client_secret: "{sim.client_secret}", token_url: "{sim.token_url}", audience: "{sim.audience}"}}
  open: {{provider: worklayer, base_url: "{sim.base_url}", client_id: "{sim.client_id}",
          client_secret: "{sim.client_secret}", token_url: "{sim.token_url}", audience: "{sim.audience}", page_size: 3}}
"""


@asynccontextmanager
async def workers(sim: Simulator, store_url: str, count: int = 2, key: str = KEY) -> AsyncIterator[list[Installation]]:
    """So many workers on one config with two sources of the same client."""
    config = CONFIG.format(sim=sim.worklayer, key=key) if key else CONFIG.format(sim=sim.worklayer, key="")
    config = config if key else config.replace('store: {key: ""}', "")
    hands = Hands(datetime.now(UTC))
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(installed(store_url, config, hands)) for _ in range(count)]


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    """A simulator with some jobs."""
    async with Simulator(seed=5, population=8) as running:
        yield running


async def scan_all(places: list[Installation]) -> list[str | None]:
    """Each worker scans one of the two sources, all at the same time; how the scans ended."""
    reports = await asyncio.gather(
        *(
            place.services.scanner.scan(place.services.sources[name], 1, force=True)
            for place, name in zip(places, ("tax", "open"), strict=False)
        )
    )
    return [report.reason or report.refused for report in reports]


def bought(sim: Simulator) -> int:
    """How often a token was asked for."""
    return sum(seen.path.endswith("/oauth/token") for seen in sim.worklayer.requests)


async def test_one_worker_buys_for_all(sim: Simulator, redis: Redis, store_url: str) -> None:
    """Two workers that start at the same moment buy one token between them, and a third later buys none."""
    sim.worklayer.fault(path="*/oauth/token", delay=0.2, times=None)
    async with workers(sim, store_url) as places:
        assert await scan_all(places) == [None, None]
    async with workers(sim, store_url, 1) as later:
        assert await scan_all(later) == [None]
    assert bought(sim) == 1


async def test_one_process_buys_for_another(sim: Simulator, redis: Redis, store_url: str, tmp_path: Path) -> None:
    """Real processes: two polls at once, one purchase. The key may come from JOBWIRE_KEY."""
    config = tmp_path / "jobwire.yaml"
    config.write_text(CONFIG.format(sim=sim.worklayer, key=KEY).replace(f'store: {{key: "{KEY}"}}', ""))
    environ = {**os.environ, "JOBWIRE_STORE_URL": store_url, "JOBWIRE_KEY": KEY, "PYTHONPATH": str(ROOT)}
    polls = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "monitor.cli", "poll", name, "-c", str(config), cwd=tmp_path, env=environ,
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )
        for name in ("tax", "open")
    ]  # fmt: skip
    assert [await poll.wait() for poll in polls] == [0, 0]
    assert bought(sim) == 1


async def test_a_401_forces_one_renewal_for_all_workers(sim: Simulator, redis: Redis, store_url: str) -> None:
    """All tokens are revoked; both workers meet the 401 at the same time, and one new token serves both."""
    async with workers(sim, store_url) as places:
        await scan_all(places)
        sim.worklayer.revoke_tokens()
        assert await scan_all(places) == [None, None]
        assert await scan_all(places) == [None, None]
    assert bought(sim) == 2


async def test_a_token_that_is_refused_again_is_not_bought_for_ever(
    sim: Simulator, redis: Redis, store_url: str
) -> None:
    """The second 401 in a row is the provider's word: credentials_rejected, after one renewal for both workers."""
    async with workers(sim, store_url) as places:
        await scan_all(places)
        sim.worklayer.fault(path="*/jobs*", status=401, times=None)
        assert await scan_all(places) == ["credentials_rejected", "credentials_rejected"]
    assert bought(sim) == 2


async def test_the_token_in_the_store_cannot_be_read_without_the_key(
    sim: Simulator, redis: Redis, store_url: str
) -> None:
    """Nothing in the store holds the token, the client's secret or the key, and another key does not open it."""
    async with workers(sim, store_url, 1) as places:
        await scan_all(places)
    (key,) = [one async for one in redis.scan_iter("*:token:*")]
    sealed = await redis.get(key)
    token = Vault(key_bytes(KEY)).open(sealed, key.decode())
    assert token is not None
    assert token.startswith(b'{"token":"ey')
    assert Vault(bytes(32)).open(sealed, key.decode()) is None
    assert Vault(key_bytes(KEY)).open(sealed, "jobwire:token:elsewhere") is None
    assert 0 < await redis.pttl(key) <= 3_600_000
    issued = next(iter(sim.worklayer._issued.keys() - {sim.worklayer.static_token}))
    for name in await redis.keys("*"):
        held = name + (await redis.dump(name) or b"")
        assert not [one for one in (issued, sim.worklayer.client_secret, KEY) if one.encode() in held]


async def test_without_a_key_no_token_is_stored(sim: Simulator, redis: Redis, store_url: str) -> None:
    """Each process buys its own, once."""
    async with workers(sim, store_url, key="") as places:
        for _ in range(2):
            assert await scan_all(places) == [None, None]
    assert bought(sim) == 2
    assert await redis.keys("*:token:*") == []


async def test_workers_with_different_keys_do_not_meet(sim: Simulator, redis: Redis, store_url: str) -> None:
    """While a key is being changed, each side buys for itself, and neither spoils the other's."""
    other = base64.b64encode(bytes(32)).decode()
    async with workers(sim, store_url, 1) as one, workers(sim, store_url, 1, key=other) as two:
        for _ in range(2):
            await scan_all(one)
            await scan_all(two)
    assert bought(sim) == 2
    assert len(await redis.keys("*:token:*")) == 2


class Shop:
    """Sells tokens t1, t2, ...; `gate` holds a sale until it is set."""

    def __init__(self, lifetime: float = 100.0) -> None:
        self.lifetime = lifetime
        self.sold = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def buy(self) -> Token:
        self.sold += 1
        number = self.sold
        await self.gate.wait()
        return Token(SecretStr(f"t{number}"), self.lifetime)


@pytest.fixture
def shelf(redis: Redis) -> SharedTokens:
    """Where the token of one credential is kept."""
    return SharedTokens(Db(redis, Keys("jobwire")), Vault(key_bytes(KEY)), "c1", Clock(), 0.8)


async def age(redis: Redis, seconds_left: float) -> None:
    """Time passes for the kept token."""
    (key,) = await redis.keys("*:token:*")
    await redis.pexpire(key, round(seconds_left * 1000))


async def test_a_token_is_renewed_at_four_fifths_of_its_life(redis: Redis, shelf: SharedTokens) -> None:
    """With 21 of 100 seconds left it is used and asked for again in one; with 19 left a new one is bought."""
    shop = Shop()
    first = await shelf.token(shop.buy, None)
    assert (first.value.get_secret_value(), first.renew_in) == ("t1", 80.0)
    await age(redis, 21)
    again = await shelf.token(shop.buy, None)
    assert (again.value.get_secret_value(), again.mark) == ("t1", first.mark)
    assert again.renew_in == pytest.approx(1.0, abs=0.5)
    await age(redis, 19)
    assert (await shelf.token(shop.buy, None)).value.get_secret_value() == "t2"


async def test_while_one_renews_the_others_use_what_still_lives(redis: Redis, shelf: SharedTokens) -> None:
    """A renewal is nobody's wait; only when there is nothing to use is it waited for, and then bought once."""
    shop = Shop()
    await shelf.token(shop.buy, None)
    await age(redis, 10)
    shop.gate.clear()
    renewing = asyncio.create_task(shelf.token(shop.buy, None))
    await until(lambda: shop.sold == 2)
    meanwhile = await shelf.token(shop.buy, None)
    assert (meanwhile.value.get_secret_value(), shop.sold) == ("t1", 2)
    await redis.delete(*await redis.keys("*:token:*"))
    waiting = [asyncio.create_task(shelf.token(shop.buy, None)) for _ in range(3)]
    shop.gate.set()
    texts = {one.value.get_secret_value() for one in await asyncio.gather(renewing, *waiting)}
    assert (texts, shop.sold) == ({"t2"}, 2)


async def test_a_purchase_that_fails_gives_its_right_to_the_next(redis: Redis, shelf: SharedTokens) -> None:
    """The error goes to whoever tried; nobody waits for a lock that is not needed any more."""

    async def refuse() -> Token:
        raise CredentialsRejected("the token server says no")

    with pytest.raises(CredentialsRejected):
        await shelf.token(refuse, None)
    async with asyncio.timeout(60):
        assert (await shelf.token(Shop().buy, None)).value.get_secret_value() == "t1"


async def test_a_buyer_that_dies_holds_the_others_for_seconds_only(redis: Redis, shelf: SharedTokens) -> None:
    """Its lock lapses by itself, and a purchase that ends after that keeps nothing over a newer one."""
    slow, quick = Shop(), Shop()
    slow.gate.clear()
    stuck = asyncio.create_task(shelf.token(slow.buy, None))
    await until(lambda: slow.sold == 1)
    (lock,) = await redis.keys("*:buying:*")
    assert 0 < await redis.pttl(lock) <= 15_000
    await redis.delete(lock)
    newer = await shelf.token(quick.buy, None)
    slow.gate.set()
    await stuck
    assert (await shelf.token(quick.buy, None)).mark == newer.mark


async def test_without_the_store_each_buys_its_own() -> None:
    """A store that cannot be reached keeps nobody from asking the provider."""
    db = Db(Redis.from_url("redis://127.0.0.1:1/0"), Keys("t"))
    shelf = SharedTokens(db, Vault(key_bytes(KEY)), "c1", Clock(), 0.8)
    shop = Shop()
    assert [(await shelf.token(shop.buy, None)).value.get_secret_value() for _ in range(2)] == ["t1", "t2"]
    await db.close()


@pytest.mark.parametrize("key", ["short", base64.b64encode(bytes(31)).decode(), "äöü", ""])
def test_a_key_that_is_none_is_refused_and_not_repeated(key: str) -> None:
    """The text says how to make one."""
    with pytest.raises(ValueError, match=r"openssl rand -base64 32") as caught:
        key_bytes(key)
    assert not key or key not in str(caught.value)


def test_both_alphabets_of_base64_are_taken() -> None:
    """`openssl rand -base64 32` and Python's urlsafe form are the same key."""
    raw = bytes([251, 255] * 16)
    assert key_bytes(base64.b64encode(raw).decode()) == key_bytes(base64.urlsafe_b64encode(raw).decode()) == raw
