"""`jobwire send-test` and `jobwire routes test`: one message by hand, and who would get an event."""

from __future__ import annotations

import asyncio
import json

from monitor.simulator import Receiver
from tests.integration.cli.commands import Jobwire


async def test_a_test_message_arrives_signed_and_leaves_no_trace(jobwire: Jobwire, receiver: Receiver) -> None:
    """Type jobwire.test, the answer printed, exit code 0; no store is started for it."""
    done = await jobwire("send-test", "hook")

    (delivery,) = receiver.deliveries
    assert (done.code, delivery.type, delivery.verified) == (0, "jobwire.test", True)
    assert done.out.startswith(f"hook took the test {delivery.id}: 204 after")
    assert not (jobwire.home / "var").exists()


async def test_a_test_message_that_is_refused_says_why(jobwire: Jobwire, receiver: Receiver) -> None:
    """Exit code 1 and the receiver's own words; also when nobody listens."""
    receiver.script([], then={"status": 400, "body": "no such hook"})
    refused = await jobwire("send-test", "hook", "--json")
    await receiver.stop()
    down = await jobwire("send-test", "hook")

    (answer,) = refused.json
    assert (refused.code, answer["delivered"], answer["status"], answer["response"]) == (1, False, 400, "no such hook")
    assert (down.code, down.out) == (1, "")
    assert "error: hook did not take the test" in down.err
    assert "Traceback" not in down.err


async def test_routes_test_names_target_and_route(jobwire: Jobwire) -> None:
    """For a type and a source, or a whole event from a file."""
    jobwire.home.joinpath("event.json").write_text(
        json.dumps({"type": "bindbee.job.closed", "subject": "job/1", "data": {"source": "ats", "provider": "bindbee"}})
    )

    by_type, by_file, nowhere, nowhere_json = await asyncio.gather(
        jobwire("routes", "test", "--type", "worklayer.job.claimed", "--source", "tax"),
        jobwire("routes", "test", "event.json", "--json"),
        jobwire("routes", "test", "--type", "worklayer.job.claimed"),
        jobwire("routes", "test", "--type", "worklayer.job.claimed", "--json"),
    )

    assert by_type.lines[1].split() == ["hook", "jobs", "info", "at", "once"]
    assert by_file.json[0]["targets"] == ["hook"]
    assert by_file.json[0]["decisions"][0]["route"] == "routes[1]"
    assert (nowhere.code, nowhere.lines) == (0, ["no target"])
    assert (nowhere_json.code, nowhere_json.json[0]["targets"]) == (0, [])


async def test_routes_test_refuses_what_cannot_be(jobwire: Jobwire) -> None:
    """Exit code 2 and why."""
    refusals = {
        (): "give either an EVENT.json or --type TYPE",
        ("--type", "worklayer.job.claimed", "--source", "dev"): "source 'dev' speaks devrev",
        ("--type", "claimed"): "is no event type",
        ("nowhere.json",): "nowhere.json cannot be read",
    }

    ends = await asyncio.gather(*(jobwire("routes", "test", *words) for words in refusals))

    assert [end.code for end in ends] == [2, 2, 2, 2]
    assert all(said in end.err for said, end in zip(refusals.values(), ends, strict=True))
