"""Deliveries as they arrive, verified by other people's code in two languages: Python and JavaScript.

The JavaScript packages stand in tests/samples/node as they were published, checked by their published digests.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import shutil
import tarfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from standardwebhooks.webhooks import Webhook

from monitor.simulator.receiver import Delivery
from tests.installation import SECRET
from tests.integration.test_rotation import scene, verifying

SAMPLES = Path(__file__).resolve().parents[1] / "samples" / "node"
NODE = shutil.which("node")
with_node = pytest.mark.skipif(NODE is None, reason="there is no node on PATH; .ci/run installs it")


def unpacked(into: Path) -> Path:
    """The program and its packages, as npm would lay them; a package that is not the published one fails the test."""
    for name, package in json.loads((SAMPLES / "integrity.json").read_text()).items():
        file = SAMPLES / package["file"]
        digest = base64.b64encode(hashlib.sha512(file.read_bytes()).digest()).decode()
        assert f"sha512-{digest}" == package["integrity"]
        place = into / "node_modules" / name
        with tarfile.open(file) as archive:
            if hasattr(tarfile, "data_filter"):  # Python 3.11.4 and newer
                archive.extraction_filter = staticmethod(tarfile.data_filter)
            archive.extractall(into / "unpacking")  # noqa: S202 - its bytes are the ones that were looked at
        place.parent.mkdir(parents=True, exist_ok=True)
        (into / "unpacking" / "package").rename(place)
    return Path(shutil.copy(SAMPLES / "verify.js", into))


async def asked(program: Path, questions: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What JavaScript says about each secret with each delivery."""
    process = await asyncio.create_subprocess_exec(
        str(NODE), program, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await asyncio.wait_for(process.communicate(json.dumps(questions).encode()), 40)
    assert process.returncode == 0
    answers: list[dict[str, Any]] = json.loads(out)
    return answers


def question(delivery: Delivery, secret: str, **changed: str) -> dict[str, Any]:
    """A delivery as it came, or changed on its way."""
    return {"secret": secret, "headers": delivery.headers, "body": delivery.body.decode(), **changed}


@with_node
async def test_w6_w7_javascript_verifies_what_arrives(redis: Redis, store_url: str, tmp_path: Path) -> None:
    """W6, W7: three secrets sign along after two rotations; each verifies alone, a changed byte does not."""
    async with scene(store_url) as at:
        at.watch.hands.at = datetime.now(UTC)
        rotation = at.watch.services.rotation
        made = [await rotation.rotate("hook", 3600, "whsk"), await rotation.rotate("hook", 3600, "whsec")]
        delivery = await at.change()
    secrets = [SECRET, *map(verifying, made)]
    questions = [question(delivery, secret) for secret in secrets]
    questions += [question(delivery, secret, body=delivery.body.decode() + " ") for secret in secrets]

    assert await asked(unpacked(tmp_path), questions) == [
        *[{"id": delivery.id}] * 3,
        *[{"error": "No matching signature found"}] * 3,
    ]


async def test_w6_w7_python_verifies_what_arrives(redis: Redis, store_url: str) -> None:
    """W6, W7: the library reads past signatures of other versions, and finds those of either HMAC secret."""
    async with scene(store_url) as at:
        at.watch.hands.at = datetime.now(UTC)
        rotation = at.watch.services.rotation
        made = [await rotation.rotate("hook", 3600, "whsk"), await rotation.rotate("hook", 3600, "whsec")]
        delivery = await at.change()

    for secret in (SECRET, made[1].secret):
        assert Webhook(secret).verify(delivery.body, delivery.headers)["id"] == delivery.id
