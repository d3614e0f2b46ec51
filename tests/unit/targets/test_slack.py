from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from pydantic import ValidationError

from monitor.exchange import Response
from monitor.simulator.slack_text import lines_of, live_in
from monitor.targets.base import Message, Outcome, Verdict
from monitor.targets.slack import Slack, SlackOptions
from monitor.targets.slack_errors import classify
from tests.drive import Driven, drive, recorded, reply
from tests.unit.targets.events import CLAIMED, EXPIRING, stored

HOOK = "https://hooks.slack.com/services/T0AAAAAA/B0BBBBBB/hunter2hunter2"
MESSAGE = Message("evt_4kq7aaaa", (CLAIMED,), 1, datetime(2026, 1, 5, 9, 30, 5, tzinfo=UTC))


def by_webhook(**options: Any) -> Slack:
    """A target that posts to an incoming webhook."""
    return Slack(SlackOptions.model_validate({"type": "slack", "webhook_url": HOOK, **options}))


def by_token(**options: Any) -> Slack:
    """A target that posts with a bot token."""
    given = {"type": "slack", "token": "xoxb-hunter2hunter2", "channel": "C0123", **options}
    return Slack(SlackOptions.model_validate(given))


def sent(target: Slack, *responses: Response, message: Message = MESSAGE) -> Driven[Outcome]:
    """One attempt with these answers."""
    return drive(target.send(message), recorded(responses))


def outcome(target: Slack, *responses: Response) -> Outcome:
    """What became of that attempt."""
    result = sent(target, *responses).result
    assert result is not None
    return result


def test_an_incoming_webhook_gets_one_json_post() -> None:
    """Text and blocks, nothing unfurled; success is exactly `ok`."""
    driven = sent(by_webhook(headers={"X-A": "1"}), reply("ok"))
    (request,) = driven.requests
    payload = msgspec.json.decode(request.body or b"")
    assert (request.method, request.url, request.headers["X-A"]) == ("POST", HOOK, "1")
    assert set(payload) == {"text", "blocks", "unfurl_links", "unfurl_media"}
    assert driven.result == Outcome(Verdict.DELIVERED, 200, response="ok")


def test_a_bot_token_posts_to_its_channel() -> None:
    """chat.postMessage with the token in a header, nothing in the text made live; success is `ok: true`."""
    driven = sent(by_token(api_url="https://slack.example/api/"), reply({"ok": True, "ts": "1.2"}))
    (request,) = driven.requests
    payload = msgspec.json.decode(request.body or b"")
    assert request.url == "https://slack.example/api/chat.postMessage"
    assert request.headers["authorization"] == "Bearer xoxb-hunter2hunter2"
    assert (payload["channel"], payload["link_names"], payload["parse"]) == ("C0123", False, "none")
    assert driven.result is not None
    assert driven.result.verdict is Verdict.DELIVERED


def test_a_group_is_one_message() -> None:
    """All events of a lane go out in one post."""
    message = Message("evt_1", (CLAIMED, EXPIRING), 1, MESSAGE.sent_at)
    driven = sent(by_webhook(), reply("ok"), message=message)
    assert len(driven.requests) == 1
    assert "2 events" in msgspec.json.decode(driven.requests[0].body or b"")["text"]


@pytest.mark.parametrize(
    "answer",
    [
        reply("OK"),
        reply("okay"),
        reply(""),
        reply({"ok": True}),
        reply("<html>ok</html>"),
        reply("ok", 201),
        reply("ok", 302),
    ],
)
def test_a21_any_other_answer_of_a_webhook_is_a_failure(answer: Response) -> None:
    """A login page or proxy that answers 200 has not taken the message."""
    result = outcome(by_webhook(), answer)
    assert (result.verdict, result.disable) == (Verdict.RETRY, False)
    assert "(transient)" in (result.error or "")


