"""Another program reads the document of the API and asks everything it allows, and much that it does not."""

from __future__ import annotations

import asyncio
import itertools
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from redis.asyncio import Redis

from tests.integration.web.serving import jobs, served

TOKEN = "operator-token-1"
BOUNDS = ["--phases", "examples,coverage,fuzzing", "--max-examples", "3", "--seed", "1", "--no-shrink"]
PATIENT = ["--request-timeout", "60", "--suppress-health-check", "all", "--warnings", "off", "--max-failures", "20"]
# A stream does not end, and /readyz says 503 when it means it. That what fits the shapes is accepted is not asked for:
# no shape says which cursors were given out, or which of many ways to write a time are times.
LEFT_OUT = ["--exclude-path", "/api/v1/stream", "--exclude-path", "/readyz"]
LEFT_OUT += ["--exclude-checks", "positive_data_acceptance"]


@pytest.mark.skipif(find_spec("schemathesis") is None, reason="schemathesis is not installed: ./jobwire test does that")
async def test_schemathesis_finds_nothing(redis: Redis, store_url: str, tmp_path: Path) -> None:
    """No error of ours, no status, header or body that is not in the document, nothing without a token."""
    # It guesses tokens, and wants to hear each time that they are wrong: an hour passes at each look at the clock.
    hours = itertools.count(0, 3600)
    async with served(store_url, web=f', tokens: ["{TOKEN}"]', monotonic=lambda: float(next(hours))) as at:
        for status in ("UNCLAIMED", "CLAIMED"):
            at.listing.body = jobs("a", "b", "c", status=status)
            await at.watch.scan("tax")
        await at.watch.services.consumer.relay.relay()
        run = "from schemathesis.cli import schemathesis; schemathesis()"
        document = [f"{at.url}/api/openapi.json", "--header", f"Authorization: Bearer {TOKEN}"]
        words = [sys.executable, "-c", run, "run", *document, *BOUNDS, *PATIENT, *LEFT_OUT]
        process = await asyncio.create_subprocess_exec(
            *words, cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        try:
            said, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

        assert process.returncode == 0, said.decode()
