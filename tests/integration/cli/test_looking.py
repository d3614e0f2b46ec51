"""events, resources, history, deliveries, sources, targets: what is stored, for people and for programs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import jsonschema
import pytest

from monitor.cli.eventlog import moment
from monitor.cli.output import plain
from monitor.cli.schemas import vocabularies
from monitor.errors import UsageError
from monitor.eventschema import events_schema
from monitor.simulator import Receiver, Simulator
from tests.installation import Hands, Installation, installed
from tests.integration.cli.commands import Jobwire, started

RESOURCE = ["key", "provider", "source", "kind", "id", "parent", "title", "state", "since", "revision", "fields"]
NOW = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)


@pytest.fixture
async def running(shared: Jobwire) -> AsyncIterator[Installation]:
    """The installation behind the command line, worked by hand, after its first look at every source."""
    async with installed(
        shared.environ["JOBWIRE_STORE_URL"], shared.config.read_text(), Hands(datetime.now(UTC))
    ) as one:
        for name in one.services.sources:
            await one.scan(name)
        await work(one)
        yield one


async def work(running: Installation) -> None:
    """What a worker would do by itself."""
    consumer = running.services.consumer
    await consumer.relay.relay()
    for runtime in running.services.targets.values():
        await consumer.deliverer.deliver(runtime)


async def claim(running: Installation, sim: Simulator) -> str:
    """A job is claimed, seen and told; its key."""
    job = next(id for id, item in sim.worklayer.items.items() if item["status"] == "UNCLAIMED")
    sim.worklayer.patch(job, {"status": "CLAIMED", "description": "Tony \x1b[31mStark"})
    await running.scan("tax")
    await work(running)
    return f"tax/job/{job}"


async def test_events_are_the_stored_cloudevents(running: Installation, shared: Jobwire, sim: Simulator) -> None:
    """With --json what was sent, byte for byte, and fit for the schema; people get a line each; the newest is last."""
    key = await claim(running, sim)
    stored = [one.body.decode() for one in await running.services.store.log.after("0-0", 1000)]
    schema = jsonschema.Draft202012Validator(events_schema(vocabularies()))

    everything, chosen, people = await asyncio.gather(
        shared("events", "--json", "--since", "1h"),
        shared("events", "--json", "--type", "worklayer.**", "--source", "tax", "--limit", "1"),
        shared("events", "--limit", "1"),
    )

    assert everything.lines == stored
    assert len(everything.json) == 5
    assert [error.message for event in everything.json for error in schema.iter_errors(event)] == []
    assert [(one["type"], one["data"]["key"]) for one in chosen.json] == [("worklayer.job.claimed", key)]
    (line,) = people.lines
    assert "worklayer.job.claimed" in line
    assert "UNCLAIMED → CLAIMED" in line
    assert "Tony �[31mStark" in line, "nothing that a provider sent drives the terminal"
    assert line.endswith("tax")


async def test_following_shows_events_as_they_happen(running: Installation, shared: Jobwire, sim: Simulator) -> None:
    """From the stored ones on, until SIGINT or the reader ends it."""
    job = next(iter(sim.worklayer.items))
    async with started(shared, "events", "--follow", "--json", "--limit", "0", "--type", "worklayer.*.*") as process:
        assert process.stdout is not None
        first = asyncio.create_task(process.stdout.readline())
        for amount in range(1000, 1300):
            sim.worklayer.patch(job, {"total_amount": amount})
            await running.scan("tax")
            done, _ = await asyncio.wait([first], timeout=0.3)
            if done:
                break
        assert f'"key":"tax/job/{job}"'.encode() in await first


async def test_resources_are_what_is_known_now(running: Installation, shared: Jobwire, sim: Simulator) -> None:
    """In the documented shape, contracts with their next rung; filters by source, kind and state."""
    key = await claim(running, sim)
    later = (datetime.now(UTC) + timedelta(days=45)).date().isoformat()
    driver = next(id for id, item in sim.driver_jobs.items.items() if item.get("last_contract"))
    sim.driver_jobs.patch(driver, {"last_contract.end_date": later, "last_contract.state": "active"})
    await running.scan("drivers")

    everything, claimed, people = await asyncio.gather(
        shared("resources", "--json"),
        shared("resources", "--source", "tax", "--kind", "job", "--state", "claimed", "--json"),
        shared("resources", "--source", "tax"),
    )

    assert all(list(one) == [*RESOURCE, "deadlines"] for one in everything.json)
    assert {one["source"] for one in everything.json} == {"drivers", "tax", "ats", "dev"}
    contracts = [one for one in everything.json if one["kind"] == "contract"]
    (contract,) = [one for one in contracts if one["fields"]["end_date"] == later]
    assert contract["parent"] == f"drivers/job_driver/{driver}"
    assert [(one["type"], one["next"]) for one in contract["deadlines"]] == [("driver_jobs.contract.expiring", "30d")]
    assert key in {one["key"] for one in claimed.json}
    assert {one["state"] for one in claimed.json} == {"CLAIMED"}
    assert people.lines[0].split() == ["KEY", "STATE", "FOR", "TITLE", "NEXT", "DEADLINE"]
    assert any(line.startswith(f"{key} ") for line in people.lines)


async def test_history_has_every_revision(running: Installation, shared: Jobwire, sim: Simulator) -> None:
    """Of a resource and of what lies inside an item; an unknown key is bad usage."""
    key = await claim(running, sim)
    driver = next(id for id, item in sim.driver_jobs.items.items() if item.get("last_contract"))
    contract = f"drivers/contract/{sim.driver_jobs.items[driver]['last_contract']['id']}"

    lines, people, unknown = await asyncio.gather(
        shared("history", key, "--json"),
        shared("history", contract),
        shared("history", "tax/job/none"),
    )

    assert [(one["revision"], one["type"]) for one in lines.json] == [(1, None), (2, "worklayer.job.claimed")]
    assert [one["state"]["after"] for one in lines.json] == ["UNCLAIMED", "CLAIMED"]
    assert people.lines[0].startswith(f"{contract}: Contract")
    assert "revision 1, 0 events" in people.lines[1]
    assert (unknown.code, "jobwire resources --source tax" in unknown.err) == (2, True)


async def test_deliveries_carry_their_attempts(
    running: Installation, shared: Jobwire, sim: Simulator, receiver: Receiver
) -> None:
    """What arrived, and what waits for its next try; targets count both."""
    receiver.script([], then=500)
    await claim(running, sim)

    waiting, arrived, targets, people = await asyncio.gather(
        shared("deliveries", "--status", "pending", "--json"),
        shared("deliveries", "--target", "hook", "--status", "delivered", "--json"),
        shared("targets", "--json"),
        shared("deliveries", "--limit", "1"),
    )

    shape = ["id", "event_id", "target", "status", "attempts", "next_at"]
    assert all(list(one) == shape for one in [*waiting.json, *arrived.json])
    (pending,), (target,) = waiting.json, targets.json
    assert [(one["n"], one["status"], one["error"]) for one in pending["attempts"]] == [
        (1, 500, "answered 500 Internal Server Error")
    ]
    assert pending["next_at"] is not None
    assert len(arrived.json) == 4
    assert list(target) == ["name", "type", "state", "backlog", "oldest_at", "success_rate", "circuit"]
    assert (target["state"], target["backlog"], target["success_rate"], target["circuit"]) == ("ok", 1, 0.8, "closed")
    assert pending["id"] in people.lines[1]
    assert "answered 500" in people.lines[1]


async def test_sources_say_how_fresh_they_are(running: Installation, shared: Jobwire, sim: Simulator) -> None:
    """And what went wrong last."""
    sim.devrev.fault(status=500, times=None)
    await running.scan("dev")

    programs, people = await asyncio.gather(shared("sources", "--json"), shared("sources"))
    found = {one["name"]: one for one in programs.json}

    assert list(found["tax"]) == ["name", "provider", "state", "fresh_at", "age", "items", "next_at", "error", "quota"]
    assert (found["tax"]["state"], found["tax"]["error"]) == ("ok", None)
    assert found["tax"]["items"] == len(sim.worklayer.items)
    assert 0 <= found["tax"]["age"] < 120
    assert "500" in found["dev"]["error"]
    assert [line.split()[0] for line in people.lines] == ["SOURCE", "drivers", "tax", "ats", "dev"]


async def test_sources_say_what_their_provider_still_allows(running: Installation, shared: Jobwire) -> None:
    """`quota` is what X-RateLimit headers said is left to the credentials, until that window ends; else null."""
    await running.scan("ats")
    now = await running.services.store.db.now_ms()
    key = running.services.store.db.keys.budget(running.services.sources["ats"].credential)
    await running.services.store.db.run("HSET", key, "left", "150.000", "quota", "200.000", "ends", str(now + 60_000))

    found = {one["name"]: one for one in (await shared("sources", "--json")).json}
    assert found["ats"]["quota"]["remaining"] == 150
    assert found["ats"]["quota"]["limit"] == 200
    assert found["ats"]["quota"]["resets_at"] > found["ats"]["fresh_at"]
    assert found["tax"]["quota"] is None

    await running.services.store.db.run("HSET", key, "ends", str(now - 1))
    assert {one["name"]: one for one in (await shared("sources", "--json")).json}["ats"]["quota"] is None


async def test_a_disabled_target_keeps_its_backlog_until_it_is_enabled(
    running: Installation, shared: Jobwire, sim: Simulator, receiver: Receiver
) -> None:
    """`target disable` stops deliveries, `target enable` sends what has waited."""
    assert (await shared("target", "disable", "hook")).lines == ["hook is disabled; 0 deliveries waiting"]
    await claim(running, sim)
    assert (await shared("targets", "--json")).json[0]["state"] == "disabled"
    arrived = len(receiver.deliveries)

    done = await shared("target", "enable", "hook")
    lanes = running.services.store.lanes
    due = await lanes.due_targets(await running.services.store.db.now_ms())
    await work(running)

    assert (done.code, done.lines) == (0, ["hook is enabled; 1 delivery waiting"])
    assert due == ["hook"]
    assert [one.type for one in receiver.deliveries[arrived:]] == ["worklayer.job.claimed"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90m", datetime(2026, 1, 5, 8, 0, tzinfo=UTC)),
        ("2d", datetime(2026, 1, 3, 9, 30, tzinfo=UTC)),
        ("2026-01-04", datetime(2026, 1, 4, tzinfo=UTC)),
        ("2026-01-04T10:00:00+02:00", datetime(2026, 1, 4, 8, 0, tzinfo=UTC)),
    ],
)
def test_since_takes_spans_dates_and_times(text: str, expected: datetime) -> None:
    """Back from now, a day in UTC, or an instant."""
    assert moment(text, NOW) == expected


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "", "-5m", "999999999999d"])
def test_since_refuses_anything_else(text: str) -> None:
    """With what may be written instead."""
    with pytest.raises(UsageError, match="write 30m, 2h or 7d"):
        moment(text, NOW)


@pytest.mark.parametrize(
    ("text", "shown"), [("a\nb\t c", "a b c"), ("\x1b]0;title\x07", "�]0;title�"), ("Łódź – 7.5t", "Łódź – 7.5t")]
)
def test_text_from_providers_cannot_drive_a_terminal(text: str, shown: str) -> None:
    """One line, no control characters."""
    assert plain(text) == shown
