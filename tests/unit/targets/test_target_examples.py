"""The examples of docs/targets.md: each is taken as it stands, and the chats in it take what comes of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor.conditions import Status
from monitor.grouping.message import Reason
from monitor.targets import TARGETS
from monitor.targets.base import Message
from tests.drive import drive, reply
from tests.unit.targets.events import CLAIMED, stored
from tests.unit.targets.groups import member, message

PAGE = Path(__file__).parents[3] / "docs" / "targets.md"
VALUES = {
    "INVENTORY_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "APPRISE_MAIL_URL": "mailto://user:password@mail.example?to=ops@example.com",
    "APPRISE_NTFY_URL": "ntfys://ntfy.example/jobwire",
}


def examples() -> dict[str, dict[str, Any]]:
    """Each target of the page by its name, with something in place of what the environment holds."""
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    filled = [
        re.sub(r"\$\{(\w+)\}", lambda one: VALUES.get(one[1], f"https://x.example/{one[1]}"), one) for one in blocks
    ]
    return {name: given for one in filled for name, given in yaml.safe_load(one)["targets"].items()}


def sent(name: str, what: Message) -> Any:
    """The JSON that an example sends."""
    given = examples()[name]
    plugin = TARGETS[given["type"]]
    target = plugin.build(name, plugin.options.model_validate(given))
    (request,) = drive(target.send(what), lambda _: reply(status=204)).requests
    return json.loads(request.body or b"")


HOSTILE = (
    '@everyone @all <@U1> "quoted" \\ ${HOME} {{ 7*7 }} **bold** [x](https://evil.example)\n\u202e' + "🚚" * 50_000
)
MANY = [
    member(
        stored("worklayer.job.failed", f"job/{n}", f"{n} {HOSTILE}", id=f"evt_{n}", state={"before": "A", "after": "B"})
    )
    for n in range(100)
]
MESSAGES = (
    message(MANY),
    message([member(status=Status.RESOLVED)], reason=Reason.ALL_RESOLVED),
    message([], CLAIMED),
    Message("evt_4kq7aaaa", (stored("jobwire.test", "target/chat"),), 1, MANY[0].condition.opened_at),
)


@pytest.mark.parametrize("name", examples())
def test_every_example_is_taken(name: str) -> None:
    """Whoever copies one begins with a config that works."""
    given = examples()[name]
    TARGETS[given["type"]].options.model_validate(given)


def discord(body: Any) -> None:
    """https://discord.com/developers/docs/resources/webhook#execute-webhook"""
    assert set(body) == {"content", "allowed_mentions"}
    assert 0 < len(body["content"]) <= 2_000
    assert body["allowed_mentions"] == {"parse": []}


def mattermost(body: Any) -> None:
    """https://developers.mattermost.com/integrate/webhooks/incoming/ (mentions as its server reads them)"""
    assert set(body) == {"text"}
    assert 0 < len(body["text"]) <= 16_383
    assert re.findall(r"(?<!\w)@[a-z0-9_.:-]", body["text"], re.IGNORECASE) == []


def teams(body: Any) -> None:
    """https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using (28 KB)"""
    assert len(json.dumps(body, ensure_ascii=False).encode()) <= 28 * 1024
    (attachment,) = body["attachments"]
    card = attachment["content"]
    assert (body["type"], card["type"], card["version"]) == ("message", "AdaptiveCard", "1.4")
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert all(block["text"] and block["type"] == "TextBlock" for block in card["body"])


def inventory(body: Any) -> None:
    """One's own: whole events."""
    assert {one["specversion"] for one in body} == {"1.0"}


@pytest.mark.parametrize("judge", [discord, mattermost, teams, inventory], ids=lambda one: one.__name__)
def test_a_chat_takes_what_its_example_sends(judge: Callable[[Any], None]) -> None:
    """A hundred failures with hostile and endless titles, an end, an occurrence and a test alike."""
    for one in MESSAGES:
        judge(sent(judge.__name__, one))
