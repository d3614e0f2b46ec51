"""What happens at the driver-jobs service: drivers apply, are interviewed, sign, renew, run out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from monitor.simulator import stamps
from monitor.simulator.births_driver_jobs import Births
from monitor.simulator.documents import Doc
from monitor.simulator.driver_jobs import REJECTED, DriverJobs
from monitor.simulator.life import Move

LADDER = (30, 14, 7, 3, 1)


class DriverJobsStory:
    """The life at one driver-jobs server, drawn from one random source."""

    name = "driver_jobs"

    def __init__(self, server: DriverJobs, rng: Random, population: int) -> None:
        self._server = server
        self._rng = rng
        self._births = Births(rng, server.now)
        self._population = population
        self.last_id: Any = None

    def moves(self) -> Sequence[tuple[int, Move]]:
        """Give every kind of move with its weight."""
        return (
            (2, self._apply),
            (2, self._propose_interview),
            (2, self._accept_interview),
            (2, self._amend_interview),
            (1, self._take_amendment),
            (1, self._cancel_interview),
            (1, self._verify),
            (2, self._offer_contract),
            (2, self._sign),
            (2, self._offer_renewal),
            (2, self._sign_renewal),
            (1, self._refuse_renewal),
            (3, self._end_comes_near),
            (2, self._end_passes),
            (2, self._end_contract),
            (1, self._reject),
            (2, self._leave),
        )

    def born(self) -> Doc:
        """Store a new driver at a random point of its life."""
        doc = self._births.newcomer()
        stage = self._rng.choice(("application", "interview", "accepted", "accepted", "accepted", "rejected"))
        if stage == "interview":
            doc["kind"] = "interview"
            doc["interviews"] = [self._births.interview(doc)]
        elif stage == "accepted":
            doc["kind"] = "accepted"
            start = self._births.today() - timedelta(days=self._rng.randint(5, 200))
            end = self._births.today() + timedelta(days=self._rng.randint(-2, 120))
            doc["last_contract"] = self._births.contract(doc, start, end, "active")
        elif stage == "rejected":
            doc["kind"] = self._rng.choice(REJECTED)
        self._server.put(doc)
        return doc

    # Drivers

    def _apply(self) -> str | None:
        if len(self._server.items) >= self._population * 3 // 2:
            return None
        doc = self._births.newcomer()
        self._server.put(doc)
        self.last_id = doc["id"]
        return f"driver {doc['id']} applies for {_title(doc)}"

    def _verify(self) -> str | None:
        return self._change(lambda d: d["kind"] in ("interview", "compliance_check"), self._verified)

    def _verified(self, doc: Doc) -> str:
        doc["kind"] = "verified"
        return "passes all checks"

    def _reject(self) -> str | None:
        return self._change(lambda d: d["kind"] not in ("accepted", *REJECTED), self._rejected)

    def _rejected(self, doc: Doc) -> str:
        doc["kind"] = "rejected_verified" if doc["kind"] == "verified" else "rejected"
        for interview in _interviews(doc, "pending", "scheduled", "amended"):
            interview["status"] = "rejected"
        return "is rejected"

    def _leave(self) -> str | None:
        gone = [d for d in self._server.items.values() if d["kind"] in REJECTED or _state(d, "last") == "expired"]
        if not gone or len(self._server.items) <= self._population:
            return None
        doc = gone[0]
        self._server.remove(doc["id"])
        self.last_id = doc["id"]
        return f"driver {doc['id']} leaves the list ({_title(doc)})"

    # Interviews

    def _propose_interview(self) -> str | None:
        def open_to_talk(doc: Doc) -> bool:
            return doc["kind"] not in REJECTED and not _interviews(doc, "pending", "scheduled", "amended")

        return self._change(open_to_talk, self._proposed)

    def _proposed(self, doc: Doc) -> str:
        interview = self._births.interview(doc)
        doc["interviews"] = [*doc["interviews"][-2:], interview]
        if doc["kind"] not in ("accepted", "verified"):
            doc["kind"] = "interview"
        return f"is invited to an interview ({interview['kind']}, {interview['start_at'][:16]})"

    def _accept_interview(self) -> str | None:
        return self._change_interview("pending", lambda i: _now(i, "scheduled", "accepts the interview"))

    def _cancel_interview(self) -> str | None:
        return self._change_interview("scheduled", lambda i: _now(i, "cancelled", "loses the interview"))

    def _amend_interview(self) -> str | None:
        def amend(interview: Doc) -> str:
            start = stamps.parse(interview["start_at"]) + timedelta(hours=self._rng.choice((2, 24, 48)))
            interview["status"] = "amended"
            interview["amended_by"] = self._rng.choice(("interviewer", "interviewee"))
            interview["amend_start_at"] = stamps.iso(start)
            interview["amend_end_at"] = stamps.iso(start + timedelta(minutes=30))
            return f"is asked for another interview time ({interview['amend_start_at'][:16]})"

        return self._change_interview("scheduled", amend) or self._change_interview("pending", amend)

    def _take_amendment(self) -> str | None:
        def take(interview: Doc) -> str:
            interview["start_at"], interview["end_at"] = (
                interview["amend_start_at"],
                interview["amend_end_at"],
            )
            interview.update(status="scheduled", amend_start_at=None, amend_end_at=None, amended_by=None)
            return f"agrees on the new interview time ({interview['start_at'][:16]})"

        return self._change_interview("amended", take)

    def _change_interview(self, status: str, act: Callable[[Doc], str]) -> str | None:
        return self._change(
            lambda d: bool(_interviews(d, status)), lambda d: act(self._rng.choice(_interviews(d, status)))
        )

    # Contracts

    def _offer_contract(self) -> str | None:
        return self._change(lambda d: d["kind"] in ("verified", "interview") and not _state(d, "last"), self._offered)

    def _offered(self, doc: Doc) -> str:
        doc["kind"] = "accepted"
        start = self._births.today() + timedelta(days=self._rng.randint(0, 7))
        end = start + timedelta(days=self._rng.randint(20, 180))
        doc["last_contract"] = self._births.contract(doc, start, end, "pending")
        return f"is offered a contract until {end}"

    def _sign(self) -> str | None:
        return self._change(lambda d: _state(d, "last") == "pending", lambda d: _activate(d["last_contract"]))

    def _offer_renewal(self) -> str | None:
        def running_out(doc: Doc) -> bool:
            return _state(doc, "last") == "active" and not _state(doc, "pending") and self._left(doc) <= 30

        return self._change(running_out, self._renewal_offered)

    def _renewal_offered(self, doc: Doc) -> str:
        start = max(date.fromisoformat(doc["last_contract"]["end_date"]), self._births.today()) + timedelta(days=1)
        end = start + timedelta(days=self._rng.choice((28, 56, 91, 182)))
        doc["pending_contract"] = self._births.contract(doc, start, end, "pending")
        return f"is offered a renewal until {end}"

    def _sign_renewal(self) -> str | None:
        return self._change(lambda d: _state(d, "pending") == "pending", self._renewal_signed)

    def _renewal_signed(self, doc: Doc) -> str:
        doc["last_contract"] = doc.pop("pending_contract")
        return _activate(doc["last_contract"]) + " (renewal)"

    def _refuse_renewal(self) -> str | None:
        def refuse(doc: Doc) -> str:
            doc["pending_contract"]["state"] = "rejected"
            return "turns the renewal down"

        return self._change(lambda d: _state(d, "pending") == "pending", refuse)

    def _end_comes_near(self) -> str | None:
        def move(doc: Doc) -> str:
            days = self._rng.choice([n for n in LADDER if n != self._left(doc)])
            doc["last_contract"]["end_date"] = stamps.day(self._births.today(), days)
            return f"has a contract that now ends in {days} days"

        return self._change(self._runs_on, move)

    def _runs_on(self, doc: Doc) -> bool:
        return _state(doc, "last") == "active" and not _state(doc, "pending") and self._left(doc) > 0

    def _end_passes(self) -> str | None:
        def move(doc: Doc) -> str:
            doc["last_contract"]["end_date"] = stamps.day(self._births.today(), -1)
            return "has a contract that ended yesterday and is still active"

        return self._change(self._runs_on, move)

    def _end_contract(self) -> str | None:
        def end(doc: Doc) -> str:
            doc["last_contract"].update(state="expired", policy_schema={"markable_as_ended": False})
            doc["money_earned"] = f"{self._rng.uniform(400, 9000):.2f}"
            return "has the contract marked as ended"

        return self._change(lambda d: _state(d, "last") == "active" and self._left(d) <= 0, end)

    def _change(self, fits: Callable[[Doc], bool], act: Callable[[Doc], str]) -> str | None:
        chosen = [doc for doc in self._server.items.values() if fits(doc)]
        if not chosen:
            return None
        doc = self._rng.choice(chosen)
        text = act(doc)
        self._server.touch(doc)
        self._server.changed()
        self.last_id = doc["id"]
        return f"driver {doc['id']} {text} ({_title(doc)})"

    def _left(self, doc: Doc) -> int:
        return (datetime.fromisoformat(doc["last_contract"]["end_date"]).date() - self._births.today()).days


def _title(doc: Doc) -> str:
    return f"{doc['job']['title']} at {doc['job']['company']['name']}"


def _state(doc: Doc, which: str) -> str | None:
    contract = doc.get(f"{which}_contract")
    return contract["state"] if contract else None


def _interviews(doc: Doc, *statuses: str) -> list[Doc]:
    return [interview for interview in doc["interviews"] if interview["status"] in statuses]


def _now(interview: Doc, status: str, text: str) -> str:
    interview["status"] = status
    return text


def _activate(contract: Doc) -> str:
    contract.update(state="active", policy_schema={"markable_as_ended": True})
    return f"signs the contract until {contract['end_date']}"
