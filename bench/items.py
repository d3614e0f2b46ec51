"""Seeded items in the shape of DevRev's jobs, about 1.2 kB each, as pages of 100 raw JSON."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from typing import Any

PAGE = 100
STATES = ("queued", "started", "in_progress", "completed", "failed")
_STATE = b"@state@"
_CATEGORIES = ("bulk_upgrade", "account_merge", "contact_merge", "sync", "data_export", "snap_in_install")
_SYLLABLES = "ka lo mi ren tas vo del pri zen or bu che fa gla hin jo"


def templates(pages: int, seed: int = 7) -> Iterator[bytes]:
    """So many pages of items, joined by commas, with a mark where the state goes."""
    draw = random.Random(seed)
    people = [_person(draw, n) for n in range(400)]
    for page in range(pages):
        items = [_item(draw, page, n, people) for n in range(PAGE)]
        yield ",".join(json.dumps(item, separators=(",", ":")) for item in items).encode()


def generation(template: bytes, number: int) -> bytes:
    """A template and a generation in, the page of that generation out: another state in every item."""
    return template.replace(_STATE, STATES[number % len(STATES)].encode())


def renamed(page: bytes, old: int, new: int) -> bytes:
    """A page in, the same items under the ids of another page out: a list may be longer than what is kept of it."""
    return page.replace(b"job/%06d" % old, b"job/%06d" % new) if old != new else page


def _item(draw: random.Random, page: int, n: int, people: Sequence[dict[str, Any]]) -> dict[str, Any]:
    number = f"{page:06d}{n:02d}"
    return {
        "created_by": draw.choice(people),
        "created_date": _moment(draw),
        "display_id": f"JOB-{number}",
        "id": f"don:core:dvrv-us-1:devo/11Ia4Kf:job/{number}",
        "modified_by": draw.choice(people),
        "modified_date": _moment(draw),
        "object_version": draw.randrange(1, 9),
        "job_category": draw.choice(_CATEGORIES),
        "job_id": f"{draw.getrandbits(128):032x}",
        "metadata_list": [{"type": "string", "key": "batch", "value": _word(draw)}],
        "output_artifacts": [_artifact(draw)],
        "progress": draw.randrange(100),
        "retry_count": 0,
        "state": _STATE.decode(),
        "title": f"{_word(draw).title()} {_word(draw)} of {_word(draw)} {draw.randrange(10_000)}",
    }


def _person(draw: random.Random, n: int) -> dict[str, Any]:
    name = f"{_word(draw).title()} {_word(draw).title()}"
    return {
        "type": "dev_user",
        "display_id": f"DEVU-{n}",
        "id": f"don:identity:dvrv-us-1:devo/11Ia4Kf:devu/{n}",
        "display_name": name.lower().replace(" ", "-"),
        "display_picture": {"display_id": f"ARTIFACT-{n}", "id": f"don:core:dvrv-us-1:devo/11Ia4Kf:artifact/{n}"},
        "email": f"{name.lower().replace(' ', '.')}@example.com",
        "full_name": name,
        "state": "active",
    }


def _artifact(draw: random.Random) -> dict[str, Any]:
    number = draw.randrange(1_000_000)
    return {
        "display_id": f"ARTIFACT-{number}",
        "id": f"don:core:dvrv-us-1:devo/11Ia4Kf:artifact/{number}",
        "file": {"type": "text/csv", "name": f"{_word(draw)}.csv", "size": draw.randrange(1_000_000)},
    }


def _word(draw: random.Random) -> str:
    return "".join(draw.choices(_SYLLABLES.split(), k=draw.randrange(2, 5)))


def _moment(draw: random.Random) -> str:
    spread = [draw.randrange(low, high) for low, high in ((1, 13), (1, 29), (0, 24), (0, 60), (0, 60), (0, 1000))]
    return "2025-{:02d}-{:02d}T{:02d}:{:02d}:{:02d}.{:03d}Z".format(*spread)
