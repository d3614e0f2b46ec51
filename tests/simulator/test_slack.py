from __future__ import annotations

import hmac
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs

import aiohttp
import pytest

from monitor.simulator import Reply, SlackLookalike, SlackMessage, render
from monitor.simulator.slack_clicks import click
from monitor.simulator.slack_rules import check
from tests.simulator.blocks import button, context, header, section
from tests.simulator.calls import Got


class Bot:
    """Calls a look-alike as a Slack app would."""

    def __init__(self, slack: SlackLookalike, http: aiohttp.ClientSession) -> None:
        self.slack = slack
        self.http = http

    async def hook(self, **message: Any) -> Got:
        async with self.http.post(self.slack.webhook_url, json=message, allow_redirects=False) as answer:
            return Got(answer.status, {k.lower(): v for k, v in answer.headers.items()}, await answer.read())

    async def api(self, method: str, token: str = "xoxb-right", **message: Any) -> Got:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with self.http.post(f"{self.slack.api_url}/{method}", json=message, headers=headers) as answer:
            return Got(answer.status, {k.lower(): v for k, v in answer.headers.items()}, await answer.read())


@pytest.fixture
async def bot() -> AsyncIterator[Bot]:
    """A bot with the right token at a fresh workspace."""
    async with SlackLookalike(token="xoxb-right") as slack, aiohttp.ClientSession() as http:
        yield Bot(slack, http)


async def test_a_webhook_takes_a_message_and_says_exactly_ok(bot: Bot) -> None:
    """The answer is plain text ok, and the message stands in the channel."""
    answer = await bot.hook(text="hello", blocks=[section()])
    assert (answer.status, answer.body, answer.headers["content-type"]) == (200, b"ok", "text/plain")
    assert [(m.text, m.via, m.mentions) for m in bot.slack.messages] == [("hello", "webhook", [])]


async def test_a_webhook_refuses_in_plain_text(bot: Bot) -> None:
    """A message without text, broken JSON and a wrong address have Slack's statuses and strings."""
    nothing = await bot.hook(username="me")
    async with bot.http.post(bot.slack.webhook_url, data=b"{") as answer:
        broken = (answer.status, await answer.read())
    async with bot.http.post(bot.slack.webhook_url + "x", json={"text": "a"}) as answer:
        lost = (answer.status, await answer.read())
    assert (nothing.status, nothing.body) == (400, b"no_text")
    assert (broken, lost) == ((400, b"invalid_payload"), (404, b"no_service"))
    assert bot.slack.messages == []


async def test_a_form_with_a_payload_field_is_a_message_too(bot: Bot) -> None:
    """The older way to call an incoming webhook works."""
    async with bot.http.post(bot.slack.webhook_url, data={"payload": '{"text": "hi"}'}) as answer:
        assert answer.status == 200
    assert bot.slack.messages[0].text == "hi"


BAD_MESSAGES: dict[str, tuple[dict[str, Any], str]] = {
    "51 blocks": ({"blocks": [{"type": "divider"}] * 51}, "invalid_blocks"),
    "section of 3001": ({"blocks": [section("x" * 3001)]}, "invalid_blocks"),
    "empty section": ({"blocks": [{"type": "section"}]}, "invalid_blocks"),
    "empty text": ({"blocks": [section("")]}, "invalid_blocks"),
    "11 fields": ({"blocks": [{"type": "section", "fields": [section("x")["text"]] * 11}]}, "invalid_blocks"),
    "field of 2001": ({"blocks": [{"type": "section", "fields": [section("x" * 2001)["text"]]}]}, "invalid_blocks"),
    "header of 151": ({"blocks": [header("x" * 151)]}, "invalid_blocks"),
    "header in mrkdwn": ({"blocks": [{"type": "header", "text": section()["text"]}]}, "invalid_blocks"),
    "11 context elements": ({"blocks": [context(*["x"] * 11)]}, "invalid_blocks"),
    "26 actions": ({"blocks": [{"type": "actions", "elements": button()["elements"] * 26}]}, "invalid_blocks"),
    "button value of 2001": ({"blocks": [button(value="x" * 2001)]}, "invalid_blocks"),
    "button url of 3001": ({"blocks": [button(url="h" * 3001)]}, "invalid_blocks"),
    "action id of 256": ({"blocks": [button(action_id="x" * 256)]}, "invalid_blocks"),
    "button text of 76": ({"blocks": [button(text={"type": "plain_text", "text": "x" * 76})]}, "invalid_blocks"),
    "101 options": ({"blocks": [button(type="static_select", options=[{}] * 101)]}, "invalid_blocks"),
    "same block id": ({"blocks": [section() | {"block_id": "a"}] * 2}, "invalid_blocks"),
    "unknown block": ({"blocks": [{"type": "carousel"}]}, "invalid_blocks"),
    "block that is text": ({"blocks": ["hello"]}, "invalid_blocks"),
    "blocks that are an object": ({"blocks": {"type": "section"}}, "invalid_blocks_format"),
    "11,200 characters": ({"blocks": [section("x" * 2800)] * 4}, "msg_blocks_too_long"),
    "101 attachments": ({"attachments": [{"text": "x"}] * 101}, "too_many_attachments"),
    "attachments that are text": ({"attachments": "x"}, "invalid_attachments"),
    "a bad block in an attachment": ({"attachments": [{"blocks": [header("x" * 151)]}]}, "invalid_blocks"),
    "text that is a number": ({"text": 5}, "invalid_payload"),
    "nothing": ({"text": "", "blocks": []}, "no_text"),
}


