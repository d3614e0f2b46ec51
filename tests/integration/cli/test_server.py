"""Every command over a server: the same as on the store, for programs byte for byte and for people word for word."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from monitor.cli.app import COMMANDS, HERE_ONLY
from monitor.cli.manual import options
from monitor.cli.options import Where
from monitor.errors import JobwireError
from monitor.events import monitor_event
from monitor.moments import stamp
from monitor.simulator import Receiver
from tests.installation import SECRET
from tests.integration.cli.commands import Ended, Jobwire
from tests.integration.cli.inprocess import READER, Sides, history, two_sides
from tests.integration.web.serving import jobs

AGES = re.compile(
    r"\"(?:age|next_at|seconds|waited)\":[^,]+"
    r"|\b(?:in )?(?:\d+(?:\.\d+)? ?(?:ms|s|m|h|d)\b ?)+(?:ago\b)?|\bnow\b"
    r"|\d{4}-\d\d-\d\dT[\d:.]+Z(?= is longer|$)"
)


@pytest.fixture
async def sides(
    redis: Redis, store_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> AsyncIterator[Sides]:
    """One installation with a history, asked both ways."""
    async with two_sides(store_url, tmp_path, capsys) as at:
        await history(at)
        yield at


def ageless(one: Ended) -> tuple[int | None, str, str]:
    """What a command printed, without ages and widths: between two calls time goes on."""
    return one.code, re.sub(r" +", " ", AGES.sub("~", one.out)), AGES.sub("~", one.err)


async def trouble(at: Sides) -> None:
    """A source in trouble: a condition opens."""
    news = monitor_event(
        "source", "tax", "failing", count=1, time=stamp(at.watch.hands.now()), details={}, provider="worklayer"
    )
    await at.watch.services.store.sources.tell_once("tax", news.id, news)
    await at.watch.services.consumer.relay.relay()


READ = [
    ("events",),
    ("events", "--type", "worklayer.job.claimed"),
    ("events", "--source", "tax", "--limit", "2"),
    ("events", "--since", "1h"),
    ("events", "--since", "1h", "--type", "jobwire.**"),
    ("events", "--since", "2035-01-01"),
    ("events", "--limit", "0"),
    ("resources",),
    ("resources", "--state", "CLAIMED"),
    ("resources", "--kind", "interview"),
    ("history", "tax/job/a"),
    ("history", "tax/job/none"),
    ("deliveries",),
    ("deliveries", "--target", "ops", "--limit", "3"),
    ("deliveries", "--type", "worklayer.job.claimed", "--since", "1h", "--status", "pending"),
    ("deliveries", "--event", "EVENT"),
    ("explain", "EVENT"),
    ("explain", "evt_none"),
    ("sources",),
    ("targets",),
    ("conditions",),
    ("conditions", "--all", "--source", "tax"),
    ("silence", "list"),
    ("removals", "list", "tax"),
    ("routes", "show"),
    ("routes", "test", "--type", "worklayer.job.claimed", "--source", "tax"),
    ("routes", "test", "--type", "jobwire.test"),
    ("routes", "test", "--type", "devrev.job.claimed", "--source", "tax"),
    ("preview", "EVENT", "--target", "chat"),
    ("preview", "EVENT", "--target", "ops"),
    ("preview", "evt_none", "--target", "ops"),
    ("preview", "digest", "--target", "chat"),
    ("replay", "EVENT", "dlv_none", "--dry-run"),
    ("replay", "--target", "ops", "--since", "1h", "--dry-run"),
    ("replay", "--target", "ops", "--since", "1h"),
    ("replay", "--target", "ops", "--since", "90d", "--dry-run"),
    ("poll", "tax", "--dry-run"),
    ("sources", "--sorce"),
    ("poll", "txa"),
    ("deliveries", "--target", "opps"),
    ("resources", "--source", "txa"),
    ("target", "rotate", "ops"),
    ("target", "rotate", "ops", "--overlap", "90d"),
]


async def test_whoever_reads_gets_the_same_from_both(sides: Sides) -> None:
    """Bytes, words and exit codes, also where something is wrong."""
    await trouble(sides)
    event = (await sides.watch.services.store.log.last(2))[0].id
    for words in READ:
        given = [event if word == "EVENT" else word for word in words]
        for more in ((), ("--json",)):
            if words == ("sources", "--sorce") or (more and words[:2] == ("target", "rotate")):
                continue
            here, there = await sides.both(*given, *more)
            assert ageless(there) == ageless(here), (words, more)
            if more and here.code == 0 and words[0] not in {"poll", "sources", "preview"}:
                assert there.out == here.out, words


async def test_whoever_acts_does_the_same_on_both(sides: Sides) -> None:
    """Said first on the store and then over the server: what is done is done, and told in the same words."""
    await trouble(sides)
    (condition,) = (await sides.on_store("conditions", "--json")).json
    id = condition["id"]
    acts = [
        ("ack", id, "--by", "ann", "--comment", "on it"),
        ("ack", "source/tax", "--by", "ann", "--json"),
        ("ack", id, "--by", "ann", "--snooze", "until-change"),
        ("ack", id, "--by", "ann", "--snooze", "2035-01-05T09:00Z"),
        ("ack", id, "--undo"),
        ("ack", "cnd_none"),
        ("ack", id, "--snooze", "soon"),
        ("silence", "expire", "sil_none"),
        ("silence", "add", "--match", "no matcher", "--for", "2h", "--comment", "why"),
        ("removals", "release", "tax"),
        ("removals", "discard", "tax"),
        ("target", "disable", "ops"),
        ("target", "disable", "ops"),
        ("replay", "--target", "ops", "--since", "1h", "--yes"),
        ("target", "enable", "nobody"),
    ]
    for words in acts:
        if words[:2] == ("target", "disable"):
            await sides.watch.services.store.switch.on("ops")
        here = await sides.on_store(*words)
        if words[:2] == ("target", "disable"):
            await sides.watch.services.store.switch.on("ops")
        there = await sides.over_server(*words)
        assert ageless(there) == ageless(here), words


async def test_a_silence_is_made_and_ended_over_a_server(sides: Sides) -> None:
    """With an end, or until something changes; ended once, it was over already the second time."""
    made = await sides.over_server("silence", "add", "--match", "source=tax", "--for", "2h", "--comment", "x", "--json")
    change = await sides.over_server("silence", "add", "--match", "kind=job", "--until-change", "--comment", "x")
    id = made.json[0]["id"]
    ended = [await sides.over_server("silence", "expire", id) for _ in range(2)]
    listed = await sides.on_store("silence", "list", "--json")

    assert (made.code, change.code, made.json[0]["state"]) == (0, 0, "active")
    assert [one.out.strip() for one in ended] == [f"{id} is over now", f"{id} was over already"]
    assert {one["id"]: one["state"] for one in listed.json}[id] == "expired"
    assert [one["until_change"] for one in listed.json if one["id"] != id] == [True]


async def test_deliveries_are_sent_again_over_a_server(sides: Sides) -> None:
    """By ids and by time; by time more than one needs --yes where nobody can be asked."""
    event = (await sides.watch.services.store.log.last(1))[0].id
    by_id = await sides.over_server("replay", event, "dlv_none", "--target", "ops", "--json")
    asked = await sides.over_server("replay", "--target", "ops", "--since", "1h")
    by_time = await sides.over_server("replay", "--target", "ops", "--since", "1h", "--yes", "--json")

    assert (by_id.code, {one["result"] for one in by_id.json}) == (1, {"unknown", "queued"})
    assert (asked.code, "--yes" in asked.err) == (2, True)
    assert (by_time.code, set(by_time.json[0]["results"])) == (0, {"queued"})
    assert by_time.json[0]["count"] == len((await sides.on_store("deliveries", "--target", "ops", "--json")).json)


async def test_a_target_is_tried_over_a_server(
    redis: Redis, store_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The server sends it; who did not take it is said so, and exits with 1."""
    async with Receiver([SECRET]) as receiver, two_sides(store_url, tmp_path, capsys, receiver.url) as at:
        receiver.script([], then=204)
        taken = await at.over_server("send-test", "ops")
        as_json = await at.over_server("send-test", "ops", "--json")
        receiver.script([], then=500)
        here, refused = await at.both("send-test", "ops")

    assert (taken.code, taken.out.startswith("ops took the test evt_")) == (0, True)
    assert (as_json.json[0]["delivered"], as_json.json[0]["status"]) == (True, 204)
    assert (refused.code, here.code) == (1, 1)
    assert re.sub(r"evt_\w+", "E", AGES.sub("~", refused.err)) == re.sub(r"evt_\w+", "E", AGES.sub("~", here.err))


