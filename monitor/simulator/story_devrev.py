"""What happens at DevRev: long jobs are queued, start, make progress, complete with files, fail, are tried
again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from random import Random
from typing import Any

from monitor.simulator import stamps
from monitor.simulator.devrev import DevRev
from monitor.simulator.documents import Doc
from monitor.simulator.life import Move
from monitor.simulator.people import People, Person

_DON = "don:core:dvrv-us-1:devo/1xYz"
_WORK = (
    ("export_work", "Export of all open tickets"),
    ("export_account", "Account export for the quarterly review"),
    ("export_audit_log", "Audit log export"),
    ("export_conversation", "Conversation archive"),
    ("bulk_upgrade", "Bulk upgrade of ticket schema"),
    ("merge_account", "Merge duplicate accounts"),
    ("merge_revuser", "Merge duplicate contacts"),
    ("move_revuser", "Move contacts to another account"),
    ("delete_part_hierarchy", "Delete a retired product"),
    ("oasis_data_export", "Nightly data export"),
    ("convert_conversation_ticket", "Convert conversations to tickets"),
)
_REASONS = (
    "source rate limited",
    "row 18,204: unknown owner",
    "storage quota exceeded",
    "schema fragment is stale",
)


class DevRevStory:
    """The life at one DevRev server, drawn from one random source."""

    name = "devrev"

    def __init__(self, server: DevRev, rng: Random, population: int) -> None:
        self._server = server
        self._rng = rng
        self._people = People(rng)
        self._population = population
        self._number = 4100
        self._users = [self._user(self._people.person(), 30 + n) for n in range(5)]
        self.last_id: Any = None

    def moves(self) -> Sequence[tuple[int, Move]]:
        """Give every kind of move with its weight."""
        return (
            (3, self._queue),
            (3, self._begin),
            (4, self._progress),
            (3, self._complete),
            (2, self._fail),
            (1, self._retry),
            (2, self._leave),
        )

    def born(self) -> Doc:
        """Store a new job at a random point of its life."""
        state = self._rng.choice(
            ("queued", "started", "in_progress", "in_progress", "completed", "completed", "failed")
        )
        doc = self._job(age_hours=self._rng.uniform(0.05, 40))
        doc["state"] = state
        doc["progress"] = {"completed": 100, "queued": 0, "started": 0}.get(state, self._rng.randint(5, 90))
        if state == "completed":
            doc["output_artifacts"] = [self._artifact(doc)]
        self._server.put(doc)
        return doc

    def _queue(self) -> str | None:
        if len(self._server.items) >= self._population * 3 // 2:
            return None
        doc = self._job(age_hours=0)
        self._server.put(doc)
        self.last_id = doc["id"]
        return f"{_named(doc)} is queued"

    def _begin(self) -> str | None:
        def begin(doc: Doc) -> str:
            doc.update(state="started", progress=0)
            return "starts"

        return self._move(("queued",), begin)

    def _progress(self) -> str | None:
        def go_on(doc: Doc) -> str:
            doc["state"] = "in_progress"
            doc["progress"] = min(99, doc["progress"] + self._rng.randint(5, 35))
            return f"is at {doc['progress']} %"

        return self._move(("started", "in_progress"), go_on, lambda doc: doc["progress"] < 95)

    def _complete(self) -> str | None:
        def complete(doc: Doc) -> str:
            doc.update(state="completed", progress=100, output_artifacts=[self._artifact(doc)])
            return "is complete"

        return self._move(("in_progress",), complete)

    def _fail(self) -> str | None:
        def fail(doc: Doc) -> str:
            reason = self._rng.choice(_REASONS)
            kept = [entry for entry in doc["metadata_list"] if entry["key"] != "error"]
            doc.update(state="failed", metadata_list=[*kept, {"type": "string", "key": "error", "value": reason}])
            return f"fails: {reason}"

        return self._move(("started", "in_progress"), fail)

    def _retry(self) -> str | None:
        def retry(doc: Doc) -> str:
            doc.update(state="queued", progress=0, retry_count=doc["retry_count"] + 1)
            return "is tried again"

        return self._move(("failed",), retry)

    def _leave(self) -> str | None:
        done = [doc for doc in self._server.items.values() if doc["state"] in ("completed", "failed")]
        if not done or len(self._server.items) <= self._population:
            return None
        self._server.remove(done[0]["id"])
        self.last_id = done[0]["id"]
        return f"{_named(done[0])} is no longer listed"

    def _move(
        self,
        states: tuple[str, ...],
        act: Callable[[Doc], str],
        fits: Callable[[Doc], bool] = lambda doc: True,
    ) -> str | None:
        chosen = [doc for doc in self._server.items.values() if doc.get("state") in states and fits(doc)]
        if not chosen:
            return None
        doc = self._rng.choice(chosen)
        text = act(doc)
        doc["modified_by"] = self._rng.choice(self._users)
        self._server.touch(doc)
        self._server.changed()
        self.last_id = doc["id"]
        return f"{_named(doc)} {text}"

    def _job(self, age_hours: float) -> Doc:
        self._number += 1
        category, title = self._rng.choice(_WORK)
        user = self._rng.choice(self._users)
        made = stamps.iso(self._server.now() - timedelta(hours=age_hours))
        rows = str(self._rng.randint(200, 90_000))
        return {
            "created_by": user,
            "created_date": made,
            "display_id": f"JOB-{self._number}",
            "id": f"{_DON}:job/{self._number}",
            "modified_by": user,
            "modified_date": made,
            "object_version": 1,
            "job_category": category,
            "job_id": f"{category}-{self._rng.randbytes(4).hex()}",
            "metadata_list": [{"type": "number", "key": "rows", "value": rows}],
            "output_artifacts": [],
            "progress": 0,
            "retry_count": 0,
            "state": "queued",
            "title": title,
        }

    def _artifact(self, doc: Doc) -> Doc:
        number = self._rng.randint(1000, 9999)
        file = {
            "type": "text/csv",
            "name": f"{doc['job_id']}.csv",
            "size": self._rng.randint(2_000, 9_000_000),
        }
        return {"display_id": f"ARTIFACT-{number}", "id": f"{_DON}:artifact/{number}", "file": file}

    def _user(self, person: Person, number: int) -> Doc:
        return {
            "type": "dev_user",
            "display_id": f"DEVU-{number}",
            "id": f"don:identity:dvrv-us-1:devo/1xYz:devu/{number}",
            "display_name": person.name.lower().replace(" ", "."),
            "email": person.email,
            "full_name": person.name,
            "state": "active",
        }


def _named(doc: Doc) -> str:
    return f"job {doc['display_id']} ({doc['title']})"
