from __future__ import annotations

import difflib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.provider_suite import CHECKS

ROOT = Path(__file__).parent.parent.parent
RECIPE = ROOT / "docs" / "adding-a-provider.md"
REGISTRY = Path("monitor", "providers", "__init__.py")
FILE = re.compile(r"^`([\w/.]+)`:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINE = re.compile(r"one more name among `_MODULES`:\n\n```python\n(.*?\n)```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def followed(tmp_path: Path) -> Path:
    """A copy of the project in which somebody has followed docs/adding-a-provider.md to the letter."""
    shutil.copytree(ROOT / "monitor", tmp_path / "monitor", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "tests", tmp_path / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    text = RECIPE.read_text()
    for name, content in FILE.findall(text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    (line,) = LINE.findall(text)
    registry = tmp_path / REGISTRY
    registry.write_text(registry.read_text().replace("_MODULES = (\n", f"_MODULES = (\n{line}"))
    return tmp_path


def run(followed: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """One of our tools, at home in the copy."""
    # The copy is not what coverage is measured of.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=followed,
        env=kept | {"PYTHONPATH": str(followed), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def test_a_provider_is_one_module_and_one_line(followed: Path) -> None:
    """Nothing else of the product has to be touched."""
    ours = {path.relative_to(ROOT): path for path in (ROOT / "monitor").rglob("*") if path.suffix != ".pyc"}
    theirs = {path.relative_to(followed): path for path in (followed / "monitor").rglob("*")}
    files = {name for name, path in theirs.items() if path.is_file()}
    touched = {name for name in files if name not in ours or ours[name].read_bytes() != theirs[name].read_bytes()}
    assert touched == {REGISTRY, Path("monitor", "providers", "acme.py")}
    changes = difflib.ndiff((ROOT / REGISTRY).read_text().splitlines(), theirs[REGISTRY].read_text().splitlines())
    assert [change for change in changes if change[0] in "+-?"] == ['+     "acme",']


def test_the_provider_of_the_recipe_passes_every_contract_test(followed: Path) -> None:
    """It is found by its line in the registry alone."""
    done = run(
        followed,
        "pytest",
        "-q",
        "--noconftest",
        "-p",
        "no:cacheprovider",
        "tests/contract/test_providers.py",
        "-k",
        "acme",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(CHECKS)} passed" in done.stdout


def test_the_provider_of_the_recipe_is_written_as_ours_are(followed: Path) -> None:
    """Copying it must not begin with a lint error."""
    for command in (("ruff", "check", "-q", "--no-cache"), ("ruff", "format", "--check", "-q", "--no-cache")):
        done = run(followed, *command, "monitor/providers")
        assert done.returncode == 0, done.stdout + done.stderr
