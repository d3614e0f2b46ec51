"""The launcher: what it sets up, when, and what an interrupted or doubled start leaves behind.

A stand-in plays the interpreter, so that no package is installed; the lock is real.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import stores

ROOT = Path(__file__).resolve().parents[2]

STAND_IN = """#!/bin/sh
say() {{ printf '%s\\n' "$*" >>"{notes}"; }}
case "$*" in
  *"version_info < "*) echo "$0" ;;
  *"%d.%d-venv"*) echo python3.11-venv ;;
  "-c "*) exec {python} "$@" ;;
  "-m venv "*) [ ! -e "{box}/no-venv" ] || exit 1; say venv; mkdir -p "$3/bin"; cp "$0" "$3/bin/python" ;;
  "-m pip --version") ;;
  "-m pip "*)
    say "pip ${{*##*/}}"
    sleep "$(cat "{box}/pip-takes")"
    [ ! -e "{box}/no-index" ] || {{ echo "no index" >&2; exit 1; }}
    ;;
  *) echo "$*"; pwd; echo "$PYTHONPATH" ;;
esac
"""


@dataclass(frozen=True, slots=True)
class Ended:
    """What a start printed and how it ended."""

    code: int | None
    out: str
    err: str


class Checkout:
    """A copy of the launcher and the locks, with a stand-in for python3 and a user who is elsewhere."""

    def __init__(self, box: Path) -> None:
        self.box = box
        self.root = box / "checkout"
        self.root.mkdir()
        self.elsewhere = box / "elsewhere"
        self.elsewhere.mkdir()
        for name in ("jobwire", "requirements.lock", "requirements-dev.lock"):
            shutil.copy(ROOT / name, self.root / name)
        (box / "bin").mkdir()
        (box / "pip-takes").write_text("0")
        self.notes = box / "notes"
        self.notes.touch()
        python = box / "bin" / "python3"
        python.write_text(STAND_IN.format(notes=self.notes, python=sys.executable, box=box))
        python.chmod(0o755)

    @property
    def done(self) -> list[str]:
        """What was set up, in order."""
        return self.notes.read_text().splitlines()

    async def begin(self, *arguments: str, door: Path | None = None) -> asyncio.subprocess.Process:
        """Starts the launcher from the user's directory, in a process group of its own."""
        return await asyncio.create_subprocess_exec(
            door or self.root / "jobwire",
            *arguments,
            cwd=self.elsewhere,
            env={"PATH": f"{self.box / 'bin'}:/usr/bin:/bin", "HOME": str(self.box / "home")},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )

    async def run(self, *arguments: str, door: Path | None = None) -> Ended:
        """Starts the launcher and waits for its end."""
        return await ended(await self.begin(*arguments, door=door))


async def ended(process: asyncio.subprocess.Process) -> Ended:
    """Waits for the end of a start."""
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    return Ended(process.returncode, out.decode(), err.decode())


@pytest.fixture
def checkout() -> Iterator[Checkout]:
    """A checkout that was never started."""
    with stores.short_directory() as box:
        yield Checkout(box)


async def test_the_first_start_sets_up_and_the_second_does_not(checkout: Checkout) -> None:
    """One line is said while it takes long, nothing once everything is there."""
    first = await checkout.run("poll", "tax")
    second = await checkout.run("poll", "tax")

    assert (first.code, first.err) == (0, "setting up (first start, about half a minute)\n")
    assert (second.code, second.err) == (0, "")
    assert checkout.done == ["venv", "pip requirements.lock"]


async def test_arguments_and_directory_of_the_user_are_kept(checkout: Checkout) -> None:
    """`-c my.yaml` means the file in the user's directory, though the packages come from the checkout."""
    door = checkout.box / "link"
    door.symlink_to("checkout/jobwire")

    out = (await checkout.run("poll", "a source", "-c", "my.yaml", door=door)).out

    assert out.splitlines() == [
        "-m monitor.cli poll a source -c my.yaml",
        str(checkout.elsewhere),
        str(checkout.root),
    ]


@pytest.mark.parametrize(("door", "module"), [("test", "pytest"), ("bench", "bench")])
async def test_tests_and_measurements_run_in_the_checkout(checkout: Checkout, door: str, module: str) -> None:
    """Both take the development lock, after which the product needs no further set-up."""
    out = (await checkout.run(door, "-k", "x")).out
    await checkout.run("check")

    given = "-n 3 --dist loadfile -k x" if door == "test" else "-k x"
    assert out.splitlines()[:2] == [f"-m {module} {given}", str(checkout.root)]
    assert checkout.done == ["venv", "pip requirements-dev.lock"]


async def test_a_changed_lock_updates_what_is_there(checkout: Checkout) -> None:
    """The environment is kept and brought up to date."""
    await checkout.run("check")
    with (checkout.root / "requirements.lock").open("a") as lock:
        lock.write("# changed\n")

    changed = await checkout.run("check")

    assert changed.err == "updating packages\n"
    assert checkout.done == ["venv", "pip requirements.lock", "pip requirements.lock"]


async def test_a_failed_installation_is_told_and_tried_again(checkout: Checkout) -> None:
    """The installer's own words, exit code 2, nothing left; the next start begins anew."""
    (checkout.box / "no-index").touch()
    failed = await checkout.run("check")
    (checkout.box / "no-index").unlink()

    assert failed.code == 2
    assert "no index\nerror: could not install what requirements.lock names" in failed.err
    assert not (checkout.root / ".venv").exists()
    assert (await checkout.run("check")).code == 0


async def test_a_killed_installation_does_not_look_complete(checkout: Checkout) -> None:
    """SIGKILL of everything amid the installation: the next start makes a new environment."""
    (checkout.box / "pip-takes").write_text("30")
    process = await checkout.begin("check")
    await stores.until(lambda: checkout.done == ["venv", "pip requirements.lock"])
    os.killpg(process.pid, 9)
    await process.wait()
    (checkout.box / "pip-takes").write_text("0")

    again = await checkout.run("check")

    assert (again.code, again.err) == (0, "setting up (first start, about half a minute)\n")
    assert checkout.done == ["venv", "pip requirements.lock"] * 2


async def test_first_starts_at_the_same_time_set_up_once(checkout: Checkout) -> None:
    """One installs, the others wait for it, all run."""
    (checkout.box / "pip-takes").write_text("1")

    starts = await asyncio.gather(*(checkout.run("check") for _ in range(3)))

    assert [start.code for start in starts] == [0, 0, 0]
    assert sum("waiting for another start" in start.err for start in starts) == 2
    assert checkout.done == ["venv", "pip requirements.lock"]


async def test_without_venv_module_the_user_is_told_the_command(checkout: Checkout) -> None:
    """Debian keeps the module apart; who is not root gets the exact line to run."""
    (checkout.box / "no-venv").touch()
    for name, does in {"apt-get": "exit 1", "id": "echo 1000"}.items():
        stand_in = checkout.box / "bin" / name
        stand_in.write_text(f"#!/bin/sh\n{does}\n")
        stand_in.chmod(0o755)

    told = await checkout.run("check")

    assert told.code == 2
    assert "    sudo apt-get install python3.11-venv\n" in told.err


async def test_without_python_the_user_is_told_so(checkout: Checkout) -> None:
    """An interpreter that is too old counts as none."""
    for name in ("python3", "python3.14", "python3.13", "python3.12", "python3.11"):
        old = checkout.box / "bin" / name
        old.write_text("#!/bin/sh\nexit 1\n")
        old.chmod(0o755)

    told = await checkout.run("check")

    assert told.code == 2
    assert "error: Python 3.11 or newer not found" in told.err
