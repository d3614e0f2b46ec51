"""POST /api/v1/targets/NAME/rotate: a secret in one answer, for those who prove themselves."""

from __future__ import annotations

import base64
from typing import Any

from redis.asyncio import Redis

from tests.integration.web.serving import Served, served

KEY = base64.b64encode(bytes(range(32))).decode()


async def rotate(at: Served, body: bytes = b"", name: str = "ops", token: str = "reader") -> tuple[int, dict[str, Any]]:
    """What the API answers."""
    where, headers = f"{at.url}/api/v1/targets/{name}/rotate", {"Authorization": f"Bearer {token}"}
    async with at.http.post(where, data=body, headers=headers) as answer:
        return answer.status, await answer.json()


async def test_the_api_rotates_for_those_who_prove_themselves(redis: Redis, store_url: str) -> None:
    """201 with the secret; without a token 401; what cannot be is a problem with its reason."""
    async with served(store_url, web=", tokens: [reader]", more=f'store: {{key: "{KEY}"}}') as at:
        status, told = await rotate(at, b'{"kind": "whsk", "overlap": "30m"}')
        assert (status, told["kind"], told["secret"][:5], told["public_key"][:5]) == (201, "whsk", "whsk_", "whpk_")
        assert len(told["signing_along"]) == 1
        refusals = [
            await rotate(at, token="guess"),
            await rotate(at, name="nobody"),
            await rotate(at, b'{"overlap": "1y"}'),
            await rotate(at, b'{"knd": "whsk"}'),
            await rotate(at, b'{"overlap": "60d"}'),
        ]
        assert [status for status, _ in refusals] == [401, 404, 400, 400, 409]


async def test_the_api_without_tokens_or_key_hands_out_nothing(redis: Redis, store_url: str) -> None:
    """403 where nobody has to prove anything, 409 where nothing can be sealed."""
    async with served(store_url) as at:
        assert (await rotate(at))[0] == 403
    async with served(store_url, web=", tokens: [reader]") as at:
        status, told = await rotate(at)
        assert (status, "store.key is not set" in told["detail"]) == (409, True)
