"""What deserves a look of routes that work: `jobwire check` and `jobwire routes show` say it."""

from __future__ import annotations

import pytest

from monitor.providers import PROVIDERS
from monitor.settings.routelint import route_advice, route_path
from tests.unit.settings.configs import SECRET, Configs

HEAD = f"""
sources: {{tax: {{provider: worklayer, token: "{SECRET}"}}}}
targets:
  chat: {{type: slack, webhook_url: "https://hooks.slack.com/services/x"}}
  hook: {{type: webhook, url: "https://example.org/x", secret: "{SECRET}"}}
routes:
"""


def advised(configs: Configs, routes: str) -> list[tuple[str, str]]:
    """Path and text of everything that deserves a look."""
    settings = configs.load(HEAD + routes)
    return [(route_path((*one.path, *one.key)), one.text) for one in route_advice(settings, PROVIDERS)]


@pytest.mark.parametrize(
    ("first", "second", "never"),
    [
        ("{to: [hook]}", "{match: {kind: job}, to: [chat]}", True),
        ("{to: [hook], continue: true}", "{match: {kind: job}, to: [chat]}", False),
        ("{match: {type: 'worklayer.**'}, to: [hook]}", "{match: {type: worklayer.job.claimed}, to: [chat]}", True),
        ("{match: {type: '*.job.*'}, to: [hook]}", "{match: {type: 'worklayer.**'}, to: [chat]}", False),
        ("{match: {type: 'worklayer.**'}, to: [hook]}", "{match: {type: 'worklayer.job.*'}, to: [chat]}", True),
        ("{match: {kind: job}, to: [hook]}", "{to: [chat]}", False),
        ("{match: {state: [A, B]}, to: [hook]}", "{match: {state: B, source: tax}, to: [chat]}", True),
        ("{match: {where: {a: {gt: 1}}}, to: [hook]}", "{match: {where: {a: {gt: 1, lt: 9}}}, to: [chat]}", True),
        ("{match: {where: {a: {gt: 2}}}, to: [hook]}", "{match: {where: {a: {gt: 1}}}, to: [chat]}", False),
    ],
)
def test_a_route_behind_one_that_takes_all_of_it_is_never_reached(
    configs: Configs, first: str, second: str, never: bool
) -> None:
    """Said only where it is certain; what stands inside such a route is not said again."""
    found = advised(configs, f"  - {first}\n  - {second}\n")
    assert [path for path, text in found if "never reached" in text] == (["routes[1]"] if never else [])


def test_a_type_that_no_event_has_is_said(configs: Configs) -> None:
    """With what there is; not of a provider that no source speaks to yet."""
    found = advised(
        configs,
        "  - {match: {type: [worklayer.job.claimd, worklayer.job.claimed]}, to: [hook]}\n"
        "  - {match: {type: jobwire.source.gone}, to: [hook]}\n"
        "  - {match: {type: [bindbee.job.closed, '*.job.claimed', '**']}, to: [hook]}\n",
    )
    assert [path for path, _ in found] == ["routes[0].match.type[0]", "routes[1].match.type"]
    assert "claimed, closed" in found[0][1]


def test_reminders_that_are_rounded_are_said(configs: Configs) -> None:
    """A condition is looked at on ticks of group_interval only."""
    found = advised(
        configs,
        "  - {to: [chat], group_interval: 10m, repeat_interval: 45m}\n"
        "  - {match: {kind: job}, to: [chat], group_interval: 10m, repeat_interval: 1h}\n",
    )
    rounded = [(path, text) for path, text in found if "told again" in text]
    assert [path for path, _ in rounded] == ["routes[0].repeat_interval"]
    assert "after 50m, not 45m" in rounded[0][1]


def test_more_messages_than_slack_takes_are_said(configs: Configs) -> None:
    """One a second for each channel: https://docs.slack.dev/apis/web-api/rate-limits; webhooks take what they get."""
    found = advised(
        configs,
        "  - {match: {kind: job}, to: [chat, hook], group_by: [key], routes: [{match: {state: A}}]}\n"
        "  - {match: {kind: contract}, to: [chat], group_by: ['...']}\n"
        "  - {match: {kind: interview}, to: [hook], group_by: [key]}\n"
        "  - {to: [chat], group_by: [source]}\n",
    )
    assert [(path, text.split(" is")[0]) for path, text in found] == [
        ("routes[0].group_by", "each resource"),
        ("routes[1].group_by", "each event"),
    ]


def test_check_says_it_at_its_line(configs: Configs) -> None:
    """As a warning: the file is good."""
    texts = configs.warnings(HEAD + "  - {to: [hook]}\n  - {match: {kind: job}, to: [chat]}\n")
    assert any("routes[1]: never reached" in text for text in texts)
