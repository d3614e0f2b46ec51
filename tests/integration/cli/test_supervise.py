"""Children are kept alive while they are wanted, and ended when they are not."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from monitor.supervise import PARENT, Stop, keep_child
from tests.stores import until

DIES = "import os, sys; open(sys.argv[1], 'a').write(os.environ['JOBWIRE_PARENT'] + '\\n')"
STUBBORN = "import signal, sys, time; signal.signal(15, 1); open(sys.argv[1], 'w').write('up\\n'); time.sleep(60)"


def lines(file: Path) -> list[str]:
    """What a child wrote down so far."""
    return file.read_text().splitlines() if file.exists() else []


async def test_a_child_that_dies_is_started_again_and_knows_its_parent(tmp_path: Path) -> None:
    """After a pause that grows; the stop ends waiting at once."""
    stop, notes = Stop(), tmp_path / "notes"
    kept = asyncio.create_task(keep_child("one", [sys.executable, "-c", DIES, str(notes)], dict(os.environ), stop))

    await until(lambda: len(lines(notes)) == 2)
    stop.ask()
    await asyncio.wait_for(kept, 60)

    assert lines(notes) == [str(os.getpid())] * 2
    assert PARENT not in os.environ


async def test_asking_twice_ends_a_child_that_does_not_want_to(tmp_path: Path) -> None:
    """The first time with patience, the second by force."""
    stop, notes = Stop(), tmp_path / "notes"
    kept = asyncio.create_task(keep_child("one", [sys.executable, "-c", STUBBORN, str(notes)], dict(os.environ), stop))

    await until(lambda: lines(notes) == ["up"])
    stop.ask()
    await asyncio.wait([kept], timeout=0.3)
    assert not kept.done()
    stop.ask()
    await asyncio.wait_for(kept, 60)


async def test_a_command_that_cannot_be_started_is_no_crash(tmp_path: Path) -> None:
    """It is tried again later, and the stop is heeded."""
    stop = Stop()
    kept = asyncio.create_task(keep_child("one", [str(tmp_path / "nothing")], {}, stop))

    await asyncio.wait([kept], timeout=0.3)
    assert not kept.done()
    stop.ask()
    await asyncio.wait_for(kept, 60)