@pytest.mark.parametrize(
    "answer",
    [
        reply({"ok": False, "error": "internal_error"}),
        reply({"ok": "true"}),
        reply({"ok": 1}),
        reply([]),
        reply("ok"),
        reply("<html>"),
        reply({"ok": True}, 500),
        reply("[" * 100_000),
    ],
)
def test_a21_http_200_without_ok_true_is_a_failure(answer: Response) -> None:
    """The Web API says failures with 200; what is not its JSON is none of its successes."""
    assert outcome(by_token(), answer).verdict is Verdict.RETRY


TRANSIENT = [
    "internal_error",
    "fatal_error",
    "service_unavailable",
    "request_timeout",
    "rollup_error",
    "never_heard_of",
]
CREDENTIAL = ["invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive", "missing_scope"]
DESTINATION = [
    "channel_not_found",
    "is_archived",
    "not_in_channel",
    "restricted_action",
    "restricted_action_thread_only",
]
PAYLOAD = ["invalid_blocks", "invalid_payload", "msg_too_long", "msg_blocks_too_long", "no_text", "invalid_arguments"]


@pytest.mark.parametrize("word", TRANSIENT)
def test_transient_errors_are_tried_again(word: str) -> None:
    """They say nothing about the message or the target."""
    result = outcome(by_token(), reply({"ok": False, "error": word}))
    assert (result.verdict, result.hold, result.disable) == (Verdict.RETRY, False, False)
    assert result.error == f"Slack says {word} (transient): it is tried again"


@pytest.mark.parametrize("word", CREDENTIAL + DESTINATION)
def test_a18_credential_and_destination_errors_stop_the_target(word: str) -> None:
    """One request, no retries, the target flagged, and words that say what to check."""
    driven = sent(by_token(), reply({"ok": False, "error": word}))
    result = driven.result
    assert result is not None
    assert (result.verdict, result.disable, len(driven.requests)) == (Verdict.FAILED, True, 1)
    assert "check" in (result.error or "")


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (403, "invalid_token"),
        (403, "action_prohibited"),
        (404, "no_service"),
        (404, "channel_not_found"),
        (410, "channel_is_archived"),
    ],
)
def test_a18_a_webhook_that_is_gone_stops_the_target(status: int, word: str) -> None:
    """Webhooks say it by status and one word of text."""
    result = outcome(by_webhook(), reply(word, status))
    assert (result.verdict, result.disable) == (Verdict.FAILED, True)


def test_a20_rate_errors_hold_the_channel_for_as_long_as_asked() -> None:
    """429 with Retry-After, by webhook and by token; the error may also come with 200."""
    for target, body in ((by_webhook(), "rate_limited"), (by_token(), {"ok": False, "error": "ratelimited"})):
        result = outcome(target, reply(body, 429, retry_after=30))
        assert (result.verdict, result.hold, result.retry_after) == (Verdict.RETRY, True, 30.0)
    spent = outcome(by_token(), reply({"ok": False, "error": "message_limit_exceeded"}))
    assert (spent.verdict, spent.hold, spent.retry_after) == (Verdict.RETRY, True, 600.0)


def test_a_workspace_being_moved_is_given_minutes() -> None:
    """Migration ends by itself."""
    result = outcome(by_token(), reply({"ok": False, "error": "team_added_to_org"}))
    assert (result.verdict, result.retry_after) == (Verdict.RETRY, 300.0)


def test_503_slows_the_target() -> None:
    """Slack is down for every message, not for this one."""
    result = outcome(by_token(), reply("", 503, retry_after=5))
    assert (result.verdict, result.hold, result.retry_after) == (Verdict.RETRY, True, 5.0)


@pytest.mark.parametrize("word", PAYLOAD)
def test_payload_errors_degrade_once_to_plain_text(word: str) -> None:
    """The second post has no blocks; its answer decides, and the record says what was refused."""
    pointer = {"ok": False, "error": word, "response_metadata": {"messages": ["[ERROR] /blocks/1"]}}
    driven = sent(by_token(), reply(pointer), reply({"ok": True}))
    second = msgspec.json.decode(driven.requests[1].body or b"")
    assert "blocks" not in second
    assert second["channel"] == "C0123"
    assert driven.result is not None
    assert driven.result.verdict is Verdict.DELIVERED
    assert "sent as plain text" in driven.result.response
    assert "/blocks/1" in driven.result.response


