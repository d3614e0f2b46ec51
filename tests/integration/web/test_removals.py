"""Removals that are held: listed page by page, released and discarded over HTTP."""

from __future__ import annotations

from redis.asyncio import Redis

from tests.integration.web.serving import Served, jobs, served


async def held(at: Served) -> None:
    """Six jobs are known, and five are missing at once."""
    at.listing.body = jobs("a", "b", "c", "d", "e", "f")
    await at.watch.scan()
    at.listing.body = jobs("a")
    await at.watch.scan()
    await at.watch.scan()


async def test_what_is_held_comes_page_by_page(redis: Redis, store_url: str) -> None:
    """The objects of the command line, each once; nothing where nothing is held, 404 for no source."""
    async with served(store_url) as at:
        await at.watch.scan()
        assert await at.get("/api/v1/sources/tax/removals") == {"items": [], "next": None, "decided": None}
        assert (await at.ask("POST", "/api/v1/sources/tax/removals/release")).status == 409
        await held(at)
        first = await at.get("/api/v1/sources/tax/removals?limit=3")
        rest = await at.get(f"/api/v1/sources/tax/removals?limit=3&after={first['next']}")
        exact = await at.get("/api/v1/sources/tax/removals?limit=5")

        assert [one["id"] for one in [*first["items"], *rest["items"]]] == ["b", "c", "d", "e", "f"]
        assert (rest["next"], exact["next"]) == (None, None)
        assert set(first["items"][0]) == {"key", "source", "kind", "id", "title", "state", "missed", "last_seen"}
        assert (await at.ask("GET", "/api/v1/sources/nobody/removals")).status == 404


async def test_a_word_on_them_is_carried_out_by_the_next_scan(redis: Redis, store_url: str) -> None:
    """Release tells them, a later word counts, and the scan is asked for."""
    async with served(store_url) as at:
        await held(at)
        async with at.http.post(f"{at.url}/api/v1/sources/tax/removals/discard") as answer:
            assert await answer.json() == {"source": "tax", "decision": "discard", "count": 5}
        assert (await at.get("/api/v1/sources/tax/removals"))["decided"] == "discard"
        assert (await at.ask("POST", "/api/v1/sources/tax/removals/release")).status == 200
        assert (await at.watch.services.store.sources.slots(["tax"]))[1][0].asked
        await at.watch.told()
        await at.watch.scan()

        assert (await at.watch.told()).count("worklayer.job.removed") == 5
        assert (await at.get("/api/v1/sources/tax/removals"))["items"] == []
