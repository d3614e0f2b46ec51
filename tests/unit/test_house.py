"""The rules of the house: style, types, import contracts, sizes, and a README and locks that hold."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(path for package in ("monitor", "workers") for path in (ROOT / package).rglob("*.py"))
WRITTEN = {".py", ".md", ".toml", ".lock", ".yaml", ".yml", ".json", ".lua", ".html", ".css", ".js", ".env", ".sh", ""}
FOLDERS = ("monitor", "workers", "tests", "bench", "docs", "config", "deploy", ".ci")
TEXTS = sorted(
    path
    for path in [*ROOT.glob("*"), *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*"))]
    if path.is_file() and path.suffix in WRITTEN and not path.name.startswith(".coverage")
)
README = ROOT / "README.md"
MADE_AT_RUN_TIME = ("var", ".venv", ".env")


def run(*arguments: str, success: str) -> None:
    """Runs Python on the checkout; fails with its output unless it exits with 0 and says `success`."""
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, f"\n{done.stdout}{done.stderr}"
    assert success in done.stdout


def paths_in(markdown: str) -> set[str]:
    """The relative paths a page names: targets of its links, and code that looks like a file of ours."""
    links = re.findall(r"\]\(([^)#\s]+)", markdown)
    words = [word for code in re.findall(r"`([^`]+)`", markdown) for word in code.split()]
    tops = {path.name for path in ROOT.iterdir()}
    ours = [
        word.rstrip(",.:;")
        for word in words
        if re.fullmatch(r"(\./)?[\w.-]+(/[\w.-]+)*/?[,.:;]?", word)
        and (
            word.removeprefix("./").split("/")[0] in tops or re.search(r"\.(py|md|ya?ml|toml|lock|json|sh|env)$", word)
        )
    ]
    relative = [path for path in [*links, *ours] if not re.match(r"[a-z]+:|/", path)]
    return {path for path in relative if path.split("/")[0] not in MADE_AT_RUN_TIME}


def test_ruff_finds_nothing() -> None:
    """Every rule that is switched on in pyproject.toml holds."""
    run("-m", "ruff", "check", "--no-cache", ".", success="All checks passed")


def test_everything_is_formatted() -> None:
    """`ruff format` would change nothing."""
    run("-m", "ruff", "format", "--check", "--no-cache", ".", success="already formatted")


@pytest.mark.timeout(600)
def test_strict_mypy_finds_nothing() -> None:
    """monitor, workers and tests are typed throughout."""
    run("-m", "mypy", success="Success")


def test_the_import_contracts_hold() -> None:
    """Imports point one way, as pyproject.toml says."""
    lint = "from importlinter.cli import lint_imports_command as lint; lint(['--no-cache', '--no-logo'])"
    run("-c", lint, success="0 broken")


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_module_outgrows_one_job(module: Path) -> None:
    """300 lines are the limit, without exception."""
    assert len(module.read_text().splitlines()) <= 300


def test_the_store_alone_speaks_redis() -> None:
    """Commands and scripts are called in `monitor/store/` and nowhere else in the product."""
    command = re.compile(r"\bdb\.(?:run|run_all|scripts?)\(")
    elsewhere = [path for path in MODULES if path.is_relative_to(ROOT / "monitor") and path.parent.name != "store"]
    assert len(elsewhere) > 200
    assert [path.relative_to(ROOT).as_posix() for path in elsewhere if command.search(path.read_text())] == []


def test_nothing_names_a_place_on_someones_machine() -> None:
    """No file holds an absolute path of the machine it was written on."""
    elsewhere = re.compile(r"(?<![\w.:/$}])/(?:work|root|home|Users)/\w+")
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in TEXTS
        if (match := elsewhere.search(path.read_text(errors="replace")))
    ]
    assert found == []


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock", "requirements-extras.lock"])
def test_locks_name_no_host_and_pin_by_hash(lock: str) -> None:
    """Any index serves them, and whatever it serves is checked."""
    text = (ROOT / lock).read_text()
    pins = re.findall(r"^[a-z0-9][^\n]*==[^\n]*", text, re.MULTILINE)

    assert "://" not in text
    assert len(pins) > 20
    assert all(pin.endswith("\\") for pin in pins), "every pin is followed by its hashes"


def test_the_development_lock_holds_the_others_whole() -> None:
    """After `./jobwire test` the product starts without another installation; extras are what the tests have tried."""
    run_pins, extra_pins, dev_pins = (
        set(re.findall(r"^[a-z0-9][^\s]*==[^\s]*", (ROOT / name).read_text(), re.MULTILINE))
        for name in ("requirements.lock", "requirements-extras.lock", "requirements-dev.lock")
    )

    assert run_pins <= extra_pins <= dev_pins


@pytest.mark.skipif(not README.exists(), reason="there is no README yet")
def test_the_readme_is_short() -> None:
    """150 lines, the rest is in docs/."""
    assert len(README.read_text().splitlines()) <= 150


@pytest.mark.skipif(not README.exists(), reason="there is no README yet")
def test_every_path_in_the_readme_exists() -> None:
    """Whoever follows it arrives."""
    assert [path for path in sorted(paths_in(README.read_text())) if not (ROOT / path).exists()] == []


def test_paths_are_found_in_links_and_in_code() -> None:
    """The check above sees what it should and leaves types, URLs and places made at run time alone."""
    page = "See [docs](docs/gone.md#a), [site](https://x.org/a), `./jobwire demo`, `config/gone.yaml:3`, `monitor/`, "
    page += "`application/json`, `var/store`, `gone.py`, `/metrics`."

    assert paths_in(page) == {"docs/gone.md", "./jobwire", "monitor/", "gone.py"}
