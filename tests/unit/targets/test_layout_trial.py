"""Layouts and bodies of the operator's own are tried out before anything is sent: which text fails, and where."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from monitor.answers.preview import preview_of
from monitor.errors import ConfigError
from monitor.settings import load
from monitor.targets import TARGETS
from tests.unit.targets.events import CLAIMED
from tests.unit.targets.groups import NOW
from tests.unit.targets.test_own_layouts import FAILS, chat, layout, slack

CONFIG = """\
sources:
  tax: {provider: worklayer, base_url: "http://127.0.0.1:1", token: abcdefgh}
targets:
  chat:
    type: slack
    webhook_url: "https://hooks.slack.com/services/T0/B0/x"
    body:
      text: "{{ title }}"
      blocks:
        - type: section
          text:
            type: mrkdwn
            text: "TEXT"
routes:
  - to: [chat]
"""


def written(folder: Path, text: str) -> Path:
    """A config file with this text in a section."""
    path = folder / "jobwire.yaml"
    path.write_text(CONFIG.replace("TEXT", text))
    return path


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{{ 1 / 0 }}", "ZeroDivisionError"),
        ("{% for i in range(100000000) %}{% endfor %}", "OverflowError"),
        ("{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}", "OverflowError"),
        ("{{ 'x' * 999999999 }}{{ 9 ** 9 ** 9 }}", "OverflowError"),
        ("{{ 9 ** (9 ** 3 ** 9) }}", "OverflowError"),
        ("{{ titel + 1 }}", "'titel' is undefined"),
        ("{{ event.data.resource.title / 2 }}", "TypeError"),
    ],
)
def test_a_text_that_always_fails_is_said_with_its_line(text: str, words: str, tmp_path: Path) -> None:
    """By check and at the start, at the place of the text itself, within moments."""
    tries: list[Callable[[], object]] = [lambda: slack({"text": text}), lambda: chat({"a": [text]}), lambda: chat(text)]
    for target in tries:
        with pytest.raises(ValidationError, match="over a sample of an event") as caught:
            target()
        assert words in str(caught.value)
    with pytest.raises(ConfigError) as refused:
        load(written(tmp_path, text), {})
    assert "jobwire.yaml:13:" in str(refused.value)
    assert "targets.chat.body.blocks[0].text.text: the template fails" in str(refused.value)


def test_a_text_that_lacks_what_only_some_events_have_passes() -> None:
    """A number of one provider, an event where there is none: such messages have the built-in layout or plain words."""
    slack(layout("{{ title }}", FAILS, "x", "y", "z"))
    chat({"a": FAILS, "b": "{{ event.data.resource.title | tojson }}"})
    chat('{"n": {{ event.data.resource.fields.n + 1 }}}')


def test_each_family_is_tried_that_the_target_may_be_sent() -> None:
    """What fails over a digest alone is no fault where there is none; a catch-up message has no event."""
    text = "{% if event.type == 'jobwire.digest' %}{{ 1 // 0 }}{% endif %}{{ title }}"
    chat({"a": text})
    plugin = TARGETS["template"]
    given = {"type": "template", "url": "https://x.example/y", "digest": {"at": "09:00"}}
    with pytest.raises(ValidationError, match="over a sample of a digest"):
        plugin.options.model_validate({**given, "body": {"a": text}})
    with pytest.raises(ValidationError, match="over a sample of a catch-up message"):
        chat({"a": "{{ 1 // (events | length) }}"})
    slack({"text": "{{ title }}{{ 1 // (events | length) }}"})


BUTTON = {"type": "button", "text": {"type": "plain_text", "text": "Open"}}


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ({"type": "sectionn", "text": {"type": "mrkdwn", "text": "x"}}, r"blocks\[0\].type: .*did you mean section"),
        ({"type": "section"}, "needs text: or fields:"),
        ({"type": "section", "txt": "x"}, r"blocks\[0\].txt: a section has no such key; did you mean text"),
        ({"type": "section", "text": "x"}, r"blocks\[0\].text: write this text of a section with its type"),
        ({"type": "header", "text": {"type": "mrkdwn", "text": "x"}}, r"text.type: .*allowed: plain_text"),
        ({"type": "section", "fields": [{"type": "mrkdwn", "text": "x"}] * 11}, "a list of 1 to 10 fields"),
        ({"type": "context", "elements": [BUTTON]}, r"elements\[0\].type: no element is a 'button' here"),
        ({"type": "actions", "elements": [{"type": "button"}]}, "a button needs text:"),
        ({"type": "image", "image_url": "https://x.example/y.png"}, "an? image needs alt_text:"),
        ("{{ title }}", r"blocks\[0\]: write this block with its type"),
    ],
)
def test_what_no_message_in_slack_may_have_is_said(block: Any, words: str) -> None:
    """Slack would refuse it each time, and the layout and its buttons would never be seen."""
    with pytest.raises(ValidationError, match=words):
        slack({"text": "x", "blocks": [block]})


def test_what_slack_takes_passes() -> None:
    """Also kinds that are not looked into; and fifty blocks, but not one more."""
    good = [{"type": "divider"}, {"type": "actions", "elements": [BUTTON]}, {"type": "rich_text", "elements": []}]
    slack({"text": "x", "blocks": [*good, {"type": "section", "text": BUTTON["text"], "accessory": BUTTON}]})
    slack({"text": "x", "blocks": good[:1] * 50})
    with pytest.raises(ValidationError, match="51 blocks"):
        slack({"text": "x", "blocks": good[:1] * 51})


def test_a_preview_says_that_the_layout_gave_way(tmp_path: Path) -> None:
    """What is shown is what is sent: the built-in layout, and which text was at fault."""
    settings = load(written(tmp_path, "{{ title }} " + FAILS), {})
    target = TARGETS["slack"].build("chat", settings.targets["chat"].options)
    shown = preview_of(settings, target, "chat", CLAIMED, NOW)
    assert shown.body["blocks"][0]["type"] == "header"
    assert "body.blocks[0].text.text: the template fails" in (shown.fault or "")
    assert "built-in layout" in (shown.fault or "")
