from __future__ import annotations

import json
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from monitor.moments import parse_instant
from tests import stores
from tests.e2e.demos import PATIENCE, ROOT, Demo, alive, command, descendants, environ, running, until

ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")
FIRST_LOOK = "First look:"
DELIVERED = r"→ webhook: delivered, signature verified, [\d.]+ m?s after it happened at the provider, .* after commit"
SECONDS = 2.0  # after a start, in which a flood would show
FEW = 30  # events: three changes a second, some of which make two, and a machine that stands still for a while


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A data directory that all demos of this module share, one after another."""
    with stores.short_directory() as directory:
        yield directory / "demo"


@pytest.fixture(scope="module")
def first(place: Path) -> Iterator[Demo]:
    """A demo that ended by itself after eight seconds."""
    with running(place, "--for", "8s") as demo:
        demo.process.wait(PATIENCE)
        yield demo


@pytest.fixture(scope="module")
def second(first: Demo) -> Iterator[Demo]:
    """The demo after it, on the same data, up and telling."""
    with running(first.data_dir) as demo:
        demo.wait_for(DELIVERED)
        yield demo


def ask(demo: Demo, *words: str) -> str:
    """What another command prints about a demo."""
    done = subprocess.run(
        command(*words, "--config", str(demo.data_dir / "demo.yaml")),
        cwd=ROOT,
        env=environ(),
        capture_output=True,
        text=True,
        check=True,
        timeout=90,
    )
    return done.stdout


def events(demo: Demo) -> list[dict[str, Any]]:
    """Every stored event, oldest first."""
    return [json.loads(line) for line in ask(demo, "events", "--json", "--limit", "1000").splitlines()]


def early(demo: Demo) -> int:
    """How many events a demo that goes on made in its first two seconds, counted from the first one."""
    demo.wait_for("Goes on where it was")
    times = [moment for event in events(demo) if (moment := parse_instant(event["time"])) and moment > demo.started]
    return sum((time - times[0]).total_seconds() < SECONDS for time in times)


def follow_curl(text: str) -> str:
    """Does what the curl command in a demo's first lines does; the id of the document it changes."""
    words = shlex.split(text.partition("  curl ")[2].partition("\nLook")[0])
    method, url, data = words[words.index("-X") + 1], words[2], words[words.index("-d") + 1]
    host, path = url.removeprefix("http://").split("/", 1)
    connection = HTTPConnection(host, timeout=60)
    connection.request(method, f"/{path}", data)
    assert connection.getresponse().status == 200
    connection.close()
    return url.rpartition("/")[2]


def test_it_tells_what_changed_where_it_went_and_how_long_it_took(first: Demo) -> None:
    """One command, and a newcomer reads the first look, changes, verified deliveries, Slack and a summary."""
    assert first.process.returncode == 0, first.told()
    assert first.text.count(FIRST_LOOK) == 1
    for source in ("ats · Bindbee", "exports · DevRev", "fleet · Driver jobs", "tax · Worklayer"):
        assert source in first.text
    assert re.search(DELIVERED, first.text)
    assert re.search(r"→ Slack: message.*\n +│ ", first.text)
    assert re.search(r"\d+ changes at the four services", first.text)
    assert re.search(r"\d+ events? delivered to the webhook, every signature verified", first.text)
    assert re.search(r"from the change to the webhook: median .*, slowest ", first.text)
    assert not re.search(r"Traceback|error|NOT|on the way", first.text)


def test_its_secrets_are_for_its_owner_only(first: Demo) -> None:
    """Nobody else on the machine may read the files with credentials, and they stay out of the log."""
    files = [first.data_dir / name for name in ("demo.json", "demo.yaml", "world.json", "demo.log")]
    assert [oct(file.stat().st_mode & 0o077) for file in files] == ["0o0"] * 4
    assert json.loads(files[0].read_text())["secret"] not in files[3].read_text() + first.text


def test_a_second_start_goes_on_without_a_flood(second: Demo) -> None:
    """What is known stays known: no second first look, and in the first seconds only what really changes."""
    assert early(second) <= FEW
    assert FIRST_LOOK not in second.text
    assert sum(event["type"] == "jobwire.source.baselined" for event in events(second)) == 4


def test_the_example_makes_its_thing_happen(second: Demo) -> None:
    """The curl command of the first lines lets a contract end in three days: told, delivered, shown in Slack."""
    driver = follow_curl(second.text)
    dates = re.compile(r"Contract \d+ .*ends in 3 days")
    second.wait_for(rf"{dates.pattern}\n +→ webhook: delivered, signature verified")
    second.wait_for(r"→ Slack: message.*\n(?: +│ .*\n)*? +│ .*Contract \d+.*ends in 3 days")

    def told() -> bool:
        # Another contract may have come so near to its end just before.
        expiring = [event for event in events(second) if event["type"] == "driver_jobs.contract.expiring"]
        return any(event["data"]["resource"]["parent"].endswith(f"/{driver}") for event in expiring)

    until(told, PATIENCE, second.told)


def test_its_state_can_be_looked_at_while_it_runs(second: Demo) -> None:
    """The commands of the first lines join the store of the running demo."""
    assert "worklayer.job." in ask(second, "events")
    assert "fleet/contract/" in ask(second, "resources")


def test_two_demos_do_not_share_a_directory(second: Demo) -> None:
    """The second one says who is there and what to do, and ends with 1."""
    with running(second.data_dir) as other:
        assert other.process.wait(PATIENCE) == 1
    assert f"a demo (process {second.process.pid}) already runs in {second.data_dir}" in other.text
    assert "--data-dir" in other.text
    assert second.process.poll() is None


@ON_LINUX
def test_ctrl_c_ends_everything(second: Demo) -> None:
    """SIGINT gives the summary and exit code 0, and leaves no process behind."""
    processes = descendants(second.process.pid)
    assert len(processes) >= 2
    assert second.end(signal.SIGINT) == 0
    assert "The demo has ended" in second.text
    assert alive(processes) == set()


@ON_LINUX
def test_a_killed_demo_leaves_nothing_behind_and_goes_on(first: Demo) -> None:
    """After SIGKILL its processes end by themselves; the next start knows what was known and tells little."""
    with running(first.data_dir) as killed:
        killed.wait_for(DELIVERED)
        processes = descendants(killed.process.pid)
        killed.end(signal.SIGKILL)
    until(lambda: not alive(processes), PATIENCE, lambda: f"{alive(processes)} live on")
    with running(first.data_dir) as after:
        after.wait_for(DELIVERED)
        assert early(after) <= FEW
        assert FIRST_LOOK not in after.text
