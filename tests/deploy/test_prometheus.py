"""Alert rules and dashboard name only metrics that exist; promtool checks the rules and plays their tests."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor.cli.app import COMMANDS
from monitor.web.families import FAMILIES

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
RULES, PLAYED = DEPLOY / "prometheus" / "jobwire.rules.yml", DEPLOY / "prometheus" / "jobwire.tests.yml"
DASHBOARD = DEPLOY / "grafana" / "jobwire.json"
PROMTOOL = shutil.which("promtool")
SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "summary": ("_sum", "_count")}
SERIES = {name + suffix for name, (kind, _) in FAMILIES.items() for suffix in SUFFIXES.get(kind, ("",))}


def rules() -> list[dict[str, Any]]:
    """Every alert rule."""
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    """Every panel of the dashboard that asks something."""
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text())["panels"]
    return [panel for panel in found if panel["type"] != "row"]


def expressions() -> Iterator[tuple[str, str]]:
    """Every expression, and where it stands."""
    yield from ((rule["alert"], rule["expr"]) for rule in rules())
    yield from ((panel["title"], target["expr"]) for panel in panels() for target in panel["targets"])
    variables = json.loads(DASHBOARD.read_text())["templating"]["list"]
    yield from ((one["name"], one["query"]["query"]) for one in variables if one["type"] == "query")


def test_every_expression_names_metrics_that_exist() -> None:
    """A renamed metric would leave a panel empty and an alert silent, and nobody would hear of it."""
    for where, expression in expressions():
        named = set(re.findall(r"\bjobwire_[a-z_]+", expression))
        assert named, where
        assert named <= SERIES, f"{where}: {named - SERIES}"


def test_every_family_but_build_info_is_drawn_or_alerted_on_or_known_to_be_detail() -> None:
    """What is counted and never looked at is a cost; these few are for whoever digs."""
    looked_at = {name for _, expression in expressions() for name in re.findall(r"\bjobwire_[a-z_]+", expression)}
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in looked_at} | looked_at
    detail = {
        "jobwire_workers_by_version",
        "jobwire_config_last_reload_success_timestamp_seconds",
        "jobwire_source_up",
        "jobwire_scan_started_total",
        "jobwire_scan_last_seconds",
        "jobwire_scan_pages_total",
        "jobwire_scan_items_total",
        "jobwire_scan_removed_total",
        "jobwire_scan_unreadable_total",
        "jobwire_scan_not_modified_total",
        "jobwire_scan_repeated_total",
        "jobwire_scan_missed_slots_total",
        "jobwire_scan_duplicates_total",
        "jobwire_scan_outdated_total",
        "jobwire_events_total",
        "jobwire_target_retried_total",
        "jobwire_target_catch_ups_total",
        "jobwire_target_folded_groups_total",
        "jobwire_spans_total",
        "jobwire_store_scripts_total",
    }
    assert set(FAMILIES) - families == detail


def test_alerts_say_what_to_do_with_commands_that_exist() -> None:
    """Each has a severity, a summary and a way on."""
    known = {name.split()[0] for _, name, _, _ in COMMANDS}
    for rule in rules():
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert set(rule["annotations"]) == {"summary", "description"}
        for command in re.findall(r"`jobwire (\w+)", rule["annotations"]["description"]):
            assert command in known, f"{rule['alert']}: {command}"


def test_panels_do_not_overlap_and_ids_are_their_own() -> None:
    """The grid is 24 wide; a panel on another would hide it."""
    taken: set[tuple[int, int]] = set()
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
    ids = [panel["id"] for panel in json.loads(DASHBOARD.read_text())["panels"]]
    assert len(ids) == len(set(ids))


def test_every_rule_is_played() -> None:
    """The tests of the rules leave none out."""
    played = yaml.safe_load(PLAYED.read_text())["tests"]
    assert {one["name"] for one in played} == {rule["alert"] for rule in rules()}


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed (Debian: prometheus; .ci/run installs it)")
@pytest.mark.parametrize("words", [("check", "rules", RULES), ("test", "rules", PLAYED)], ids=["check", "test"])
def test_promtool_is_content(words: tuple[object, ...]) -> None:
    """The rules are sound, fire when they should, stay quiet when they should, and say what they should."""
    done = subprocess.run([str(PROMTOOL), *map(str, words)], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed (Debian: prometheus; .ci/run installs it)")
def test_promtool_understands_every_expression_of_the_dashboard(tmp_path: Path) -> None:
    """Put into rules, with what Grafana fills in filled in."""
    asked = [target["expr"] for panel in panels() for target in panel["targets"]]
    filled = [one.replace("$__rate_interval", "5m").replace("$source", ".*").replace("$target", ".*") for one in asked]
    records = [{"record": f"panel:{number}", "expr": one} for number, one in enumerate(filled)]
    path = tmp_path / "panels.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": records}]}))
    done = subprocess.run(
        [str(PROMTOOL), "check", "rules", str(path)], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
