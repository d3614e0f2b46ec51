"""Layouts of the operator's own in Slack, and bodies of template targets: what a provider wrote stays harmless."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from monitor.simulator.slack_text import mentions
from monitor.targets import TARGETS
from monitor.targets.base import Message, Target
from monitor.targets.slack import Slack, SlackOptions
from monitor.targets.telling.cleaning import unping
from tests.drive import drive, reply
from tests.unit.targets.events import stored
from tests.unit.targets.groups import member, message

LOUD = "Pay <!channel> @all run"
FAILS = "{{ event.data.resource.fields.total_amount / 100 }}"
RUDE = st.text(max_size=60) | st.lists(
    st.sampled_from(["<!channel>", "<!here|x>", "<@U1>", "@all", "<#C1>", "!channel", "&lt;", ">", "<", "|", "*", " "]),
    max_size=6,
).map("".join)


def slack(body: dict[str, Any] | None) -> Slack:
    """A Slack target with this layout."""
    return Slack(SlackOptions.model_validate({"type": "slack", "token": "xoxb-x", "channel": "C1", "body": body}))


def chat(body: Any) -> Target:
    """A template target with this body."""
    plugin = TARGETS["template"]
    return plugin.build(
        "chat", plugin.options.model_validate({"type": "template", "url": "https://x.example/y", "body": body})
    )


def first(target: Target, told: Message) -> Any:
    """The body of the first request about a message."""
    done = drive(target.send(told), lambda _: reply({"ok": True, "channel": "C1", "ts": "1.0"}))
    return msgspec.json.decode(done.requests[0].body or b"")


def layout(*texts: str) -> dict[str, Any]:
    """A layout with these texts in its line for phones, a section, a field, a context and a button."""
    line, body, field, quiet, button = texts
    return {
        "text": line,
        "blocks": [
            {
                "type": "section",
                "text": {"type": "mrkdwn", "text": body},
                "fields": [{"type": "mrkdwn", "text": field}],
            },
            {"type": "context", "elements": [{"type": "mrkdwn", "text": quiet}]},
            {"type": "actions", "elements": [{"type": "button", "text": {"type": "plain_text", "text": button}}]},
        ],
    }


@settings(deadline=None, max_examples=60)
@given(title=RUDE, failing=st.integers(0, 4), grouped=st.booleans())
def test_whatever_fails_over_whatever_text_nothing_of_it_is_live(title: str, failing: int, grouped: bool) -> None:
    """A22: one text that fails gives way to the whole built-in layout, which mentions nobody and has its buttons."""
    texts = ["{{ title }}: {{ text }}"] * 5
    texts[failing] += FAILS
    event = stored("worklayer.job.failed", title=title, state_now=title, url=title)
    told = message([member(event)] if grouped else [], event)
    made = first(slack(layout(*texts)), told)
    assert made == first(slack(None), told)
    assert mentions(made) == []


def test_a_layout_that_fails_says_so_once_and_where() -> None:
    """The log names the text that failed; the message is the built-in one."""
    body = layout("{{ summary }}", "{{ title }} costs " + FAILS, "x", "y", "z")
    told = message([member(stored("worklayer.job.failed", title=LOUD, state_now="FAILED"))])
    with capture_logs() as logs:
        made = first(slack(body), told)
    assert "<!channel>" not in msgspec.json.encode(made).decode()
    assert [one["event"] for one in logs] == ["layout.failed"]
    assert "body.blocks[0].text.text: the template fails: UndefinedError" in logs[0]["error"]


@settings(deadline=None, max_examples=60)
@given(url=RUDE, title=RUDE)
def test_no_address_and_no_title_becomes_a_mention_within_the_operators_own_marks(url: str, title: str) -> None:
    """`<{{ url }}|open>` is a link or nothing: an address of `!channel` reaches nobody."""
    event = stored("worklayer.job.failed", title=title, url=url, state_now="FAILED")
    link = "<{{ event.data.resource.url }}|open> <{{ title }}> <{{ none }}{{ event.data.resource.url }}>"
    made = first(slack(layout(link, link, link, link, "x")), message([member(event)]))
    assert mentions(made) == []


@pytest.mark.parametrize("title", [LOUD, "@here", "<@U1> <!here>"])
def test_plain_words_in_place_of_a_text_that_fails_mention_nobody(title: str) -> None:
    """Template targets send them where nothing else stands between a provider's text and the chat."""
    told = message([], stored("worklayer.job.claimed", title=title))
    with capture_logs() as logs:
        said = first(chat({"text": FAILS, "more": [FAILS]}), told)
    assert title.rsplit(maxsplit=1)[-1][1:4] in said["text"]
    assert unping(said["text"].replace("\u2060", "")) == said["text"]
    assert said["more"] == [said["text"]]
    assert [one["event"] for one in logs] == ["template.failed"]
    assert "body.text: the template fails" in logs[0]["error"]
