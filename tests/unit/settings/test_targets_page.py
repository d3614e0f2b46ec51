"""The examples of docs/targets.md are configs that work."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from monitor.settings import check
from monitor.targets import TARGETS

PAGE = Path("docs/targets.md").read_text()
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
ENVIRON = {
    "SLACK_BOT_TOKEN": "xoxb-1-2-abcdefgh",
    "SLACK_SIGNING_SECRET": "8f742231b10e8888abcd99yyyzzz85a5",
    "AM_TOKEN": "a-token-of-some-length",
    "PAGERDUTY_KEY": "0123456789abcdef0123456789abcdef",
    "DISCORD_WEBHOOK_URL": "https://discord.example/api/webhooks/1/x",
    "MATTERMOST_WEBHOOK_URL": "https://chat.example/hooks/x",
    "TEAMS_WEBHOOK_URL": "https://teams.example/x",
    "APPRISE_MAIL_URL": "mailto://user:password@mail.example",
    "APPRISE_NTFY_URL": "ntfys://ntfy.example/jobwire",
    "INVENTORY_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
}


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_valid(example: str, tmp_path: Path) -> None:
    """Each is checked as part of a config file that sends everything to it."""
    names = re.findall(r"^  (\w+):$", example, re.MULTILINE)
    config = tmp_path / "jobwire.yaml"
    source = 'sources:\n  tax: {provider: worklayer, token: "${AM_TOKEN}"}\n'
    config.write_text(f"{source}{example}routes: [{{to: [{', '.join(names)}]}}]\n")
    report = check(config, ENVIRON)

    assert names
    assert [one.text for one in report.problems] == []


def test_the_page_names_every_target() -> None:
    """A target that nobody can read about does not exist."""
    assert {name for name in TARGETS if f"| `{name}` |" not in PAGE} == set()
