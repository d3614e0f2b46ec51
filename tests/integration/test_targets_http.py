from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from standardwebhooks.webhooks import Webhook as Verifier

from monitor.egress import Egress
from monitor.errors import AddressBlocked
from monitor.http import Sender, target_session
from monitor.simulator.receiver import Receiver
from monitor.simulator.slack import SlackLookalike
from monitor.simulator.slack_text import lines_of, mentions
from monitor.targets import TARGETS
from monitor.targets.base import Message, Target, Verdict
from tests.unit.targets.events import CLAIMED, EXPIRING, stored

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


@pytest.fixture
async def sender() -> AsyncIterator[Sender]:
    """A sender to which loopback is open, as `egress.allow: [127.0.0.0/8]` opens it."""
    async with target_session(Egress(["127.0.0.0/8"])) as session:
        yield Sender(session, 30.0)


def target(type_: str, **options: object) -> Target:
    """A target as bootstrap builds it."""
    plugin = TARGETS[type_]
    return plugin.build("here", plugin.options.model_validate({"type": type_, **options}))


def message(*events: bytes) -> Message:
    """These events, sent now."""
    return Message("evt_4kq7aaaa", events, 1, datetime.now(UTC))


async def test_a_signed_event_arrives_byte_for_byte(sender: Sender) -> None:
    """A receiver that is not ours and a library that is not ours both find it genuine."""
    async with Receiver([SECRET]) as receiver:
        hook = target("webhook", url=receiver.url, secret=SECRET)
        outcome = await sender.run(hook.send(message(CLAIMED)))
        (delivery,) = receiver.deliveries
    assert (outcome.verdict, outcome.status, outcome.address) == (Verdict.DELIVERED, 204, "127.0.0.1")
    assert delivery.verified
    assert delivery.body == CLAIMED
    assert Verifier(SECRET).verify(delivery.body, delivery.headers)
    assert delivery.headers["content-type"] == "application/cloudevents+json"


async def test_a_private_receiver_is_refused_without_permission() -> None:
    """The guard serves every kind of target."""
    async with Receiver([SECRET]) as receiver, SlackLookalike() as slack, target_session(Egress()) as session:
        closed = Sender(session, 30.0)
        for one in (
            target("webhook", url=receiver.url, secret=SECRET),
            target("slack", webhook_url=slack.webhook_url),
            target("slack", token="xoxb-1", channel="C0123", api_url=slack.api_url),
        ):
            with pytest.raises(AddressBlocked):
                await closed.run(one.send(message(CLAIMED)))
        assert (list(receiver.deliveries), slack.messages) == ([], [])


async def test_slack_shows_what_we_meant(sender: Sender) -> None:
    """By webhook and by token, alone and as a group, in words that people read."""
    async with SlackLookalike(token="xoxb-1") as slack:
        hook = target("slack", webhook_url=slack.webhook_url)
        bot = target("slack", token="xoxb-1", channel="C0123", api_url=slack.api_url)
        for one, events in ((hook, (EXPIRING,)), (bot, (CLAIMED, EXPIRING))):
            assert (await sender.run(one.send(message(*events)))).verdict is Verdict.DELIVERED
        alone, group = slack.messages
    assert "Contract of Tony Stark at ACME ends in 14 days, on 20 Dec 2025." in lines_of(alone.payload)
    assert "2 events from 2 sources" in group.text


async def test_slack_takes_anything_a_provider_says_and_pings_nobody(sender: Sender) -> None:
    """100 kB of markup and mentions, alone and a hundred times."""
    huge = stored("worklayer.job.updated", title="<!channel> <@U012> " * 5_000, changes=[{"field": "<!here>" * 9_000}])
    async with SlackLookalike() as slack:
        hook = target("slack", webhook_url=slack.webhook_url)
        for events in ((huge,), (huge,) * 100):
            assert (await sender.run(hook.send(message(*events)))).verdict is Verdict.DELIVERED
        assert [mentions(one.payload) for one in slack.messages] == [[], []]
        assert slack.rejected == {}


async def test_slacks_refusals_are_understood(sender: Sender) -> None:
    """A wrong token, an archived channel and a rate limit, as Slack words them."""
    async with SlackLookalike(token="xoxb-1", enforce_rate=True, burst=1) as slack:
        slack.archived.add("C0OLD")
        wrong = target("slack", token="xoxb-2", channel="C0123", api_url=slack.api_url)
        archived = target("slack", token="xoxb-1", channel="C0OLD", api_url=slack.api_url)
        fine = target("slack", token="xoxb-1", channel="C0123", api_url=slack.api_url)
        outcomes = [await sender.run(one.send(message(CLAIMED))) for one in (wrong, archived, fine, fine)]
    assert [(one.verdict, one.disable, one.hold) for one in outcomes] == [
        (Verdict.FAILED, True, False),
        (Verdict.FAILED, True, False),
        (Verdict.DELIVERED, False, False),
        (Verdict.RETRY, False, True),
    ]
    assert (outcomes[3].retry_after or 0) >= 1