async def test_the_doctor_looks_from_where_the_server_is(sides: Sides) -> None:
    """All but its config file is looked at, in the same words."""
    here, there = await sides.both("doctor", "--json")
    for_people = await sides.over_server("doctor")

    assert (there.code, for_people.code) == (here.code, here.code)
    assert [one["about"] for one in there.json] == [one["about"] for one in here.json if one["about"] != "config"]
    assert "what to do" in for_people.out.lower()


async def test_a_scan_is_asked_for_over_a_server(sides: Sides) -> None:
    """A worker makes it; what one would make is the same from both."""
    asked = await sides.over_server("poll", "tax")
    state = await sides.watch.services.store.sources.state("tax")

    assert (asked.code, "asked" in asked.out) == (0, True)
    assert "asked_at" in state or any("ask" in name for name in state)


async def test_long_lists_are_followed_to_their_end(sides: Sides) -> None:
    """Page by page, each object once, in the order of the store, to the limit that is asked for and no further."""
    sides.listing.body = jobs(*(f"j{number}" for number in range(450)))
    await sides.watch.scan()
    for words in (("events", "--since", "1h"), ("events", "--limit", "333"), ("deliveries", "--limit", "333")):
        here, there = await sides.both(*words, "--json")
        assert (len(here.lines), there.out == here.out) == (len(there.lines), True), words
    here, there = await sides.both("resources", "--json")
    assert len(there.lines) == len(set(there.lines)) == 453
    assert sorted(there.lines) == sorted(here.lines)
    for_people, for_people_there = await sides.both("resources")
    assert ageless(for_people_there) == ageless(for_people)
    keys = [line.split()[0] for line in for_people.lines[1:]]
    assert keys[:5] == ["tax/job/a", "tax/job/b", "tax/job/c", "tax/job/j0", "tax/job/j1"]


