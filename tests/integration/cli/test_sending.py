"""`jobwire send-test` and `jobwire routes test`: one message by hand, and who would get an event."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from monitor.answers.routing import sample_event
from monitor.cli.routing import read_event
from monitor.errors import UsageError
from monitor.settings import Settings
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
    }

    ends = await asyncio.gather(*(jobwire("routes", "test", *words) for words in refusals))

    assert [end.code for end in ends] == [2, 2]
    assert all(said in end.err for said, end in zip(refusals.values(), ends, strict=True))


@pytest.mark.parametrize(
    ("text", "said"), [(None, "cannot be read"), ("{", "holds no single event"), ("{}", "`type` or `data` is missing")]
)
def test_a_file_without_an_event_is_refused(tmp_path: Path, text: str | None, said: str) -> None:
    """With its name and what is wrong with it."""
    file = tmp_path / "event.json"
    if text is not None:
        file.write_text(text)

    with pytest.raises(UsageError, match=said):
        read_event(file)


def test_an_event_is_made_up_from_its_type() -> None:
    """Kind, provider and the state in the provider's own words; news of a target are about that target."""
    made = sample_event(Settings(), "worklayer.job.claimed", None, "CLAIMED")
    assert made["data"]["resource"] == {"kind": "job", "state": "CLAIMED", "fields": {}}
    assert made["data"]["provider"] == "worklayer"
    assert sample_event(Settings(), "jobwire.target.failing", None, None)["data"]["resource"] is None
    with pytest.raises(UsageError, match="is no event type"):
        sample_event(Settings(), "claimed", None, None)