@pytest.mark.parametrize("case", list(BAD_MESSAGES))
async def test_each_documented_limit_is_enforced(bot: Bot, case: str) -> None:
    """Beyond a limit a webhook answers 400 with the error string, the Web API 200 with ok false."""
    message, error = BAD_MESSAGES[case]
    by_hook, by_api = await bot.hook(**message), await bot.api("chat.postMessage", channel="C1", **message)
    assert (by_hook.status, by_hook.body.decode()) == (400, error)
    assert (by_api.status, by_api.json["ok"], by_api.json["error"]) == (200, False, error)
    assert bot.slack.messages == []
    assert bot.slack.rejected == {error: 2}


def test_messages_at_the_limits_are_taken() -> None:
    """The largest allowed message of each kind passes."""
    full = [header("x" * 150), section("x" * 3000), context(*["x"] * 10), button(value="x" * 2000)]
    fields = {"type": "section", "fields": [section("x" * 500)["text"]] * 10}
    assert check({"text": "x", "blocks": [*full, fields]}) is None
    assert check({"text": "x", "blocks": [{"type": "divider"}] * 50}) is None
    assert check({"attachments": [{"text": "x", "blocks": [section()]}]}) is None


async def test_block_errors_point_at_the_place(bot: Bot) -> None:
    """The Web API tells which limit was broken where, as a JSON pointer."""
    answer = (await bot.api("chat.postMessage", channel="C1", blocks=[section(), section("x" * 3001)])).json
    assert answer["response_metadata"]["messages"] == [
        "[ERROR] must be less than 3001 characters [json-pointer:/blocks/1/text/text]"
    ]


async def test_the_web_api_posts_and_gives_a_timestamp(bot: Bot) -> None:
    """Two messages have two timestamps in rising order, and replies are found in their thread."""
    first = (await bot.api("chat.postMessage", channel="C1", text="parent")).json
    second = (await bot.api("chat.postMessage", channel="C1", text="reply", thread_ts=first["ts"])).json
    assert (first["ok"], first["channel"]) == (True, "C1")
    assert float(second["ts"]) > float(first["ts"])
    assert [message.text for message in bot.slack.thread(first["ts"])] == ["reply"]


async def test_an_edit_replaces_the_message_and_keeps_the_earlier_one(bot: Bot) -> None:
    """chat.update changes text and blocks in place; text alone deletes the blocks."""
    ts = (await bot.api("chat.postMessage", channel="C1", text="a", blocks=[section()])).json["ts"]
    answer = (await bot.api("chat.update", channel="C1", ts=ts, text="b")).json
    (message,) = bot.slack.messages
    assert (answer["ok"], message.text, message.blocks) == (True, "b", [])
    assert [old["text"] for old in message.edits] == ["a"]


async def test_an_edit_of_what_is_not_there_fails(bot: Bot) -> None:
    """Unknown, deleted and webhook messages cannot be edited, and edits may not be long."""
    ts = (await bot.api("chat.postMessage", channel="C1", text="a")).json["ts"]
    long = await bot.api("chat.update", channel="C1", ts=ts, text="x" * 4001)
    elsewhere = await bot.api("chat.update", channel="C2", ts=ts, text="b")
    await bot.api("chat.delete", channel="C1", ts=ts)
    deleted = await bot.api("chat.update", channel="C1", ts=ts, text="b")
    await bot.hook(text="c")
    hooked = bot.slack.messages[-1]
    foreign = await bot.api("chat.update", channel=hooked.channel, ts=hooked.ts, text="b")
    errors = [answer.json["error"] for answer in (long, elsewhere, deleted, foreign)]
    assert errors == ["msg_too_long", "message_not_found", "message_not_found", "cant_update_message"]


async def test_credentials_and_channels_are_checked(bot: Bot) -> None:
    """Failures come as HTTP 200 with ok false and Slack's string."""
    bot.slack.channels, bot.slack.archived = {"C1", "C2"}, {"C2"}
    answers = [
        await bot.api("chat.postMessage", token="", channel="C1", text="a"),
        await bot.api("chat.postMessage", token="xoxb-wrong", channel="C1", text="a"),
        await bot.api("chat.postMessage", channel="C9", text="a"),
        await bot.api("chat.postMessage", text="a"),
        await bot.api("chat.postMessage", channel="C2", text="a"),
        await bot.api("chat.shout", channel="C1", text="a"),
    ]
    assert {answer.status for answer in answers} == {200}
    assert [answer.json["error"] for answer in answers] == [
        "not_authed",
        "invalid_auth",
        "channel_not_found",
        "channel_not_found",
        "is_archived",
        "unknown_method",
    ]
    assert (await bot.api("auth.test")).json["ok"] is True


