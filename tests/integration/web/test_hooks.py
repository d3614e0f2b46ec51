"""A provider's own webhook, or an operator, has a scan made at once; nothing else can."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import io

import pytest
from redis.asyncio import Redis

from monitor.store.sources import ScanClosing
from tests.integration.web.serving import HOOK_SECRET, Served, jobs, served

OTHERS = """
  dev: {provider: devrev, token: t, base_url: "http://127.0.0.1:9", hook_secret: dev-secret}
  ats: {provider: bindbee, token: t, connector_token: c, base_url: "http://127.0.0.1:9", hook_secret: ats-secret}
  mute: {provider: devrev, token: t, base_url: "http://127.0.0.1:9"}
  off: {provider: devrev, token: t, base_url: "http://127.0.0.1:9", enabled: false}
  blank: {provider: worklayer, token: t, base_url: "http://127.0.0.1:9", hook_secret: ""}
"""


async def due(at: Served) -> list[str]:
    """The sources that are due now."""
    return [one.source for one in await at.watch.services.timetable.due()]


async def scanned_when_due(at: Served) -> int:
    """What a worker does until nothing is due any more; how many scans that were."""
    services, made = at.watch.services, 0
    while found := await services.timetable.due():
        for one in found:
            made += (await services.scanner.scan(services.sources[one.source], one.slot)).refused is None
        assert made < 10
    return made


async def test_a_verified_hook_has_a_scan_made(redis: Redis, store_url: str) -> None:
    """The slot is done and the next is an hour away; the webhook makes the source due."""
    async with served(store_url) as at:
        assert await scanned_when_due(at) == 1
        assert await due(at) == []
        answer = await at.ask("POST", "/hooks/tax", headers=at.hook(), data=b'{"anything": "at all"}')

        assert answer.status == 202
        assert await due(at) == ["tax"]
        assert await scanned_when_due(at) == 1


async def test_ten_hooks_at_once_are_one_scan(redis: Redis, store_url: str) -> None:
    """Whoever asks before a scan begins is answered by that one."""
    async with served(store_url) as at:
        await scanned_when_due(at)
        answers = await asyncio.gather(*(at.ask("POST", "/hooks/tax", headers=at.hook()) for _ in range(10)))

        assert [one.status for one in answers] == [202] * 10
        assert await scanned_when_due(at) == 1


async def test_hooks_during_a_scan_make_exactly_one_more(redis: Redis, store_url: str) -> None:
    """The running scan may have passed the page that changed, so one more looks, however many asked."""
    async with served(store_url) as at:
        services = at.watch.services
        await scanned_when_due(at)
        await at.ask("POST", "/hooks/tax", headers=at.hook())
        (one,) = await services.timetable.due()
        lease = await services.store.sources.claim("tax", owner="me", slot=one.slot, ttl_ms=60_000)
        assert not isinstance(lease, str)
        for _ in range(5):
            await at.ask("POST", "/hooks/tax", headers=at.hook())
        assert await due(at) == [], "it is running"
        await services.store.sources.finish(lease, ScanClosing(set={"slot": one.slot}))

        assert await scanned_when_due(at) == 1


async def test_a_scan_that_died_is_still_owed(redis: Redis, store_url: str) -> None:
    """Its worker was killed in the middle: whoever asked has not been answered."""
    async with served(store_url) as at:
        await scanned_when_due(at)
        await at.ask("POST", "/hooks/tax", headers=at.hook())
        (one,) = await at.watch.services.timetable.due()
        await at.watch.services.store.sources.claim("tax", owner="dead", slot=one.slot, ttl_ms=60_000)
        await redis.delete("jobwire:lease:tax")

        assert await scanned_when_due(at) == 1


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/hooks/tax", {}, 401),
        ("/hooks/tax", {"X-Hook-Secret": "wrong"}, 401),
        ("/hooks/tax", {"X-Hook-Secret": "wröng"}, 401),
        ("/hooks/tax", {"Authorization": f"Bearer {HOOK_SECRET}"}, 202),
        ("/hooks/dev", {"X-Hook-Secret": "dev-secret"}, 401),
        ("/hooks/dev", {"X-DevRev-Signature": "00"}, 401),
        ("/hooks/mute", {"X-Hook-Secret": ""}, 404),
        ("/hooks/blank", {"X-Hook-Secret": ""}, 404),
        ("/hooks/nobody", {"X-Hook-Secret": HOOK_SECRET}, 404),
        ("/api/v1/sources/nobody/poll", {}, 404),
        ("/api/v1/sources/off/poll", {}, 409),
    ],
)
async def test_who_does_not_know_the_secret_asks_for_nothing(
    redis: Redis, store_url: str, path: str, headers: dict[str, str], status: int
) -> None:
    """Nothing but a proof counts, and an empty secret proves nothing."""
    async with served(store_url, more=OTHERS) as at:
        assert (await at.ask("POST", path, headers=headers, data=b"{}")).status == status
        name = path.rpartition("/")[2]
        assert ("asked" in await at.watch.services.store.sources.state(name)) is (status == 202)


async def test_devrev_and_bindbee_sign_in_their_own_ways(redis: Redis, store_url: str) -> None:
    """HMAC-SHA256 of the raw body, in hex and in base64url; one byte more is another body."""
    body = b'{"type":"job_updated"}'
    devrev = {"X-DevRev-Signature": hmac.new(b"dev-secret", body, hashlib.sha256).hexdigest()}
    signed = hmac.new(b"ats-secret", body, hashlib.sha256).digest()
    bindbee = {"X-Bindbee-Webhook-Signature": base64.urlsafe_b64encode(signed).decode()}
    async with served(store_url, more=OTHERS) as at:
        for path, headers in (("/hooks/dev", devrev), ("/hooks/ats", bindbee)):
            assert (await at.ask("POST", path, headers=headers, data=body)).status == 202
            assert (await at.ask("POST", path, headers=headers, data=body + b" ")).status == 401


async def test_devrev_hears_its_challenge_back(redis: Redis, store_url: str) -> None:
    """So it verifies a new webhook; a challenge that is not signed gets nothing."""
    body = b'{"type":"verify","verify":{"challenge":"c4"}}'
    headers = {"X-DevRev-Signature": hmac.new(b"dev-secret", body, hashlib.sha256).hexdigest()}
    async with served(store_url, more=OTHERS) as at:
        answer = await at.ask("POST", "/hooks/dev", headers=headers, data=body)

        assert (answer.status, await answer.json()) == (200, {"challenge": "c4"})
        assert (await at.ask("POST", "/hooks/dev", data=body)).status == 401


async def test_a_body_over_a_megabyte_is_refused(redis: Redis, store_url: str) -> None:
    """Before it is all in memory."""
    async with served(store_url) as at:
        answer = await at.ask("POST", "/hooks/tax", headers=at.hook(), data=io.BytesIO(b"x" * 1_100_000))

        assert (answer.status, answer.content_type) == (413, "application/problem+json")


async def test_rejected_credentials_are_asked_again_for_an_operator_not_for_a_hook(
    redis: Redis, store_url: str
) -> None:
    """P29: they are left alone for 15 minutes, unless a person says that they are mended."""
    async with served(store_url) as at:
        at.listing.status, at.listing.body = 401, {}
        report = await at.watch.services.scanner.scan(at.watch.services.sources["tax"], 1)
        assert report.reason == "credentials_rejected"
        at.listing.status, at.listing.body = 200, jobs("a")
        await at.ask("POST", "/hooks/tax", headers=at.hook())
        assert await due(at) == []

        assert (await at.ask("POST", "/api/v1/sources/tax/poll")).status == 202
        assert await scanned_when_due(at) == 1


async def test_a_providers_own_wait_holds_for_all_and_the_scan_is_owed(redis: Redis, store_url: str) -> None:
    """P29: 429 with a long Retry-After puts the scan off; when the wait is over it is made, for who asked before it."""
    async with served(store_url) as at:
        await scanned_when_due(at)
        at.listing.status, at.listing.headers = 429, lambda: {"Retry-After": "600"}
        assert (await at.ask("POST", "/api/v1/sources/tax/poll")).status == 202
        (one,) = await at.watch.services.timetable.due()
        report = await at.watch.services.scanner.scan(at.watch.services.sources["tax"], one.slot)
        assert report.reason == "throttled"
        assert (await at.ask("POST", "/api/v1/sources/tax/poll")).status == 202
        assert await due(at) == []
        await at.watch.services.store.db.run("HDEL", "jobwire:source:tax", "paused_until")

        assert await due(at) == ["tax"]
