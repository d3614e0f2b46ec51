"""`jobwire conditions`, `ack` and `silence`: what is open, who has it, and what nobody should hear of."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from monitor.events import monitor_event
from monitor.moments import stamp
from tests.installation import Hands, installed
from tests.integration.cli.commands import Jobwire

FIELDS = [
    "id", "key", "family", "type", "state", "severity", "title", "source", "opened_at", "changed_at", "ended_at",
    "ended_by", "revision", "times", "event_id", "acknowledged_by", "snoozed_until", "comment", "targets",
]  # fmt: skip


async def test_what_is_open_is_listed_and_somebody_takes_it(shared: Jobwire) -> None:
    """For people and as JSON; by key or id; what is not open is said to be so, with where to look."""
    now = stamp(datetime.now(UTC))
    async with installed(
        shared.environ["JOBWIRE_STORE_URL"], shared.config.read_text(), Hands(datetime.now(UTC))
    ) as one:
        news = monitor_event("source", "drivers", "failing", count=1, time=now, details={}, provider="driver_jobs")
        await one.services.store.sources.tell_once("drivers", news.id, news)
        await one.services.consumer.relay.relay()
    listed, people = await asyncio.gather(shared("conditions", "--json"), shared("conditions"))
    (condition,) = [found for found in listed.json if found["key"] == "source/drivers"]
    assert list(condition) == FIELDS
    assert (condition["state"], condition["type"]) == ("open", "jobwire.source.failing")
    assert "source/drivers" in people.out
    taken = await shared("ack", "source/drivers", "--by", "ann", "--comment", "calling", "--json")
    assert [(found["state"], found["acknowledged_by"], found["comment"]) for found in taken.json] == [
        ("acknowledged", "ann", "calling")
    ]
    unknown, wrong = await asyncio.gather(
        shared("ack", "source/none"), shared("ack", condition["id"], "--snooze", "soon")
    )
    assert (unknown.code, wrong.code) == (1, 2)
    assert "jobwire conditions" in unknown.err
    assert "until-change" in wrong.err


async def test_a_silence_is_added_listed_and_ended(shared: Jobwire) -> None:
    """With matchers as people type them; without a comment, an end or a sensible matcher it is refused."""
    made = await shared(
        "silence", "add", "--match", "type=*.*.stuck", "--match", "source=tax", "--for", "2h",
        "--comment", "their queue is down", "--by", "ann", "--json",
    )  # fmt: skip
    (silence,) = made.json
    assert (silence["matchers"], silence["state"]) == (["type=*.*.stuck", "source=tax"], "active")
    people, *refused = await asyncio.gather(
        shared("silence", "list"),
        shared("silence", "add", "--match", "source=tax", "--for", "2h"),
        shared("silence", "add", "--match", "source=tax", "--comment", "x"),
        shared("silence", "add", "--match", "team=x", "--for", "2h", "--comment", "x"),
    )
    assert silence["id"] in people.out
    assert [one.code for one in refused] == [2, 2, 2]
    assert "use one of type, source" in refused[2].err
    ended = await shared("silence", "expire", silence["id"])
    again, none = await asyncio.gather(
        shared("silence", "expire", silence["id"]), shared("silence", "expire", "sil_none")
    )
    assert (ended.code, again.code, none.code) == (0, 0, 1)
    assert "over already" in again.out
