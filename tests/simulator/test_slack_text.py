from __future__ import annotations

from typing import Any

import pytest

from monitor.simulator.slack_text import lines_of, mentions, plain
from tests.simulator.blocks import context, header, section


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ({"text": "<!channel> <!here> <!everyone> <@U123> <!subteam^S1|@ops>"}, 5),
        ({"text": "&lt;!channel&gt; a < b > c <https://x|@here> @channel"}, 0),
        ({"blocks": [section("see <@W9>")]}, 1),
        ({"blocks": [header("<!channel>")]}, 0),
        ({"blocks": [context("<!here|here>")]}, 1),
        ({"attachments": [{"fallback": "<!channel>", "fields": [{"value": "<@U1>"}]}]}, 2),
        ({"text": "@here", "link_names": True}, 1),
        ({"blocks": [{"type": "rich_text", "elements": [{"elements": [{"type": "broadcast", "range": "here"}]}]}]}, 1),
    ],
)
def test_whatever_would_ping_somebody_is_found(message: dict[str, Any], found: int) -> None:
    """Live mentions are found wherever Slack reads markup; escaped ones and plain text are not."""
    assert len(mentions(message)) == found


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("*bold* _it_ ~no~ `code` a*b*c", "bold it no code a*b*c"),
        ("<https://x.example|Open job> and <https://y.example>", "Open job (https://x.example) and https://y.example"),
        ("due <!date^1700000000^{date_short}^https://x|14 Nov 2023, 22:13 UTC>", "due 14 Nov 2023, 22:13 UTC"),
        ("<!channel> <@U1|ann> <#C1|ops>", "@channel @ann @ops"),
        (":warning: a &lt;b&gt; &amp;amp; :unknown_one:", "⚠️ a <b> &amp; :unknown_one:"),
    ],
)
def test_markup_reads_as_a_person_sees_it(text: str, read: str) -> None:
    """Links, dates, emoji, styles and entities are resolved."""
    assert plain(text) == read


@pytest.mark.parametrize(
    ("block", "lines"),
    [
        ({"type": "markdown", "text": "# Title\nbody"}, ["# Title", "body"]),
        ({"type": "rich_text", "elements": [{"elements": [{"text": "a "}, {"url": "https://x"}]}]}, ["a https://x"]),
        ({**section("text"), "accessory": {"type": "button", "text": {"text": "Do"}}}, ["text", "[Do]"]),
        ({"type": "image", "alt_text": "a chart", "image_url": "https://x"}, ["a chart"]),
        ({"type": "context", "elements": [{"type": "image", "alt_text": "logo"}, "odd"]}, ["  logo · odd"]),
    ],
)
def test_rarer_blocks_are_readable_too(block: dict[str, Any], lines: list[str]) -> None:
    """Markdown, rich text, accessories and images all come out as text."""
    assert lines_of({"text": "fallback", "blocks": [block]}) == lines


def test_the_fields_of_an_old_attachment_are_shown() -> None:
    """Attachments without blocks still read well."""
    attachment = {"title": "T", "fields": [{"title": "State", "value": "*OPEN*"}]}
    assert lines_of({"attachments": [attachment]}) == ["│ T", "│ State: OPEN"]
