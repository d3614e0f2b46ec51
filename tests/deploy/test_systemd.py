"""The units: what systemd itself says of them, commands that exist, and time enough to stop."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.cli.app import COMMANDS

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "systemd"
UNITS = sorted(FOLDER.glob("*.service"))
ANALYZE = shutil.which("systemd-analyze")
PYTHON = "/opt/jobwire/.venv/bin/python"


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_units_start_commands_that_exist_and_leave_time_to_stop(unit: Path) -> None:
    """A worker's deliveries get ten seconds; SIGTERM goes to the main process alone, which ends its own children."""
    text = unit.read_text()
    known = {name for _, name, _, _ in COMMANDS}
    started = re.findall(rf"^Exec(?:Start|Reload)={PYTHON} -m monitor\.cli (\w+)$", text, re.MULTILINE)
    assert started
    assert set(started) <= known
    (seconds,) = re.findall(r"^TimeoutStopSec=(\d+)$", text, re.MULTILINE)
    assert int(seconds) >= 15
    assert "\nKillMode=mixed\n" in text
    assert "\nRestart=on-failure\n" in text
    assert "\nRestartPreventExitStatus=2\n" in text, "a config that cannot be used is exit code 2"


def test_only_a_worker_is_hung_up_on() -> None:
    """SIGHUP asks a worker for its config; it ends the others."""
    assert [unit.name for unit in UNITS if "-HUP" in unit.read_text()] == ["jobwire-worker@.service"]


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_verifies_each_unit(unit: Path, tmp_path: Path) -> None:
    """With a Python that exists in the place of the one that is installed there."""
    copy = tmp_path / unit.name
    copy.write_text(unit.read_text().replace(PYTHON, sys.executable))
    done = subprocess.run(
        [str(ANALYZE), "verify", "--man=no", str(copy)], capture_output=True, text=True, check=False, timeout=120
    )
    ours = [line for line in done.stderr.splitlines() if unit.stem.rstrip("@") in line]
    assert ours == []
