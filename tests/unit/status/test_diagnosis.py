"""What `jobwire doctor` makes of the facts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from monitor.status.diagnosis import Finding, of_config, of_files, of_server, of_work
from monitor.store.server import ServerFacts

NOW = 1_800_000_000_000
WELL = ServerFacts(
    version="7.0.15",
    role="master",
    clock_ms=NOW,
    memory=10_000_000,
    memory_limit=0,
    unsaved=(),
    policy="noeviction",
    append_only=True,
    sync="everysec",
)


def trouble(facts: ServerFacts, here_ms: int = NOW) -> dict[str, Finding]:
    """What is not ok, by what it is about."""
    return {one.about: one for one in of_server(facts, here_ms, embedded=False) if one.level != "ok"}


def test_a_server_as_it_should_be() -> None:
    """Nothing to do, and every line says what was looked at."""
    assert trouble(WELL) == {}
    assert [one.about for one in of_server(WELL, NOW, embedded=True)] == [
        "store",
        "eviction",
        "durability",
        "memory",
        "clock",
    ]


@pytest.mark.parametrize(
    ("changed", "about", "level", "words"),
    [
        ({"policy": "allkeys-lru"}, "eviction", "problem", "CONFIG SET maxmemory-policy noeviction"),
        ({"policy": None}, "eviction", "warning", "noeviction"),
        ({"append_only": False}, "durability", "problem", "CONFIG SET appendonly yes"),
        ({"sync": "no"}, "durability", "warning", "everysec"),
        ({"unsaved": ("append-only file",)}, "durability", "problem", "disk"),
        ({"role": "slave"}, "store", "problem", "master"),
        ({"memory_limit": 11_000_000}, "memory", "warning", "maxmemory"),
        ({"memory_limit": 10_000_000}, "memory", "problem", "maxmemory"),
    ],
)
def test_what_is_wrong_with_a_server(changed: dict[str, Any], about: str, level: str, words: str) -> None:
    """Each setting that loses data or stops writes is named, with what to do."""
    found = trouble(replace(WELL, **changed))
    assert found.keys() == {about}
    assert found[about].level == level
    assert words in found[about].advice


@pytest.mark.parametrize(
    ("skew_ms", "level"), [(1_900, "ok"), (-1_900, "ok"), (5_000, "warning"), (-5_000, "warning"), (61_000, "problem")]
)
def test_clocks_that_differ(skew_ms: int, level: str) -> None:
    """Two seconds are nothing, a minute is a fifth of what receivers allow."""
    found = trouble(WELL, NOW + skew_ms)
    assert (found["clock"].level if found else "ok") == level
    if found:
        assert ("ahead" in found["clock"].text) == (skew_ms > 0)


def test_a_config_file_with_secrets_is_for_its_owner() -> None:
    """Others may read a file that only names where its secrets are."""
    assert of_config("jobwire.yaml", 0o644, []).level == "ok"
    assert of_config("jobwire.yaml", 0o600, ["line 4"]).level == "ok"
    assert of_config("jobwire.yaml", 0o644, ["line 4"]).level == "warning"
    assert "line 4" in of_config("jobwire.yaml", 0o640, ["line 4"]).text


def test_few_open_files_are_a_warning() -> None:
    """Every connection is a file."""
    assert of_files(256).level == "warning"
    assert of_files(1024).level == "ok"


def test_work_that_nobody_takes_up_is_named() -> None:
    """The words are those of /readyz."""
    idle = {"late": {"sources": [], "targets": [], "steps": []}, "stale_sources": [], "failing_targets": []}
    late = idle | {"late": {"sources": ["tax"], "targets": [], "steps": []}}
    failing = idle | {"failing_targets": [{"name": "hook", "state": "failing", "backlog": 3}]}

    assert [one.level for one in of_work(idle)] == ["ok"]
    assert [(one.level, "tax" in one.text) for one in of_work(late)] == [("problem", True)]
    assert [(one.level, one.about) for one in of_work(failing)] == [("warning", "target hook")]
