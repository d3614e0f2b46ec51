"""Layouts of the operator's own stay inside Slack's limits: nothing is refused because a provider wrote much."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.targets.slack_fitting import TEXT, TOTAL, cut, fitted, linked
from monitor.targets.slack_text import escape, width
from tests.unit.targets.events import stored
from tests.unit.targets.groups import member, message
from tests.unit.targets.test_own_layouts import first, layout, slack

LONG = "x" * 20_000


def plain(text: str) -> dict[str, Any]:
    """An object of text without markup."""
    return {"type": "plain_text", "text": text}


def shown(*blocks: dict[str, Any]) -> list[dict[str, Any]]:
    """Blocks as they are sent."""
    made: list[dict[str, Any]] = fitted({"text": "x", "blocks": list(blocks)})["blocks"]
    return made


def test_each_text_is_cut_where_its_place_ends_it() -> None:
    """Header, section, field, context, button and its question: Slack's own numbers, with an ellipsis."""
    header, body, quiet, actions = shown(
        {"type": "header", "text": plain(LONG)},
        {"type": "section", "text": {"type": "mrkdwn", "text": LONG}, "fields": [plain(LONG)]},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": LONG}]},
        {
            "type": "actions",
            "elements": [
                {"type": "button", "text": plain(LONG), "value": LONG, "confirm": {"title": plain(LONG)}},
                {
                    "type": "static_select",
                    "placeholder": plain(LONG),
                    "options": [{"text": plain(LONG), "value": LONG}],
                },
            ],
        },
    )
    button, menu = actions["elements"]
    sizes = [
        (header["text"]["text"], 150),
        (body["text"]["text"], 3_000),
        (body["fields"][0]["text"], 2_000),
        (quiet["elements"][0]["text"], 3_000),
        (button["text"]["text"], 75),
        (button["value"], 2_000),
        (button["confirm"]["title"]["text"], 100),
        (menu["placeholder"]["text"], 150),
        (menu["options"][0]["text"]["text"], 75),
        (menu["options"][0]["value"], 150),
    ]
    assert [(len(text), text[-1]) for text, _ in sizes] == [(most, "…") for _, most in sizes]


def test_all_texts_together_have_an_end_and_buttons_keep_their_names() -> None:
    """Fifty sections of 3,000 characters are refused as a whole; what is behind the end is an ellipsis."""
    blocks = [{"type": "section", "text": plain(LONG)} for _ in range(49)]
    made = shown(*blocks, {"type": "actions", "elements": [{"type": "button", "text": plain("Open")}]})
    texts = [one["text"]["text"] for one in made[:-1]]
    assert sum(map(len, texts)) <= TOTAL + len(texts)
    assert texts[-1] == "…"
    assert made[-1]["elements"][0]["text"]["text"] == "Open"


@settings(deadline=None)
@given(st.text(), st.integers(1, 80))
def test_a_cut_text_fits_and_breaks_no_token_and_no_entity(text: str, limit: int) -> None:
    """What is left reads as a beginning of the whole, counted as Slack counts."""
    whole = f"{escape(text, 200)} <https://x.example/a|{escape(text, 200)}> &amp;&lt; "
    made = cut(whole, limit)
    assert width(made) <= limit
    if made != whole:
        assert made.endswith("…")
        assert whole.startswith(made[:-1])
        rest = re.sub(r"<[^<>]*>|&(?:amp|lt|gt);", "", made)
        assert not set(rest) & set("<>&")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("<|open>", "open"),
        ("<\u034f|open> now", "open now"),
        ("<https\u034f:\u034f//x.example/a_b?c=1&amp;d=2|a | b>", "<https://x.example/a_b?c=1&amp;d=2|a │ b>"),
        ("<\u034f!channel|open>", "<\u034f!channel|open>"),
        ("<!date^1^{date}|then> <@U1> <!here>", "<!date^1^{date}|then> <@U1> <!here>"),
    ],
)
def test_links_have_whole_addresses_or_are_none(written: str, read: str) -> None:
    """An address is no text to be quoted; without one, its label stands alone; the operator's tokens stay."""
    assert linked(written) == read


def test_null_is_nothing_and_addresses_are_addresses() -> None:
    """A job without a link has the bare word, one with a link has the link, in texts and in buttons."""
    body = layout("{{ title }}", "<{{ event.data.resource.url }}|open>", "{{ none }}", "[{{ lines[0].url }}]", "x")
    address = "https://x.example/a_b?c=1&d=:2:"
    button = {"type": "button", "text": plain("Open"), "url": "{{ event.data.resource.url }}"}
    image = {"type": "image", "alt_text": "x", "image_url": "{{ event.data.resource.url }}"}
    body["blocks"] += [{"type": "actions", "elements": [button]}, image]

    bare = first(slack(body), message([member(stored("worklayer.job.failed"))]))
    whole = first(slack(body), message([member(stored("worklayer.job.failed", url=address))]))

    assert bare["blocks"][0]["text"]["text"] == "open"
    assert bare["blocks"][0]["fields"][0]["text"] == "–"
    assert bare["blocks"][1]["elements"][0]["text"] == "[]"
    assert bare["blocks"][3]["elements"] == [{"type": "button", "text": plain("Open")}]
    assert [one["type"] for one in bare["blocks"]] == ["section", "context", "actions", "actions"]
    assert whole["blocks"][0]["text"]["text"] == f"<{address.replace('&', '&amp;')}|open>"
    assert whole["blocks"][3]["elements"][0]["url"] == address
    assert whole["blocks"][4]["image_url"] == address


def test_a_group_with_much_to_say_keeps_its_layout() -> None:
    """A header of the summary and a section of all the words: both within what Slack takes."""
    many = [member(stored("worklayer.job.failed", f"job/{n}", title="& long " * 60, state_now="F")) for n in range(40)]
    body = {
        "text": "{{ text }}{{ text }}",
        "blocks": [
            {"type": "header", "text": plain("{{ summary }}{{ summary }}")},
            {"type": "section", "text": {"type": "mrkdwn", "text": "{{ text }}{{ text }}"}},
        ],
    }
    made = first(slack(body), message(many))
    head, words = (one["text"]["text"] for one in made["blocks"])
    assert width(head) <= 150
    assert width(words) <= TEXT
    assert words[-1] == made["text"][-1] == "…"
    assert width(made["text"]) <= TEXT