async def test_a_token_that_may_only_read_is_told_so(sides: Sides, tmp_path: Path) -> None:
    """It reads; whoever acts with it gets one clear line and exit code 1, and none of the token."""
    token = tmp_path / "reader"
    token.write_text(READER)
    assert (await sides.over_server("sources", token=token)).code == 0
    acts = [
        ("target", "disable", "ops"),
        ("poll", "tax"),
        ("ack", "source/tax"),
        ("replay", "evt_x"),
        ("removals", "release", "tax"),
        ("silence", "add", "--match", "source=tax", "--for", "2h", "--comment", "x"),
        ("silence", "expire", "sil_x"),
        ("send-test", "ops"),
        ("target", "rotate", "ops"),
        ("target", "rotate", "ops", "--forget"),
    ]
    for words in acts:
        with pytest.raises(JobwireError, match=r"this token may only read: take one of web\.tokens") as refused:
            await sides.over_server(*words, token=token)
        assert READER not in str(refused.value), words


async def test_every_command_works_over_a_server_or_says_that_it_does_not(bare: Jobwire, sides: Sides) -> None:
    """Driven by the list of commands: a new one cannot be forgotten."""
    for _, name, _, _ in COMMANDS:
        assert ("--server" in options(name)) == (name not in HERE_ONLY), name
        if name in HERE_ONLY:
            said = await sides.over_server(*name.split())
            assert said.code == 2, name
            assert re.fullmatch(rf"{name} works .+, not over --server", said.err), said.err
    asked = {" ".join(words[:2]) for words in READ} | {words[0] for words in READ}
    acted = {"doctor", "ack", "silence add", "silence expire", "removals release", "removals discard", "target enable"}
    tried = {"send-test", "target disable", "target rotate", "replay", "poll"}
    assert {name for _, name, _, _ in COMMANDS} - set(HERE_ONLY) <= asked | acted | tried


async def test_nothing_of_the_store_is_imported_and_no_config_is_needed(bare: Jobwire, sides: Sides) -> None:
    """In an empty directory with an empty home, by the environment alone; redis is never imported."""
    script = """
import sys
from monitor.cli import main
code = main(["sources", "--json"]) or main(["events"]) or main(["deliveries"]) or main(["routes", "show"])
print(code, [one for one in sys.modules if one.split(".")[0] in {"redis", "arq"} or one.startswith("monitor.store")])
"""
    process = await bare.run_script(script, JOBWIRE_SERVER=sides.url, JOBWIRE_TOKEN=sides.token.read_text())

    assert process.code == 0, process.err
    assert process.lines[-1] == "0 []"
    assert list(bare.home.iterdir()) == []
    assert process.err == ""


def test_the_environment_is_beaten_by_what_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """--config beats JOBWIRE_SERVER, --server beats JOBWIRE_CONFIG; both are too much."""
    monkeypatch.setenv("JOBWIRE_SERVER", "http://one")
    monkeypatch.setenv("JOBWIRE_CONFIG", "two.yaml")
    assert Where().url() == "http://one"
    assert Where(config=Path("x.yaml")).url() is None
    assert Where(server="http://three").url() == "http://three"
    with pytest.raises(JobwireError, match="either --server or --config"):
        Where(config=Path("x.yaml"), server="http://three").url()
