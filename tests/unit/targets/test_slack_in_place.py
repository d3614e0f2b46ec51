"""By bot token: one message a group that is edited, its thread, and a new one where the old cannot be edited."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from pydantic import ValidationError

from monitor.conditions import Acknowledgement, Status
from monitor.errors import Paused, TransportError, TransportTimeout
from monitor.exchange import Request, Response
from monitor.grouping.message import Act, News, Reason, Remark
from monitor.moments import stamp
from monitor.simulator.slack_text import mentions
from monitor.targets.base import InPlace, Message, Outcome, Verdict
from monitor.targets.slack import Slack, SlackOptions
from tests.drive import drive, recorded, reply
from tests.unit.targets.events import CLAIMED, EXPIRING, stored
from tests.unit.targets.groups import NOW, member, message

OK = reply({"ok": True, "channel": "C0REAL", "ts": "1503435956.000247"})
SINCE = NOW - timedelta(minutes=5)
MEMORY = {"channel": "C0REAL", "ts": "1503435956.000247", "since": stamp(SINCE)}


def target(**options: Any) -> Slack:
    """A target that posts with a bot token to a channel it knows by name."""
    given = {
        "type": "slack",
        "token": "xoxb-hunter2hunter2",
        "channel": "#alerts",
        "signing_secret": "s3cret",
        **options,
    }
    return Slack(SlackOptions.model_validate(given))


def attempt(message: Message, *answers: Response, **options: Any) -> tuple[list[tuple[str, dict[str, Any]]], Outcome]:
    """The calls of one attempt (method, payload), and what became of it."""
    done = drive(target(**options).send(message), recorded(answers))
    assert isinstance(done.result, Outcome)
    return [_call(one) for one in done.requests], done.result


def _call(request: Request) -> tuple[str, dict[str, Any]]:
    return request.url.rpartition("/")[2], msgspec.json.decode(request.body or b"")


def failed(error: str) -> Response:
    """The Web API's answer for an error."""
    return reply({"ok": False, "error": error})


def test_the_first_message_is_posted_and_remembered() -> None:
    """Where it is, by the ids that Slack answered, and of which life of the group it is."""
    ((method, payload),), outcome = attempt(message([member()]), OK)
    assert (method, payload["channel"]) == ("chat.postMessage", "#alerts")
    assert outcome.verdict is Verdict.DELIVERED
    assert outcome.remember == MEMORY


def test_what_changes_is_edited_in_place_and_told_in_the_thread() -> None:
    """The message shows what is so, the thread what happened; edits say parse too, which differs by default."""
    worse = message([member(news=News.WORSE)], reason=Reason.WORSE, memory=MEMORY, number=1)
    calls, outcome = attempt(worse, OK, OK)
    (edit, edited), (post, told) = calls
    assert (edit, edited["channel"], edited["ts"], edited["parse"]) == (
        "chat.update",
        "C0REAL",
        MEMORY["ts"],
        "none",
    )
    assert (post, told["channel"], told["thread_ts"]) == ("chat.postMessage", "C0REAL", MEMORY["ts"])
    assert "reply_broadcast" not in told
    assert outcome.remember == MEMORY


@pytest.mark.parametrize(
    ("reason", "broadcast", "shown"),
    [
        (Reason.WORSE, False, False),
        (Reason.WORSE, True, True),
        (Reason.REPEAT, False, True),
        (Reason.ESCALATION, False, True),
    ],
)
def test_what_exists_to_be_noticed_is_shown_in_the_channel(reason: Reason, broadcast: bool, shown: bool) -> None:
    """An edit pings nobody, so reminders and escalations are broadcast; the rest as the target says."""
    one = message([member(news=News.WORSE)], reason=reason, memory=MEMORY, number=1)
    calls, _ = attempt(one, OK, OK, broadcast=broadcast)
    assert calls[1][1].get("reply_broadcast", False) is shown


