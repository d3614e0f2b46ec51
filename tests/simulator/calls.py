"""How the tests talk to the stand-ins: a clock that stands still, samples, and one small client per provider."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp

from monitor.simulator import Simulator

START = datetime(2025, 11, 20, 9, 0, tzinfo=UTC)


class Clock:
    """A clock that moves only when told."""

    def __init__(self, start: datetime = START) -> None:
        self.moment = start

    def __call__(self) -> datetime:
        return self.moment

    def forward(self, **delta: float) -> None:
        self.moment += timedelta(**delta)


@dataclass(frozen=True)
class Got:
    """One answer: status, headers, raw bytes, and the JSON in them."""

    status: int
    headers: dict[str, str] = field(repr=False)
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """Calls the four stand-ins with their right credentials unless other headers are given."""

    def __init__(self, sim: Simulator, http: aiohttp.ClientSession) -> None:
        self.sim = sim
        self.http = http

    async def get(self, url: str, query: dict[str, Any] | None = None, headers: dict[str, str] | None = None) -> Got:
        return await self.send("GET", url, params=query, headers=headers)

    async def send(self, method: str, url: str, **options: Any) -> Got:
        async with self.http.request(method, url, allow_redirects=False, **options) as answer:
            lowered = {name.lower(): value for name, value in answer.headers.items()}
            return Got(answer.status, lowered, await answer.read())

    async def drivers(self, by_state: str | None = "accepted", **query: Any) -> Got:
        headers = query.pop("headers", {}) | {"Authorization": f"Bearer {self.sim.driver_jobs.token}"}
        query |= {"by_state": by_state} if by_state else {}
        return await self.get(f"{self.sim.driver_jobs.base_url}/api/v1/job_drivers", query, headers)

    async def worklayer(self, path: str = "/v1.0/jobs", token: str | None = None, **query: Any) -> Got:
        headers = {"Authorization": f"Bearer {token or self.sim.worklayer.static_token}"}
        return await self.get(f"{self.sim.worklayer.base_url}{path}", query, headers)

    async def bindbee(self, path: str = "/api/ats/v1/jobs", **query: Any) -> Got:
        headers = {"Authorization": f"Bearer {self.sim.bindbee.token}"}
        headers["x-connector-token"] = self.sim.bindbee.connector_token
        return await self.get(f"{self.sim.bindbee.base_url}{path}", query, headers)

    async def devrev(self, method: str = "jobs.list", **body: Any) -> Got:
        headers = {"Authorization": f"Bearer {self.sim.devrev.token}"}
        return await self.send("POST", f"{self.sim.devrev.base_url}/{method}", json=body, headers=headers)

    async def devrev_get(self, method: str = "jobs.list", **query: Any) -> Got:
        headers = {"Authorization": f"Bearer {self.sim.devrev.token}"}
        return await self.get(f"{self.sim.devrev.base_url}/{method}", query, headers)

    async def walk_worklayer(self, **query: Any) -> list[str]:
        """Give the ids of all pages in the order they came."""
        found: list[str] = []
        token = ""
        for _ in range(100):
            page = (await self.worklayer(**query, page_token=token)).json
            found += [job["id"] for job in page["data"]]
            token = page["next_page_token"]
            if not token:
                return found
        raise AssertionError("the walk does not end")

    async def walk_bindbee(self, **query: Any) -> tuple[list[str], list[int]]:
        """Give the ids of all pages in the order they came, and the size of each page."""
        found: list[str] = []
        sizes: list[int] = []
        cursor: dict[str, str] = {}
        for _ in range(100):
            page = (await self.bindbee(**query, **cursor)).json
            assert page["page_size"] == len(page["items"])
            found += [job["id"] for job in page["items"]]
            sizes.append(len(page["items"]))
            if page["cursor"] is None:
                return found, sizes
            cursor = {"cursor": page["cursor"]}
        raise AssertionError("the walk does not end")

    async def walk_devrev(self, **body: Any) -> list[str]:
        """Give the ids of all pages in the order they came."""
        found: list[str] = []
        cursor: dict[str, str] = {}
        for _ in range(100):
            page = (await self.devrev(**body, **cursor)).json
            found += [job["id"] for job in page["jobs"]]
            if "next_cursor" not in page:
                return found
            cursor = {"cursor": page["next_cursor"]}
        raise AssertionError("the walk does not end")


def driver(number: int, kind: str = "accepted", **more: Any) -> dict[str, Any]:
    """A job driver as small as the lists need it."""
    contract = {"id": number + 1000, "days_to_expire": 0, "end_date": "2025-12-20", "state": "active"}
    doc = {
        "id": number,
        "kind": kind,
        "interviews": [],
        "last_contract": contract,
        "updated_at": "2025-11-20T08:00:00Z",
    }
    return doc | more


def tax_job(number: int, status: str = "CLAIMED", **more: Any) -> dict[str, Any]:
    """A Worklayer job, created ``number`` minutes after the first."""
    created = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=number)
    doc = {"id": f"00000000-0000-4000-8000-{number:012}", "short_id": f"S{number}", "status": status}
    stamp = created.isoformat().replace("+00:00", "Z")
    times = {"create_time": stamp, "update_time": stamp, "transmit_time": None, "deadline_time": None}
    return {**doc, **times, "members": [{"user_id": f"user-{number}", "role": "CLIENT"}], **more}


def ats_job(number: int, status: str = "OPEN", **more: Any) -> dict[str, Any]:
    """A Bindbee job; ids rise with the number."""
    doc = {"id": f"018b18ef-c99c-7a86-9946-{number:012}", "remote_id": str(number), "status": status}
    lists = {"code": f"C-{number}", "offices": [f"office-{number % 2}"], "departments": ["dep-1"]}
    extra = {
        "custom_fields": {"a": 1},
        "raw_data": {"b": 2},
        "modified_at": f"2025-11-20T08:{number % 60:02}:00.000000Z",
    }
    return {**doc, **lists, **extra, **more}


def long_job(number: int, state: str = "queued", **more: Any) -> dict[str, Any]:
    """A DevRev job; creation dates rise with the number, modification dates fall."""
    doc = {"id": f"don:core:dvrv-us-1:devo/1:job/{number}", "state": state, "job_category": "export_work"}
    dates = {
        "created_date": f"2025-11-20T08:{number % 60:02}:00.000Z",
        "modified_date": f"2025-11-20T08:{59 - number % 60:02}:00.000Z",
    }
    return {**doc, **dates, "created_by": {"id": f"don:identity:user/{number % 2}"}, "object_version": 1, **more}
