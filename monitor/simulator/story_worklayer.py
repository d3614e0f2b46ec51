"""What happens at Worklayer: tax jobs are drafted, submitted, claimed by a professional, dropped, closed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

from monitor.simulator import stamps
from monitor.simulator.documents import Doc
from monitor.simulator.life import Move
from monitor.simulator.people import People
from monitor.simulator.worklayer import Worklayer

_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


class WorklayerStory:
    """The life at one Worklayer server, drawn from one random source."""

    name = "worklayer"

    def __init__(self, server: Worklayer, rng: Random, population: int) -> None:
        self._server = server
        self._rng = rng
        self._people = People(rng)
        self._population = population
        self._pros = [self._member("CHAMPION", "PROVIDER") for _ in range(6)]
        self._births = 0
        self.last_id: Any = None

    def moves(self) -> Sequence[tuple[int, Move]]:
        """Give every kind of move with its weight."""
        return (
            (2, self._draft),
            (2, self._submit),
            (2, self._enter_pool),
            (3, self._claim),
            (1, self._drop),
            (2, self._close),
            (2, self._set_deadline),
            (1, self._change_pro),
            (1, self._change_price),
            (1, self._rename),
            (1, self._leave),
        )

    def born(self) -> Doc:
        """Store a new job at a random point of its life."""
        self._births += 1
        status = self._rng.choice(("UNDER_CONSTRUCTION", "INFO_GATHERING", "UNCLAIMED", "CLAIMED", "CLAIMED", "CLOSED"))
        created = self._server.now() - timedelta(days=self._rng.uniform(0.1, 60), milliseconds=self._births)
        doc = self._job(status, created)
        if status in ("UNCLAIMED", "CLAIMED", "CLOSED"):
            doc["transmit_time"] = self._stamp(created + timedelta(hours=2))
        if status in ("CLAIMED", "CLOSED"):
            doc["members"].append(self._rng.choice(self._pros))
        self._server.put(doc)
        return doc

    def _draft(self) -> str | None:
        if len(self._server.items) >= self._population * 3 // 2:
            return None
        doc = self._job("UNDER_CONSTRUCTION", self._server.now())
        self._server.put(doc)
        self.last_id = doc["id"]
        return f"{_named(doc)} is drafted"

    def _submit(self) -> str | None:
        return self._move("UNDER_CONSTRUCTION", lambda d: self._set(d, "INFO_GATHERING", "is submitted"))

    def _enter_pool(self) -> str | None:
        def enter(doc: Doc) -> str:
            doc["transmit_time"] = self._stamp(self._server.now())
            return self._set(doc, "UNCLAIMED", "enters the pool")

        return self._move("INFO_GATHERING", enter)

    def _claim(self) -> str | None:
        def claim(doc: Doc) -> str:
            pro = self._rng.choice(self._pros)
            doc["members"] = [*_clients(doc), pro]
            return self._set(doc, "CLAIMED", f"is claimed by {pro['display_name']}")

        return self._move("UNCLAIMED", claim)

    def _drop(self) -> str | None:
        def drop(doc: Doc) -> str:
            doc["members"] = _clients(doc)
            return self._set(doc, "UNCLAIMED", "is dropped back into the pool")

        return self._move("CLAIMED", drop)

    def _close(self) -> str | None:
        return self._move("CLAIMED", lambda d: self._set(d, "CLOSED", "is closed"))

    def _set_deadline(self) -> str | None:
        def near(doc: Doc) -> str:
            now = self._server.now()
            due = {stamps.iso(now + timedelta(hours=hours)): hours for hours in (2, 5, 23, 25, 71, 73)}
            doc["deadline_time"] = self._other(doc["deadline_time"], tuple(due))
            return f"gets a deadline in {due[doc['deadline_time']]} hours"

        return self._move(("UNCLAIMED", "CLAIMED", "INFO_GATHERING"), near)

    def _change_pro(self) -> str | None:
        def change(doc: Doc) -> str:
            held = {member["user_id"] for member in doc["members"]}
            pro = self._rng.choice([member for member in self._pros if member["user_id"] not in held])
            doc["members"] = [*_clients(doc), pro]
            return f"goes to {pro['display_name']}"

        return self._move("CLAIMED", change)

    def _change_price(self) -> str | None:
        def change(doc: Doc) -> str:
            doc["total_amount"] = self._other(doc["total_amount"], (49, 99, 149.5, 199, 249, 299, 399, 549, 799.99))
            return f"now costs {doc['total_amount']}"

        return self._move(("UNDER_CONSTRUCTION", "INFO_GATHERING", "UNCLAIMED"), change)

    def _rename(self) -> str | None:
        def rename(doc: Doc) -> str:
            names = ("Personal Return", "Business Return", "Late filing", "Amended return")
            doc["name"] = self._other(doc["name"], names)
            return f"is now called {doc['name']}"

        return self._move(("UNDER_CONSTRUCTION", "INFO_GATHERING", "CLAIMED"), rename)

    def _other(self, held: Any, choices: Sequence[Any]) -> Any:
        return self._rng.choice([choice for choice in choices if choice != held])

    def _leave(self) -> str | None:
        closed = [doc for doc in self._server.items.values() if doc["status"] == "CLOSED"]
        if not closed or len(self._server.items) <= self._population:
            return None
        self._server.remove(closed[0]["id"])
        self.last_id = closed[0]["id"]
        return f"{_named(closed[0])} is deleted"

    def _move(self, status: str | tuple[str, ...], act: Callable[[Doc], str]) -> str | None:
        wanted = (status,) if isinstance(status, str) else status
        chosen = [doc for doc in self._server.items.values() if doc.get("status") in wanted]
        if not chosen:
            return None
        doc = self._rng.choice(chosen)
        text = act(doc)
        self._server.touch(doc)
        self._server.changed()
        self.last_id = doc["id"]
        return f"{_named(doc)} {text}"

    def _set(self, doc: Doc, status: str, text: str) -> str:
        doc["status"] = status
        return text

    def _job(self, status: str, created: datetime) -> Doc:
        return {
            "id": self._people.uuid4(),
            "short_id": "".join(self._rng.choice(_ALPHABET) for _ in range(11)),
            "name": self._rng.choice((None, None, "Personal Return", "Business Return")),
            "description": self._people.tax_return(created.year),
            "workspace_id": "91",
            "status": status,
            "create_time": self._stamp(created),
            "update_time": self._stamp(created),
            "transmit_time": None,
            "deadline_time": None,
            "total_amount": self._rng.choice((99, 149.5, 199, 249, 299, 399)),
            "members": [self._member("CLIENT", "CLIENT")],
        }

    def _member(self, role: str, kind: str) -> Doc:
        person = self._people.person()
        names = {"given_name": person.given, "family_name": person.family, "display_name": person.name}
        return {"role": role, "type": kind, "user_id": f"local|{self._people.uuid4()}", **names}

    def _stamp(self, moment: datetime) -> str:
        """Print 3, 6 or 7 digits of fraction, as the service does."""
        return stamps.iso(moment, self._rng.choice((3, 3, 6, 7)))


def _clients(doc: Doc) -> list[Doc]:
    return [member for member in doc["members"] if member["role"] == "CLIENT"]


def _named(doc: Doc) -> str:
    return f"job {doc['short_id']} ({doc['description']})"
