"""Rotated secrets: made by command line and API, sealed in the store, used by every worker within a second."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from monitor.errors import UsageError
from monitor.pipeline.rotation import Rotated
from monitor.simulator import Receiver
from monitor.simulator.receiver import Delivery
from tests.installation import SECRET, Hands, Installation, Listing, installed, listing

KEY = base64.b64encode(bytes(range(32))).decode()
OTHER_KEY = base64.b64encode(bytes(range(1, 33))).decode()


def verifying(made: Rotated) -> str:
    """What a receiver is given."""
    return made.public or made.secret


@dataclass(slots=True)
class Scene:
    """One job, one target that signs, and a receiver that takes anything and knows more and more secrets."""

    watch: Installation
    receiver: Receiver
    list: Listing
    config: str
    changes: int = 0

    async def scan(self) -> None:
        """One more change of the job is seen."""
        self.changes += 1
        self.list.body = {"data": [{"id": "j", "status": "S", "total_amount": self.changes}], "next_page_token": ""}
        await self.watch.scan()

    async def change(self, watch: Installation | None = None) -> Delivery:
        """One change of the job, delivered by this worker or another; what arrived."""
        at = watch or self.watch
        await self.scan()
        await at.services.consumer.relay.relay()
        await at.services.consumer.deliverer.deliver(at.services.targets["hook"])
        return self.receiver.deliveries[-1]


@asynccontextmanager
async def scene(store_url: str, *, key: str | None = KEY, secret: str = SECRET) -> AsyncIterator[Scene]:
    """A scene with a key in its config, or none, in which nothing has happened yet."""
    hands = Hands(datetime(2026, 1, 5, 9, 30, tzinfo=UTC))
    async with (
        listing({"data": [{"id": "j", "status": "S"}], "next_page_token": ""}) as (url, one),
        Receiver([SECRET], clock=lambda: hands.now().timestamp()) as receiver,
    ):
        config = (
            f'sources: {{tax: {{provider: worklayer, base_url: "{url}", token: t}}}}\n'
            f'targets:\n  hook: {{type: webhook, url: "{receiver.url}", secret: "{secret}", retry: [1s]}}\n'
            '  chat: {type: slack, webhook_url: "http://127.0.0.1:9/x"}\n'
            "egress: {allow: [127.0.0.0/8]}\n"
            'routes: [{match: {type: "worklayer.**"}, to: [hook]}]\n'
        )
        config += f'store: {{key: "{key}"}}\n' if key else ""
        receiver.script([], then=204)
        async with installed(store_url, config, hands) as watch:
            await watch.scan()
            yield Scene(watch, receiver, one, config)


async def test_w7_after_two_rotations_a_delivery_verifies_with_all_three(redis: Redis, store_url: str) -> None:
    """W7: HMAC, then Ed25519, then HMAC; after the overlaps only the newest verifies."""
    async with scene(store_url) as at:
        rotation = at.watch.services.rotation
        made = [await rotation.rotate("hook", 7200, "whsk"), await rotation.rotate("hook", 3600, "whsec")]
        known = [SECRET, *(verifying(one) for one in made)]

        at.receiver.secrets[:] = known
        both = await at.change()
        assert both.headers["webhook-signature"].count("v1,") == 2
        assert (both.matched, both.headers["webhook-signature"].count("v1a,")) == (3, 1)

        matched = []
        at.watch.hands.pass_(hours=2)
        for secret in known:
            at.receiver.secrets[:] = [secret]
            matched.append((await at.change()).matched)
        assert matched == [0, 0, 1]


async def test_w8_more_old_secrets_than_ten_are_refused_until_one_ends(redis: Redis, store_url: str) -> None:
    """W8: with the time at which the first ends; then it goes again, and an overlap of 0s always does."""
    async with scene(store_url) as at:
        rotation = at.watch.services.rotation
        for _ in range(10):
            await rotation.rotate("hook", 3600)
            at.watch.hands.pass_(seconds=1)
        with pytest.raises(UsageError, match=r"10 old secrets still sign.*ends at 2026-01-05T10:30:00"):
            await rotation.rotate("hook", 3600)
        at.watch.hands.pass_(hours=1)
        again = await rotation.rotate("hook", 3600)
        last = await rotation.rotate("hook", 0)

        at.receiver.secrets[:] = [again.secret]
        assert (await at.change()).matched == 0
        at.receiver.secrets[:] = [last.secret]
        assert (await at.change()).matched == 1


async def test_another_worker_takes_a_rotation_up_without_a_restart(redis: Redis, store_url: str) -> None:
    """W7: one look into the store is enough; the consumer takes one each second."""
    async with scene(store_url) as at, installed(store_url, at.config, at.watch.hands) as other:
        running = asyncio.create_task(other.services.consumer.run())
        made = await at.watch.services.rotation.rotate("hook", 0)
        at.receiver.secrets[:] = [made.secret]
        async with asyncio.timeout(40):
            while not any(one.matched for one in at.receiver.deliveries):
                await at.scan()
                await asyncio.sleep(0.1)
        other.services.stopping.set()
        await running


async def test_a_worker_that_starts_later_signs_with_the_rotated_secret_at_once(redis: Redis, store_url: str) -> None:
    """It looks before it delivers."""
    async with scene(store_url) as at:
        made = await at.watch.services.rotation.rotate("hook", 0)
        async with installed(store_url, at.config, at.watch.hands) as other:
            at.receiver.secrets[:] = [made.secret]
            assert (await at.change(other)).matched == 1


async def test_two_rotations_at_once_lose_none(redis: Redis, store_url: str) -> None:
    """Each of many workers' secrets signs: whoever was slower begins anew from what the faster one wrote."""
    async with scene(store_url) as at, installed(store_url, at.config, at.watch.hands) as other:
        places = [at.watch.services.rotation, other.services.rotation] * 4
        made = await asyncio.gather(*(one.rotate("hook", 3600) for one in places))
        await at.watch.services.rotation.look()

        at.receiver.secrets[:] = [verifying(one) for one in made]
        assert (await at.change()).matched == 8


