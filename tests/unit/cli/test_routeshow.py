"""`jobwire routes show`: the tree as it works."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from monitor.cli.options import Where
from monitor.cli.routeshow import routes_show
from tests.unit.settings.configs import SECRET

CONFIG = f"""
sources: {{tax: {{provider: worklayer, token: "${{TOKEN:-t}}"}}}}
targets:
  chat: {{type: slack, webhook_url: "https://hooks.slack.com/services/x"}}
  hook: {{type: webhook, url: "https://example.org/x", secret: {SECRET}}}
routes:
  - name: jobs
    match: {{type: "worklayer.**", where: {{resource.fields.total_amount: {{gte: 100}}}}}}
    to: [chat]
    group_by: [source]
    group_wait: 30s
    severity: warning
    labels: {{team: tax}}
    continue: true
    routes: [{{match: {{state: CLOSED}}, to: [hook], group_interval: 5m}}]
  - {{to: [hook]}}
  - {{match: {{kind: job}}, to: [chat]}}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The config file."""
    path = tmp_path / "jobwire.yaml"
    path.write_text(CONFIG)
    return path


async def test_people_see_what_holds_at_each_route(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Indented as it is nested, what is inherited written out, warnings beside their route."""
    assert await routes_show(where=Where(config)) == 0
    assert capsys.readouterr().out.splitlines() == [
        "jobs (routes[0])  then the next ones too",
        "    takes type worklayer.**; resource.fields.total_amount gte 100",
        "    to chat; severity warning",
        "    groups by source: waits 30s, then every 30s; never told again",
        "    labels team=tax",
        "  routes[0].routes[0]",
        "      takes state CLOSED",
        "      to hook; severity warning",
        "      groups by source: waits 30s, then every 5m; never told again",
        "      labels team=tax",
        "routes[1]",
        "    takes everything",
        "    to hook; severity by type",
        "    groups by the route alone: waits 10s, then every 10s; never told again",
        "routes[2]",
        "    takes kind job",
        "    to chat; severity by type",
        "    groups by the route alone: waits 10s, then every 10s; never told again",
        "    warning: never reached: routes[1] takes all of it before, and does not `continue`",
    ]


async def test_programs_get_a_line_a_route(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By the name that `explain` uses."""
    assert await routes_show(where=Where(config), as_json=True) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["route"] for one in lines] == ["jobs", "routes[0].routes[0]", "routes[1]", "routes[2]"]
    inner = lines[1]
    assert (inner["to"], inner["severity"], inner["group_wait"], inner["group_interval"]) == (
        ["hook"],
        "warning",
        30,
        300,
    )
    assert inner["labels"] == {"team": "tax"}
    assert [bool(one["warnings"]) for one in lines] == [False, False, False, True]
