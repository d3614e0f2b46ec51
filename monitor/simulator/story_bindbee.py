"""What happens in a customer's ATS behind Bindbee: jobs are drafted, opened, edited, closed, archived."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from random import Random
from typing import Any

from monitor.simulator import stamps
from monitor.simulator.bindbee import Bindbee
from monitor.simulator.documents import Doc
from monitor.simulator.life import Move
from monitor.simulator.people import People

_OFFER_STEPS = {"DRAFT": "APPROVAL-SENT", "APPROVAL-SENT": "APPROVED", "APPROVED": "SENT", "SENT": "OPENED"}


class BindbeeStory:
    """The life at one Bindbee server, drawn from one random source.

    With ``candidates`` people also apply, are interviewed and get offers: changes a watcher of jobs does not
    see.
    """

    name = "bindbee"

    def __init__(self, server: Bindbee, rng: Random, population: int, *, candidates: bool = False) -> None:
        self._server = server
        self._candidates = candidates
        self._rng = rng
        self._people = People(rng)
        self._population = population
        self._births = 0
        self.last_id: Any = None
        self._departments = [self._related({"name": self._people.department()}) for _ in range(4)]
        self._offices = [self._related({"name": town, "location": f"{town}, UK"}) for town in self._towns()]
        self._users = [self._user() for _ in range(8)]

    def moves(self) -> Sequence[tuple[int, Move]]:
        """Give every kind of move with its weight."""
        candidates = ((2, self._apply), (2, self._interview), (2, self._offer)) if self._candidates else ()
        return (
            (2, self._draft),
            (3, self._open),
            (3, self._close),
            (1, self._archive),
            (1, self._reopen),
            (1, self._rename),
            (1, self._move_office),
            (1, self._change_recruiter),
            (1, self._leave),
            *candidates,
        )

    def born(self) -> Doc:
        """Store a new job at a random point of its life."""
        doc = self._job(self._rng.choice(("OPEN", "OPEN", "OPEN", "DRAFT", "CLOSED", "PENDING", "ARCHIVED")))
        self._server.put(doc)
        return doc

    def _draft(self) -> str | None:
        if len(self._server.items) >= self._population * 3 // 2:
            return None
        doc = self._job("DRAFT")
        self._server.put(doc)
        self.last_id = doc["id"]
        return f"{_named(doc)} is drafted"

    def _open(self) -> str | None:
        return self._move(("DRAFT", "PENDING"), lambda d: _set(d, "OPEN", "opens"))

    def _close(self) -> str | None:
        return self._move(("OPEN",), lambda d: _set(d, "CLOSED", "closes"))

    def _archive(self) -> str | None:
        return self._move(("CLOSED",), lambda d: _set(d, "ARCHIVED", "is archived"))

    def _reopen(self) -> str | None:
        return self._move(("CLOSED",), lambda d: _set(d, "OPEN", "opens again"))

    def _rename(self) -> str | None:
        def rename(doc: Doc) -> str:
            base = doc["name"].removeprefix("SENIOR ")
            doc["name"] = base if doc["name"] != base else f"SENIOR {base}"
            return "has a new title"

        return self._move(("OPEN", "DRAFT"), rename)

    def _move_office(self) -> str | None:
        def move(doc: Doc) -> str:
            doc["offices"] = [self._rng.choice([office for office in self._offices if office not in doc["offices"]])]
            return f"moves to {self._server.related[doc['offices'][0]]['name']}"

        return self._move(("OPEN", "DRAFT"), move)

    def _change_recruiter(self) -> str | None:
        def change(doc: Doc) -> str:
            doc["recruiters"] = [self._rng.choice([user for user in self._users if user not in doc["recruiters"]])]
            return f"goes to {self._server.related[doc['recruiters'][0]]['first_name']}"

        return self._move(("OPEN",), change)

    def _leave(self) -> str | None:
        done = [doc for doc in self._server.items.values() if doc["status"] == "ARCHIVED"]
        if not done or len(self._server.items) <= self._population:
            return None
        self._server.remove(done[0]["id"])
        self.last_id = done[0]["id"]
        return f"{_named(done[0])} is deleted"

    # Candidates: the other lists of the same connector

    def _apply(self) -> str | None:
        jobs = [doc for doc in self._server.items.values() if doc["status"] == "OPEN"]
        if not jobs or len(self._server.others["applications"]) >= 4 * self._population:
            return None
        job = self._rng.choice(jobs)
        more = {"candidate": self._people.uuid4(), "job": job["id"], "current_stage": "Application review"}
        doc = self._record(more | {"applied_at": self._now(), "rejected_at": None, "reject_reason": None})
        self._store("applications", doc)
        return f"{self._people.person().name} applies for {_named(job)}"

    def _interview(self) -> str | None:
        interviews = self._server.others["scheduled-interviews"]
        after = {"SCHEDULED": "AWAITING_FEEDBACK", "AWAITING_FEEDBACK": "COMPLETE"}
        running = [doc for doc in interviews.values() if doc["status"] in after]
        if running and self._rng.random() < 0.6:
            doc = self._rng.choice(running)
            doc["status"] = after[doc["status"]]
            return self._wrote(doc, f"an interview is now {doc['status']}")
        applications = list(self._server.others["applications"].values())
        if not applications or len(interviews) >= 2 * self._population:
            return None
        start = self._server.now() + timedelta(hours=self._rng.randint(3, 90))
        times = {"start_at": stamps.iso(start, 0), "end_at": stamps.iso(start + timedelta(hours=1), 0)}
        more = {"application": self._rng.choice(applications)["id"], "job_interview_stage": None}
        people = {"organizer": self._rng.choice(self._users), "interviewers": [self._rng.choice(self._users)]}
        doc = self._record(more | people | times | {"location": self._people.town(), "status": "SCHEDULED"})
        self._store("scheduled-interviews", doc)
        return f"an interview is scheduled for {doc['start_at'][:16]}"

    def _offer(self) -> str | None:
        offers = self._server.others["offers"]
        running = [doc for doc in offers.values() if doc["status"] in (*_OFFER_STEPS, "OPENED")]
        if running and self._rng.random() < 0.7:
            doc = self._rng.choice(running)
            doc["status"] = _OFFER_STEPS.get(doc["status"]) or self._rng.choice(("SIGNED", "SIGNED", "DENIED"))
            return self._wrote(doc, f"an offer is now {doc['status']}")
        applications = list(self._server.others["applications"].values())
        if not applications or len(offers) >= 2 * self._population:
            return None
        more = {"application": self._rng.choice(applications)["id"], "creator": self._rng.choice(self._users)}
        times = {"closed_at": None, "sent_at": None, "start_date": stamps.day(self._server.now(), 45)}
        self._store("offers", self._record(more | times | {"status": "DRAFT"}))
        return "an offer is drafted"

    def _store(self, kind: str, doc: Doc) -> None:
        self._server.others[kind][doc["id"]] = doc
        self._server.changed()
        self.last_id = doc["id"]

    # Making things

    def _move(self, statuses: tuple[str, ...], act: Callable[[Doc], str]) -> str | None:
        chosen = [doc for doc in self._server.items.values() if doc.get("status") in statuses]
        if not chosen:
            return None
        doc = self._rng.choice(chosen)
        return self._wrote(doc, f"{_named(doc)} {act(doc)}")

    def _wrote(self, doc: Doc, text: str) -> str:
        self._server.touch(doc)
        self._server.changed()
        self.last_id = doc["id"]
        return text

    def _record(self, fields: Doc) -> Doc:
        self._births += 1
        now = self._server.now()
        stamp = stamps.iso(now, 0)
        head = {
            "id": self._people.uuid7(int(now.timestamp() * 1000) + self._births),
            "remote_id": str(self._rng.randint(10**6, 10**8)),
            "modified_at": stamps.iso(now, 6),
            "custom_fields": {"cost_centre": f"CC-{self._rng.randint(100, 999)}"},
        }
        tail = {"remote_created_at": stamp, "remote_updated_at": stamp}
        return {**head, **fields, **tail, "raw_data": {"source": "greenhouse", "row": self._births}}

    def _job(self, status: str) -> Doc:
        title, code = self._people.office_job()
        name = title.upper() if self._rng.random() < 0.5 else title
        path = title.lower().replace(" ", "-")
        fields = {
            "name": name,
            "description": f"We are looking for a {title.lower()} to join our team in {self._people.town()}.",
            "code": f"{code}-{self._server.now().year}-{self._rng.randint(1, 99):02}",
            "status": status,
            "job_posting_urls": [{"value": f"https://careers.example.com/jobs/{path}"}],
            "confidential": self._rng.random() < 0.1,
            "departments": [self._rng.choice(self._departments)],
            "offices": [self._rng.choice(self._offices)],
            "hiring_managers": [self._rng.choice(self._users)],
            "recruiters": [self._rng.choice(self._users)],
        }
        return self._record(fields)

    def _towns(self) -> list[str]:
        towns: list[str] = []
        while len(towns) < 5:
            town = self._people.town()
            if town not in towns:
                towns.append(town)
        return towns

    def _user(self) -> str:
        person = self._people.person()
        return self._related({"first_name": person.given, "last_name": person.family, "email": person.email})

    def _related(self, fields: Doc) -> str:
        record = self._record(fields)
        self._server.related[record["id"]] = record
        return str(record["id"])

    def _now(self) -> str:
        return stamps.iso(self._server.now(), 0)


def _set(doc: Doc, status: str, text: str) -> str:
    doc["status"] = status
    return text


def _named(doc: Doc) -> str:
    return f"job {doc['code']} ({doc['name']})"
