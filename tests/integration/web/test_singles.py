"""One source, target, resource, event or delivery by its name, key or id."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from redis.asyncio import Redis

from tests.integration.web.serving import jobs, served


async def test_each_is_as_the_lists_have_it(redis: Redis, store_url: str) -> None:
    """The same objects; a target says where it is, a delivery when it was made and what it is about."""
    async with served(store_url) as at:
        await at.watch.scan()
        at.listing.body = jobs("a", "b", "c", status="CLAIMED")
        await at.watch.scan()
        await at.watch.services.consumer.relay.relay()
        event = (await at.get("/api/v1/events"))["items"][-1]
        delivery = (await at.get("/api/v1/deliveries?detail=1"))["items"][0]
        resource = (await at.get("/api/v1/resources"))["items"][0]
        source, target = await at.get("/api/v1/sources/tax"), await at.get("/api/v1/targets/ops")

        assert await at.get(f"/api/v1/events/{event['id']}") == event
        assert await at.get(f"/api/v1/deliveries/{delivery['id']}") == delivery
        assert await at.get(f"/api/v1/resources/{resource['key']}") == resource
        assert (source["name"], source["items"]) == ("tax", 3)
        assert (target["name"], target["backlog"], target["address"]) == ("ops", 4, "http://127.0.0.1:9/x")


@pytest.mark.parametrize(
    "path",
    ["sources/no", "targets/no", "resources/no", "resources/tax/job/no", "events/evt_no", "deliveries/dlv_no"],
)
async def test_what_is_not_there_is_not_found(redis: Redis, store_url: str, path: str) -> None:
    """404 that says where those are that exist."""
    async with served(store_url) as at:
        await at.watch.scan()
        async with at.http.get(f"{at.url}/api/v1/{path}") as answer:
            assert answer.status == 404
            assert "/api/v1/" in (await answer.json())["detail"]


@pytest.mark.parametrize("id", ["a", "history", "don:core:dvrv-us-1:devo/0:job/1", "ü %2F?#"])
async def test_a_resource_of_any_key(redis: Redis, store_url: str, id: str) -> None:
    """Also one that is called `history`; once it is removed the answer names its history."""
    async with served(store_url) as at:
        at.listing.body = jobs(id)
        await at.watch.scan()
        path = f"/api/v1/resources/{quote(f'tax/job/{id}', safe='/')}"
        assert (await at.get(path))["id"] == id
        at.listing.body = jobs()
        for _ in range(2):
            await at.watch.scan()
        async with at.http.get(at.url + path) as answer:
            assert (answer.status, "was removed" in (await answer.json())["detail"]) == (404, True)
        assert (await at.get(f"{path}/history"))["items"]
