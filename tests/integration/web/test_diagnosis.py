"""How the installation is, and how other routes would have done, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from redis.asyncio import Redis

from monitor import __version__
from tests.integration.web.serving import Served, jobs, served


async def backtest(at: Served, **wish: Any) -> tuple[int, Any]:
    """Status and JSON of a backtest."""
    async with at.http.post(f"{at.url}/api/v1/backtest", json={"since": "1h", **wish}) as answer:
        return answer.status, await answer.json()


async def test_the_doctor_says_what_is_wrong(redis: Redis, store_url: str) -> None:
    """The objects of the command line: the store, and who does not answer."""
    async with served(store_url) as at:
        found = {one["about"]: one for one in (await at.get("/api/v1/doctor"))["items"]}
        assert (await at.get("/api/v1/version")) == {"version": __version__}

    assert (found["store"]["level"], found["source tax"]["level"]) == ("ok", "ok")
    assert found["target ops"]["level"] == "problem"
    assert found["target ops"]["advice"]


async def test_other_routes_are_played(redis: Redis, store_url: str) -> None:
    """Messages that vanish, by type; a target of theirs that is none of ours; nothing is stored."""
    async with served(store_url) as at:
        await at.watch.scan()
        at.listing.body = jobs("a", "b", "c", status="CLAIMED")
        await at.watch.scan()
        before = await at.watch.services.store.log.end()
        _, same = await backtest(at, routes=[{"to": ["ops"]}])
        _, fewer = await backtest(at, routes=[{"match": {"type": "jobwire.**"}, "to": ["ops"]}])
        chat = [{"to": ["chat"], "group_wait": "30s", "mute": ["nights"]}]
        nights = {"nights": {"times": [{"start_time": "22:00", "end_time": "24:00"}], "location": "UTC"}}
        _, moved = await backtest(at, routes=chat, intervals=nights, targets={"chat": "slack"})

        assert (same["events"], same["complete"], same["next"]) == (4, True, None)
        assert same["items"][0]["messages"] == {"before": 4, "after": 4}
        assert fewer["items"][0]["vanish"] == {"worklayer.job.claimed": 3}
        assert {one["target"]: one["messages"]["after"] for one in moved["items"]} == {"ops": 0, "chat": 1}
        assert await at.watch.services.store.log.end() == before


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"routes": [], "since": "soon"}, "since: no time"),
        ({"routes": [{"to": ["nobody"]}]}, "routes[0].to"),
        ({"routes": [{"to": ["ops"], "group_wait": "soon"}]}, "routes[0].group_wait"),
        ({"routes": [{"to": ["ops"], "mute": ["nights"]}]}, "routes[0].mute"),
        ({"routes": [{"match": {"where": {"x": {}}}, "to": ["ops"]}]}, "routes[0].match.where"),
        ({"routes": [], "targets": {"x": "pigeon"}}, "no type 'pigeon'"),
        ({"routes": [7]}, "$.routes[0]"),
        ({"routes": [{"to": ["ops"]}], "intervals": {"nights": {}}}, "intervals.nights.location"),
    ],
)
async def test_routes_that_are_none_are_refused(redis: Redis, store_url: str, wish: dict[str, Any], said: str) -> None:
    """400 that names the place."""
    async with served(store_url) as at:
        status, problem = await backtest(at, **wish)
        assert (status, said in problem["detail"]) == (400, True), problem


@pytest.mark.parametrize("levels", [300, 900, 50_000])
async def test_routes_that_stand_in_each_other_too_deep_are_refused(redis: Redis, store_url: str, levels: int) -> None:
    """In words; what is deep but not too deep is played."""
    inside = '{"routes": [' * levels + '{"to": ["ops"]}' + "]}" * levels
    async with served(store_url) as at:
        body = f'{{"since": "1h", "routes": [{inside}]}}'
        async with at.http.post(f"{at.url}/api/v1/backtest", data=body) as answer:
            assert answer.status in {200, 400}, await answer.text()
