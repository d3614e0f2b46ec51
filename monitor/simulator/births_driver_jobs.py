"""A random source in, new job drivers, interviews and contracts out, in the shape the service sends them."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from monitor.simulator import stamps
from monitor.simulator.documents import Doc
from monitor.simulator.driver_jobs import ZONE
from monitor.simulator.people import People
from monitor.simulator.server import Clock


class Births:
    """Makes documents with rising ids from one random source."""

    def __init__(self, rng: Random, now: Clock) -> None:
        self._rng = rng
        self._now = now
        self._people = People(rng)
        self._counter = 300

    def today(self) -> date:
        """Give the day it is in London."""
        return self._now().astimezone(ZONE).date()

    def newcomer(self) -> Doc:
        """Make a driver who has just applied for a job."""
        now = self._now()
        start = self.today() + timedelta(days=self._rng.randint(-20, 20))
        job = {
            "id": self._next(),
            "company": {"id": self._next(), "image": None, "name": self._people.company()},
            "currency": "GBP",
            "end_date": stamps.day(start, self._rng.randint(60, 300)),
            "job_type": self._rng.choice(("fixed_term_contract", "part_time", "temporary_contract", "full_time")),
            "number": self._rng.randint(1_000_000, 99_999_999),
            "postcode": self._people.postcode(),
            "published_at": stamps.iso(now - timedelta(hours=self._rng.randint(1, 400))),
            "start_date": stamps.day(start),
            "title": self._people.driving_job(),
        }
        return {
            "id": self._next(),
            "currency": "GBP",
            "interviews": [],
            "job": job,
            "kind": "compliance_check",
            "kind_updated_by": None,
            "last_contract": None,
            "money_earned": "0.0",
            "updated_at": stamps.iso(now),
        }

    def interview(self, doc: Doc) -> Doc:
        """Make an interview that is proposed to this driver, some time in the next days."""
        start = self._now() + timedelta(hours=self._rng.choice((1, 3, 23, 26, 50, 75)))
        office_hour = self._rng.randint(8, 17) if start - self._now() > timedelta(hours=24) else start.hour
        start = start.replace(hour=office_hour, minute=self._rng.choice((0, 15, 30, 45)), second=0, microsecond=0)
        video = self._rng.random() < 0.4
        return {
            "id": self._next(),
            "amend_end_at": None,
            "amend_start_at": None,
            "amended_by": None,
            "end_at": stamps.iso(start + timedelta(minutes=30)),
            "interviewee_id": doc["id"],
            "interviewer_id": self._rng.randint(1000, 1400),
            "kind": "video_call" if video else "in_person",
            "location": None if video else self._people.town(),
            "start_at": stamps.iso(start),
            "status": "pending",
        }

    def contract(self, doc: Doc, start: date, end: date, state: str) -> Doc:
        """Make a contract of this driver."""
        return {
            "id": self._next(),
            "days_to_expire": (end - self.today()).days,
            "end_date": end.isoformat(),
            "job_driver_id": doc["id"],
            "policy_schema": {"markable_as_ended": state == "active"},
            "start_date": start.isoformat(),
            "state": state,
        }

    def _next(self) -> int:
        self._counter += 1
        return self._counter