def test_an_acknowledgement_edits_and_leaves_a_line_in_the_thread() -> None:
    """Whatever is broadcast else, that is not, and whoever acted is named and not mentioned."""
    taken = Acknowledgement(by="<@U0DANA>", at=NOW, revision=1, comment="<!here> *mine*")
    one = member(status=Status.ACKNOWLEDGED, acknowledgement=taken)
    one = replace(one, remarks=(Remark(Act.ACKNOWLEDGED, taken.by, taken.at, comment=taken.comment),))
    acknowledged = message([one], EXPIRING, reason=Reason.ACKNOWLEDGED, memory=MEMORY, number=1)
    calls, outcome = attempt(acknowledged, OK, OK, broadcast=True)
    (edit, edited), (post, told) = calls
    assert (edit, post, told["thread_ts"], "reply_broadcast" in told) == (
        "chat.update",
        "chat.postMessage",
        MEMORY["ts"],
        False,
    )
    assert (mentions(edited), mentions(told)) == ([], [])
    assert "until it gets worse: " in msgspec.json.encode(told["blocks"]).decode()
    assert outcome.verdict is Verdict.DELIVERED


@pytest.mark.parametrize("error", ["message_not_found", "cant_update_message", "edit_window_closed", "block_mismatch"])
def test_a_message_that_cannot_be_edited_is_posted_anew(error: str) -> None:
    """Somebody deleted it, or the workspace lets nobody edit: the new one is the one that is remembered."""
    new = reply({"ok": True, "channel": "C0REAL", "ts": "1600000000.000001"})
    changed = message([member(news=News.WORSE)], reason=Reason.WORSE, memory=MEMORY, number=3)
    calls, outcome = attempt(changed, failed(error), new)
    assert [method for method, _ in calls] == ["chat.update", "chat.postMessage"]
    assert outcome.verdict is Verdict.DELIVERED
    assert outcome.remember == {**MEMORY, "ts": "1600000000.000001"}


def test_a_new_life_of_the_group_is_a_new_message_that_links_the_last() -> None:
    """What came back is a new thing, and people find what was done last time."""
    old = {**MEMORY, "since": "2026-01-01T00:00:00Z"}
    ((method, payload),), outcome = attempt(message([member()], memory=old), OK)
    assert method == "chat.postMessage"
    assert "https://slack.com/archives/C0REAL/p1503435956000247" in msgspec.json.encode(payload).decode()
    assert outcome.remember is not None
    assert outcome.remember["since"] == stamp(SINCE)


def test_an_escalation_mentions_whom_the_config_names() -> None:
    """In a reply of its own: edits ping nobody. Also where the message itself has just been posted."""
    for memory, count in ((MEMORY, 2), ({}, 2)):
        one = message([member(news=News.SAME)], EXPIRING, reason=Reason.ESCALATION, memory=memory, number=1)
        calls, _ = attempt(one, *[OK] * count, mention="<!subteam^S1>")
        assert calls[-1][1]["text"].startswith("<!subteam^S1> ")
        assert "thread_ts" in calls[-1][1]


@pytest.mark.parametrize("reason", [one for one in Reason if one is not Reason.ESCALATION])
def test_nothing_but_an_escalation_mentions_anybody(reason: Reason) -> None:
    """Who is mentioned for everything mutes the channel."""
    one = message([member(news=News.WORSE)], EXPIRING, reason=reason, memory=MEMORY, number=1)
    calls, _ = attempt(one, OK, OK, mention="<!subteam^S1>")
    assert b"subteam" not in msgspec.json.encode([payload for _, payload in calls])


def test_a_reply_that_fails_is_tried_again_without_posting_the_message_twice() -> None:
    """What is there is remembered even though the attempt failed."""
    both = message([member()], EXPIRING, CLAIMED.replace(b"evt_4kq7aaaa", b"evt_other"))
    _, outcome = attempt(both, OK, reply("", 503))
    assert outcome.verdict is Verdict.RETRY
    assert outcome.remember == MEMORY
    again = replace(both, attempt=2, group=_remembering(both, outcome.remember))
    calls, outcome = attempt(again, OK, OK)
    assert [method for method, _ in calls] == ["chat.update", "chat.postMessage"]
    assert outcome.verdict is Verdict.DELIVERED


@pytest.mark.parametrize(
    ("error", "wait", "hold"),
    [(TransportTimeout("no answer"), None, False), (Paused("not now", 42.0), 42.0, True)],
)
def test_a_reply_that_is_not_heard_of_leaves_the_message_remembered(
    error: TransportError, wait: float | None, hold: bool
) -> None:
    """Timed out, or the channel was paused in between: the next attempt edits what stands there."""
    both = message([member()], EXPIRING, CLAIMED.replace(b"evt_4kq7aaaa", b"evt_other"))
    exchange = target().send(both)
    assert next(exchange)
    assert isinstance(exchange.send(OK), Request)
    with pytest.raises(StopIteration) as stopped:
        exchange.throw(error)
    outcome = stopped.value.value
    assert (outcome.verdict, outcome.remember) == (Verdict.RETRY, MEMORY)
    assert (outcome.retry_after, outcome.hold) == (wait, hold)