def test_the_plain_text_of_a_webhook_makes_no_link_of_an_address_in_a_title() -> None:
    """Blocks say verbatim and the Web API parse; the text alone has neither."""
    named = Message("evt_1", (stored("worklayer.job.created", title="see www.evil.example"),), 1, MESSAGE.sent_at)
    driven = sent(by_webhook(), reply("invalid_blocks", 400), reply("ok"), message=named)
    plain = msgspec.json.decode(driven.requests[-1].body or b"")
    assert live_in(plain) == []
    assert "see www.evil.example is new" in lines_of(plain)[1]


def test_a_payload_that_is_refused_twice_is_given_up_but_the_target_lives() -> None:
    """No third try of the same message; other messages go on."""
    result = outcome(by_webhook(), reply("invalid_blocks", 400), reply("invalid_payload", 400))
    assert (result.verdict, result.disable) == (Verdict.FAILED, False)


def test_every_documented_word_has_its_class() -> None:
    """429 is a rate error whatever the body says."""
    assert classify("whatever", 429) == "rate"
    assert {classify(word, 200).value for word in TRANSIENT} == {"transient"}
    assert {classify(word, 200).value for word in CREDENTIAL} == {"credential"}
    assert {classify(word, 200).value for word in DESTINATION} == {"destination"}
    assert {classify(word, 400).value for word in PAYLOAD} == {"payload"}


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({}, "either webhook_url"),
        ({"token": "xoxb-hunter2hunter2"}, "either webhook_url"),
        ({"channel": "C0123"}, "either webhook_url"),
        ({"webhook_url": HOOK, "channel": "C0123"}, "either webhook_url"),
        ({"webhook_url": HOOK, "token": "xoxb-hunter2hunter2", "channel": "C0123"}, "either webhook_url"),
        ({"webhook_url": "hooks.slack.com/hunter2hunter2"}, "write https://"),
        ({"token": "xoxb hunter2hunter2", "channel": "C0123"}, "is empty or holds a space"),
        ({"token": "", "channel": "C0123"}, "is empty or holds a space"),
        ({"token": "xoxb-hunter2hunter2", "channel": "not a channel"}, "channel"),
        ({"webhook_url": HOOK, "signing_secret": "hunter2hunter2", "signing_secrets": ["x"]}, "either signing_secret"),
    ],
)
def test_wrong_options_are_explained_and_no_secret_is_told(options: dict[str, Any], complaint: str) -> None:
    """One way in, completely given."""
    with pytest.raises(ValidationError, match=complaint) as caught:
        SlackOptions.model_validate({"type": "slack", **options})
    assert "hunter2hunter2" not in str(caught.value)


def test_the_options_of_the_contract_are_taken() -> None:
    """Signing secrets, mention and broadcast belong to a Slack target; one message a second is its pace."""
    options = SlackOptions.model_validate(
        {
            "type": "slack",
            "webhook_url": HOOK,
            "signing_secrets": ["a", "b"],
            "mention": "<!subteam^S01>",
            "broadcast": True,
        }
    )
    assert (options.rate, options.concurrency, options.broadcast) == (1.0, 1, True)
    assert options.destinations() == {"webhook_url": HOOK}


def test_addresses_show_the_way_in_and_no_secret() -> None:
    """People tell targets apart without reading tokens."""
    assert by_webhook().address() == "incoming webhook at hooks.slack.com"
    assert by_token().address() == "channel C0123 at slack.com"


def test_an_answer_that_echoes_the_webhook_or_token_is_recorded_without_it() -> None:
    """Proxies print URLs in their error pages."""
    by_path = outcome(by_webhook(), reply("cannot reach /services/T0AAAAAA/B0BBBBBB/hunter2hunter2", 502))
    by_header = outcome(by_token(), reply("bad header Bearer xoxb-hunter2hunter2", 502))
    assert "hunter2hunter2" not in by_path.response + by_header.response