async def test_a_channel_takes_a_burst_and_then_one_a_second() -> None:
    """Beyond the burst comes 429 with Retry-After in whole seconds; other channels are not affected."""
    now = 0.0
    async with (
        SlackLookalike(enforce_rate=True, clock=lambda: now) as slack,
        aiohttp.ClientSession() as http,
    ):
        bot = Bot(slack, http)
        posts = [await bot.api("chat.postMessage", channel="C1", text="a") for _ in range(6)]
        other = await bot.api("chat.postMessage", channel="C2", text="a")
        hooks = [await bot.hook(text="a") for _ in range(6)]
        now = 1.0
        later = [await bot.api("chat.postMessage", channel="C1", text="a") for _ in range(2)]
    assert [post.status for post in posts] == [200] * 5 + [429]
    assert posts[5].json["error"] == "ratelimited"
    assert (posts[5].headers["retry-after"], other.status) == ("1", 200)
    assert [hook.status for hook in hooks] == [200] * 5 + [429]
    assert [post.status for post in later] == [200, 429]


async def test_edits_have_a_budget_of_their_own() -> None:
    """Fifty edits a minute pass although the channel takes no more posts."""
    async with SlackLookalike(enforce_rate=True, burst=1, clock=lambda: 0.0) as slack, aiohttp.ClientSession() as http:
        bot = Bot(slack, http)
        ts = (await bot.api("chat.postMessage", channel="C1", text="a")).json["ts"]
        edits = [await bot.api("chat.update", channel="C1", ts=ts, text="b") for _ in range(51)]
    assert [edit.status for edit in edits] == [200] * 50 + [429]


async def test_a_script_can_lose_the_answer_of_a_message_that_was_posted(bot: Bot) -> None:
    """A reset without a status posts the message although the sender never learns it; a status does not post."""
    bot.slack.script([503, Reply(status=200, body={"ok": False}), Reply(reset=True)], then=Reply(reset=True))
    assert (await bot.hook(text="a")).status == 503
    assert (await bot.hook(text="b")).json == {"ok": False}
    with pytest.raises((aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)):
        await bot.hook(text="c")
    assert {message.text for message in bot.slack.messages} == {"c"}


async def test_a_listener_and_a_waiter_hear_of_messages_and_edits() -> None:
    """on_message is called for posts and edits; wait_for sees both."""
    told: list[tuple[str, int]] = []

    def hear(message: SlackMessage) -> None:
        told.append((message.text, len(message.edits)))

    async with SlackLookalike(on_message=hear) as slack, aiohttp.ClientSession() as http:
        bot = Bot(slack, http)
        ts = (await bot.api("chat.postMessage", channel="C1", text="a")).json["ts"]
        await bot.api("chat.update", channel="C1", ts=ts, text="b")
        await slack.wait_for(lambda messages: any(message.edits for message in messages), timeout=60)
    assert told == [("a", 0), ("b", 1)]


async def test_a_click_is_signed_as_slack_signs_it(bot: Bot) -> None:
    """The request for a click carries the message, the action and a version 0 signature over the raw form."""
    await bot.hook(text="a", blocks=[button(value="opaque")])
    body, headers = click(bot.slack.messages[0], "open", secret="s3cret", timestamp=1_700_000_000)
    payload = json.loads(parse_qs(body.decode())["payload"][0])
    expected = hmac.new(b"s3cret", b"v0:1700000000:" + body, "sha256").hexdigest()
    assert headers["X-Slack-Signature"] == f"v0={expected}"
    assert (payload["type"], payload["actions"][0]["value"]) == ("block_actions", "opaque")
    with pytest.raises(ValueError, match="no action"):
        click(bot.slack.messages[0], "close", secret="s3cret", timestamp=0)


async def test_a_message_is_rendered_as_lines_for_a_terminal(bot: Bot) -> None:
    """Blocks are shown in order, attachments with a bar; the fallback text only without blocks."""
    fields = {"type": "section", "fields": [section("*State*\nCLAIMED")["text"]]}
    blocks = [
        header("Job claimed"),
        section("by *Ann*"),
        fields,
        {"type": "divider"},
        button(url="https://x"),
        context("evt_1", "late"),
    ]
    await bot.hook(text="fallback", blocks=blocks, attachments=[{"text": "one\ntwo", "blocks": [section("three")]}])
    await bot.hook(text="only *text*")
    rendered, simple = (render(message) for message in bot.slack.messages)
    assert rendered.split("\n") == [
        "Job claimed",
        "by Ann",
        "  State: CLAIMED",
        "─" * 40,
        "[Open](https://x)",
        "  evt_1 · late",
        "│ one",
        "│ two",
        "│ three",
    ]
    assert simple == "only text"