async def test_without_a_key_nothing_is_rotated_or_stored(redis: Redis, store_url: str) -> None:
    """The refusal says how to make a key, and what to do without one."""
    async with scene(store_url, key=None) as at:
        with pytest.raises(UsageError, match=r"store\.key is not set.*openssl rand -base64 32.*secrets: \[newest"):
            await at.watch.services.rotation.rotate("hook")
        assert not await redis.exists("jobwire:secrets")


async def test_a_target_that_signs_nothing_cannot_be_rotated(redis: Redis, store_url: str) -> None:
    """It says which can."""
    async with scene(store_url) as at:
        with pytest.raises(UsageError, match="chat signs nothing; only a webhook"):
            await at.watch.services.rotation.rotate("chat")
        with pytest.raises(UsageError, match="from 0s to 30d"):
            await at.watch.services.rotation.rotate("hook", 31 * 86400)


async def test_the_store_holds_no_secret_that_can_be_read(redis: Redis, store_url: str) -> None:
    """Neither the new secret nor the config's, in no key, also not as bytes of its base64."""
    async with scene(store_url) as at:
        made = await at.watch.services.rotation.rotate("hook", 3600)
        await at.change()
        kept = b"".join([await redis.dump(key) or b"" for key in await redis.keys("*")])

        for secret in (made.secret, SECRET):
            material = secret.partition("_")[2]
            assert material.encode() not in kept
            assert base64.b64decode(material) not in kept


@pytest.mark.parametrize(("key", "why"), [(None, "store.key is not set"), (OTHER_KEY, "another than they were sealed")])
async def test_a_worker_without_the_key_sends_nothing_and_says_why(
    redis: Redis, store_url: str, key: str | None, why: str
) -> None:
    """Signing with a secret that was rotated away would be worse; the attempt tells, and forgetting repairs it."""
    async with scene(store_url) as at:
        await at.watch.services.rotation.rotate("hook", 0)
        config = at.config.replace(f'store: {{key: "{KEY}"}}\n', f'store: {{key: "{key}"}}\n' if key else "")
        async with installed(store_url, config, at.watch.hands) as other:
            at.list.body = {"data": [{"id": "j", "status": "T"}], "next_page_token": ""}
            await at.watch.scan()
            await other.services.consumer.relay.relay()
            await other.services.consumer.deliverer.deliver(other.services.targets["hook"])
            (id,) = await redis.zrange("jobwire:deliveries:hook", 0, -1)
            delivery = str(await other.services.store.db.run("HGETALL", f"jobwire:delivery:{id.decode()}"))
            assert at.receiver.deliveries == []
            assert "secrets_locked: the rotated secrets of hook cannot be read" in delivery
            assert why in delivery

            assert await other.services.rotation.forget("hook")
            await redis.zadd("jobwire:lanes:hook", {"tax/job/j": 0})
            await other.services.consumer.deliverer.deliver(other.services.targets["hook"])
            assert [one.matched for one in at.receiver.deliveries] == [1]


async def test_no_log_line_holds_a_secret(redis: Redis, store_url: str) -> None:
    """A rotation is logged with target and kind."""
    with capture_logs() as lines:
        async with scene(store_url) as at:
            made = await at.watch.services.rotation.rotate("hook", 3600, "whsk")
    assert made.secret not in repr(lines) + repr(made)
    assert [line["kind"] for line in lines if line["event"] == "target.rotated"] == ["whsk"]
