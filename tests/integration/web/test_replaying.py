"""POST .../replay: sent again by an operator, once for one Idempotency-Key."""

from __future__ import annotations

import asyncio
from typing import Any

from redis.asyncio import Redis

from monitor.store.lanes import Attempt, Settled
from monitor.store.once import Kept, Once
from tests.integration.web.serving import Served, jobs, served

ATTEMPT = Attempt(1, "2026-01-05T09:30:00Z", 500, 12, "status 500", "no", "127.0.0.1")


async def given_up(at: Served) -> list[str]:
    """Deliveries of `ops` that failed for good; their ids."""
    at.listing.body = jobs("a", "b", "c")
    await at.watch.scan()
    at.listing.body = jobs("a", "b", "c", status="CLAIMED")
    await at.watch.scan()
    await at.watch.services.consumer.relay.relay()
    lanes, ids = at.watch.services.store.lanes, []
    while claimed := await lanes.claim("ops", lease_ms=60_000, limit=10, take=1):
        ids += [one.waiting[0].id for one in claimed]
        await lanes.settle("ops", [Settled(one, "failed", 0.0, [(one.waiting[0].id, ATTEMPT)]) for one in claimed])
    return ids


async def post(at: Served, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    """Status and JSON of a POST."""
    async with at.http.post(at.url + path, json=body, headers=headers) as answer:
        return answer.status, await answer.json()


async def replays(at: Served, ids: list[str]) -> list[int]:
    """How often each delivery was put back into its lane."""
    return [one.replays if one else -1 for one in await at.watch.services.store.reading.of_ids(ids)]


async def test_w10_two_calls_with_one_key_send_once_and_get_the_same_answer(redis: Redis, store_url: str) -> None:
    """W10: at once or later; another key sends again, and the same key for another call is refused."""
    async with served(store_url) as at:
        ids = await given_up(at)
        path, body = "/api/v1/targets/ops/replay", {"since": "1h", "failed": False}
        first = await asyncio.gather(*(post(at, path, body, **{"Idempotency-Key": "k-1"}) for _ in range(5)))
        later = await post(at, path, body, **{"Idempotency-Key": "k-1"})
        other = await post(at, path, {"since": "2h"}, **{"Idempotency-Key": "k-1"})

        assert first == [first[0]] * 5
        assert (later, first[0][0]) == (first[0], 202)
        assert first[0][1] == {"target": "ops", "count": len(ids), "results": {"queued": len(ids)}}
        assert await replays(at, ids) == [1] * len(ids)
        assert (other[0], "new one" in other[1]["detail"]) == (422, True)


async def test_w10_a_key_whose_worker_died_is_taken_over(redis: Redis, store_url: str) -> None:
    """W10: who waits for an answer that never comes does the work, when the lease of the dead one lapses."""
    async with served(store_url) as at:
        (id, *_) = await given_up(at)
        once, path = Once(at.watch.services.store.db), f"/api/v1/deliveries/{id}/replay"
        assert await once.begin("k-2", "by one who died") is None
        assert isinstance(await once.begin("k-2", "by one who died"), Kept)
        (name,) = await redis.keys("jobwire:asked:*")
        assert 0 < await redis.pttl(name) <= 30_000
        await redis.delete(name)
        status, said = await post(at, path, **{"Idempotency-Key": "k-2"})

        assert (status, said["id"], said["result"]) == (202, id, "queued")
        assert await replays(at, [id]) == [1]


async def test_one_delivery_is_sent_again(redis: Redis, store_url: str) -> None:
    """Without a key each call counts; what cannot be sent says why and what to do."""
    async with served(store_url) as at:
        ids = await given_up(at)
        path = f"/api/v1/deliveries/{ids[0]}/replay"
        assert (await post(at, path))[0] == 202
        assert (await post(at, "/api/v1/deliveries/dlv_none/replay"))[0] == 404
        await at.watch.services.store.switch.off("ops")
        status, said = await post(at, f"/api/v1/deliveries/{ids[1]}/replay")
        assert (status, "jobwire target enable ops" in said["detail"]) == (409, True)
        await at.watch.services.store.switch.on("ops")
        await redis.xtrim("jobwire:events", maxlen=0)
        assert (await post(at, f"/api/v1/deliveries/{ids[1]}/replay"))[0] == 409

        assert await replays(at, ids[:2]) == [1, 0]


async def test_w21_what_failed_since_a_time_is_sent_again(redis: Redis, store_url: str) -> None:
    """W21: once each, by type; a window longer than what is kept is 422 and says where it begins."""
    async with served(store_url) as at:
        ids = await given_up(at)
        path = "/api/v1/targets/ops/replay"
        chosen = await post(at, path, {"since": "1h", "failed": True, "type": "worklayer.job.claimed"})
        rest = await post(at, path, {"since": "1h", "failed": True})
        none = await post(at, path, {"since": "1h", "failed": True})
        too_long = await post(at, path, {"since": "15d", "failed": True})
        wrong = [await post(at, path, body) for body in ({"since": "soon"}, {"sinc": "1h"}, {})]

        assert chosen[1]["results"] == {"queued": 3}
        assert (rest[1]["count"], none[1]["count"]) == (len(ids) - 3, 0)
        assert await replays(at, ids) == [1] * len(ids)
        assert (too_long[0], "14 days" in too_long[1]["detail"]) == (422, True)
        assert [status for status, _ in wrong] == [400, 400, 400]
        assert (await post(at, "/api/v1/targets/nobody/replay", {"since": "1h"}))[0] == 404


async def test_only_who_brings_a_token_sends_again(redis: Redis, store_url: str) -> None:
    """As for every POST of the API."""
    async with served(store_url, web=", tokens: [web-token-1]") as at:
        ids = await given_up(at)
        path = f"/api/v1/deliveries/{ids[0]}/replay"
        assert (await post(at, path))[0] == 401
        assert (await post(at, path, Authorization="Bearer web-token-1"))[0] == 202
        assert await replays(at, ids[:1]) == [1]


async def test_deliveries_are_sent_again_by_their_ids_or_counted(redis: Redis, store_url: str) -> None:
    """An event stands for its deliveries; with `dry_run` nothing moves, by ids or by time; bad words are refused."""
    async with served(store_url) as at:
        ids = await given_up(at)
        event = (await at.watch.services.store.log.last(1))[0].id
        path = "/api/v1/deliveries/replay"
        looked = await post(at, path, {"ids": [ids[0], event, "dlv_none"], "dry_run": True})
        counted = await post(at, "/api/v1/targets/ops/replay", {"since": "1h", "failed": True, "dry_run": True})
        before = await replays(at, ids)
        sent = await post(at, path, {"ids": [ids[0], "dlv_none"]}, **{"Idempotency-Key": "k-3"})
        again = await post(at, path, {"ids": [ids[0], "dlv_none"]}, **{"Idempotency-Key": "k-3"})
        wrong = [await post(at, path, {"ids": []}), await post(at, path, {"ids": ["a"], "target": "nobody"})]

        assert (looked[0], [one["result"] for one in looked[1]["items"]]) == (200, ["unknown", "failed", "failed"])
        assert (counted[0], counted[1]["statuses"], before) == (200, {"failed": len(ids)}, [0] * len(ids))
        assert (sent[0], {one["id"]: one["result"] for one in sent[1]["items"]}) == (
            202, {ids[0]: "queued", "dlv_none": "unknown"},
        )  # fmt: skip
        assert (again, (await replays(at, ids))[0]) == (sent, 1)
        assert [status for status, _ in wrong] == [400, 404]