def test_trouble_with_the_edit_is_trouble_of_the_attempt() -> None:
    """A rate limit holds, and what was remembered stays."""
    limited = Response(429, {"retry-after": "7"}, b'{"ok": false, "error": "ratelimited"}')
    changed = message([member(news=News.WORSE)], reason=Reason.WORSE, memory=MEMORY, number=1)
    _, outcome = attempt(changed, limited)
    assert (outcome.verdict, outcome.hold, outcome.retry_after, outcome.remember) == (Verdict.RETRY, True, 7.0, None)


def test_blocks_that_slack_refuses_become_plain_text() -> None:
    """Once, for the edit as for the post."""
    changed = message([member(news=News.WORSE)], reason=Reason.WORSE, memory=MEMORY, number=1)
    calls, outcome = attempt(changed, failed("invalid_blocks"), OK, OK)
    assert "blocks" not in calls[1][1]
    assert calls[1][1]["ts"] == MEMORY["ts"]
    assert outcome.verdict is Verdict.DELIVERED


def test_by_webhook_everything_is_one_message() -> None:
    """Nothing can be edited there: state and news together, and no buttons that nobody would hear."""
    hook = Slack(
        SlackOptions.model_validate(
            {"type": "slack", "webhook_url": "https://hooks.slack.com/services/T/B/x", "mention": "<!here>"}
        )
    )
    one = message([member()], EXPIRING, CLAIMED.replace(b"evt_4kq7aaaa", b"evt_other"), reason=Reason.ESCALATION)
    done = drive(hook.send(one), recorded([reply("ok")]))
    assert isinstance(done.result, Outcome)
    payload = msgspec.json.decode(done.requests[0].body or b"")
    read_out = msgspec.json.encode(payload).decode()
    assert done.result.verdict is Verdict.DELIVERED
    assert payload["text"].startswith("<!here> ")
    assert "CLAIMED" in read_out
    assert "jobwire_ack" not in read_out
    assert not hook.attends
    assert isinstance(target(), InPlace)
    assert target().attends


def _remembering(message: Message, memory: Mapping[str, Any] | None) -> Any:
    assert message.group is not None
    return replace(message.group, memory=memory or {})


OWN = {
    "text": "{{ severity }}: {{ title }}",
    "blocks": [
        {"type": "section", "text": {"type": "mrkdwn", "text": "*{{ title }}* {{ 10 // event.data.revision }}"}}
    ],
}


def test_a_layout_of_the_operator_takes_the_place_of_ours() -> None:
    """What it writes out is escaped: the operator's own marks work, and what a provider wrote pings nobody."""
    rude = stored("worklayer.job.failed", title="<!channel> *now* & here", state_now="FAILED")
    ((_, payload),), _ = attempt(message([member(rude)]), OK, body=OWN)
    assert payload["text"] == "warning: &lt;!channel&gt; \u034f*\u034fnow\u034f*\u034f &amp; here"
    assert payload["blocks"][0]["text"]["text"].startswith("*&lt;!channel&gt;")
    assert payload["blocks"][0]["text"]["verbatim"] is True
    assert mentions(payload) == []


def test_a_layout_that_fails_gives_way_to_ours() -> None:
    """A22: on this one event the message is told all the same."""
    zero = stored("worklayer.job.failed", revision=0, state_now="FAILED")
    text_only = {"text": "{{ 10 // event.data.revision }}", "blocks": []}
    ((_, payload),), outcome = attempt(message([member(zero)]), OK, body=text_only)
    assert outcome.verdict is Verdict.DELIVERED
    assert payload["text"]


@pytest.mark.parametrize("body", [{"blocks": []}, {"text": "{{ title"}, {"text": ""}, {"text": "x", "channel": "C1"}])
def test_a_layout_that_cannot_work_is_said_by_check(body: dict[str, Any]) -> None:
    """No line for phones, no template, a key that is not the message's."""
    with pytest.raises(ValidationError):
        target(body=body)
